//! Every failure of the Zenlayer dialect, as a transcript.

use expect_test::expect;
use plimsoll_core::names::LocationId;
use plimsoll_dialects::zenlayer::auth::AuthDenial;
use plimsoll_dialects::zenlayer::{Fault, ZONE_IDS_MAX, ZenlayerError, error_reply};
use serde_json::Value;

use crate::transcript::body;
use crate::zenlayer::request_id;

const COMMON: &str = "Zenlayer API reference, Common error codes";
const QUOTA: &str = "Zenlayer API reference, DescribeImageQuota";
const RESPONSE: &str = "Zenlayer API reference, Response";
const SDK: &str = "zenlayercloud-sdk-python 2.0.77, README, Rate Limit Retries";

/// One line for each variant: its pattern, an example, the source of its code.
///
/// A variant without a line does not compile.
macro_rules! errors {
    ($($pattern:pat, $example:expr, $source:expr;)*) => {
        fn errors() -> Vec<(ZenlayerError, &'static str)> {
            let _covers_all = |error: &ZenlayerError| match error {
                $($pattern => {})*
            };
            vec![$({
                let example = $example;
                assert!(matches!(example, $pattern), "{example:?}");
                (example, $source)
            },)*]
        }
    };
}

fn parameter(parameter: &str, fault: Fault) -> ZenlayerError {
    let parameter = parameter.to_owned();
    ZenlayerError::Parameter { parameter, fault }
}

fn unknown_zone() -> LocationId {
    LocationId::parse("SEL--A").unwrap()
}

errors! {
    ZenlayerError::RequestMalformed, ZenlayerError::RequestMalformed, COMMON;
    ZenlayerError::HeadTooLarge, ZenlayerError::HeadTooLarge, COMMON;
    ZenlayerError::BodyTooLarge { .. }, ZenlayerError::BodyTooLarge { bytes_max: 1 << 20 }, COMMON;
    ZenlayerError::MethodNotAllowed, ZenlayerError::MethodNotAllowed, COMMON;
    ZenlayerError::UnknownPath, ZenlayerError::UnknownPath, COMMON;
    ZenlayerError::Auth(AuthDenial::HeaderRepeated), ZenlayerError::Auth(AuthDenial::HeaderRepeated), COMMON;
    ZenlayerError::Auth(AuthDenial::AuthorizationMissing), ZenlayerError::Auth(AuthDenial::AuthorizationMissing), COMMON;
    ZenlayerError::Auth(AuthDenial::InvalidAuthorization), ZenlayerError::Auth(AuthDenial::InvalidAuthorization), COMMON;
    ZenlayerError::Auth(AuthDenial::SignatureMethodUnsupported), ZenlayerError::Auth(AuthDenial::SignatureMethodUnsupported), COMMON;
    ZenlayerError::Auth(AuthDenial::ContentTypeNotSigned), ZenlayerError::Auth(AuthDenial::ContentTypeNotSigned), COMMON;
    ZenlayerError::Auth(AuthDenial::HostNotSigned), ZenlayerError::Auth(AuthDenial::HostNotSigned), COMMON;
    ZenlayerError::Auth(AuthDenial::TimestampMissing), ZenlayerError::Auth(AuthDenial::TimestampMissing), COMMON;
    ZenlayerError::Auth(AuthDenial::TimestampMalformed), ZenlayerError::Auth(AuthDenial::TimestampMalformed), COMMON;
    ZenlayerError::Auth(AuthDenial::SignatureExpired), ZenlayerError::Auth(AuthDenial::SignatureExpired), COMMON;
    ZenlayerError::Auth(AuthDenial::SignedHeaderMissing), ZenlayerError::Auth(AuthDenial::SignedHeaderMissing), COMMON;
    ZenlayerError::Auth(AuthDenial::SignedHeaderRepeated), ZenlayerError::Auth(AuthDenial::SignedHeaderRepeated), COMMON;
    ZenlayerError::Auth(AuthDenial::SignatureFailure), ZenlayerError::Auth(AuthDenial::SignatureFailure), COMMON;
    ZenlayerError::TokenUnknown, ZenlayerError::TokenUnknown, COMMON;
    ZenlayerError::Throttled, ZenlayerError::Throttled, SDK;
    ZenlayerError::NoTeam, ZenlayerError::NoTeam, COMMON;
    ZenlayerError::PermissionMissing, ZenlayerError::PermissionMissing, COMMON;
    ZenlayerError::UnknownService, ZenlayerError::UnknownService, COMMON;
    ZenlayerError::HeaderMissing { .. }, ZenlayerError::HeaderMissing { name: "X-ZC-Action" }, COMMON;
    ZenlayerError::HeaderRepeated { .. }, ZenlayerError::HeaderRepeated { name: "X-ZC-Action" }, COMMON;
    ZenlayerError::UnknownVersion, ZenlayerError::UnknownVersion, COMMON;
    ZenlayerError::UnknownAction, ZenlayerError::UnknownAction, COMMON;
    ZenlayerError::ContentTypeUnsupported, ZenlayerError::ContentTypeUnsupported, COMMON;
    ZenlayerError::BodyNotObject, ZenlayerError::BodyNotObject, COMMON;
    ZenlayerError::BodyMalformed { .. }, ZenlayerError::BodyMalformed { detail: "EOF while parsing an object at line 1 column 1".to_owned() }, COMMON;
    ZenlayerError::Parameter { fault: Fault::WrongType { .. }, .. }, parameter("zoneIds", Fault::WrongType { expected: "an array of strings" }), COMMON;
    ZenlayerError::Parameter { fault: Fault::TooManyValues { .. }, .. }, parameter("zoneIds", Fault::TooManyValues { values_max: ZONE_IDS_MAX }), COMMON;
    ZenlayerError::Parameter { fault: Fault::Empty, .. }, parameter("zoneIds", Fault::Empty), COMMON;
    ZenlayerError::Parameter { fault: Fault::TooLong { .. }, .. }, parameter("zoneIds", Fault::TooLong { bytes_max: 128 }), COMMON;
    ZenlayerError::Parameter { fault: Fault::Pattern { .. }, .. }, parameter("zoneIds", Fault::Pattern { allowed: "ASCII letters" }), COMMON;
    ZenlayerError::ImageQuotaNotConfigured, ZenlayerError::ImageQuotaNotConfigured, COMMON;
    ZenlayerError::RegionNotFound(_), ZenlayerError::RegionNotFound(unknown_zone()), QUOTA;
    ZenlayerError::ZoneNotFound(_), ZenlayerError::ZoneNotFound(unknown_zone()), RESPONSE;
    ZenlayerError::Unavailable, ZenlayerError::Unavailable, COMMON;
    ZenlayerError::TimedOut, ZenlayerError::TimedOut, COMMON;
    ZenlayerError::Internal, ZenlayerError::Internal, COMMON;
}

