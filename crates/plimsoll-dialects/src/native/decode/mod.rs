//! Requests as calls.

use plimsoll_core::command::Expected;
use plimsoll_core::model::Role;
use plimsoll_core::names::ScopeId;

use self::query::Query;
use super::operations::{Body, Method, Operation, operations};
use super::wire::words::Spelled;
use super::{BASE, Call, Format, Problem};
use crate::http::{Request, percent_decoded};

pub(super) mod batch;
mod binary;
mod body;
pub(super) mod catalogue;
pub(super) mod events;
mod lines;
pub(super) mod principals;
mod query;
pub(super) mod reservations;
pub(super) mod scopes;
pub(super) mod webhooks;
pub(super) mod wishes;

/// The most parameters in one path.
const PATH_PARAMETERS_MAX: usize = 2;

/// A request whose operation is known; nothing else of it is read yet.
pub struct Route<'a> {
    operation: &'static Operation,
    path: Path<'a>,
    request: Request<'a>,
}

impl Route<'_> {
    /// The least role that may ask for the operation: to be checked before anything else is read.
    pub fn role(&self) -> Role {
        self.operation.role
    }

    /// Reads the request.
    ///
    /// Errors: a problem to be answered as it is; nothing was asked for then.
    pub fn decode(&self) -> Result<Call, Problem> {
        let Route {
            operation, request, ..
        } = self;
        let format = check_headers(request, operation)?;
        (operation.decode)(&Input {
            path: self.path,
            query: Query::parse(request.query, operation.query)?,
            if_match: header(request, "if-match")?,
            body: request.body,
            format,
            request: *request,
        })
    }
}

/// The operation that a request to a path under [`BASE`] asks for.
///
/// Errors: a problem to be answered as it is.
pub fn route<'a>(request: &Request<'a>) -> Result<Route<'a>, Problem> {
    let path = request
        .path
        .strip_prefix(BASE)
        .ok_or_else(Problem::unknown_route)?;
    let here = |operation: &&'static Operation| Path::of(operation.path, path).is_some();
    let asked = |operation: &&'static Operation| operation.method.name() == request.method;
    let found = operations().filter(asked).find_map(|operation| {
        Path::of(operation.path, path).map(|path| Route {
            operation,
            path,
            request: *request,
        })
    });
    found.ok_or_else(|| {
        let methods: Vec<&str> = operations()
            .filter(here)
            .map(|operation| operation.method.name())
            .collect();
        if methods.is_empty() {
            Problem::unknown_route()
        } else {
            Problem::method_not_allowed(methods.join(", "))
        }
    })
}

/// What an operation reads from.
pub(super) struct Input<'a> {
    path: Path<'a>,
    query: Query<'a>,
    if_match: Option<&'a [u8]>,
    body: &'a [u8],
    format: Format,
    request: Request<'a>,
}

impl Input<'_> {
    /// The scope that the path names.
    fn scope(&self) -> Result<ScopeId, Problem> {
        self.path.first("scope")
    }

    /// What the `if-match` says: the revision of an `etag`.
    fn expected(&self) -> Result<Expected, Problem> {
        let Some(value) = self.if_match else {
            return Ok(Expected::Whatever);
        };
        let revision = str::from_utf8(value)
            .ok()
            .and_then(|text| text.strip_prefix('"')?.strip_suffix('"'))
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok());
        revision.map(Expected::Revision).ok_or_else(|| {
            let detail = "`if-match` must be one `etag` as it was answered, as `\"7\"`";
            Problem::header("if-match", detail)
        })
    }
}

/// The parameters of a path, still percent-encoded.
#[derive(Clone, Copy, Default)]
struct Path<'a> {
    segments: [Option<&'a str>; PATH_PARAMETERS_MAX],
}

