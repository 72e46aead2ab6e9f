//! A caller of the native API that says exactly what it knows: answered, not done, or unknown.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::drill::history::{Answer, Ask, Exceeded, HOLD_SECONDS, RESOURCE, Row};
use crate::step::Failure;

/// How long a caller waits for a connection, and for an answer: longer than a node waits for its
/// database.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
const ANSWER_PATIENCE: Duration = Duration::from_secs(12);

const HEAD_BYTES_MAX: usize = 32 << 10;

/// What came of one try.
#[derive(Debug)]
pub(super) enum Told {
    /// It was decided.
    Answer(Answer),
    /// Nothing was done: it was not sent, or refused before it was decided.
    NotDone,
    /// It may be done, or be done later, or not: 503 `outcome_unknown`, or no answer at all.
    Unknown,
}

/// A connection that is opened when it is needed and kept while it works.
pub(super) struct Client {
    token: String,
    open: Option<(SocketAddr, TcpStream)>,
}

impl Client {
    pub(super) fn new(token: &str) -> Self {
        Self {
            token: token.to_owned(),
            open: None,
        }
    }

    /// Asks a node once.
    ///
    /// Errors: it answers what it never should.
    pub(super) fn ask(
        &mut self,
        node: SocketAddr,
        tenant: &str,
        ask: &Ask,
    ) -> Result<Told, Failure> {
        let (method, path, body) = request(tenant, ask);
        let answer = match self.send(node, method, &path, &body) {
            Sent::Answer(answer) => answer,
            Sent::Nothing => return Ok(Told::NotDone),
            Sent::Unknown => return Ok(Told::Unknown),
        };
        let (status, body) = answer;
        match (status, body["code"].as_str()) {
            (503, Some("outcome_unknown")) => Ok(Told::Unknown),
            (503 | 429, Some(_)) => Ok(Told::NotDone),
            _ => {
                let told = answer_of(status, &body, ask);
                let wrong = || Failure::new(format!("{ask:?} is answered {status} {body}"));
                told.map(Told::Answer).ok_or_else(wrong)
            }
        }
    }

    /// Calls a node; anything but 200 is a failure.
    pub(super) fn call(
        &mut self,
        node: SocketAddr,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let why = match self.send(node, method, path, &body) {
            Sent::Answer((200, answer)) => return Ok(answer),
            Sent::Answer((status, answer)) => format!("{status} {answer}"),
            Sent::Nothing => "no connection".to_owned(),
            Sent::Unknown => "no answer".to_owned(),
        };
        Err(Failure::new(format!("`{method} {path}`: {why}")))
    }

    fn send(&mut self, node: SocketAddr, method: &str, path: &str, body: &str) -> Sent {
        let mut stream = match self.open.take() {
            Some((to, stream)) if to == node && is_idle(&stream) => stream,
            _ => match connect(node) {
                Ok(stream) => stream,
                Err(_) => return Sent::Nothing,
            },
        };
        let request = format!(
            "{method} /plimsoll/v1{path} HTTP/1.1\r\nhost: {node}\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        let exchanged = stream
            .write_all(request.as_bytes())
            .and_then(|()| read_answer(&mut stream));
        match exchanged {
            Ok(answer) => {
                self.open = Some((node, stream));
                Sent::Answer(answer)
            }
            Err(_) => Sent::Unknown,
        }
    }
}

/// What came of a request.
enum Sent {
    Answer((u16, Value)),
    /// It did not leave this process.
    Nothing,
    Unknown,
}

fn connect(node: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&node, CONNECT_PATIENCE)?;
    stream.set_read_timeout(Some(ANSWER_PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Whether the other side has not closed it meanwhile.
fn is_idle(stream: &TcpStream) -> bool {
    let is_open = |stream: &TcpStream| {
        stream.set_nonblocking(true)?;
        let peeked = stream.peek(&mut [0]);
        stream.set_nonblocking(false)?;
        Ok::<bool, std::io::Error>(
            peeked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
        )
    };
    is_open(stream).unwrap_or(false)
}

fn read_answer(stream: &mut TcpStream) -> std::io::Result<(u16, Value)> {
    let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let mut bytes = Vec::new();
    let mut part = [0; 16 << 10];
    loop {
        if let Some(answer) = parsed(&bytes) {
            return Ok(answer);
        }
        let read = stream.read(&mut part)?;
        if read == 0 || (HEAD_BYTES_MAX << 8) < bytes.len() {
            return Err(cut());
        }
        bytes.extend_from_slice(&part[..read]);
    }
}

/// Status and body, once all of it is there.
fn parsed(bytes: &[u8]) -> Option<(u16, Value)> {
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    let body = bytes.get(end..end + length.unwrap_or(0))?;
    Some((status, serde_json::from_slice(body).unwrap_or(Value::Null)))
}

fn request(tenant: &str, ask: &Ask) -> (&'static str, String, String) {
    let of = |id: &str, verb: &str| format!("/reservations/{id}/{verb}");
    let here = json!({ "scope": tenant }).to_string();
    let lines = |amount: &u64| json!([{ "resource": RESOURCE, "amount": amount }]);
    match ask {
        Ask::Reserve {
            id,
            scope,
            amount,
            for_good,
        } => {
            let body = json!({
                "scope": scope,
                "lines": lines(amount),
                "commit": for_good,
                "ttl_seconds": HOLD_SECONDS,
            });
            ("PUT", format!("/reservations/{id}"), body.to_string())
        }
        Ask::Commit { id } => ("POST", of(id, "commit"), here),
        Ask::Release { id } => ("POST", of(id, "release"), here),
        Ask::Resize { id, amount } => {
            let body = json!({ "scope": tenant, "lines": lines(amount) });
            ("POST", of(id, "resize"), body.to_string())
        }
        Ask::Figures { scope } => {
            let path = format!("/scopes/{scope}/quotas?resource={RESOURCE}");
            ("GET", path, String::new())
        }
        Ask::Look { id } => {
            let path = format!("/reservations/{id}?scope={tenant}");
            ("GET", path, String::new())
        }
    }
}

/// What an answer says; `None` where it is not one that this question can have.
fn answer_of(status: u16, body: &Value, ask: &Ask) -> Option<Answer> {
    match (status, ask) {
        (200, Ask::Figures { .. }) => {
            let quota = body["quotas"].as_array()?.first()?;
            Some(Answer::Figures {
                used: quota["used"].as_u64()?,
                held: quota["held"].as_u64()?,
            })
        }
        (200, _) => Some(Answer::Row(row_of(body)?)),
        (404 | 409 | 422, _) => {
            let exceeded = body["exceeded"].as_array().into_iter().flatten();
            let exceeded: Option<Vec<Exceeded>> = exceeded.map(exceeded_of).collect();
            Some(Answer::Denied(body["code"].as_str()?.to_owned(), exceeded?))
        }
        _ => None,
    }
}

/// A reservation in an answer or in an event.
pub(super) fn row_of(body: &Value) -> Option<Row> {
    let line = body["lines"].as_array()?.first()?;
    Some(Row {
        scope: body["scope"].as_str()?.to_owned(),
        state: body["state"].as_str()?.to_owned(),
        amount: line["amount"].as_u64()?,
        revision: body["revision"].as_u64()?,
    })
}

fn exceeded_of(limit: &Value) -> Option<Exceeded> {
    let figure = |name: &str| limit[name].as_u64();
    Some(Exceeded {
        scope: limit["scope"].as_str()?.to_owned(),
        limit: figure("limit")?,
        used: figure("used")?,
        held: figure("held")?,
        asked: figure("asked")?,
    })
}
