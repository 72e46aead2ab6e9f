//! Which addresses a webhook may have.

use super::*;

const STRICT: Policy = Policy {
    allow_plain_http: false,
    allow_private_targets: false,
};
const OPEN: Policy = Policy {
    allow_plain_http: true,
    allow_private_targets: true,
};

#[test]
fn an_address_is_read_into_its_parts() {
    for (url, is_tls, host, port, authority, path) in [
        (
            "https://a.example",
            true,
            "a.example",
            443,
            "a.example",
            "/",
        ),
        (
            "https://a.example:443/x",
            true,
            "a.example",
            443,
            "a.example",
            "/x",
        ),
        (
            "https://a.example:8443?k=v",
            true,
            "a.example",
            8443,
            "a.example:8443",
            "/?k=v",
        ),
        (
            "http://a.example/x?y",
            false,
            "a.example",
            80,
            "a.example",
            "/x?y",
        ),
        (
            "https://[2606:4700::1]:1/",
            true,
            "2606:4700::1",
            1,
            "[2606:4700::1]:1",
            "/",
        ),
        (
            "https://[2606:4700::1]",
            true,
            "2606:4700::1",
            443,
            "[2606:4700::1]",
            "/",
        ),
    ] {
        let target = OPEN.target(url).unwrap();
        assert_eq!(target.is_tls, is_tls, "{url}");
        assert_eq!(target.host, host, "{url}");
        assert_eq!(target.port, port, "{url}");
        assert_eq!(target.authority, authority, "{url}");
        assert_eq!(target.path, path, "{url}");
    }
}

#[test]
fn what_can_be_seen_in_the_address_is_refused_at_once() {
    for url in [
        "https://127.0.0.1/",
        "https://127.0.0.1./",
        "https://10.0.0.7:8443/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[fd00::1]/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://a.localhost/",
    ] {
        let refused = STRICT.target(url);
        let is_private = matches!(refused, Err(TargetRefusal::Private { .. }));
        assert!(is_private, "{url}: {refused:?}");
        assert!(OPEN.target(url).is_ok(), "{url}");
    }
    for url in [
        "https://0.0.0.0/",
        "https://[::]/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
    ] {
        for policy in [STRICT, OPEN] {
            let refused = policy.target(url);
            let is_nowhere = matches!(refused, Err(TargetRefusal::Nowhere { .. }));
            assert!(is_nowhere, "{url}: {refused:?}");
        }
    }
}

#[test]
fn odd_spellings_of_addresses_are_refused() {
    for host in [
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.0.0.0x1",
        "a.example.1",
        "0x",
        "127.1.",
    ] {
        for policy in [STRICT, OPEN] {
            let refused = policy.target(&format!("https://{host}/"));
            assert_eq!(refused, Err(TargetRefusal::OddAddress), "{host}");
        }
    }
    assert!(STRICT.target("https://0x7f.example/").is_ok());
    assert!(STRICT.target("https://1.a/").is_ok());
}

#[test]
fn plain_http_needs_the_operators_word() {
    assert_eq!(
        STRICT.target("http://a.example/"),
        Err(TargetRefusal::PlainHttp)
    );
    let plain = Policy {
        allow_plain_http: true,
        ..STRICT
    };
    assert!(plain.target("http://a.example/").is_ok());
    assert!(plain.target("http://10.0.0.1/").is_err());
}

#[test]
fn what_is_no_address_is_refused() {
    for url in [
        "",
        "a.example",
        "ftp://a.example/",
        "https://",
        "https:///x",
        "https://u@a.example/",
    ] {
        assert_eq!(OPEN.target(url), Err(TargetRefusal::Malformed), "{url}");
    }
}

#[test]
fn of_many_addresses_only_those_remain_that_may_be_reached() {
    let socket = |text: &str| text.parse::<SocketAddr>().unwrap();
    let (public, private) = (socket("8.8.8.8:443"), socket("10.0.0.1:443"));
    let nowhere = socket("0.0.0.0:443");
    assert_eq!(STRICT.permitted(vec![private, public]), Ok(vec![public]));
    assert_eq!(
        OPEN.permitted(vec![private, nowhere, public]),
        Ok(vec![private, public])
    );
    assert_eq!(STRICT.permitted(vec![]), Ok(vec![]));
    let refusal = STRICT.permitted(vec![private, nowhere]).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "must not lead to `10.0.0.1`, which is private: `[webhooks] allow_private_targets` is not \
         set"
    );
}
