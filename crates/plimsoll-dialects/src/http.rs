//! One HTTP exchange as plain data: what a dialect reads and what it answers.

use std::borrow::Cow;

use crate::sign::byte_from_hex;

/// A request as it came over the wire, nothing decoded and nothing normalised.
///
/// Signatures cover raw bytes, so a dialect must see them as they were sent.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, upper case as sent: `GET`, `POST`.
    pub method: &'a str,
    /// The path as sent, still percent-encoded, without the query: `/v1/p-7/quotas`.
    pub path: &'a str,
    /// The query as sent, without the `?`; `None` where there is no `?`.
    pub query: Option<&'a str>,
    /// The headers: names in lower case, values as raw bytes without outer white space.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The value of the header `name` (lower case), where it was sent exactly once.
    ///
    /// Errors: [`Repeated`] where it was sent more than once.
    pub fn header(&self, name: &str) -> Result<Option<&'a [u8]>, Repeated> {
        let mut values = self.headers.iter().filter(|(sent, _)| *sent == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Repeated),
            (Some((_, value)), None) => Ok(Some(value)),
            (None, None) => Ok(None),
        }
    }
}

/// A header that may be sent once was sent more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated;

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside `content-length` and `date`, which the server adds. Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Decodes a part of a query, where `+` is a blank.
pub(crate) fn form_decoded(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('+') {
        let blanks = text.replace('+', " ");
        return percent_decoded(&blanks).map(|text| Cow::Owned(text.into_owned()));
    }
    percent_decoded(text)
}

/// Decodes percent-encoded text; `None` where an escape is cut off or the bytes are not UTF-8.
pub(crate) fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => byte_from_hex(bytes.next()?, bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}
