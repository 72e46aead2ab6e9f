//! Principals.

use plimsoll_core::command::Action;
use plimsoll_core::model::{Reach, Role};

use super::super::wire::leaf::Parsed;
use super::super::wire::requests::{EmptyBody, PrincipalBody};
use super::super::{Call, NewPrincipal, Problem, Read};
use super::catalogue::text;
use super::{Input, body};

pub(in crate::native) fn create(input: &Input<'_>) -> Result<Call, Problem> {
    let body: PrincipalBody = body::read(input.body)?;
    let reach = match body.scope {
        Some(Parsed(reach)) => reach,
        None if body.role.0 == Role::Admin => Reach::Everything,
        None => {
            let detail = "`/scope` is missing: name a scope, or `*` for the whole server";
            return Err(Problem::body("/scope".to_owned(), detail));
        }
    };
    Ok(Call::CreatePrincipal(NewPrincipal {
        kind: body.kind.0,
        id: body.id.map(|Parsed(id)| id),
        role: body.role.0,
        reach,
        may_force: body.force.unwrap_or(false),
        expires_at: body.expires_at.map(|Parsed(time)| time.0),
        description: text(body.description)?,
    }))
}

pub(in crate::native) fn all(input: &Input<'_>) -> Result<Call, Problem> {
    let page = input.query.page()?;
    Ok(Call::Read(Read::Principals { page }))
}

pub(in crate::native) fn one(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    Ok(Call::Read(Read::Principal(id)))
}

pub(in crate::native) fn delete(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    Ok(Call::Act(Action::DeletePrincipal { id }))
}

pub(in crate::native) fn enable(input: &Input<'_>) -> Result<Call, Problem> {
    set_enabled(input, true)
}

pub(in crate::native) fn disable(input: &Input<'_>) -> Result<Call, Problem> {
    set_enabled(input, false)
}

fn set_enabled(input: &Input<'_>, enabled: bool) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    let EmptyBody {} = body::read_or_default(input.body)?;
    Ok(Call::Act(Action::EnablePrincipal { id, enabled }))
}
