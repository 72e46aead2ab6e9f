//! The vendors' documented examples as a ledger: `serve --demo`.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_core::amount::{Amount, Ceiling};
use plimsoll_core::command::{Action, Grounds, Put, PutScope, Reserve};
use plimsoll_core::model::{
    Alerts, Asked, Attributes, Item, Line, Lines, Location, Reach, Resource, Role, Terms,
};
use plimsoll_core::names::{LocationId, PrincipalId, ReservationId, ResourceName, ScopeId, Text};
use plimsoll_store::Store;
use serde::Serialize;

use crate::bootstrap::{BootstrapError, create, submit};
use crate::secrets::{Made, MasterKey, write_private};

/// Where the demo's credentials are written, in the data directory.
pub(crate) const CREDENTIALS_FILE: &str = "demo-credentials.json";

/// The team of Zenlayer's example.
const TEAM: &str = "zenlayer-demo";

/// The project of ModelArts' example.
const PROJECT: &str = "6f5da086876d4cd084d36f8bd3346036";

/// Who can call the demo, and how.
#[derive(Serialize)]
struct Credentials<'a> {
    admin_token: &'a str,
    zenlayer: ZenlayerCredentials<'a>,
    modelarts: ModelArtsCredentials<'a>,
}

#[derive(Serialize)]
struct ZenlayerCredentials<'a> {
    access_key_id: &'a str,
    access_key_password: &'a str,
    scope: &'a str,
}

#[derive(Serialize)]
struct ModelArtsCredentials<'a> {
    ak: &'a str,
    sk: &'a str,
    project_id: &'a str,
    auth_token: &'a str,
}

/// Takes part in a demo that another node has made: it left the credentials for those who have the
/// master key.
pub(crate) async fn join(
    store: &Store,
    master_key: &MasterKey,
    directory: &Path,
) -> Result<(), BootstrapError> {
    if directory.join(CREDENTIALS_FILE).exists() {
        return Ok(());
    }
    let Some(sealed) = store.agreed(CREDENTIALS_FILE).await? else {
        return Err(BootstrapError::NotEmpty(directory.to_owned()));
    };
    let owner = PrincipalId::parse(CREDENTIALS_FILE)?;
    write(directory, &master_key.open(&owner, &sealed)?)
}

fn write(directory: &Path, credentials: &[u8]) -> Result<(), BootstrapError> {
    let path = directory.join(CREDENTIALS_FILE);
    write_private(&path, credentials).map_err(|source| BootstrapError::File { path, source })
}

/// Fills an empty ledger with the examples, and writes the credentials for it.
///
/// The credentials are written first: if the process ends between the two, the next start finds
/// an empty ledger and begins again.
pub(crate) async fn seed(
    store: &Store,
    master_key: &MasterKey,
    directory: &Path,
) -> Result<(), BootstrapError> {
    let admin = Made::token(None)?;
    let zenlayer = Made::access_key(None, master_key)?;
    let modelarts = Made::access_key(None, master_key)?;
    let auth_token = Made::token(None)?;
    let credentials = serde_json::to_string_pretty(&Credentials {
        admin_token: &admin.secret,
        zenlayer: ZenlayerCredentials {
            access_key_id: zenlayer.id.as_str(),
            access_key_password: &zenlayer.secret,
            scope: TEAM,
        },
        modelarts: ModelArtsCredentials {
            ak: modelarts.id.as_str(),
            sk: &modelarts.secret,
            project_id: PROJECT,
            auth_token: &auth_token.secret,
        },
    })?;
    write(directory, credentials.as_bytes())?;
    let below = |scope| Ok::<_, BootstrapError>(Reach::Below(ScopeId::parse(scope)?));
    let mut actions = catalogue()?;
    actions.extend(use_of_team()?);
    actions.extend(use_of_project()?);
    actions.extend([
        create(&admin, Role::Admin, Reach::Everything, "the demo's admin")?,
        create(
            &zenlayer,
            Role::Viewer,
            below(TEAM)?,
            "the demo's Zenlayer key",
        )?,
        create(
            &modelarts,
            Role::Viewer,
            below(PROJECT)?,
            "the demo's ModelArts key",
        )?,
        create(
            &auth_token,
            Role::Viewer,
            below(PROJECT)?,
            "the demo's ModelArts token",
        )?,
    ]);
    submit(store, actions).await?;
    let sealed = master_key.seal(&PrincipalId::parse(CREDENTIALS_FILE)?, &credentials)?;
    // For the nodes that take part; where two have made the demo at once, both pairs are good.
    store.agree(CREDENTIALS_FILE, sealed).await?;
    Ok(())
}