fn parsed(error: &ZenlayerError) -> Value {
    let reply = error_reply(error, &request_id());
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn every_failure_has_the_three_keys_and_a_transcript() {
    let (mut transcript, mut last) = (String::new(), "");
    for (error, source) in errors() {
        let reply = error_reply(&error, &request_id());
        let content = parsed(&error);
        assert_eq!(content.as_object().unwrap().len(), 3);
        assert_eq!(content["requestId"], request_id().as_str());
        assert_eq!(
            reply.headers,
            [("content-type", "application/json;charset=UTF-8".to_owned())]
        );
        if last != source {
            last = source;
            transcript += &format!("# {source}\n");
        }
        let rest = body(&reply).split_once(',').unwrap().1;
        transcript += &format!("{} {rest}\n", reply.status);
    }
    expect![[r##"
        # Zenlayer API reference, Common error codes
        400 "code":"INVALID_PARAMETER_VALUE","message":"the request is malformed: send head and body as HTTP/1.1 has them"}
        400 "code":"INVALID_PARAMETER_EXCEED_LENGTH","message":"the head is too long: send fewer and shorter headers"}
        400 "code":"INVALID_PARAMETER_EXCEED_LENGTH","message":"the body is too long: send at most `1048576` bytes"}
        401 "code":"AUTHFAILURE_UNAUTHORIZED_OPERATION","message":"there is no such operation: send `POST`"}
        401 "code":"AUTHFAILURE_UNAUTHORIZED_OPERATION","message":"there is no such operation: send to `/api/v2/vm`"}
        401 "code":"AUTHFAILURE_INVALID_AUTHORIZATION","message":"a header of the signature is repeated: send each once"}
        401 "code":"AUTHFAILURE_INVALID_AUTHORIZATION","message":"the header `Authorization` is missing: send it"}
        401 "code":"AUTHFAILURE_INVALID_AUTHORIZATION","message":"the header `Authorization` must be `ZC2-HMAC-SHA256 Credential=<id>, SignedHeaders=<names>, Signature=<hex>` or `Bearer <token>`"}
        401 "code":"AUTHFAILURE_INVALID_AUTHORIZATION","message":"the signature method is not supported: use `ZC2-HMAC-SHA256`"}
        401 "code":"AUTHFAILURE_INVALID_AUTHORIZATION","message":"the header `Content-Type` is not signed: add it to `SignedHeaders`"}
        401 "code":"AUTHFAILURE_INVALID_AUTHORIZATION","message":"the header `Host` is not signed: add it to `SignedHeaders`"}
        401 "code":"AUTHFAILURE_SIGNATURE_EXPIRED","message":"the header `X-ZC-Timestamp` is missing: send it"}
        401 "code":"AUTHFAILURE_SIGNATURE_EXPIRED","message":"the header `X-ZC-Timestamp` must be seconds since 1970-01-01T00:00:00Z"}
        401 "code":"AUTHFAILURE_SIGNATURE_EXPIRED","message":"the header `X-ZC-Timestamp` is more than five minutes off: set the clock"}
        401 "code":"AUTHFAILURE_SIGNATURE_FAILURE","message":"a signed header is missing: send it"}
        401 "code":"AUTHFAILURE_SIGNATURE_FAILURE","message":"a signed header is repeated: send it once"}
        401 "code":"AUTHFAILURE_SIGNATURE_FAILURE","message":"the signature does not match: check id, password and body"}
        401 "code":"AUTHFAILURE_SIGNATURE_FAILURE","message":"the token is not valid: check it"}
        # zenlayercloud-sdk-python 2.0.77, README, Rate Limit Retries
        429 "code":"REQUEST_LIMIT_EXCEEDED","message":"there are too many requests: retry after a second"}
        # Zenlayer API reference, Common error codes
        401 "code":"AUTHFAILURE_UNAUTHORIZED_OPERATION","message":"the credential belongs to no team: use one bound to a scope"}
        401 "code":"AUTHFAILURE_UNAUTHORIZED_OPERATION","message":"the credential does not permit this: ask for access"}
        401 "code":"AUTHFAILURE_UNAUTHORIZED_OPERATION","message":"there is no such service: use `vm`"}
        400 "code":"MISSING_PARAMETER","message":"the header `X-ZC-Action` is missing: send it"}
        400 "code":"INVALID_PARAMETER_VALUE","message":"the header `X-ZC-Action` is repeated: send it once"}
        401 "code":"AUTHFAILURE_UNAUTHORIZED_OPERATION","message":"there is no such version: set `X-ZC-Version` to `2026-04-01` or `2023-03-13`"}
        401 "code":"AUTHFAILURE_UNAUTHORIZED_OPERATION","message":"there is no such action: set `X-ZC-Action` to `DescribeImageQuota` or `DescribeZones`"}
        400 "code":"INVALID_PARAMETER_VALUE","message":"the body is not declared as JSON: set `Content-Type` to `application/json`"}
        400 "code":"INVALID_PARAMETER_TYPE","message":"the body must be a JSON object"}
        400 "code":"INVALID_PARAMETER_TYPE","message":"the body must be valid JSON: EOF while parsing an object at line 1 column 1"}
        400 "code":"INVALID_PARAMETER_TYPE","message":"`zoneIds` must be an array of strings"}
        400 "code":"INVALID_PARAMETER_EXCEED_LENGTH","message":"`zoneIds` must have at most `1000` values"}
        400 "code":"INVALID_PARAMETER_LESS_LENGTH","message":"`zoneIds` must not be empty"}
        400 "code":"INVALID_PARAMETER_EXCEED_LENGTH","message":"`zoneIds` must have at most `128` bytes"}
        400 "code":"INVALID_PARAMETER_PATTERN_ERROR","message":"`zoneIds` must be ASCII letters"}
        404 "code":"OPERATION_FAILED_RESOURCE_NOT_FOUND","message":"image quotas are not configured: define `vm/image`, counted per location"}
        # Zenlayer API reference, DescribeImageQuota
        404 "code":"INVALID_REGION_NOT_FOUND","message":"The specified zoneId `SEL--A` is not found"}
        # Zenlayer API reference, Response
        404 "code":"INVALID_ZONE_NOT_FOUND","message":"The specified zoneId `SEL--A` is not found"}
        # Zenlayer API reference, Common error codes
        503 "code":"SERVICE_TEMPORARY_UNAVAILABLE","message":"the service is not available: retry later"}
        503 "code":"REQUEST_TIMED_OUT","message":"the head or the body did not come in time: send the request without a pause"}
        500 "code":"INTERNAL_SERVER_ERROR","message":"the service failed: report the request id"}
    "##]].assert_eq(&transcript);
}

/// Source: zenlayercloud-sdk-python 2.0.77: 451 hides the body from it.
#[test]
fn no_failure_has_a_status_that_the_sdk_reads_otherwise() {
    for (error, _) in errors() {
        let status = error_reply(&error, &request_id()).status;
        assert!(
            [400, 401, 404, 429, 500, 503].contains(&status),
            "{error:?}"
        );
    }
}

#[test]
fn every_failure_is_on_the_page() {
    let page = include_str!("../../../../docs/dialects/zenlayer.md");
    for (error, _) in errors() {
        let status = error_reply(&error, &request_id()).status;
        let code = parsed(&error)["code"].as_str().unwrap().to_owned();
        let row = format!("| {status} | `{code}` |");
        assert!(page.contains(&row), "{error:?}: no row `{row}`");
    }
}
