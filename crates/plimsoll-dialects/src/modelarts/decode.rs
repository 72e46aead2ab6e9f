//! From a request to a [`Call`].

use plimsoll_core::names::{ScopeId, Text};

use crate::http::{Request, form_decoded, percent_decoded};
use crate::modelarts::Call;
use crate::modelarts::errors::ModelArtsError;

/// Whether a request has the method and the path of some operation.
///
/// This comes before authentication, as in the vendor's gateway.
///
/// Errors: [`ModelArtsError::UnknownPath`], [`ModelArtsError::UnknownMethod`].
pub fn route(request: &Request<'_>) -> Result<(), ModelArtsError> {
    operation(request).map(|_| ())
}

/// Reads what a request asks for. Parameters that no operation has are ignored, and so is a body.
///
/// Errors: in this order those of [`route`], [`ModelArtsError::ProjectMalformed`],
/// [`ModelArtsError::NameRepeated`], [`ModelArtsError::NameMalformed`].
pub fn decode(request: &Request<'_>) -> Result<Call, ModelArtsError> {
    match operation(request)? {
        Operation::Quotas { project } => Ok(Call::Quotas {
            project: project_id(project)?,
        }),
        Operation::OsUserConfig { project } => Ok(Call::OsUserConfig {
            project: project_id(project)?,
        }),
        Operation::Projects => Ok(Call::Projects {
            name: project_name(request.query.unwrap_or_default())?,
        }),
    }
}

enum Operation<'a> {
    Quotas { project: &'a str },
    OsUserConfig { project: &'a str },
    Projects,
}

/// One `/` at the end is as good as none: the path that is signed always has it.
fn operation<'a>(request: &Request<'a>) -> Result<Operation<'a>, ModelArtsError> {
    let path = request.path.strip_suffix('/').unwrap_or(request.path);
    let operation = match path
        .strip_prefix("/v1/")
        .and_then(|rest| rest.split_once('/'))
    {
        Some(("", _)) => return Err(ModelArtsError::UnknownPath),
        Some((project, "quotas")) => Operation::Quotas { project },
        Some((project, "os-user-config")) => Operation::OsUserConfig { project },
        None if path == "/v3/projects" => Operation::Projects,
        Some(_) | None => return Err(ModelArtsError::UnknownPath),
    };
    if request.method == "GET" {
        Ok(operation)
    } else {
        Err(ModelArtsError::UnknownMethod)
    }
}

fn project_id(segment: &str) -> Result<ScopeId, ModelArtsError> {
    percent_decoded(segment)
        .and_then(|text| ScopeId::parse(&text).ok())
        .ok_or(ModelArtsError::ProjectMalformed)
}

/// The parameter `name`, where it is sent and not empty.
fn project_name(query: &str) -> Result<Option<Text>, ModelArtsError> {
    let mut names = query.split('&').filter_map(|parameter| {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let is_name = percent_decoded(key).is_some_and(|key| key == "name");
        is_name.then_some(value)
    });
    let name = match (names.next(), names.next()) {
        (_, Some(_)) => return Err(ModelArtsError::NameRepeated),
        (None | Some(""), None) => return Ok(None),
        (Some(name), None) => name,
    };
    form_decoded(name)
        .and_then(|text| Text::parse(&text).ok())
        .map(Some)
        .ok_or(ModelArtsError::NameMalformed)
}
