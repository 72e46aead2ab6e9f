//! Requests and replies as text.

use plimsoll_dialects::http::Reply;

use crate::wire::Wire;

/// Reads a request as a page shows it: a request line, headers, a blank line, the body.
pub(crate) fn request(text: &str) -> Wire {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let head = head.replace('\n', "\r\n");
    Wire::parse(&format!("{head}\r\n\r\n{body}"))
}

/// The whole reply.
pub(crate) fn reply(reply: &Reply) -> String {
    let headers: String = reply
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    format!("{}\n{headers}\n{}\n", reply.status, body(reply))
}

/// The body.
pub(crate) fn body(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

/// An example of a vendor's page without its white space; its texts have none.
pub(crate) fn compact(example: &str) -> String {
    example.split_whitespace().collect()
}
