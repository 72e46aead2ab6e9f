//! A client for what is set up before anything is measured: one call, one connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::step::Failure;

const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a whole request and hands back the status and the body.
///
/// The request must say `connection: close`.
fn exchange(address: SocketAddr, request: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.get(9..12).and_then(|digits| digits.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
    Ok((status.unwrap_or(0), body.unwrap_or_default().to_owned()))
}

/// Calls the native API; anything but 200 is a failure.
pub(super) fn call(
    address: SocketAddr,
    token: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Result<Value, Failure> {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let failed = |text: String| Failure::new(format!("`{method} {path}`: {text}"));
    let (status, body) = exchange(address, &request).map_err(|error| failed(error.to_string()))?;
    if status != 200 {
        return Err(failed(format!("{status} {body}")));
    }
    serde_json::from_str(&body).map_err(|error| failed(error.to_string()))
}

/// How many bytes the body of the answer to `request`, sent as it is, has.
pub(super) fn body_bytes(address: SocketAddr, request: &str) -> Result<usize, Failure> {
    let closing = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    match exchange(address, &closing) {
        Ok((200, body)) => Ok(body.len()),
        Ok((status, body)) => Err(Failure::new(format!("a read answers {status}: {body}"))),
        Err(error) => Err(Failure::new(format!("a read failed: {error}"))),
    }
}
