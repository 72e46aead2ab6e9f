//! Who sent a ModelArts request: an `SDK-HMAC-SHA256` signature or a token.
//!
//! The signature covers the method, the path, the query, the listed headers, the time and, unless
//! the sender opts out, the body.
//!
//! Source: Huawei Cloud "API Request Signing Guide"; the signers of huaweicloudsdkcore 3.1.219
//! (Python) and huaweicloud-sdk-go-v3.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use sha2::{Digest, Sha256};

use crate::http::{Repeated, Request};
use crate::sign::{
    Credentials, HexDigest, SigningKey, TOKEN_BYTES_MAX, byte_from_hex, hex_pair, is_visible,
};

/// The furthest that `X-Sdk-Date` may be from the server's time, either way, in seconds.
pub const CLOCK_SKEW_S_MAX: u64 = 15 * 60;

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// The value of `X-Sdk-Content-Sha256` with which a sender leaves the body out of the signature.
const UNSIGNED_PAYLOAD: &[u8] = b"UNSIGNED-PAYLOAD";

/// What a request says of its sender, not yet proved.
pub enum Claim<'a> {
    /// The sender has the secret of an access key.
    Signed(SignedClaim<'a>),
    /// The sender has this token: 1 to `TOKEN_BYTES_MAX` visible ASCII characters.
    Token(&'a str),
}

/// Why the sender of a request is not known. In order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthDenial {
    /// A header that the check reads was sent more than once: `Authorization`, `Host`,
    /// `X-Auth-Token`, `X-Sdk-Content-Sha256`, `X-Sdk-Date` or `X-Security-Token`.
    HeaderRepeated,
    /// There is neither `Authorization` nor `X-Auth-Token`.
    CredentialsMissing,
    /// `X-Auth-Token` or `X-Security-Token` is no token.
    TokenMalformed,
    /// `Authorization` names an algorithm other than `SDK-HMAC-SHA256`.
    AlgorithmUnsupported,
    /// `Authorization` has another form.
    AuthorizationMalformed,
    /// `X-Sdk-Date` is not among the signed headers.
    DateNotSigned,
    /// There is no `X-Sdk-Date`.
    DateMissing,
    /// `X-Sdk-Date` is no date of the form `YYYYMMDDTHHMMSSZ`.
    DateMalformed,
    /// `X-Security-Token` was sent and is not among the signed headers.
    SecurityTokenNotSigned,
    /// `X-Sdk-Date` is further than `CLOCK_SKEW_S_MAX` from the server's time.
    SignatureExpired,
    /// `X-Sdk-Content-Sha256` leaves a body unsigned and is not among the signed headers.
    PayloadNotSigned,
    /// `X-Sdk-Content-Sha256` is not the digest of the body.
    PayloadMismatch,
    /// A header is listed as signed and was not sent.
    SignedHeaderMissing,
    /// The signature is not that of this request with this key.
    SignatureFailure,
}

/// Reads who `request` says it comes from. `Authorization` wins over `X-Auth-Token`.
///
/// Errors: every [`AuthDenial`] that needs neither the key nor the time.
pub fn claim<'a>(request: &Request<'a>) -> Result<Claim<'a>, AuthDenial> {
    if let Some(authorization) = header(request, "authorization")? {
        return SignedClaim::parse(authorization, request).map(Claim::Signed);
    }
    let token = header(request, "x-auth-token")?.ok_or(AuthDenial::CredentialsMissing)?;
    read_token(token).map(Claim::Token)
}

/// A request that says it was signed with an access key.
#[derive(Clone, Copy)]
pub struct SignedClaim<'a> {
    credentials: Credentials<'a>,
    date: &'a [u8],
    date_s: i64,
    security_token: Option<&'a str>,
    payload: Option<&'a [u8]>,
}

impl<'a> SignedClaim<'a> {
    fn parse(
        authorization: &'a [u8],
        request: &Request<'a>,
    ) -> Result<SignedClaim<'a>, AuthDenial> {
        header(request, "host")?;
        let payload = header(request, "x-sdk-content-sha256")?;
        let date = header(request, "x-sdk-date")?;
        let security_token = header(request, "x-security-token")?
            .map(read_token)
            .transpose()?;