fn catalogue() -> Result<Vec<Action>, BootstrapError> {
    Ok(vec![
        resource("vm/image", 5, true, "custom images of a team")?,
        resource("modelarts/pool", 15, false, "resource pools of a project")?,
        resource("modelarts/network", 15, false, "networks of a project")?,
        location("FRA-A", "Frankfurt A")?,
        location("HKG-A", "Hong Kong A")?,
        scope(TEAM, "organisation")?,
        scope(PROJECT, "project")?,
    ])
}

/// FRA-A has 2 images of 5, HKG-A has 3 of 5.
fn use_of_team() -> Result<Vec<Action>, BootstrapError> {
    let images = [("FRA-A", 2), ("HKG-A", 3)];
    let numbered = images
        .iter()
        .flat_map(|(zone, count)| (1..=*count).map(move |n| (*zone, n)));
    numbered
        .map(|(zone, number)| {
            let id = format!("demo-image-{zone}-{number}");
            reserve(TEAM, &id, "vm/image", Some(zone))
        })
        .collect()
}

/// 10 pools of 15, 10 networks of 15.
fn use_of_project() -> Result<Vec<Action>, BootstrapError> {
    let kinds = ["pool", "network"];
    let numbered = kinds
        .iter()
        .flat_map(|kind| (1..=10).map(move |number| (*kind, number)));
    numbered
        .map(|(kind, number)| {
            let id = format!("demo-{kind}-{number}");
            reserve(PROJECT, &id, &format!("modelarts/{kind}"), None)
        })
        .collect()
}

fn resource(
    name: &str,
    default: u64,
    per_location: bool,
    description: &str,
) -> Result<Action, BootstrapError> {
    let resource = Resource {
        name: ResourceName::parse(name)?,
        unit: Text::parse("count")?,
        default_ceiling: Ceiling::Finite(Amount::new(default).unwrap_or(Amount::MAX)),
        per_location,
        adjustable: true,
        description: Text::parse(description)?,
        auto_approval: None,
        alerts: Alerts::default(),
    };
    let reason = Text::parse("")?;
    Ok(Action::PutResource(Put {
        row: resource,
        reason,
    }))
}

fn location(id: &str, name: &str) -> Result<Action, BootstrapError> {
    Ok(Action::PutLocation(Location {
        id: LocationId::parse(id)?,
        name: Text::parse(name)?,
        attributes: Attributes::default(),
    }))
}

fn scope(id: &str, kind: &str) -> Result<Action, BootstrapError> {
    Ok(Action::PutScope(PutScope {
        id: ScopeId::parse(id)?,
        parent: None,
        kind: Text::parse(kind)?,
        tier: None,
        reason: Text::parse("")?,
    }))
}

/// One real thing, reserved and committed at once, with itself as the holder.
fn reserve(
    scope: &str,
    id: &str,
    resource: &str,
    location: Option<&str>,
) -> Result<Action, BootstrapError> {
    let item = Item {
        resource: ResourceName::parse(resource)?,
        location: location.map(LocationId::parse).transpose()?,
    };
    let line = Line {
        item,
        amount: Amount::new(1).unwrap_or(Amount::ZERO),
    };
    Ok(Action::Reserve(Reserve {
        id: ReservationId::parse(id)?,
        scope: ScopeId::parse(scope)?,
        asked: Asked::whole(Lines::new(vec![line]).map_err(BootstrapError::Lines)?),
        grounds: Grounds::Limits,
        terms: Terms::Commit,
        holder: Some(Text::parse(id)?),
        attributes: Attributes::new(BTreeMap::new()).unwrap_or_default(),
    }))
}
