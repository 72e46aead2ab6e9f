//! Who sent a Zenlayer request: a `ZC2-HMAC-SHA256` signature or a bearer token.
//!
//! The signature covers the method, the listed headers, the body and the time.
//! It covers neither the path nor the headers that name action, version and service: within its
//! five minutes a captured request can be sent again as another action.
//!
//! Source: Zenlayer API reference, "Signature" and "Access token"; zenlayercloud-sdk-python 2.0.77.

use sha2::{Digest, Sha256};

use crate::http::{Repeated, Request};
use crate::sign::{Credentials, HexDigest, SigningKey, TOKEN_BYTES_MAX, is_visible};

/// The furthest that `X-ZC-Timestamp` may be from the server's time, either way, in seconds.
pub const CLOCK_SKEW_S_MAX: u64 = 300;

/// The most digits of `X-ZC-Timestamp`: any 18 digits fit an `i64`.
pub const TIMESTAMP_DIGITS_MAX: usize = 18;

const ALGORITHM: &str = "ZC2-HMAC-SHA256";

/// What a request says of its sender, not yet proved.
pub enum Claim<'a> {
    /// The sender has the secret of an access key.
    Signed(SignedClaim<'a>),
    /// The sender has this token: 1 to `TOKEN_BYTES_MAX` visible ASCII characters.
    Bearer(&'a str),
}

/// Why the sender of a request is not known. In order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthDenial {
    /// `Authorization`, `X-ZC-Timestamp` or `X-ZC-Signature-Method` was sent more than once.
    HeaderRepeated,
    /// There is no `Authorization`.
    AuthorizationMissing,
    /// `Authorization` has neither of the two forms.
    InvalidAuthorization,
    /// `X-ZC-Signature-Method` names another algorithm.
    SignatureMethodUnsupported,
    /// `Content-Type` is not among the signed headers.
    ContentTypeNotSigned,
    /// `Host` is not among the signed headers.
    HostNotSigned,
    /// There is no `X-ZC-Timestamp`.
    TimestampMissing,
    /// `X-ZC-Timestamp` is not 1 to `TIMESTAMP_DIGITS_MAX` decimal digits.
    TimestampMalformed,
    /// `X-ZC-Timestamp` is further than `CLOCK_SKEW_S_MAX` from the server's time.
    SignatureExpired,
    /// A header is listed as signed and was not sent.
    SignedHeaderMissing,
    /// A header is listed as signed and was sent more than once.
    SignedHeaderRepeated,
    /// The signature is not that of this request with this key.
    SignatureFailure,
}

/// Reads who `request` says it comes from.
///
/// Errors: every [`AuthDenial`] that needs neither the key nor the time.
pub fn claim<'a>(request: &Request<'a>) -> Result<Claim<'a>, AuthDenial> {
    let authorization =
        header(request, "authorization")?.ok_or(AuthDenial::AuthorizationMissing)?;
    let authorization =
        str::from_utf8(authorization).map_err(|_| AuthDenial::InvalidAuthorization)?;
    let (scheme, rest) = authorization
        .split_once(' ')
        .ok_or(AuthDenial::InvalidAuthorization)?;

    if scheme == ALGORITHM {
        SignedClaim::parse(rest, request).map(Claim::Signed)
    } else if scheme.eq_ignore_ascii_case("Bearer") && is_visible(rest, TOKEN_BYTES_MAX) {
        Ok(Claim::Bearer(rest))
    } else {
        Err(AuthDenial::InvalidAuthorization)
    }
}

/// A request that says it was signed with an access key.
#[derive(Clone, Copy)]
pub struct SignedClaim<'a> {
    credentials: Credentials<'a>,
    timestamp: &'a str,
    timestamp_s: i64,
}

impl<'a> SignedClaim<'a> {
    fn parse(text: &'a str, request: &Request<'a>) -> Result<SignedClaim<'a>, AuthDenial> {
        let method = header(request, "x-zc-signature-method")?;
        let timestamp = header(request, "x-zc-timestamp")?;