        let (algorithm, rest) = str::from_utf8(authorization)
            .ok()
            .and_then(|text| text.split_once(' '))
            .ok_or(AuthDenial::AuthorizationMalformed)?;
        if algorithm != ALGORITHM {
            return Err(AuthDenial::AlgorithmUnsupported);
        }
        let credentials =
            Credentials::parse(rest, "Access").ok_or(AuthDenial::AuthorizationMalformed)?;
        if !credentials.signed_headers.contains("x-sdk-date") {
            return Err(AuthDenial::DateNotSigned);
        }
        let date = date.ok_or(AuthDenial::DateMissing)?;
        let date_s = read_date(date).ok_or(AuthDenial::DateMalformed)?;
        if security_token.is_some() && !credentials.signed_headers.contains("x-security-token") {
            return Err(AuthDenial::SecurityTokenNotSigned);
        }
        Ok(SignedClaim {
            credentials,
            date,
            date_s,
            security_token,
            payload,
        })
    }

    /// The access key whose secret is to be looked up.
    ///
    /// Shape: 1 to `ACCESS_KEY_ID_BYTES_MAX` visible ASCII characters.
    pub fn access_key(&self) -> &'a str {
        self.credentials.access_key_id
    }

    /// The token that came with a temporary access key. It is signed but not yet looked up.
    ///
    /// Shape: 1 to `TOKEN_BYTES_MAX` visible ASCII characters.
    pub fn security_token(&self) -> Option<&'a str> {
        self.security_token
    }

    /// Whether `request`, of which this claim was read, was signed with `key` near `now_s`.
    ///
    /// Where the access key is unknown, verify with some other key: then neither the answer nor
    /// its time tells which keys exist.
    ///
    /// Units: `now_s` in seconds since the epoch, UTC.
    /// Errors: in this order [`AuthDenial::SignatureExpired`], [`AuthDenial::PayloadNotSigned`] or
    /// [`AuthDenial::PayloadMismatch`], [`AuthDenial::SignedHeaderMissing`],
    /// [`AuthDenial::SignatureFailure`].
    pub fn verify(
        &self,
        request: &Request<'_>,
        key: &SigningKey,
        now_s: i64,
    ) -> Result<(), AuthDenial> {
        if CLOCK_SKEW_S_MAX < now_s.abs_diff(self.date_s) {
            return Err(AuthDenial::SignatureExpired);
        }
        let body = HexDigest::of(request.body);
        let sent = self.sent_payload(request, &body)?;

        let mut hash = Sha256::new_with_prefix(request.method);
        hash.update("\n");
        hash_path(&mut hash, request.path);
        hash.update("\n");
        hash_query(&mut hash, request.query.unwrap_or_default());
        hash.update("\n");
        for name in self.credentials.signed_headers.names() {
            hash_header(&mut hash, request, name)?;
        }
        hash.update("\n");
        hash.update(self.credentials.signed_headers.as_str());
        hash.update("\n");

        let is_signed = self.is_signed(hash.clone(), body.as_bytes(), key)
            || sent.is_some_and(|sent| self.is_signed(hash, sent, key));
        if is_signed {
            Ok(())
        } else {
            Err(AuthDenial::SignatureFailure)
        }
    }

    /// What the signer may have put in place of the digest of the body: `X-Sdk-Content-Sha256`.
    ///
    /// | header | signed | body | |
    /// |---|---|---|---|
    /// | `UNSIGNED-PAYLOAD` | yes | any | the header: Go always puts it, Python where there is a body |
    /// | `UNSIGNED-PAYLOAD` | no | none | nothing: the header decides nothing |
    /// | `UNSIGNED-PAYLOAD` | no | some | denied: whoever adds the header could swap the body |
    /// | the digest of the body | any | any | the header, in the case it has |
    /// | anything else | any | any | denied |
    fn sent_payload(
        &self,
        request: &Request<'_>,
        body: &HexDigest,
    ) -> Result<Option<&'a [u8]>, AuthDenial> {
        match self.payload {
            None => Ok(None),
            Some(UNSIGNED_PAYLOAD) => {
                if self
                    .credentials
                    .signed_headers
                    .contains("x-sdk-content-sha256")
                {
                    Ok(self.payload)
                } else if request.body.is_empty() {
                    Ok(None)
                } else {
                    Err(AuthDenial::PayloadNotSigned)
                }
            }
            Some(digest) if body.is_spelled(digest) => Ok(self.payload),
            Some(_) => Err(AuthDenial::PayloadMismatch),
        }
    }

    /// Whether the signature is that of the canonical request that `hash` and `payload` make.
    fn is_signed(&self, mut hash: Sha256, payload: &[u8], key: &SigningKey) -> bool {
        hash.update(payload);
        let canonical = HexDigest::finish(hash);
        let string_to_sign = [
            ALGORITHM.as_bytes(),
            b"\n",
            self.date,
            b"\n",
            canonical.as_bytes(),
        ];
        key.verify(&string_to_sign, self.credentials.signature)
    }
}

fn header<'a>(request: &Request<'a>, name: &str) -> Result<Option<&'a [u8]>, AuthDenial> {
    request
        .header(name)
        .map_err(|Repeated| AuthDenial::HeaderRepeated)
}

