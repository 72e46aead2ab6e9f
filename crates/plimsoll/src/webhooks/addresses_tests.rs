//! The edges of every range.

use std::net::IpAddr;

use super::Zone;

/// What may be connected to where the configuration says nothing.
fn is_public(address: &str) -> bool {
    let address: IpAddr = address.parse().unwrap();
    Zone::of(address) == Zone::Public
}

/// Each range's first and last address, and those next to it, with whether they are public.
const EDGES: [(&str, &str, &str, bool, &str, bool); 32] = [
    // (range, first, last, is the one before public, …the one after)
    (
        "this network",
        "0.0.0.0",
        "0.255.255.255",
        false,
        "1.0.0.0",
        true,
    ),
    ("10/8", "10.0.0.0", "10.255.255.255", true, "11.0.0.0", true),
    (
        "carrier's",
        "100.64.0.0",
        "100.127.255.255",
        true,
        "100.128.0.0",
        true,
    ),
    (
        "loopback",
        "127.0.0.0",
        "127.255.255.255",
        true,
        "128.0.0.0",
        true,
    ),
    (
        "link-local",
        "169.254.0.0",
        "169.254.255.255",
        true,
        "169.255.0.0",
        true,
    ),
    (
        "172.16/12",
        "172.16.0.0",
        "172.31.255.255",
        true,
        "172.32.0.0",
        true,
    ),
    (
        "protocols",
        "192.0.0.0",
        "192.0.0.255",
        true,
        "192.0.1.0",
        true,
    ),
    (
        "example 1",
        "192.0.2.0",
        "192.0.2.255",
        true,
        "192.0.3.0",
        true,
    ),
    (
        "6to4 relays",
        "192.88.99.0",
        "192.88.99.255",
        true,
        "192.88.100.0",
        true,
    ),
    (
        "192.168/16",
        "192.168.0.0",
        "192.168.255.255",
        true,
        "192.169.0.0",
        true,
    ),
    (
        "benchmarks",
        "198.18.0.0",
        "198.19.255.255",
        true,
        "198.20.0.0",
        true,
    ),
    (
        "example 2",
        "198.51.100.0",
        "198.51.100.255",
        true,
        "198.51.101.0",
        true,
    ),
    (
        "example 3",
        "203.0.113.0",
        "203.0.113.255",
        true,
        "203.0.114.0",
        true,
    ),
    (
        "multicast",
        "224.0.0.0",
        "239.255.255.255",
        true,
        "240.0.0.0",
        false,
    ),
    ("reserved", "240.0.0.0", "255.255.255.255", false, "", false),
    ("unspecified", "::", "::", false, "::1", false),
    ("loopback 6", "::1", "::1", false, "::2", false),
    (
        "compatible",
        "::",
        "::255.255.255.255",
        false,
        "::1:0:0",
        false,
    ),
    (
        "mapped 10/8",
        "::ffff:10.0.0.0",
        "::ffff:10.255.255.255",
        true,
        "::ffff:11.0.0.0",
        true,
    ),
    (
        "translated",
        "::ffff:0:0:0",
        "::ffff:0:ffff:ffff",
        false,
        "::ffff:1:0:0",
        false,
    ),
    (
        "nat64 127/8",
        "64:ff9b::127.0.0.0",
        "64:ff9b::127.255.255.255",
        true,
        "64:ff9b::128.0.0.0",
        true,
    ),
    (
        "nat64 own",
        "64:ff9b:1::",
        "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
        false,
        "64:ff9b:2::",
        false,
    ),
    (
        "discard",
        "100::",
        "100::ffff:ffff:ffff:ffff",
        false,
        "100:0:0:1::",
        false,
    ),
    (
        "below 2000::/3",
        "200::",
        "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        false,
        "2000::",
        true,
    ),
    (
        "protocols 6",
        "2001::",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        true,
        "2001:200::",
        true,
    ),
    (
        "example 6",
        "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        true,
        "2001:db9::",
        true,
    ),
    (
        "6to4 10/8",
        "2002:a00::",
        "2002:aff:ffff:ffff:ffff:ffff:ffff:ffff",
        true,
        "2002:b00::",
        true,
    ),
    (
        "example 7",
        "3fff::",
        "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
        true,
        "3fff:1000::",
        true,
    ),
    (
        "above 2000::/3",
        "4000::",
        "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        true,
        "fc00::",
        false,
    ),
    (
        "unique local",
        "fc00::",
        "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        false,
        "fe00::",
        false,
    ),
    (
        "link-local 6",
        "fe80::",
        "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        false,
        "fec0::",
        false,
    ),
    (
        "multicast 6",
        "ff00::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        false,
        "",
        false,
    ),
];

#[test]
fn every_range_ends_where_it_should() {
    for (range, first, last, before_is_public, after, after_is_public) in EDGES {
        assert!(!is_public(first), "{range}: {first}");
        assert!(!is_public(last), "{range}: {last}");
        if let Some(before) = before(first) {
            assert_eq!(is_public(&before), before_is_public, "{range}: {before}");
        }
        if !after.is_empty() {
            assert_eq!(is_public(after), after_is_public, "{range}: {after}");
        }
    }
}

/// The address before one.
fn before(address: &str) -> Option<String> {
    let before: IpAddr = match address.parse().unwrap() {
        IpAddr::V4(address) => {
            std::net::Ipv4Addr::from_bits(address.to_bits().checked_sub(1)?).into()
        }
        IpAddr::V6(address) => {
            std::net::Ipv6Addr::from_bits(address.to_bits().checked_sub(1)?).into()
        }
    };
    Some(before.to_string())
}

#[test]
fn every_form_of_a_private_address_is_private() {
    for v4 in [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "192.168.0.1",
        "0.0.0.0",
        "255.255.255.255",
    ] {
        let v4: std::net::Ipv4Addr = v4.parse().unwrap();
        let [a, b, c, d] = v4.octets();
        for form in [
            format!("{v4}"),
            format!("::{v4}"),
            format!("::ffff:{v4}"),
            format!("::ffff:0:{v4}"),
            format!("64:ff9b::{v4}"),
            format!("64:ff9b:1::{v4}"),
            format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1"),
            format!("2001:0:{a:02x}{b:02x}:{c:02x}{d:02x}::1"),
        ] {
            assert!(!is_public(&form), "{form}");
        }
    }
}

#[test]
fn what_is_public_stays_so_in_the_forms_that_lead_there() {
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2606:4700::1111",
        "2a00:1450::8a",
    ] {
        assert!(is_public(address), "{address}");
    }
}

#[test]
fn what_is_nowhere_is_no_private_network() {
    for address in [
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "::ffff:0.0.0.0",
    ] {
        let zone = Zone::of(address.parse().unwrap());
        assert!(matches!(zone, Zone::Nowhere(_)), "{address}: {zone}");
    }
    for address in [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "fd00::1",
        "169.254.169.254",
        "fe80::1",
    ] {
        let zone = Zone::of(address.parse().unwrap());
        assert!(matches!(zone, Zone::Private(_)), "{address}: {zone}");
    }
}