impl<'a> Path<'a> {
    /// The parameters where `path` has the form of `template`.
    fn of(template: &str, path: &'a str) -> Option<Path<'a>> {
        let mut found = Path::default();
        let mut free = found.segments.iter_mut();
        let (mut templates, mut segments) = (template.split('/'), path.split('/'));
        loop {
            match (templates.next(), segments.next()) {
                (None, None) => return Some(found),
                (Some(template), Some(segment)) if template.starts_with('{') => {
                    if segment.is_empty() {
                        return None;
                    }
                    *free.next()? = Some(segment);
                }
                (Some(template), Some(segment)) if template == segment => {}
                _ => return None,
            }
        }
    }

    /// The first parameter, which the operation calls `name`.
    fn first<T: Spelled>(&self, name: &str) -> Result<T, Problem> {
        let [segment, _] = self.segments;
        parse(&segment_text(name, segment)?, name)
    }

    /// Both parameters, decoded.
    fn both(&self, names: [&str; 2]) -> Result<[String; 2], Problem> {
        let ([first, second], [name, other]) = (self.segments, names);
        Ok([segment_text(name, first)?, segment_text(other, second)?])
    }
}

fn segment_text(name: &str, segment: Option<&str>) -> Result<String, Problem> {
    percent_decoded(segment.unwrap_or_default())
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| Problem::parameter(name, format!("`{name}` in the path {ENCODING}")))
}

const ENCODING: &str = "must be percent-encoded UTF-8";

fn parse<T: Spelled>(text: &str, name: &str) -> Result<T, Problem> {
    T::parse(text)
        .map_err(|error| Problem::parameter(name, format!("`{name}` in the path {error}")))
}

/// Whether the headers leave the request what it is: JSON, nothing, or what else the operation
/// takes, and no condition that would go unheeded.
fn check_headers(request: &Request<'_>, operation: &Operation) -> Result<Format, Problem> {
    if operation.method == Method::Get {
        return Ok(Format::Json);
    }
    for name in ["if-match", "if-none-match"] {
        let is_heeded = operation.takes_if_match && name == "if-match";
        if !is_heeded && header(request, name)?.is_some() {
            let detail = format!("`{name}` has no meaning here: leave it out");
            return Err(Problem::header(name, detail));
        }
    }
    let binary = match operation.request {
        Body::RequiredOrBinary(_) => binary_format(request),
        Body::None | Body::Optional(_) | Body::Required(_) => None,
    };
    if request.body.is_empty() || matches!(operation.request, Body::None) {
        return Ok(binary.unwrap_or(Format::Json));
    }
    if binary.is_none() && essence(request)?.is_some_and(|essence| !is_read_as_json(essence)) {
        let detail = "the body must be JSON: send `content-type: application/json`";
        return Err(Problem::unsupported_media_type("content-type", detail));
    }
    let coding = header(request, "content-encoding")?;
    if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        let detail = "the body must not be compressed: leave `content-encoding` out";
        return Err(Problem::unsupported_media_type("content-encoding", detail));
    }
    Ok(binary.unwrap_or(Format::Json))
}

/// The type of the body without its parameters.
fn essence<'a>(request: &Request<'a>) -> Result<Option<&'a [u8]>, Problem> {
    let value = header(request, "content-type")?;
    let essence = value.and_then(|value| value.split(|byte| *byte == b';').next());
    Ok(essence.map(<[u8]>::trim_ascii))
}

/// What the body is, where it says that it is protobuf. An empty one is a message too.
fn binary_format(request: &Request<'_>) -> Option<Format> {
    let essence = essence(request).ok()??;
    let is_it = |format: &Format| essence.eq_ignore_ascii_case(format.content_type().as_bytes());
    Format::BINARY.into_iter().find(is_it)
}

/// Whether a body of this type is taken for JSON.
///
/// A form's type is what curl and Python's `urllib` send when they are told nothing: it says
/// nothing of the body. No form is ever parsed.
fn is_read_as_json(essence: &[u8]) -> bool {
    [
        b"application/json".as_slice(),
        b"application/x-www-form-urlencoded",
    ]
    .iter()
    .any(|known| essence.eq_ignore_ascii_case(known))
}

/// The value of a header that may be sent once.
fn header<'a>(request: &Request<'a>, name: &'static str) -> Result<Option<&'a [u8]>, Problem> {
    request
        .header(name)
        .map_err(|_| Problem::header(name, format!("`{name}` must be sent once")))
}
