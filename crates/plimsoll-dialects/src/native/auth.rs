//! Who a request says it comes from: `Authorization: Bearer <token>`.

use super::Problem;
use crate::http::Request;

/// The bearer token of a request, not yet proved.
///
/// Errors: a problem where there is none, or more than one.
pub fn bearer_token<'a>(request: &Request<'a>) -> Result<&'a str, Problem> {
    let sent = request
        .header("authorization")
        .map_err(|_| Problem::header("authorization", "send it once"))?;
    sent.and_then(|value| str::from_utf8(value).ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim_matches(' '))
        .ok_or_else(Problem::unauthenticated)
}
