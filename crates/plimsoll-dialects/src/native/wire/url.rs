//! Addresses of webhooks: their form, not whether they may be called.

use plimsoll_core::bounds::TEXT_LEN_MAX;
use plimsoll_core::names::Text;
use schemars::{Schema, json_schema};

use super::words::Spelled;

/// An address: `https://host:port/path?query`, or `http://…`.
pub(crate) struct Url(pub(crate) Text);

/// Characters that no address may have unless they are percent-encoded.
const FORBIDDEN: &[u8] = b"\"<>\\^`{|}";

impl Spelled for Url {
    type Error = &'static str;

    fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "must be an address, as `https://example.com/hook`";
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !FORBIDDEN.contains(&byte);
        if TEXT_LEN_MAX < text.len() {
            return Err("must have at most `512` bytes");
        }
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or("must start with `https://` or `http://`")?;
        if !text.bytes().all(is_plain) {
            return Err("must be ASCII without blanks, anything else percent-encoded");
        }
        if text.contains('#') {
            return Err("must have no fragment: leave out what starts with `#`");
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err("must name no user: what is told is signed instead");
        }
        if !is_host_and_port(authority) {
            return Err(FORM);
        }
        Text::parse(text).map(Url).map_err(|_| FORM)
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "format": "uri",
            "maxLength": TEXT_LEN_MAX,
            "pattern": r"^https?://[^/?#@]+([/?][^#]*)?$",
        })
    }
}

/// Whether a text is `host`, `host:port`, `[address]` or `[address]:port`.
fn is_host_and_port(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => {
                let is_address = |byte: u8| byte.is_ascii_hexdigit() || b":.".contains(&byte);
                if !address.contains(':') || !address.bytes().all(is_address) {
                    return false;
                }
                (address, port)
            }
            None => return false,
        },
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (name, port) = authority.split_at(end);
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
            if !name.bytes().all(is_name) {
                return false;
            }
            (name, port)
        }
    };
    let is_port = |digits: &str| {
        digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.parse::<u16>().is_ok_and(|port| 0 < port)
    };
    !host.is_empty() && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}
