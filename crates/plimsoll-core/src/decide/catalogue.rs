//! What is set rather than taken: resources, locations, scopes, limits, principals.
//!
//! To set what is set already changes nothing and makes no event.

use alloc::vec::Vec;

use super::admit::resource_of;
use super::draft::Draft;
use super::{denied, unchanged};
use crate::amount::Timestamp;
use crate::bounds::{LOCATIONS_MAX, RESOURCES_MAX, SCOPE_DEPTH_MAX};
use crate::command::{Action, Command, CreatePrincipal, DeleteLimit, Expected, PutLimit, PutScope};
use crate::event::{Cause, Change, Log};
use crate::model::{Item, Limit, Location, Principal, Reach, Resource, Role, Scope};
use crate::names::PrincipalId;
use crate::outcome::{Decision, Denial, Done};
use crate::rows::{Rows, scope_within};

/// Makes a scope, or changes what its tenant calls it.
pub(super) fn put_scope<R: Rows>(
    rows: &R,
    command: &Command,
    put: &PutScope,
    now: Timestamp,
) -> Decision {
    let scope = match &put.parent {
        Some(parent) => match scope_within(rows, &command.reach, parent) {
            None => return denied(Denial::UnknownScope(parent.clone())),
            Some(parent) => Scope {
                id: put.id.clone(),
                parent: Some(parent.id.clone()),
                tenant: parent.tenant.clone(),
                depth: parent.depth.saturating_add(1),
                kind: put.kind.clone(),
            },
        },
        None => Scope {
            id: put.id.clone(),
            parent: None,
            tenant: put.id.clone(),
            depth: 1,
            kind: put.kind.clone(),
        },
    };
    let is_within = scope_within(rows, &command.reach, &put.id).is_some();
    if command.reach != Reach::Everything && !is_within {
        // Ids are unique across the server. The same answer whether this one is taken or not: who
        // sees a part of the server neither learns which ids there are nor takes them away.
        return denied(Denial::RoleTooWide);
    }
    match rows.scope(&put.id) {
        Some(known) if *known == scope => return unchanged(Done::Scope(scope)),
        Some(known) if known.parent != scope.parent => {
            return denied(Denial::Immutable { field: "parent" });
        }
        None if scope.depth > SCOPE_DEPTH_MAX => return denied(Denial::TooDeep),
        Some(_) | None => {}
    }
    let mut draft = Draft::new(rows, Log::Tenant(scope.tenant.clone()), &command.actor, now);
    draft.push(Cause::ScopePut, [Change::Scope(scope.clone())].into());
    draft.done(Done::Scope(scope))
}

/// Sets a limit.
pub(super) fn put_limit<R: Rows>(
    rows: &R,
    command: &Command,
    put: &PutLimit,
    now: Timestamp,
) -> Decision {
    let Some(scope) = scope_within(rows, &command.reach, &put.scope) else {
        return denied(Denial::UnknownScope(put.scope.clone()));
    };
    if let Err(denial) = limitable(rows, &put.item) {
        return denied(denial);
    }
    let known = rows.limit(&put.scope, &put.item);
    if let Err(denial) = meets(put.expected, known) {
        return denied(denial);
    }
    if let Some(known) = known
        && known.ceiling == put.ceiling
        && known.reason == put.reason
        && known.set_by == command.actor
    {
        return unchanged(Done::Limit(known.clone()));
    }
    let mut draft = Draft::new(rows, Log::Tenant(scope.tenant.clone()), &command.actor, now);
    let limit = Limit {
        scope: put.scope.clone(),
        item: put.item.clone(),
        ceiling: put.ceiling,
        set_by: command.actor.clone(),
        set_at: draft.now(),
        reason: put.reason.clone(),
        revision: draft.next_revision(),
    };
    draft.push(Cause::LimitPut, [Change::Limit(limit.clone())].into());
    draft.done(Done::Limit(limit))
}

/// Takes a limit away.
pub(super) fn delete_limit<R: Rows>(
    rows: &R,
    command: &Command,
    delete: &DeleteLimit,
    now: Timestamp,
) -> Decision {
    let Some(scope) = scope_within(rows, &command.reach, &delete.scope) else {
        return denied(Denial::UnknownScope(delete.scope.clone()));
    };
    let Some(known) = rows.limit(&delete.scope, &delete.item) else {
        return denied(Denial::NotFound);
    };
    if let Err(denial) = meets(delete.expected, Some(known)) {
        return denied(denial);
    }
    let mut draft = Draft::new(rows, Log::Tenant(scope.tenant.clone()), &command.actor, now);
    let gone = Change::LimitGone {
        scope: delete.scope.clone(),
        item: delete.item.clone(),
    };
    draft.push(Cause::LimitDeleted, [gone].into());
    draft.done(Done::LimitGone)
}

/// Whether a limit may be set for an item: as for a reservation, but any location will do.
fn limitable<R: Rows>(rows: &R, item: &Item) -> Result<(), Denial> {
    match resource_of(rows, item) {
        Ok(_) | Err(Denial::LocationRequired(_)) => Ok(()),
        Err(denial) => Err(denial),
    }
}

