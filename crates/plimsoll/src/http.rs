//! Sockets: HTTP/1.1 in and out, bounded in bytes, time and connections.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{HeaderMap, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use plimsoll_dialects::http::{Reply, Request};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::jobs;
use crate::service::{Service, TransportFault, body_bytes_max};

/// Connections at once; beyond, new ones wait to be accepted.
const CONNECTIONS_MAX: usize = 4_096;

/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// How long the head of a request may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the body of a request may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long requests in flight may take once the server is to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves until `stop` says so, then lets what is in flight end.
pub(crate) async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    mut stop: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(&mut stop) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            break;
        };
        let service = Arc::clone(&service);
        let stop = stop.clone();
        jobs::start(async move {
            connection(stream, service, stop).await;
            drop(permit);
        });
    }
    drop(listener);
    let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
    let drained = tokio::time::timeout(DRAIN_TIMEOUT, room.acquire_many(all)).await;
    if drained.is_err() {
        tracing::warn!("connections were cut off: their requests took too long");
    }
}

/// Waits until the server is to stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone: that is the end too.
    let _ = stop.wait_for(|stops| *stops).await;
}

async fn connection(stream: TcpStream, service: Arc<Service>, mut stop: watch::Receiver<bool>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let handler = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(exchange(&service, request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), handler);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// One request and its answer.
async fn exchange(service: &Service, request: hyper::Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let reply = match read_body(body, body_bytes_max(path)).await {
        Ok(body) => {
            let headers = headers(&head.headers);
            let request = Request {
                method: head.method.as_str(),
                path,
                query: head.uri.query(),
                headers: &headers,
                body: &body,
            };
            service.handle(&request).await
        }
        Err(Some(fault)) => with_close(service.refuse(path, fault)),
        Err(None) => Reply {
            status: 400,
            headers: vec![("connection", "close".into())],
            body: Vec::new(),
        },
    };
    response(reply)
}

fn headers(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}

/// The whole body; `None` for a fault where nobody waits for an answer.
async fn read_body(body: Incoming, bytes_max: usize) -> Result<Bytes, Option<TransportFault>> {
    let collected = Limited::new(body, bytes_max).collect();
    match tokio::time::timeout(BODY_TIMEOUT, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Some(TransportFault::BodyTooLarge)),
        Ok(Err(_)) => Err(None),
        Err(_) => Err(Some(TransportFault::BodyTooSlow)),
    }
}

/// What is left of the request is not read, so the connection cannot serve another.
fn with_close(mut reply: Reply) -> Reply {
    reply.headers.push(("connection", "close".to_owned()));
    reply
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(reply.body));
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