        let credentials = Credentials::parse(text, "Credential")
            .filter(|credentials| credentials.signed_headers.are_sorted())
            .ok_or(AuthDenial::InvalidAuthorization)?;
        if method.is_some_and(|method| method != ALGORITHM.as_bytes()) {
            return Err(AuthDenial::SignatureMethodUnsupported);
        }
        if !credentials.signed_headers.contains("content-type") {
            return Err(AuthDenial::ContentTypeNotSigned);
        }
        if !credentials.signed_headers.contains("host") {
            return Err(AuthDenial::HostNotSigned);
        }
        let timestamp = timestamp.ok_or(AuthDenial::TimestampMissing)?;
        let (timestamp, timestamp_s) =
            read_timestamp(timestamp).ok_or(AuthDenial::TimestampMalformed)?;

        Ok(SignedClaim {
            credentials,
            timestamp,
            timestamp_s,
        })
    }

    /// The id of the access key whose secret is to be looked up.
    ///
    /// Shape: 1 to `ACCESS_KEY_ID_BYTES_MAX` visible ASCII characters.
    pub fn access_key_id(&self) -> &'a str {
        self.credentials.access_key_id
    }

    /// Whether `request`, of which this claim was read, was signed with `key` near `now_s`.
    ///
    /// Where the access key is unknown, verify with some other key: then neither the answer nor
    /// its time tells which ids exist.
    ///
    /// Units: `now_s` in seconds since the epoch, UTC.
    /// Errors: in this order [`AuthDenial::SignatureExpired`], [`AuthDenial::SignedHeaderMissing`]
    /// or [`AuthDenial::SignedHeaderRepeated`], [`AuthDenial::SignatureFailure`].
    pub fn verify(
        &self,
        request: &Request<'_>,
        key: &SigningKey,
        now_s: i64,
    ) -> Result<(), AuthDenial> {
        if CLOCK_SKEW_S_MAX < now_s.abs_diff(self.timestamp_s) {
            return Err(AuthDenial::SignatureExpired);
        }
        let body = HexDigest::of(request.body);
        for spelling in [Spelling::AsSent, Spelling::LowerCase] {
            let canonical = self.canonical_digest(request, &body, spelling)?;
            if self.is_signed(&canonical, key) {
                return Ok(());
            }
        }
        Err(AuthDenial::SignatureFailure)
    }

    /// The digest of the canonical request. Its path is always `/` and its query always empty.
    fn canonical_digest(
        &self,
        request: &Request<'_>,
        body: &HexDigest,
        spelling: Spelling,
    ) -> Result<HexDigest, AuthDenial> {
        let signed_headers = self.credentials.signed_headers;
        let mut hash = Sha256::new_with_prefix(request.method);
        hash.update("\n/\n\n");
        for name in signed_headers.names() {
            let value = request
                .header(name)
                .map_err(|Repeated| AuthDenial::SignedHeaderRepeated)?
                .ok_or(AuthDenial::SignedHeaderMissing)?;
            hash.update(name);
            hash.update(":");
            match spelling {
                Spelling::AsSent => hash.update(value),
                Spelling::LowerCase => hash.update(value.to_ascii_lowercase()),
            }
            hash.update("\n");
        }
        hash.update("\n");
        hash.update(signed_headers.as_str());
        hash.update("\n");
        hash.update(body.as_bytes());
        Ok(HexDigest::finish(hash))
    }

    fn is_signed(&self, canonical: &HexDigest, key: &SigningKey) -> bool {
        let string_to_sign = [
            ALGORITHM.as_bytes(),
            b"\n",
            self.timestamp.as_bytes(),
            b"\n",
            canonical.as_bytes(),
        ];
        key.verify(&string_to_sign, self.credentials.signature)
    }
}

/// How the signer wrote the values of headers.
///
/// The documentation says in lower case; the SDKs sign them as they send them.
#[derive(Clone, Copy)]
enum Spelling {
    AsSent,
    LowerCase,
}

fn header<'a>(request: &Request<'a>, name: &str) -> Result<Option<&'a [u8]>, AuthDenial> {
    request
        .header(name)
        .map_err(|Repeated| AuthDenial::HeaderRepeated)
}

/// The text and the seconds since the epoch. Digits only: no sign, no blank.
fn read_timestamp(value: &[u8]) -> Option<(&str, i64)> {
    let text = str::from_utf8(value).ok()?;
    let is_digits =
        text.len() <= TIMESTAMP_DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok()?;
    is_digits.then_some((text, seconds))
}
