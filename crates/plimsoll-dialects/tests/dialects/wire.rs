//! A request that owns its parts, so that tests can change them.

use plimsoll_dialects::http::Request;

#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Wire {
    /// Reads an HTTP/1.1 request as it was sent.
    pub(crate) fn parse(raw: &str) -> Wire {
        let (head, body) = raw
            .split_once("\r\n\r\n")
            .expect("a blank line ends the head");
        let mut lines = head.split("\r\n");
        let mut start = lines.next().expect("a request line").split(' ');
        let method = start.next().expect("a method").to_owned();
        let target = start.next().expect("a target");
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').expect("a header has a colon");
            (name.to_ascii_lowercase(), value.trim().as_bytes().to_vec())
        });
        Wire {
            method,
            path: path.to_owned(),
            query,
            headers: headers.collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    /// Hands the request to `read` as a dialect sees it.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        read(&Request {
            method: &self.method,
            path: &self.path,
            query: self.query.as_deref(),
            headers: &headers,
            body: &self.body,
        })
    }

    /// The value of the header `name`, which was sent once.
    pub(crate) fn header(&mut self, name: &str) -> &mut Vec<u8> {
        let mut values = self.headers.iter_mut().filter(|(sent, _)| sent == name);
        let (_, value) = values.next().unwrap_or_else(|| panic!("no `{name}`"));
        assert!(values.next().is_none(), "`{name}` twice");
        value
    }

    /// The same with one more header.
    pub(crate) fn and(mut self, name: &str, value: impl AsRef<[u8]>) -> Wire {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// The same without the header `name`.
    pub(crate) fn without(mut self, name: &str) -> Wire {
        self.headers.retain(|(sent, _)| sent != name);
        self
    }

    /// The same with `value` for all that was sent as `name`.
    pub(crate) fn with(self, name: &str, value: impl AsRef<[u8]>) -> Wire {
        self.without(name).and(name, value)
    }

    /// The same with another body.
    pub(crate) fn with_body(mut self, body: impl AsRef<[u8]>) -> Wire {
        self.body = body.as_ref().to_vec();
        self
    }
}
