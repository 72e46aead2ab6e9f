//! Which request a connection's bytes belong to.
//!
//! hyper tells nothing of a head that it refuses. This follows the bytes beside it, reading only as
//! much as it takes to know the request line: it changes nothing, so the worst that a
//! misunderstanding could do is an answer in another API's words.

/// Bytes of a line that are looked at.
const LINE_BYTES_MAX: usize = 256;

/// Follows a connection from one request's head to the next.
#[derive(Debug, Default)]
pub(super) struct Trace {
    place: Place,
    /// The beginning of the line that is being read, where a part of it has come before.
    line: Vec<u8>,
    /// The beginning of the head's first line, once it is whole; it is never empty.
    request_line: Vec<u8>,
    has_content_length: bool,
    /// Bytes of the body that are still to come.
    body_left: u64,
    /// What came behind the head before anybody said how long the body is: one read at most.
    beyond: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// In a head, or before it.
    #[default]
    Head,
    /// Behind a head that hyper has not handed over yet.
    BehindHead,
    /// In a body whose end only hyper knows.
    Lost,
}

impl Trace {
    /// Bytes have come.
    pub(super) fn received(&mut self, bytes: &[u8]) {
        let body = usize::try_from(self.body_left).unwrap_or(usize::MAX);
        let (body, mut rest) = bytes.split_at(body.min(bytes.len()));
        self.body_left -= body.len() as u64;
        while !rest.is_empty() {
            match self.place {
                Place::Head => rest = self.take_line(rest),
                Place::BehindHead => {
                    self.beyond.extend_from_slice(rest);
                    return;
                }
                Place::Lost => return,
            }
        }
    }

    /// hyper hands the request over whose head has come. Without a length the next head cannot be
    /// found: the connection must end with this request.
    pub(super) fn handed_over(&mut self, body_bytes: Option<u64>) {
        let beyond = std::mem::take(&mut self.beyond);
        let (place, body_left) = match (self.place, body_bytes) {
            (Place::BehindHead, Some(bytes)) => (Place::Head, bytes),
            (Place::Head | Place::BehindHead | Place::Lost, _) => (Place::Lost, 0),
        };
        (self.place, self.body_left) = (place, body_left);
        self.has_content_length = false;
        self.line.clear();
        self.request_line.clear();
        self.received(&beyond);
    }

    /// Whether the head that is being read, or was last, has a `Content-Length`.
    pub(super) fn has_content_length(&self) -> bool {
        self.has_content_length
    }

    /// Whether the next request may follow on this connection.
    pub(super) fn is_lost(&self) -> bool {
        self.place == Place::Lost
    }

    /// Whether anything of a request has come that hyper has not handed over.
    pub(super) fn is_in_head(&self) -> bool {
        !self.request_line.is_empty() || !line_of(&self.line).is_empty()
    }

    /// The path of the request whose head is being read, as far as it can be told.
    pub(super) fn path(&self) -> String {
        let line = match self.request_line.as_slice() {
            [] => &self.line,
            line => line,
        };
        let line = String::from_utf8_lossy(line);
        let target = line.split_ascii_whitespace().nth(1).unwrap_or_default();
        let path = match target.split_once("://") {
            Some((_, place)) => place.find('/').map_or("", |at| &place[at..]),
            None => target,
        };
        let end = path.find(['?', '#']).unwrap_or(path.len());
        path[..end].to_owned()
    }

    /// Takes bytes up to the end of a line, and hands back what is behind it.
    fn take_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (piece, rest) = match end {
            Some(at) => (&bytes[..at], &bytes[at + 1..]),
            None => (bytes, &[][..]),
        };
        let piece = &piece[..piece.len().min(LINE_BYTES_MAX - self.line.len())];
        if end.is_some() && self.line.is_empty() {
            self.end_line(piece);
            return rest;
        }
        self.line.extend_from_slice(piece);
        if end.is_some() {
            let mut line = std::mem::take(&mut self.line);
            self.end_line(&line);
            line.clear();
            self.line = line;
        }
        rest
    }

    fn end_line(&mut self, line: &[u8]) {
        let line = line_of(line);
        match (self.request_line.is_empty(), line.is_empty()) {
            // Empty lines before a request are legal and mean nothing.
            (true, true) => {}
            (true, false) => self.request_line.extend_from_slice(line),
            (false, true) => self.place = Place::BehindHead,
            (false, false) => {
                let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
                self.has_content_length |= name.eq_ignore_ascii_case(b"content-length");
            }
        }
    }
}

/// A line without the carriage return at its end.
fn line_of(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;
