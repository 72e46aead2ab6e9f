//! Both vendors' signatures, as a client makes them.
//!
//! Source: Zenlayer API reference, "Signature"; Huawei Cloud "API Request Signing Guide".

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// An access key: its id and its secret.
pub(super) struct AccessKey {
    pub(super) id: String,
    pub(super) secret: String,
}

/// A whole signed `DescribeImageQuota` call.
pub(super) fn zenlayer(host: &str, key: &AccessKey, body: &str, epoch_seconds: u64) -> String {
    const METHOD: &str = "ZC2-HMAC-SHA256";
    let digest = hex_digest(body.as_bytes());
    let canonical = format!(
        "POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n{digest}"
    );
    let signature = signature(&key.secret, METHOD, &epoch_seconds.to_string(), &canonical);
    format!(
        "POST /api/v2/vm HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         X-ZC-Action: DescribeImageQuota\r\nX-ZC-Version: 2026-04-01\r\n\
         X-ZC-Signature-Method: {METHOD}\r\nX-ZC-Timestamp: {epoch_seconds}\r\n\
         Authorization: {METHOD} Credential={}, SignedHeaders=content-type;host, \
         Signature={signature}\r\nContent-Length: {}\r\n\r\n{body}",
        key.id,
        body.len()
    )
}

/// A whole signed `GET` of `path`, which needs no escapes.
pub(super) fn modelarts(host: &str, key: &AccessKey, path: &str, epoch_seconds: u64) -> String {
    const METHOD: &str = "SDK-HMAC-SHA256";
    let date = date(epoch_seconds);
    let digest = hex_digest(b"");
    let canonical =
        format!("GET\n{path}/\n\nhost:{host}\nx-sdk-date:{date}\n\nhost;x-sdk-date\n{digest}");
    let signature = signature(&key.secret, METHOD, &date, &canonical);
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Sdk-Date: {date}\r\n\
         Authorization: {METHOD} Access={}, SignedHeaders=host;x-sdk-date, \
         Signature={signature}\r\n\r\n",
        key.id
    )
}

fn signature(secret: &str, method: &str, when: &str, canonical: &str) -> String {
    let text = format!("{method}\n{when}\n{}", hex_digest(canonical.as_bytes()));
    let hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut hmac = hmac.expect("HMAC takes a key of any length");
    hmac.update(text.as_bytes());
    hex(&hmac.finalize().into_bytes())
}

fn hex_digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `YYYYMMDDTHHMMSSZ`, by Howard Hinnant's `civil_from_days` with years from March on.
fn date(epoch_seconds: u64) -> String {
    let (days, second) = (epoch_seconds / 86_400, epoch_seconds % 86_400);
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month < 3);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let cases = [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (1_767_225_599, "20251231T235959Z"),
            (1_772_323_200, "20260301T000000Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(date(seconds), expected);
        }
    }
}
