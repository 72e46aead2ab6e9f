//! What belongs to no tenant: resources, locations, tiers, principals, webhooks.
//!
//! To set what is set already changes nothing and makes no event.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::draft::Draft;
use super::limits::limitable;
use super::{denied, unchanged};
use crate::bounds::{LOCATIONS_MAX, RESOURCES_MAX, TIERS_MAX, WEBHOOKS_MAX};
use crate::command::{Command, CreatePrincipal, Put, PutWebhook};
use crate::event::{Cause, Change};
use crate::model::{Location, Principal, Reach, Resource, Role, Tier, Webhook};
use crate::names::{PrincipalId, WebhookId};
use crate::outcome::{Decision, Denial, Done};
use crate::rows::{Rows, scope_within};

/// Defines a resource, or changes it.
pub(super) fn put_resource<R: Rows>(mut draft: Draft<'_, R>, put: &Put<Resource>) -> Decision {
    let resource = &put.row;
    draft.because(&put.reason);
    match draft.rows.resource(&resource.name) {
        Some(known) if known == resource => unchanged(Done::Resource(resource.clone().into())),
        Some(known) if known.per_location != resource.per_location => denied(Denial::Immutable {
            field: "per_location",
        }),
        None if draft.rows.resource_count() >= RESOURCES_MAX => {
            denied(Denial::TooMany { max: RESOURCES_MAX })
        }
        Some(_) | None => push(
            draft,
            Cause::ResourcePut,
            Change::Resource(resource.clone().into()),
            Done::Resource(resource.clone().into()),
        ),
    }
}

/// Defines a location, or changes it.
pub(super) fn put_location<R: Rows>(draft: Draft<'_, R>, location: &Location) -> Decision {
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

/// Defines a tier, or changes it.
pub(super) fn put_tier<R: Rows>(mut draft: Draft<'_, R>, put: &Put<Tier>) -> Decision {
    let tier = &put.row;
    draft.because(&put.reason);
    let items = tier.limits.iter().map(|limit| &limit.item);
    if let Some(denial) = items
        .filter_map(|item| limitable(draft.rows, item).err())
        .next()
    {
        return denied(denial);
    }
    match draft.rows.tier(&tier.name) {
        Some(known) if known == tier => unchanged(Done::Tier(tier.clone())),
        None if TIERS_MAX <= draft.rows.tier_count() => denied(Denial::TooMany { max: TIERS_MAX }),
        Some(_) | None => push(
            draft,
            Cause::TierPut,
            Change::Tier(tier.clone()),
            Done::Tier(tier.clone()),
        ),
    }
}

/// Makes a webhook, or changes it.
pub(super) fn put_webhook<R: Rows>(draft: Draft<'_, R>, put: &PutWebhook) -> Decision {
    if let Reach::Below(scope) = &put.reach
        && draft.rows.scope(scope).is_none()
    {
        return denied(Denial::UnknownScope(scope.clone()));
    }
    let known = draft.rows.webhook(&put.id);
    if known.is_some_and(|known| known.reach != put.reach) {
        return denied(Denial::Immutable { field: "scope" });
    }
    if known.is_none() && WEBHOOKS_MAX <= draft.rows.webhook_count() {
        return denied(Denial::TooMany { max: WEBHOOKS_MAX });
    }
    let webhook = Webhook {
        id: put.id.clone(),
        reach: put.reach.clone(),
        url: put.url.clone(),
        topics: put.topics.clone(),
        sealed_secret: known
            .map_or(&put.sealed_secret, |it| &it.sealed_secret)
            .clone(),
        enabled: put.enabled,
        // What happened while it was not to be told is not told later.
        delivered: known
            .filter(|known| known.enabled || !put.enabled)
            .map_or(put.delivered, |known| known.delivered),
        revision: known.map_or(0, |it| it.revision),
    };
    if known == Some(&webhook) {
        return unchanged(Done::Webhook(webhook.into()));
    }
    let webhook = Box::new(Webhook {
        revision: draft.next_revision(),
        ..webhook
    });
    let change = Change::Webhook(webhook.clone());
    push(draft, Cause::WebhookPut, change, Done::Webhook(webhook))
}

/// Makes a principal, whose reach is within that of who makes it.
pub(super) fn create_principal<R: Rows>(
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

/// Makes a principal able to call, or not.
pub(super) fn enable_principal<R: Rows>(
    draft: Draft<'_, R>,
    command: &Command,
    id: &PrincipalId,
    enabled: bool,
) -> Decision {
    match own_or_missing(draft.rows, command, id) {
        Err(denial) => denied(denial),
        Ok(known) if known.enabled == enabled => unchanged(Done::Principal(known.clone().into())),
        Ok(known) => {
            let changed = Principal {
                enabled,
                ..known.clone()
            };
            put_principal(draft, Cause::PrincipalChanged, changed)
        }
    }
}

/// Forgets a principal.
pub(super) fn delete_principal<R: Rows>(
    draft: Draft<'_, R>,
    command: &Command,
    id: &PrincipalId,
) -> Decision {
    match own_or_missing(draft.rows, command, id) {
        Err(denial) => denied(denial),
        Ok(_) => push(
            draft,
            Cause::PrincipalDeleted,
            Change::PrincipalGone(id.clone()),
            Done::PrincipalGone,
        ),
    }
}

/// Forgets a webhook.
pub(super) fn delete_webhook<R: Rows>(draft: Draft<'_, R>, id: &WebhookId) -> Decision {
    match draft.rows.webhook(id) {
        None => denied(Denial::NotFound),
        Some(_) => push(
            draft,
            Cause::WebhookDeleted,
            Change::WebhookGone(id.clone()),
            Done::WebhookGone,
        ),
    }
}

/// Takes note of how far a webhook has been told; that only goes on.
pub(super) fn note_delivered<R: Rows>(
    draft: Draft<'_, R>,
    id: &WebhookId,
    delivered: u64,
) -> Decision {
    match draft.rows.webhook(id) {
        None => denied(Denial::NotFound),
        Some(known) if delivered <= known.delivered => {
            unchanged(Done::Webhook(known.clone().into()))
        }
        Some(known) => {
            let told = Box::new(Webhook {
                delivered,
                ..known.clone()
            });
            let change = Change::Webhook(told.clone());
            push(draft, Cause::WebhookDelivered, change, Done::Webhook(told))
        }
    }
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
    let principal = Box::new(Principal {
        revision: draft.next_revision(),
        ..principal
    });
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
