//! A signer as the vendors' documents describe it: build the text, hash it, sign it.
//!
//! It shares nothing with the code under test but the two hash crates.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub(crate) fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hmac_hex(secret: &str, text: &str) -> String {
    let mut hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hmac.update(text.as_bytes());
    hex(&hmac.finalize().into_bytes())
}

/// The signature over `canonical`, a whole canonical request.
pub(crate) fn signature(
    secret: &str,
    algorithm: &str,
    date: &str,
    canonical: impl AsRef<[u8]>,
) -> String {
    hmac_hex(
        secret,
        &format!("{algorithm}\n{date}\n{}", sha256_hex(canonical)),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
