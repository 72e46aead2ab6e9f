//! Where a webhook may be: what its address says, and what lies there.

use std::net::{IpAddr, SocketAddr};

use hyper::Uri;

use super::addresses::Zone;

/// What an operator lets webhooks reach.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Policy {
    /// Whether `http://` will do, so that anybody on the way can read along.
    pub(crate) allow_plain_http: bool,
    /// Whether they may reach this machine and its networks.
    pub(crate) allow_private_targets: bool,
}

/// Why nothing may be sent to an address. Each reads on from the address's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetRefusal {
    #[error("must be an address, as `https://example.com/hook`")]
    Malformed,
    #[error("must start with `https://`: `[webhooks] allow_plain_http` is not set")]
    PlainHttp,
    #[error("must name its host by letters, or by an address as `[2001:db8::1]` or `192.0.2.1`")]
    OddAddress,
    #[error(
        "must not lead to `{address}`, which is {zone}: `[webhooks] allow_private_targets` is not \
         set"
    )]
    Private { address: String, zone: Zone },
    #[error("must not lead to `{address}`, which is {zone}")]
    Nowhere { address: IpAddr, zone: Zone },
}

/// Where a webhook is, read from its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) is_tls: bool,
    /// A name, or an address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The host as HTTP names it: with brackets, and with the port where it is not the scheme's.
    pub(super) authority: String,
    /// Path and query.
    pub(super) path: String,
}

impl Policy {
    /// Reads an address, and refuses it where it can be seen in the address alone that nothing
    /// may be sent there.
    pub(super) fn target(self, url: &str) -> Result<Target, TargetRefusal> {
        let target = Target::parse(url)?;
        if !target.is_tls && !self.allow_plain_http {
            return Err(TargetRefusal::PlainHttp);
        }
        let host = target.host.trim_end_matches('.');
        if let Ok(address) = host.parse() {
            self.check(address)?;
        } else if ends_in_a_number(host) {
            // `127.1`, `2130706433` and `0x7f000001` are all the same as `127.0.0.1` to some.
            return Err(TargetRefusal::OddAddress);
        } else if is_localhost(host) && !self.allow_private_targets {
            return Err(TargetRefusal::Private {
                address: host.to_owned(),
                zone: Zone::of(IpAddr::from([127, 0, 0, 1])),
            });
        }
        Ok(target)
    }

    /// Whether an address may be connected to.
    fn check(self, address: IpAddr) -> Result<(), TargetRefusal> {
        match Zone::of(address) {
            Zone::Public => Ok(()),
            Zone::Private(_) if self.allow_private_targets => Ok(()),
            zone @ Zone::Private(_) => Err(TargetRefusal::Private {
                address: address.to_string(),
                zone,
            }),
            zone @ Zone::Nowhere(_) => Err(TargetRefusal::Nowhere { address, zone }),
        }
    }

    /// Those of a host's addresses that may be connected to.
    ///
    /// Errors: why the first may not, where none may.
    pub(super) fn permitted(
        self,
        found: Vec<SocketAddr>,
    ) -> Result<Vec<SocketAddr>, TargetRefusal> {
        let mut refusals = Vec::new();
        let mut permitted = Vec::new();
        for address in found {
            match self.check(address.ip()) {
                Ok(()) => permitted.push(address),
                Err(refusal) => refusals.push(refusal),
            }
        }
        match refusals.into_iter().next() {
            Some(refusal) if permitted.is_empty() => Err(refusal),
            Some(_) | None => Ok(permitted),
        }
    }
}

impl Target {
    fn parse(url: &str) -> Result<Self, TargetRefusal> {
        let uri: Uri = url.parse().map_err(|_| TargetRefusal::Malformed)?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(TargetRefusal::Malformed),
        };
        let authority = uri.authority().ok_or(TargetRefusal::Malformed)?;
        let named = authority.host();
        let host = named
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(named);
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(TargetRefusal::Malformed);
        }
        let schemes_port = if is_tls { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(schemes_port);
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        Ok(Self {
            is_tls,
            host: host.to_owned(),
            port,
            authority: if port == schemes_port {
                named.to_owned()
            } else {
                format!("{named}:{port}")
            },
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
        })
    }
}

/// Whether the last part of a name is a number, decimal, octal or hexadecimal: no name on the
/// Internet is like that, and resolvers read such a name as an address.
fn ends_in_a_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let digits = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    match digits {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

fn is_localhost(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
