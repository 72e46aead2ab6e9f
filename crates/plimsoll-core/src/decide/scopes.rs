//! Scopes: the trees of the tenants.

use alloc::boxed::Box;

use super::draft::Draft;
use super::{denied, unchanged};
use crate::amount::Timestamp;
use crate::bounds::SCOPE_DEPTH_MAX;
use crate::command::{Command, PutScope};
use crate::event::{Cause, Change, Log};
use crate::model::{Reach, Scope};
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
                tier: put.tier.clone(),
            },
        },
        None => Scope {
            id: put.id.clone(),
            parent: None,
            tenant: put.id.clone(),
            depth: 1,
            kind: put.kind.clone(),
            tier: put.tier.clone(),
        },
    };
    let is_within = scope_within(rows, &command.reach, &put.id).is_some();
    if command.reach != Reach::Everything && !is_within {
        // Ids are unique across the server. The same answer whether this one is taken or not: who
        // sees a part of the server neither learns which ids there are nor takes them away.
        return denied(Denial::RoleTooWide);
    }
    if let Some(tier) = &put.tier
        && rows.tier(tier).is_none()
    {
        return denied(Denial::UnknownTier(tier.clone()));
    }
    match rows.scope(&put.id) {
        Some(known) if *known == scope => return unchanged(Done::Scope(scope.into())),
        Some(known) if known.parent != scope.parent => {
            return denied(Denial::Immutable { field: "parent" });
        }
        None if scope.depth > SCOPE_DEPTH_MAX => return denied(Denial::TooDeep),
        Some(_) | None => {}
    }
    let mut draft = Draft::new(rows, Log::Tenant(scope.tenant.clone()), &command.actor, now);
    draft.because(&put.reason);
    let scope = Box::new(scope);
    draft.push(Cause::ScopePut, [Change::Scope(scope.clone())].into());
    draft.done(Done::Scope(scope))
}
