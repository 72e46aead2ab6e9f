//! Secrets at rest.

use super::*;

fn id(text: &str) -> PrincipalId {
    PrincipalId::parse(text).unwrap()
}

fn with_key(test: impl FnOnce(&Path, MasterKey)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let key = MasterKey::load_or_create(&path, false).unwrap();
    test(&path, key);
}

#[test]
fn a_sealed_secret_opens_for_its_id_and_with_its_key_only() {
    with_key(|path, key| {
        let sealed = key.seal(&id("AK1"), "s3cret").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"s3cret"));
        assert_eq!(*key.open(&id("AK1"), &sealed).unwrap(), b"s3cret");
        let again = MasterKey::load_or_create(path, true).unwrap();
        assert_eq!(*again.open(&id("AK1"), &sealed).unwrap(), b"s3cret");
        assert!(
            key.open(&id("AK2"), &sealed).is_err(),
            "another principal's row"
        );
        with_key(|_, other| assert!(other.open(&id("AK1"), &sealed).is_err(), "another key"));
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(key.open(&id("AK1"), &changed).is_err(), "byte {position}");
            assert!(
                key.open(&id("AK1"), &sealed[..position]).is_err(),
                "{position} bytes"
            );
        }
    });
}

#[test]
fn a_webhook_and_a_principal_of_one_id_do_not_open_each_others_secrets() {
    with_key(|_, key| {
        let webhook = WebhookId::parse("same").unwrap();
        let of_webhook = key.seal(&webhook, "s").unwrap();
        let of_principal = key.seal(&id("same"), "s").unwrap();
        assert!(key.open(&webhook, &of_webhook).is_ok());
        assert!(key.open(&id("same"), &of_principal).is_ok());
        let error = key.open(&id("same"), &of_webhook).unwrap_err();
        assert!(error.to_string().contains("`same`"), "{error}");
        let error = key.open(&webhook, &of_principal).unwrap_err();
        assert!(error.to_string().contains("`webhooks/same`"), "{error}");
    });
}

#[test]
fn a_key_that_did_not_seal_a_secret_is_told_by_its_file() {
    with_key(|_, key| {
        let sealed = key.seal(&id("AK1"), "s3cret").unwrap();
        with_key(|path, other| {
            let error = other.expect_opens(path, &id("AK1"), &sealed).unwrap_err();
            assert!(error.to_string().contains(path.to_str().unwrap()));
            assert!(key.expect_opens(path, &id("AK1"), &sealed).is_ok());
        });
    });
}

#[test]
fn the_same_secret_is_sealed_anew_each_time() {
    with_key(|_, key| {
        assert_ne!(
            key.seal(&id("AK1"), "s").unwrap(),
            key.seal(&id("AK1"), "s").unwrap()
        );
    });
}

#[test]
fn a_key_file_is_private_whole_and_never_made_twice() {
    with_key(|path, _| {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for (open_to, is_refused) in [(0o400, false), (0o640, true), (0o604, true)] {
            fs::set_permissions(path, fs::Permissions::from_mode(open_to)).unwrap();
            let loaded = MasterKey::load_or_create(path, false);
            assert_eq!(matches!(loaded, Err(SecretError::Open { .. })), is_refused);
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        let whole = fs::read_to_string(path).unwrap();
        for broken in [
            "",
            &whole[1..],
            &whole.replace(&whole[..1], "g"),
            &(whole.clone() + "0"),
        ] {
            fs::write(path, broken).unwrap();
            let loaded = MasterKey::load_or_create(path, false);
            assert!(
                matches!(loaded, Err(SecretError::Malformed { .. })),
                "{broken:?}"
            );
        }
        fs::remove_file(path).unwrap();
        let missed = MasterKey::load_or_create(path, true);
        assert!(matches!(missed, Err(SecretError::Missing { .. })));
        assert!(
            !path.exists(),
            "a key that others were sealed with is never replaced"
        );
    });
}

#[test]
fn a_token_is_kept_as_a_hash_of_its_secret_half() {
    let made = Made::token(Some(id("tok.1"))).unwrap();
    let (of, secret) = split_token(&made.secret).unwrap();
    assert_eq!(of, "tok.1");
    assert_eq!(secret.len(), 64);
    assert_eq!(
        made.credential,
        Credential::Token {
            hash: token_hash(secret)
        }
    );
    let other = Made::token(None).unwrap();
    assert_ne!(other.id, Made::token(None).unwrap().id);
    assert_eq!(split_token("no-point"), None);
}