fn read_token(value: &[u8]) -> Result<&str, AuthDenial> {
    str::from_utf8(value)
        .ok()
        .filter(|token| is_visible(token, TOKEN_BYTES_MAX))
        .ok_or(AuthDenial::TokenMalformed)
}

/// `YYYYMMDDTHHMMSSZ` as seconds since the epoch. Leap seconds have no place on that line.
fn read_date(text: &[u8]) -> Option<i64> {
    let (year, text) = text.split_first_chunk::<4>()?;
    let (month, text) = text.split_first_chunk::<2>()?;
    let (day, text) = text.split_first_chunk::<2>()?;
    let (hour, text) = text.strip_prefix(b"T")?.split_first_chunk::<2>()?;
    let (minute, text) = text.split_first_chunk::<2>()?;
    let (second, text) = text.split_first_chunk::<2>()?;
    let date = DateTime::new(
        number(year)?,
        number(month)?.try_into().ok()?,
        number(day)?.try_into().ok()?,
        number(hour)?.try_into().ok()?,
        number(minute)?.try_into().ok()?,
        number(second)?.try_into().ok()?,
        0,
    );
    let timestamp = Offset::UTC.to_timestamp(date.ok()?).ok()?;
    (text == b"Z").then_some(timestamp.as_second())
}

/// At most four decimal digits, without a sign.
fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0_i16, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        number
            .checked_mul(10)?
            .checked_add(i16::try_from(digit).ok()?)
    })
}

/// One line per value, in order of the values where a header was sent more than once.
fn hash_header(hash: &mut Sha256, request: &Request<'_>, name: &str) -> Result<(), AuthDenial> {
    let mut line = |value: &[u8]| {
        hash.update(name);
        hash.update(":");
        hash.update(value);
        hash.update("\n");
    };
    let mut values = request
        .headers
        .iter()
        .filter(|(sent, _)| *sent == name)
        .map(|(_, value)| *value);

    let first = values.next().ok_or(AuthDenial::SignedHeaderMissing)?;
    let Some(second) = values.next() else {
        line(first);
        return Ok(());
    };
    let mut values: Vec<&[u8]> = [first, second].into_iter().chain(values).collect();
    values.sort_unstable();
    values.into_iter().for_each(line);
    Ok(())
}

/// The path, decoded, encoded again segment by segment, and with a `/` at its end.
///
/// So `a%2Fb` counts as two segments. Dots and empty segments stay.
fn hash_path(hash: &mut Sha256, path: &str) {
    let path = decoded(path.as_bytes(), Plus::Literal);
    let path = path.strip_suffix(b"/").unwrap_or(&path);
    for segment in path.split(|byte| *byte == b'/') {
        hash_encoded(hash, segment);
        hash.update("/");
    }
}

/// The parameters, decoded, in order of key and value, and encoded again.
///
/// A parameter without `=` has an empty value; nothing between two `&` is no parameter.
fn hash_query(hash: &mut Sha256, query: &str) {
    let mut parameters: Vec<_> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            (
                decoded(key.as_bytes(), Plus::Blank),
                decoded(value.as_bytes(), Plus::Blank),
            )
        })
        .collect();
    parameters.sort_unstable();

    let mut separator = "";
    for (key, value) in &parameters {
        hash.update(separator);
        hash_encoded(hash, key);
        hash.update("=");
        hash_encoded(hash, value);
        separator = "&";
    }
}

/// What `+` stands for: itself in a path, a blank in a query.
#[derive(Clone, Copy)]
enum Plus {
    Literal,
    Blank,
}

/// `text` with its percent escapes undone, once. A `%` that starts no escape stands for itself.
fn decoded(text: &[u8], plus: Plus) -> Cow<'_, [u8]> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, plus) {
            (b'%', _) => escape(after).unwrap_or((b'%', after)),
            (b'+', Plus::Blank) => (b' ', after),
            (byte, _) => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    Cow::Owned(bytes)
}

/// The byte that the two digits at the start of `text` spell, and what follows them.
fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let ([high, low], after) = text.split_first_chunk()?;
    Some((byte_from_hex(*high, *low)?, after))
}

/// `bytes` with all but the unreserved characters escaped, in capitals.
fn hash_encoded(hash: &mut Sha256, bytes: &[u8]) {
    for run in bytes.chunk_by(|one, next| is_unreserved(*one) && is_unreserved(*next)) {
        match run {
            [byte] if !is_unreserved(*byte) => {
                hash.update("%");
                hash.update(hex_pair(*byte).map(|digit| digit.to_ascii_uppercase()));
            }
            unreserved => hash.update(unreserved),
        }
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}
