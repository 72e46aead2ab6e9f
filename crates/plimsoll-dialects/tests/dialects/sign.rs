//! The key and the digest.

use plimsoll_dialects::sign::{HexDigest, SigningKey};

use crate::signer::{hmac_hex, sha256_hex};

#[test]
fn digests_are_those_of_sha256() {
    assert_eq!(HexDigest::EMPTY.as_bytes(), sha256_hex("").as_bytes());
    assert_eq!(HexDigest::of(b""), HexDigest::EMPTY);
    for length in 0..200 {
        let bytes = vec![0xa5; length];
        assert_eq!(
            HexDigest::of(&bytes).as_bytes(),
            sha256_hex(&bytes).as_bytes()
        );
    }
    assert!(HexDigest::EMPTY.is_spelled(sha256_hex("").to_uppercase().as_bytes()));
    assert!(!HexDigest::EMPTY.is_spelled(b""));
    assert!(!HexDigest::EMPTY.is_spelled(&sha256_hex("").as_bytes()[1..]));
}

/// RFC 4231, test cases 1, 2 and 6: a short key, a shorter one, one longer than a block.
#[test]
fn keys_of_any_length_check_hmac_sha256() {
    let cases: [(&[u8], &[u8], &str); 3] = [
        (
            &[0x0b; 20],
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ];
    for (secret, text, signature) in cases {
        let key = SigningKey::new(secret);
        for cut in 0..=text.len() {
            let (start, end) = text.split_at(cut);
            assert!(key.verify(&[start, end], signature));
        }
        assert!(key.verify(&[text], &signature.to_uppercase()));
        assert!(!key.verify(&[text, b"\0"], signature));
        assert!(!key.verify(&[], signature));
    }
}

#[test]
fn text_that_is_no_signature_never_verifies() {
    let key = SigningKey::new(b"secret");
    let signature = hmac_hex("secret", "text");
    assert!(key.verify(&[b"text"], &signature));
    for length in 0..=128 {
        let text: String = signature.chars().cycle().take(length).collect();
        assert_eq!(key.verify(&[b"text"], &text), length == 64, "{length}");
    }
    for index in 0..64 {
        for other in ["g", "G", "x", " ", "+", "-", "/", ":", "@", "`", "\0"] {
            let mut text = signature.clone();
            text.replace_range(index..=index, other);
            assert!(!key.verify(&[b"text"], &text), "{text}");
        }
    }
    // 64 bytes, but 62 characters.
    assert!(!key.verify(&[b"text"], &signature.replacen(&signature[..4], "éé", 1)));
}

#[test]
fn debug_text_of_a_key_shows_nothing() {
    assert_eq!(
        format!("{:?}", SigningKey::new(b"secret")),
        "SigningKey { .. }"
    );
}
