//! Signatures as Standard Webhooks has them, so that receivers may check them with any library.
//!
//! Source: <https://www.standardwebhooks.com>: `v1,` and the base64 of the HMAC-SHA256 of
//! `id.timestamp.body`, keyed by the bytes of which the secret is the base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clock;

const PREFIX: &str = "whsec_";

/// Bytes in a new secret: as many as the hash has.
const SECRET_LEN: usize = 32;

/// A new secret, as its receiver gets to know it.
///
/// Errors: where the system has no entropy to give.
pub(crate) fn new_secret() -> Result<Zeroizing<String>, getrandom::Error> {
    let random = Zeroizing::new(clock::random::<SECRET_LEN>()?);
    let digits = Zeroizing::new(STANDARD.encode(*random));
    Ok(Zeroizing::new(format!("{PREFIX}{}", *digits)))
}

/// Signs what one webhook is told.
pub(super) struct Signer(Hmac<Sha256>);

impl Signer {
    /// From the text of a secret; `None` where it is none.
    pub(super) fn new(secret: &[u8]) -> Option<Self> {
        let digits = secret.strip_prefix(PREFIX.as_bytes())?;
        let key = Zeroizing::new(STANDARD.decode(digits).ok()?);
        Hmac::new_from_slice(&key).ok().map(Self)
    }

    /// The value of `webhook-signature`. The time is in seconds since 1970.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_every_library_expects() {
        // The vector of the reference libraries.
        let signer = Signer::new(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = signer.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_new_secret_signs_and_is_new() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(*one, *other);
        assert_eq!(one.len(), PREFIX.len() + 44);
        let sign = |secret: &str| Signer::new(secret.as_bytes()).unwrap().sign("i", 1, b"{}");
        assert_eq!(sign(&one), sign(&one));
        assert_ne!(sign(&one), sign(&other));
    }

    #[test]
    fn what_is_no_secret_does_not_sign() {
        for secret in [
            "",
            "whsec",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_???",
            "whsec_AAA",
        ] {
            assert!(Signer::new(secret.as_bytes()).is_none(), "{secret}");
        }
    }
}
