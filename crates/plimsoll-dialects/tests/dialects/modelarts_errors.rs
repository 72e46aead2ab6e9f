//! Every failure of the ModelArts dialect, as a transcript.

use expect_test::expect;
use plimsoll_dialects::modelarts::auth::AuthDenial;
use plimsoll_dialects::modelarts::{ModelArtsError, error_reply};
use serde_json::Value;

use crate::modelarts::request_id;
use crate::transcript::body;
use crate::world::scope_id;

const GATEWAY: &str = "Huawei Cloud API Request Signing Guide, Error Codes";
const SERVICE: &str = "ModelArts API reference, Error Codes";
const OTC: &str = "Open Telekom Cloud, ModelArts API reference";
const OWN: &str = "ModelArts API reference, Obtaining OS Quotas: 404; the code is our own";

/// One line for each variant: its pattern, an example, the source of its code.
///
/// A variant without a line does not compile.
macro_rules! errors {
    ($($pattern:pat, $example:expr, $source:expr;)*) => {
        fn errors() -> Vec<(ModelArtsError, &'static str)> {
            let _covers_all = |error: &ModelArtsError| match error {
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

errors! {
    ModelArtsError::RequestMalformed, ModelArtsError::RequestMalformed, GATEWAY;
    ModelArtsError::HeadTooLarge, ModelArtsError::HeadTooLarge, GATEWAY;
    ModelArtsError::BodyTooLarge, ModelArtsError::BodyTooLarge, GATEWAY;
    ModelArtsError::UnknownPath, ModelArtsError::UnknownPath, GATEWAY;
    ModelArtsError::UnknownMethod, ModelArtsError::UnknownMethod, GATEWAY;
    ModelArtsError::Auth(AuthDenial::HeaderRepeated), ModelArtsError::Auth(AuthDenial::HeaderRepeated), GATEWAY;
    ModelArtsError::Auth(AuthDenial::CredentialsMissing), ModelArtsError::Auth(AuthDenial::CredentialsMissing), GATEWAY;
    ModelArtsError::Auth(AuthDenial::TokenMalformed), ModelArtsError::Auth(AuthDenial::TokenMalformed), GATEWAY;
    ModelArtsError::Auth(AuthDenial::AlgorithmUnsupported), ModelArtsError::Auth(AuthDenial::AlgorithmUnsupported), GATEWAY;
    ModelArtsError::Auth(AuthDenial::AuthorizationMalformed), ModelArtsError::Auth(AuthDenial::AuthorizationMalformed), GATEWAY;
    ModelArtsError::Auth(AuthDenial::DateNotSigned), ModelArtsError::Auth(AuthDenial::DateNotSigned), GATEWAY;
    ModelArtsError::Auth(AuthDenial::DateMissing), ModelArtsError::Auth(AuthDenial::DateMissing), GATEWAY;
    ModelArtsError::Auth(AuthDenial::DateMalformed), ModelArtsError::Auth(AuthDenial::DateMalformed), GATEWAY;
    ModelArtsError::Auth(AuthDenial::SecurityTokenNotSigned), ModelArtsError::Auth(AuthDenial::SecurityTokenNotSigned), GATEWAY;
    ModelArtsError::Auth(AuthDenial::SignatureExpired), ModelArtsError::Auth(AuthDenial::SignatureExpired), GATEWAY;
    ModelArtsError::Auth(AuthDenial::PayloadNotSigned), ModelArtsError::Auth(AuthDenial::PayloadNotSigned), GATEWAY;
    ModelArtsError::Auth(AuthDenial::PayloadMismatch), ModelArtsError::Auth(AuthDenial::PayloadMismatch), GATEWAY;
    ModelArtsError::Auth(AuthDenial::SignedHeaderMissing), ModelArtsError::Auth(AuthDenial::SignedHeaderMissing), GATEWAY;
    ModelArtsError::Auth(AuthDenial::SignatureFailure), ModelArtsError::Auth(AuthDenial::SignatureFailure), GATEWAY;
    ModelArtsError::TokenUnknown, ModelArtsError::TokenUnknown, GATEWAY;
    ModelArtsError::Throttled { .. }, ModelArtsError::Throttled { requests_per_s_max: 200 }, GATEWAY;
    ModelArtsError::ProjectMalformed, ModelArtsError::ProjectMalformed, SERVICE;
    ModelArtsError::NameRepeated, ModelArtsError::NameRepeated, GATEWAY;
    ModelArtsError::NameMalformed, ModelArtsError::NameMalformed, GATEWAY;
    ModelArtsError::ProjectMismatch, ModelArtsError::ProjectMismatch, SERVICE;
    ModelArtsError::PermissionMissing, ModelArtsError::PermissionMissing, SERVICE;
    ModelArtsError::ProjectUnknown(_), ModelArtsError::ProjectUnknown(scope_id("nowhere")), OWN;
    ModelArtsError::QuotaNotConfigured(_), ModelArtsError::QuotaNotConfigured(scope_id("p-7")), OWN;
    ModelArtsError::Unavailable, ModelArtsError::Unavailable, GATEWAY;
    ModelArtsError::TimedOut, ModelArtsError::TimedOut, GATEWAY;
    ModelArtsError::Internal, ModelArtsError::Internal, OTC;
}

#[test]
fn every_failure_has_its_keys_and_a_transcript() {
    let (mut transcript, mut last) = (String::new(), "");
    for (error, source) in errors() {
        let reply = error_reply(&error, &request_id());
        let content: Value = serde_json::from_slice(&reply.body).unwrap();
        let code = content["error_code"].as_str().unwrap();
        let text = content["error_msg"].as_str().unwrap();
        assert!((8..=36).contains(&code.len()), "{code}");
        assert!((2..=512).contains(&text.len()), "{text}");
        assert!(
            reply
                .headers
                .contains(&("x-request-id", request_id().as_str().to_owned()))
        );
        assert!(
            reply
                .headers
                .contains(&("content-type", "application/json".to_owned()))
        );
        if last != source {
            last = source;
            transcript += &format!("# {source}\n");
        }
        transcript += &format!("{} {}\n", reply.status, body(&reply));
    }
    expect![[r##"
        # Huawei Cloud API Request Signing Guide, Error Codes
        400 {"error_msg":"API request error.","error_code":"APIGW.0201","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        494 {"error_msg":"Request headers too large.","error_code":"APIGW.0201","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        413 {"error_msg":"Request entity too large.","error_code":"APIGW.0201","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        404 {"error_msg":"The API does not exist or has not been published in the environment.","error_code":"APIGW.0101","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        404 {"error_msg":"The API does not exist.","error_code":"APIGW.0101","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: a header of the signature is repeated: send each once","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: x-auth-token not found","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: decrypt token fail","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: the algorithm must be `SDK-HMAC-SHA256`","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: `Authorization` must be `SDK-HMAC-SHA256 Access=<id>, SignedHeaders=<names>, Signature=<hex>`","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: `X-Sdk-Date` is not signed: add it to `SignedHeaders`","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: `X-Sdk-Date` is missing: send it","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: `X-Sdk-Date` must have the form `20191115T033655Z`","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: `X-Security-Token` is not signed: add it to `SignedHeaders`","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: calc ak sk signature fail:signature expired","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: `X-Sdk-Content-Sha256` is not signed: add it to `SignedHeaders`","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: `X-Sdk-Content-Sha256` is not the digest of the body","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: a signed header is missing: send it","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: verify aksk signature fail","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        401 {"error_msg":"Incorrect IAM authentication information: decrypt token fail","error_code":"APIGW.0301","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        429 {"error_msg":"The throttling threshold has been reached: policy user over ratelimit,limit:200,time:1 second","error_code":"APIGW.0308","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        # ModelArts API reference, Error Codes
        400 {"error_code":"ModelArts.0210","error_msg":"Invalid project ID."}
        # Huawei Cloud API Request Signing Guide, Error Codes
        400 {"error_msg":"Bad request. send `name` once","error_code":"APIGW.0602","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        400 {"error_msg":"Bad request. `name` must be text in percent-encoded UTF-8","error_code":"APIGW.0602","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        # ModelArts API reference, Error Codes
        403 {"error_code":"ModelArts.0210","error_msg":"The project id in the request URL does not match the token."}
        403 {"error_code":"ModelArts.0112","error_msg":"Policy doesn't allow this operation to be performed."}
        # ModelArts API reference, Obtaining OS Quotas: 404; the code is our own
        404 {"error_code":"ModelArts.50004004","error_msg":"Project `nowhere` not found."}
        404 {"error_code":"ModelArts.50004004","error_msg":"Quota of project `p-7` not configured."}
        # Huawei Cloud API Request Signing Guide, Error Codes
        503 {"error_msg":"Backend unavailable.","error_code":"APIGW.0201","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        408 {"error_msg":"API request error. the head or the body did not come in time","error_code":"APIGW.0201","request_id":"5a0ed10f3b2c419da70c8e662190bc47"}
        # Open Telekom Cloud, ModelArts API reference
        500 {"error_code":"ModelArts.50005000","error_msg":"internal error"}
    "##]].assert_eq(&transcript);
}

/// Source: huaweicloudsdkcore 3.1.219: told to retry, it waits as long as this header says.
#[test]
fn who_may_retry_is_told_to_wait() {
    let told = errors().into_iter().filter(|(error, _)| {
        let reply = error_reply(error, &request_id());
        reply.headers.contains(&("retry-after", "1".to_owned()))
    });
    let told: Vec<_> = told.map(|(error, _)| error).collect();
    expect!["[Throttled { requests_per_s_max: 200 }, Unavailable]"].assert_eq(&format!("{told:?}"));
}

#[test]
fn every_failure_is_on_the_page() {
    let page = include_str!("../../../../docs/dialects/modelarts.md");
    for (error, _) in errors() {
        let reply = error_reply(&error, &request_id());
        let content: Value = serde_json::from_slice(&reply.body).unwrap();
        let code = content["error_code"].as_str().unwrap();
        let row = format!("| {} | `{code}` |", reply.status);
        assert!(page.contains(&row), "{error:?}: no row `{row}`");
    }
}
