//! What the vendors' request signatures share: the key, the digest, the form of `Authorization`.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The longest access key id that is read, in bytes.
///
/// Vendors' ids have 16 to 20; the rest is room.
pub const ACCESS_KEY_ID_BYTES_MAX: usize = 128;

/// The most headers that one signature may list.
///
/// SDKs list 1 to 8; checking for repeats is quadratic in this.
pub const SIGNED_HEADERS_MAX: usize = 64;

/// The longest token that is read, in bytes.
pub const TOKEN_BYTES_MAX: usize = 4096;

/// A secret key, ready to check signatures with: the HMAC-SHA256 key schedule.
///
/// Deriving the schedule costs as much as a check, so keep it and clone it.
/// `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// The key for `secret`, the bytes of the secret text as the vendor's SDK is given it.
    pub fn new(secret: &[u8]) -> SigningKey {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let schedule = Hmac::new_from_slice(secret).expect("HMAC takes a key of any length");
        SigningKey(schedule)
    }

    /// Whether `hex_signature` is the HMAC-SHA256 of all `parts` in a row.
    ///
    /// The comparison takes the same time wherever the difference is.
    /// Text that is not 64 hexadecimal digits, of either case, is no signature.
    pub fn verify(&self, parts: &[&[u8]], hex_signature: &str) -> bool {
        let Some(signature) = digest_from_hex(hex_signature.as_bytes()) else {
            return false;
        };
        let mut hmac = self.0.clone();
        for part in parts {
            hmac.update(part);
        }
        hmac.verify_slice(&signature).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// A SHA-256 digest as 64 lower-case hexadecimal digits, the way canonical requests hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexDigest([u8; 64]);

impl HexDigest {
    /// The digest of no bytes at all, which most requests have for a body.
    pub const EMPTY: HexDigest =
        HexDigest(*b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> HexDigest {
        if bytes.is_empty() {
            return HexDigest::EMPTY;
        }
        HexDigest::finish(Sha256::new_with_prefix(bytes))
    }

    /// The digest of all that went into `hash`.
    pub fn finish(hash: Sha256) -> HexDigest {
        let mut digits = [0; 64];
        let (pairs, _) = digits.as_chunks_mut::<2>();
        for (pair, byte) in pairs.iter_mut().zip(hash.finalize()) {
            *pair = hex_pair(byte);
        }
        HexDigest(digits)
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `hex` spells this digest, in either case.
    pub fn is_spelled(&self, hex: &[u8]) -> bool {
        self.0.eq_ignore_ascii_case(hex)
    }
}

/// The credentials of a signed request: `<id>=…, SignedHeaders=…, Signature=…`.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    /// Who signed: 1 to `ACCESS_KEY_ID_BYTES_MAX` visible ASCII characters, no comma.
    pub(crate) access_key_id: &'a str,
    /// What was signed beside the request line and the body.
    pub(crate) signed_headers: SignedHeaders<'a>,
    /// 64 hexadecimal digits.
    pub(crate) signature: &'a str,
}

impl<'a> Credentials<'a> {
    /// Reads what follows the scheme of an `Authorization`; `id` is the vendor's name of the first
    /// parameter.
    ///
    /// `None` where the text has another form: parameters missing, swapped, empty or too long.
    /// The blank after a comma may be left out, nothing else may.
    pub(crate) fn parse(text: &'a str, id: &str) -> Option<Credentials<'a>> {
        let (access_key_id, text) = parameter(text, id)?.split_once(',')?;
        let (signed_headers, text) =
            parameter(without_blank(text), "SignedHeaders")?.split_once(',')?;
        let signature = parameter(without_blank(text), "Signature")?;

        digest_from_hex(signature.as_bytes())?;
        is_visible(access_key_id, ACCESS_KEY_ID_BYTES_MAX).then_some(Credentials {
            access_key_id,
            signed_headers: SignedHeaders::parse(signed_headers)?,
            signature,
        })
    }
}

/// The list of signed headers, as the caller wrote it.
///
/// Invariants: 1 to `SIGNED_HEADERS_MAX` names, none empty, none twice, none with a capital.
#[derive(Clone, Copy)]
pub(crate) struct SignedHeaders<'a>(&'a str);

impl<'a> SignedHeaders<'a> {
    fn parse(list: &'a str) -> Option<SignedHeaders<'a>> {
        let headers = SignedHeaders(list);
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
        };
        let is_list = headers
            .names()
            .take(SIGNED_HEADERS_MAX.saturating_add(1))
            .count()
            <= SIGNED_HEADERS_MAX
            && headers.names().all(is_name)
            && !headers.has_repeats();
        is_list.then_some(headers)
    }

    /// The names in the caller's order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.0.split(';')
    }

    /// Whether `name` (lower case) was signed.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names().any(|signed| signed == name)
    }

    /// Whether the names stand in ASCII order.
    pub(crate) fn are_sorted(&self) -> bool {
        self.names().is_sorted()
    }

    /// The list as it was written.
    pub(crate) fn as_str(&self) -> &'a str {
        self.0
    }

    fn has_repeats(&self) -> bool {
        let mut names = self.names();
        while let Some(name) = names.next() {
            if names.clone().any(|later| later == name) {
                return true;
            }
        }
        false
    }
}

/// Whether `text` is 1 to `bytes_max` visible ASCII characters, as keys and tokens are.
pub(crate) fn is_visible(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `byte` as two lower-case hexadecimal digits.
pub(crate) fn hex_pair(byte: u8) -> [u8; 2] {
    [hex_digit(byte >> 4), hex_digit(byte & 0xf)]
}

fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0'.wrapping_add(nibble),
        _ => b'a'.wrapping_add(nibble.wrapping_sub(10)),
    }
}

/// The byte that two hexadecimal digits of either case spell.
pub(crate) fn byte_from_hex(high: u8, low: u8) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(value(high)? << 4 | value(low)?).ok()
}

fn digest_from_hex(hex: &[u8]) -> Option<[u8; 32]> {
    let (pairs, rest) = hex.as_chunks::<2>();
    let pairs: &[[u8; 2]; 32] = pairs.try_into().ok()?;
    let mut digest = [0; 32];
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        *byte = byte_from_hex(*high, *low)?;
    }
    rest.is_empty().then_some(digest)
}

/// What follows `name=` at the start of `text`.
fn parameter<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.strip_prefix('=')
}

fn without_blank(text: &str) -> &str {
    text.strip_prefix(' ').unwrap_or(text)
}
