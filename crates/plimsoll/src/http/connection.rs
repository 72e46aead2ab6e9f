//! One connection: its requests, how long it may take, and how it ends.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Response, StatusCode};
use hyper_util::rt::TokioIo;
use plimsoll_dialects::http::{Reply, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::limits::{HEAD_BYTES_MAX, LINGER_MAX, Limits, TICK};
use super::wire::{Answer, Phase, Socket, Wire};
use super::{body, told};
use crate::service::{Answered, SMALL_BODY_BYTES_MAX, Service, TransportFault};

/// How a connection ends.
enum End {
    /// All that was due has been said, or nobody would hear it.
    Quiet,
    /// The peer may still be sending what nobody will read.
    Unread,
    /// A head that hyper did not hand over has still to be answered.
    Refused(TransportFault),
}

/// Serves a connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    service: Arc<Service>,
    limits: Arc<Limits>,
    stop: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let wire = Wire::default();
    let mut socket = Socket::new(stream, wire.clone());
    let end = converse(&mut socket, &wire, &service, &limits, stop).await;
    let mut stream = socket.stream;
    match end {
        End::Quiet => {}
        End::Unread => linger(&mut stream).await,
        End::Refused(fault) => {
            say(&mut stream, service.refuse(&wire.path(), fault)).await;
            linger(&mut stream).await;
        }
    }
}

/// Answers requests until there are no more, or time is over.
async fn converse(
    socket: &mut Socket<TcpStream>,
    wire: &Wire,
    service: &Arc<Service>,
    limits: &Arc<Limits>,
    mut stop: watch::Receiver<bool>,
) -> End {
    let handler = service_fn(|request: hyper::Request<Incoming>| {
        let has_content_length = wire.handed_over(request.body().size_hint().exact());
        let exchange = Exchange {
            service: Arc::clone(service),
            limits: Arc::clone(limits),
            wire: wire.clone(),
            has_content_length,
        };
        async move { Ok::<_, Infallible>(exchange.answer(request).await) }
    });
    let connection = http1::Builder::new()
        // `tick` below bounds the time, with the number of connections in view.
        .header_read_timeout(None)
        // Header lines are 100 at most, as hyper has it: any other number costs an allocation.
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(socket), handler);
    let mut connection = std::pin::pin!(connection);
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => return end(ended, wire),
            _ = ticks.tick() => match wire.tick(limits.patience()) {
                Some(Phase::Head) => return End::Refused(TransportFault::HeadTooSlow),
                Some(Phase::Idle | Phase::Request | Phase::Answer) => return End::Quiet,
                None => {}
            },
            () = told(&mut stop), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn end(ended: hyper::Result<()>, wire: &Wire) -> End {
    if let Err(error) = &ended {
        tracing::debug!(%error, "a connection ended badly");
    }
    match ended {
        _ if wire.is_unread() => End::Unread,
        Err(error) if error.is_parse() && !wire.is_answering() => {
            if error.is_parse_too_large() {
                End::Refused(TransportFault::HeadTooLarge)
            } else {
                End::Refused(TransportFault::HeadMalformed)
            }
        }
        Ok(()) | Err(_) => End::Quiet,
    }
}

/// One request and its answer.
struct Exchange {
    service: Arc<Service>,
    limits: Arc<Limits>,
    wire: Wire,
    has_content_length: bool,
}

impl Exchange {
    async fn answer(self, request: hyper::Request<Incoming>) -> Response<Answer> {
        let replied = self.reply(request).await;
        // Where places are missing, each request waits for one like any other.
        let is_last = replied.is_err() || self.wire.is_last() || self.limits.is_pressed();
        let (mut reply, pieces) = match replied {
            Ok(Answered { reply, live }) => (reply, live),
            Err(reply) => (reply, None),
        };
        if is_last {
            self.wire.leave_unread();
            reply.headers.push(("connection", "close".to_owned()));
        }
        let body = std::mem::take(&mut reply.body);
        let answer = match pieces {
            Some(pieces) => Answer::live(pieces, self.wire),
            None => Answer::whole(body, self.wire),
        };
        response(reply, answer)
    }

    /// The answer; `Err` where it is given before the body was read whole.
    async fn reply(&self, request: hyper::Request<Incoming>) -> Result<Answered, Reply> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        let refuse = |fault| self.service.refuse(path, fault);
        // Two servers could take two different lengths for the right one: that is how a request is
        // smuggled past a proxy.
        if self.has_content_length && head.headers.contains_key(TRANSFER_ENCODING) {
            return Err(refuse(TransportFault::HeadMalformed));
        }
        let headers = headers(&head.headers);
        let mut request = Request {
            method: head.method.as_str(),
            path,
            query: head.uri.query(),
            headers: &headers,
            body: &[],
        };
        let is_small = |bytes: u64| bytes <= SMALL_BODY_BYTES_MAX as u64;
        if !body.size_hint().exact().is_some_and(is_small) {
            self.service.admit_large_body(&request).await?;
        }
        let held = body::read(body, self.service.body_bytes_max(path), &self.limits).await;
        let held = held.map_err(refuse)?;
        request.body = &held.bytes;
        Ok(self.service.handle(&request).await)
    }
}

fn headers(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}

fn response<B>(reply: Reply, body: B) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response
                .headers_mut()
                .append(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Answers a head that hyper did not hand over: hyper writes the answer, to a head that it can read.
async fn say(stream: &mut TcpStream, reply: Reply) {
    let head = &b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n"[..];
    let answer = service_fn(|_| {
        let body = Full::<Bytes>::from(reply.body.clone());
        ready(Ok::<_, Infallible>(response(reply.clone(), body)))
    });
    let said = http1::Builder::new()
        .half_close(true)
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(tokio::io::join(head, stream)), answer);
    match tokio::time::timeout(LINGER_MAX, said).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a refusal was not heard"),
        Err(_) => tracing::debug!("a refusal was not taken in time"),
    }
}

/// Ends a connection whose peer may still be sending.
async fn linger(stream: &mut TcpStream) {
    let ended = async {
        stream.shutdown().await?;
        let mut unread = vec![0; 4_096];
        while 0 < stream.read(&mut unread).await? {}
        Ok::<_, std::io::Error>(())
    };
    // Whatever comes of it, the socket is closed next.
    let _ = tokio::time::timeout(LINGER_MAX, ended).await;
}
