use alloc::string::String;

use super::*;

#[test]
fn ids_are_plain_ascii() {
    for good in [
        "a",
        "FRA-A",
        "p-7",
        "6f5da086876d4cd084d36f8bd3346036",
        "a.b_c:d-e",
    ] {
        assert!(ScopeId::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "-a",
        ".",
        "a b",
        "a/b",
        "ä",
        "a\n",
        "a\0",
        "а",
        "a\u{202e}",
    ] {
        assert!(ScopeId::parse(bad).is_err(), "{bad:?}");
    }
    let long = String::from_iter(core::iter::repeat_n('a', ID_LEN_MAX));
    assert!(ScopeId::parse(&long).is_ok());
    assert_eq!(
        ScopeId::parse(&(long + "a")),
        Err(NameError::TooLong { max: ID_LEN_MAX })
    );
}

#[test]
fn resource_names_have_two_lower_case_parts() {
    for good in ["vm/image", "vpc/security_group", "a/0-b"] {
        assert!(ResourceName::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "vm",
        "vm/",
        "/image",
        "vm/image/x",
        "VM/image",
        "vm/im age",
        "vm/_a",
    ] {
        assert!(ResourceName::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn texts_have_no_control_characters() {
    assert!(Text::parse("").is_ok());
    assert!(Text::parse("Zürich, 日本").is_ok());
    assert!(Text::parse("two\nlines").is_err());
    assert!(Text::parse("\u{7f}").is_err());
    assert!(Text::parse("gpj.\u{202e}exe").is_err());
    assert!(Text::parse("\u{2066}a").is_err());
}
