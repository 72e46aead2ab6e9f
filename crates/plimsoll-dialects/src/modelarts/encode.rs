//! From rows to the answer to a [`Call`].

use plimsoll_core::amount::{Ceiling, Timestamp};
use plimsoll_core::model::{Reach, Scope};
use plimsoll_core::names::{ScopeId, Text};
use plimsoll_core::report::{self, Quota};
use plimsoll_core::rows::{Rows, scope_within};
use serde::Serialize;

use crate::http::Reply;
use crate::modelarts::errors::{ModelArtsError, error_reply};
use crate::modelarts::wire::{
    Links, Number, OsUserConfig, Project, Projects, Quotas, QuotasResponse, ResourceQuota,
};
use crate::modelarts::{Call, MAPPED, Mapped, Numbers, RequestId, Settings};

/// The address ranges of the vendor's example. Plimsoll makes no networks, so these bind nobody.
const NETWORK_CIDRS: [&str; 2] = ["192.168.0.0/24", "172.16.31.0/16"];

/// As in the vendor's example. Plimsoll makes no pools either.
const POOL_HIGH_AVAILABLE: bool = true;

/// Answers a call for a caller with `reach`, from the rows that the call's footprint names, with
/// the limits in force at `now`.
pub fn answer<R: Rows>(
    call: &Call,
    rows: &R,
    reach: &Reach,
    settings: &Settings,
    request_id: &RequestId,
    now: Timestamp,
) -> Reply {
    let answered = match call {
        Call::Quotas { project } => quotas(rows, reach, project, settings, now)
            .map(|quotas| reply(200, &quotas, request_id)),
        Call::OsUserConfig { project } => os_user_config(rows, reach, project, now)
            .map(|os_user_config| reply(200, &os_user_config, request_id)),
        Call::Projects { name } => Ok(reply(
            200,
            &projects(rows, reach, name.as_ref()),
            request_id,
        )),
    };
    answered.unwrap_or_else(|error| error_reply(&error, request_id))
}

fn quotas<R: Rows>(
    rows: &R,
    reach: &Reach,
    project: &ScopeId,
    settings: &Settings,
    now: Timestamp,
) -> Result<QuotasResponse, ModelArtsError> {
    let scope = project_within(rows, reach, project)?;
    let resources = MAPPED.iter().filter_map(|mapped| {
        let quota = quota(rows, scope, mapped, now)?;
        let used = quota.used.plus_or_max(quota.held);
        Some(ResourceQuota {
            resource_type: mapped.resource_type,
            quota: number(integer(quota.ceiling), settings.numbers),
            used: number(integer(Ceiling::Finite(used)), settings.numbers),
        })
    });
    let resources: Vec<_> = resources.collect();
    if resources.is_empty() {
        return Err(ModelArtsError::QuotaNotConfigured(project.clone()));
    }
    let quotas = Quotas { resources };
    Ok(QuotasResponse { quotas })
}

fn os_user_config<R: Rows>(
    rows: &R,
    reach: &Reach,
    project: &ScopeId,
    now: Timestamp,
) -> Result<OsUserConfig, ModelArtsError> {
    let scope = project_within(rows, reach, project)?;
    let limit = |mapped| {
        let limit = integer(quota(rows, scope, mapped, now)?.ceiling);
        Some(i32::try_from(limit).unwrap_or(i32::MAX))
    };
    let [pool, network, ..] = &MAPPED;
    match (limit(network), limit(pool)) {
        (None, None) => Err(ModelArtsError::QuotaNotConfigured(project.clone())),
        (network_quota, pool_quota) => Ok(OsUserConfig {
            network_cidrs: NETWORK_CIDRS,
            network_quota,
            pool_quota,
            pool_high_available: POOL_HIGH_AVAILABLE,
        }),
    }
}

/// A key for one project is told that another is not its own, whether or not that one exists.
fn project_within<'a, R: Rows>(
    rows: &'a R,
    reach: &Reach,
    project: &ScopeId,
) -> Result<&'a Scope, ModelArtsError> {
    scope_within(rows, reach, project).ok_or_else(|| match reach {
        Reach::Everything => ModelArtsError::ProjectUnknown(project.clone()),
        Reach::Below(_) => ModelArtsError::ProjectMismatch,
    })
}

/// The quota of a resource, where the catalogue has it and counts it the vendor's way.
fn quota<R: Rows>(rows: &R, project: &Scope, mapped: &Mapped, now: Timestamp) -> Option<Quota> {
    let item = mapped.item()?;
    let resource = rows.resource(&item.resource)?;
    (!resource.per_location).then(|| report::quota(rows, project, resource, item.clone(), now))
}

/// Unlimited is `-1`, as in the vendor's other quota operations.
fn integer(ceiling: Ceiling) -> i64 {
    match ceiling {
        Ceiling::Finite(amount) => i64::try_from(amount.units()).unwrap_or(i64::MAX),
        Ceiling::Unlimited => -1,
    }
}

fn number(integer: i64, numbers: Numbers) -> Number {
    match numbers {
        Numbers::Integer => Number::Integer(integer),
        Numbers::String => Number::Text(integer.to_string()),
    }
}

/// The one project that the caller is bound to, under whatever name it was asked for.
fn projects<'a, R: Rows>(rows: &'a R, reach: &Reach, name: Option<&'a Text>) -> Projects<'a> {
    let own = match reach {
        Reach::Everything => None,
        Reach::Below(project) => rows.scope(project),
    };
    let project = own.map(|scope| Project {
        domain_id: scope.tenant.as_str(),
        is_domain: false,
        parent_id: scope.parent.as_ref().unwrap_or(&scope.tenant).as_str(),
        name: name.map_or(scope.id.as_str(), Text::as_str),
        description: "",
        links: links(format!("/v3/projects/{}", scope.id)),
        id: scope.id.as_str(),
        enabled: true,
    });
    Projects {
        projects: project.into_iter().collect(),
        links: links("/v3/projects".to_owned()),
    }
}

fn links(own: String) -> Links {
    Links {
        next: None,
        previous: None,
        own,
    }
}

/// A reply with a JSON body and the request's id.
pub(super) fn reply<T: Serialize>(status: u16, content: &T, request_id: &RequestId) -> Reply {
    #[expect(clippy::expect_used, reason = "texts, integers and lists of them")]
    let body = serde_json::to_vec(content).expect("texts, integers and lists of them are JSON");
    Reply {
        status,
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("x-request-id", request_id.as_str().to_owned()),
        ],
        body,
    }
}
