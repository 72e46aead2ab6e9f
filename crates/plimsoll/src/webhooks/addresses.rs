//! What lies at an address: whether it belongs to the Internet, or to this network and machine.
//!
//! Source: IANA's registries of special-purpose addresses, for IPv4 and for IPv6. What they call
//! globally reachable is the Internet here, but for relays, which can lead anywhere.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What lies at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// The Internet.
    Public,
    /// This machine, this network, or one that is not the Internet's. The name is for people.
    Private(&'static str),
    /// Nobody, or many at once: there is nothing to connect to.
    Nowhere(&'static str),
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Zone::Public => f.write_str("public"),
            Zone::Private(name) | Zone::Nowhere(name) => f.write_str(name),
        }
    }
}

impl Zone {
    /// The zone of an address.
    pub(super) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let bits = address.to_bits();
        let holds = |(network, len, _): &&(Ipv4Addr, u32, Zone)| {
            bits >> (32 - len) == network.to_bits() >> (32 - len)
        };
        let found = V4.iter().find(holds);
        found.map_or(Zone::Public, |(_, _, zone)| *zone)
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let bits = address.to_bits();
        let holds = |(network, len, _): &&(Ipv6Addr, u32, Six)| {
            bits >> (128 - len) == network.to_bits() >> (128 - len)
        };
        match V6.iter().find(holds).map(|(_, _, six)| six) {
            Some(Six::Zone(zone)) => *zone,
            Some(Six::Holds { last_bit }) => Self::of_v4(held(bits >> last_bit)),
            // Nothing else is given out: everything that is lies in 2000::/3.
            None if bits >> 125 == 1 => Zone::Public,
            None => Zone::Nowhere("reserved"),
        }
    }
}

/// The IPv4 address in the last bits.
fn held(bits: u128) -> Ipv4Addr {
    let [.., a, b, c, d] = bits.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

const PRIVATE: Zone = Zone::Private("private");
const LOOPBACK: Zone = Zone::Private("loopback");
const LINK_LOCAL: Zone = Zone::Private("link-local");
const SPECIAL: Zone = Zone::Private("set aside for special purposes");
const DOCUMENTATION: Zone = Zone::Private("set aside for documentation");
const MULTICAST: Zone = Zone::Nowhere("multicast");

/// IPv4 networks that are not the Internet: the first that holds an address counts.
const V4: [(Ipv4Addr, u32, Zone); 15] = [
    // Connecting to 0.0.0.0 reaches this machine.
    (v4(0, 0, 0, 0), 8, Zone::Nowhere("unspecified")),
    (v4(10, 0, 0, 0), 8, PRIVATE),
    (v4(100, 64, 0, 0), 10, Zone::Private("a carrier's own")),
    (v4(127, 0, 0, 0), 8, LOOPBACK),
    (v4(169, 254, 0, 0), 16, LINK_LOCAL),
    (v4(172, 16, 0, 0), 12, PRIVATE),
    (v4(192, 0, 0, 0), 24, SPECIAL),
    (v4(192, 0, 2, 0), 24, DOCUMENTATION),
    (v4(192, 88, 99, 0), 24, Zone::Private("a relay's")),
    (v4(192, 168, 0, 0), 16, PRIVATE),
    (
        v4(198, 18, 0, 0),
        15,
        Zone::Private("set aside for measurements"),
    ),
    (v4(198, 51, 100, 0), 24, DOCUMENTATION),
    (v4(203, 0, 113, 0), 24, DOCUMENTATION),
    (v4(224, 0, 0, 0), 4, MULTICAST),
    // 255.255.255.255, everybody, among them.
    (v4(240, 0, 0, 0), 4, Zone::Nowhere("reserved")),
];

/// What lies in an IPv6 network.
enum Six {
    Zone(Zone),
    /// What lies at the IPv4 address that ends before this bit, counted from the last.
    Holds {
        last_bit: u32,
    },
}

/// IPv6 networks that are not the Internet, or not always: the first that holds an address counts.
const V6: [(Ipv6Addr, u32, Six); 16] = [
    (v6([0; 8]), 128, Six::Zone(Zone::Nowhere("unspecified"))),
    (v6([0, 0, 0, 0, 0, 0, 0, 1]), 128, Six::Zone(LOOPBACK)),
    // IPv4-compatible, and no more in use.
    (v6([0; 8]), 96, Six::Zone(SPECIAL)),
    // IPv4-mapped: a connection goes to the IPv4 address.
    (
        v6([0, 0, 0, 0, 0, 0xffff, 0, 0]),
        96,
        Six::Holds { last_bit: 0 },
    ),
    // IPv4-translated.
    (v6([0, 0, 0, 0, 0xffff, 0, 0, 0]), 96, Six::Zone(SPECIAL)),
    // NAT64: to the Internet, and a network's own.
    (
        v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0]),
        96,
        Six::Holds { last_bit: 0 },
    ),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0]), 48, Six::Zone(PRIVATE)),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0]), 64, Six::Zone(SPECIAL)),
    // Teredo, ORCHID, measurements and their like.
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0]), 23, Six::Zone(SPECIAL)),
    (
        v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0]),
        32,
        Six::Zone(DOCUMENTATION),
    ),
    // 6to4.
    (
        v6([0x2002, 0, 0, 0, 0, 0, 0, 0]),
        16,
        Six::Holds { last_bit: 80 },
    ),
    (
        v6([0x3fff, 0, 0, 0, 0, 0, 0, 0]),
        20,
        Six::Zone(DOCUMENTATION),
    ),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0]), 7, Six::Zone(PRIVATE)),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0]), 10, Six::Zone(LINK_LOCAL)),
    // Site-local, and no more in use.
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0]), 10, Six::Zone(PRIVATE)),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0]), 8, Six::Zone(MULTICAST)),
];

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

const fn v6(parts: [u16; 8]) -> Ipv6Addr {
    let [a, b, c, d, e, f, g, h] = parts;
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

#[cfg(test)]
#[path = "addresses_tests.rs"]
mod tests;
