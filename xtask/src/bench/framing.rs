//! Where an answer ends, and what it says, in each of the three protocols.

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Carried out.
    Granted,
    /// Refused by a limit.
    Refused,
    /// Turned away because there is too much to do: 429 or 503.
    Busy,
    /// Anything else: a fault of the harness or of the system.
    Failed,
}

/// A protocol's way to say where an answer ends.
#[derive(Clone, Copy)]
pub(super) enum Framing {
    Http,
    Postgres,
    Redis,
}

impl Framing {
    /// What the answer at the start of `bytes` says; `None` while it is not whole.
    pub(super) fn verdict(self, bytes: &[u8]) -> Option<Verdict> {
        match self {
            Self::Http => http(bytes),
            Self::Postgres => postgres(bytes),
            Self::Redis => redis(bytes),
        }
    }
}

fn http(bytes: &[u8]) -> Option<Verdict> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let length = content_length(&bytes[..head])?;
    if bytes.len() < head + 4 + length {
        return None;
    }
    Some(match bytes.get(9..12) {
        Some(b"200") => Verdict::Granted,
        Some(b"422") => Verdict::Refused,
        Some(b"429" | b"503") => Verdict::Busy,
        _ => Verdict::Failed,
    })
}

/// Of a head; all servers here say how long their bodies are.
fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let line = head
        .split(|byte| *byte == b'\n')
        .find(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME))?;
    str::from_utf8(&line[NAME.len()..])
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Messages up to `ReadyForQuery`.
fn postgres(mut bytes: &[u8]) -> Option<Verdict> {
    let mut verdict = Verdict::Granted;
    loop {
        let (kind, rest) = bytes.split_first()?;
        let length = u32::from_be_bytes(*rest.first_chunk()?);
        let length = usize::try_from(length).expect("32 bits fit");
        let message = rest.get(4..length)?;
        match kind {
            b'E' => verdict = Verdict::Failed,
            b'C' if message == b"SELECT 0\0" => verdict = Verdict::Refused,
            b'Z' => return Some(verdict),
            _ => {}
        }
        bytes = &rest[length..];
    }
}

/// Only what the script answers: an integer; anything else is an error's line.
fn redis(bytes: &[u8]) -> Option<Verdict> {
    let end = bytes.windows(2).position(|two| two == b"\r\n")?;
    Some(match &bytes[..end] {
        b":1" => Verdict::Granted,
        b":0" => Verdict::Refused,
        _ => Verdict::Failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_or_not_yet() {
        let cases: [(Framing, &[u8], Option<Verdict>); 9] = [
            (
                Framing::Http,
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{",
                None,
            ),
            (
                Framing::Http,
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                Some(Verdict::Granted),
            ),
            (
                Framing::Http,
                b"HTTP/1.1 422 No\r\ncontent-length: 0\r\n\r\n",
                Some(Verdict::Refused),
            ),
            (
                Framing::Http,
                b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n",
                Some(Verdict::Busy),
            ),
            (Framing::Postgres, b"2\0\0\0\x04C\0\0\0\x0dSELECT 0\0", None),
            (
                Framing::Postgres,
                b"C\0\0\0\x0dSELECT 0\0Z\0\0\0\x05I",
                Some(Verdict::Refused),
            ),
            (
                Framing::Postgres,
                b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I",
                Some(Verdict::Granted),
            ),
            (Framing::Redis, b":1", None),
            (Framing::Redis, b"-NOSCRIPT\r\n", Some(Verdict::Failed)),
        ];
        for (framing, bytes, expected) in cases {
            let shown = String::from_utf8_lossy(bytes);
            assert_eq!(framing.verdict(bytes), expected, "{shown}");
        }
    }
}