/// Whether what is there is what the caller believed to be there.
fn meets(expected: Expected, known: Option<&Limit>) -> Result<(), Denial> {
    let actual = known.map(|limit| limit.revision);
    match expected {
        Expected::Whatever => Ok(()),
        Expected::Revision(revision) if actual == Some(revision) => Ok(()),
        Expected::Revision(_) => Err(Denial::PreconditionFailed { actual }),
    }
}

/// Changes what belongs to no tenant.
pub(super) fn change<R: Rows>(draft: Draft<'_, R>, command: &Command) -> Decision {
    let rows = draft.rows;
    match &command.action {
        Action::PutResource(resource) => put_resource(draft, resource),
        Action::PutLocation(location) => put_location(draft, location),
        Action::CreatePrincipal(create) => create_principal(draft, command, create),
        Action::EnablePrincipal { id, enabled } => match own_or_missing(rows, command, id) {
            Err(denial) => denied(denial),
            Ok(known) if known.enabled == *enabled => unchanged(Done::Principal(known.clone())),
            Ok(known) => {
                let changed = Principal {
                    enabled: *enabled,
                    ..known.clone()
                };
                put_principal(draft, Cause::PrincipalChanged, changed)
            }
        },
        Action::DeletePrincipal { id } => match own_or_missing(rows, command, id) {
            Err(denial) => denied(denial),
            Ok(_) => push(
                draft,
                Cause::PrincipalDeleted,
                Change::PrincipalGone(id.clone()),
                Done::PrincipalGone,
            ),
        },
        Action::Reserve(_)
        | Action::Commit(_)
        | Action::Release(_)
        | Action::Extend(_)
        | Action::Resize(_)
        | Action::Transfer(_)
        | Action::Expire { .. }
        | Action::Forget { .. }
        | Action::PutScope(_)
        | Action::PutLimit(_)
        | Action::DeleteLimit(_) => draft.denied(Denial::NotFound),
    }
}

fn put_resource<R: Rows>(draft: Draft<'_, R>, resource: &Resource) -> Decision {
    match draft.rows.resource(&resource.name) {
        Some(known) if known == resource => unchanged(Done::Resource(resource.clone())),
        Some(known) if known.per_location != resource.per_location => denied(Denial::Immutable {
            field: "per_location",
        }),
        None if draft.rows.resource_count() >= RESOURCES_MAX => {
            denied(Denial::TooMany { max: RESOURCES_MAX })
        }
        Some(_) | None => push(
            draft,
            Cause::ResourcePut,
            Change::Resource(resource.clone()),
            Done::Resource(resource.clone()),
        ),
    }
}

fn put_location<R: Rows>(draft: Draft<'_, R>, location: &Location) -> Decision {
    match draft.rows.location(&location.id) {
        Some(known) if known == location => unchanged(Done::Location(location.clone())),
        None if draft.rows.location_count() >= LOCATIONS_MAX => {
            denied(Denial::TooMany { max: LOCATIONS_MAX })
        }
        Some(_) | None => push(
            draft,
            Cause::LocationPut,
            Change::Location(location.clone()),
            Done::Location(location.clone()),
        ),
    }
}

fn create_principal<R: Rows>(
    draft: Draft<'_, R>,
    command: &Command,
    create: &CreatePrincipal,
) -> Decision {
    if let Reach::Below(scope) = &create.reach
        && scope_within(draft.rows, &command.reach, scope).is_none()
    {
        return denied(Denial::UnknownScope(scope.clone()));
    }
    if draft.rows.principal(&create.id).is_some() {
        return denied(Denial::IdConflict);
    }
    let is_too_wide = match &create.reach {
        Reach::Below(_) => create.role == Role::Admin,
        Reach::Everything => command.reach != Reach::Everything,
    };
    if is_too_wide {
        return denied(Denial::RoleTooWide);
    }
    let principal = Principal {
        id: create.id.clone(),
        role: create.role,
        reach: create.reach.clone(),
        may_force: create.may_force,
        credential: create.credential.clone(),
        enabled: true,
        expires_at: create.expires_at,
        description: create.description.clone(),
        created_at: draft.now(),
        revision: 0,
    };
    put_principal(draft, Cause::PrincipalCreated, principal)
}

/// The principal to be changed: it must exist, and nobody locks himself out.
fn own_or_missing<'a, R: Rows>(
    rows: &'a R,
    command: &Command,
    id: &PrincipalId,
) -> Result<&'a Principal, Denial> {
    let known = rows.principal(id).ok_or(Denial::NotFound)?;
    if command.actor == *id {
        Err(Denial::OwnPrincipal)
    } else {
        Ok(known)
    }
}

fn put_principal<R: Rows>(draft: Draft<'_, R>, cause: Cause, principal: Principal) -> Decision {
    let principal = Principal {
        revision: draft.next_revision(),
        ..principal
    };
    push(
        draft,
        cause,
        Change::Principal(principal.clone()),
        Done::Principal(principal),
    )
}

fn push<R: Rows>(mut draft: Draft<'_, R>, cause: Cause, change: Change, done: Done) -> Decision {
    draft.push(cause, Vec::from([change]));
    draft.done(done)
}
