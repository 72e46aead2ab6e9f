//! What a first start makes: one admin, so that somebody can make everything else.

use plimsoll_core::command::{Action, Command, CreatePrincipal};
use plimsoll_core::model::{LinesError, Reach, Role};
use plimsoll_core::names::{PrincipalId, Text};
use plimsoll_core::outcome::{Denial, Outcome};
use plimsoll_store::{Store, StoreError, SubmitError};

use crate::secrets::{Made, SecretError};

/// Why the first rows cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BootstrapError {
    #[error("the ledger cannot be read")]
    Read(#[from] StoreError),
    #[error("the ledger cannot be written")]
    Write(#[from] SubmitError),
    #[error("a secret cannot be made")]
    Secret(#[from] SecretError),
    #[error("the first rows were refused: {}", .0.code())]
    Denied(Denial),
    #[error("`{path}` cannot be written")]
    File {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(
        "`{0}` holds a ledger that is not the demo's, and the demo can only be put into an empty \
         one: start without `--demo`, or name another data directory"
    )]
    NotEmpty(std::path::PathBuf),
    #[error("the lines of a reservation in the demo are none: {0}")]
    Lines(LinesError),
    #[error("a name in the demo is none: {0}")]
    Name(#[from] plimsoll_core::names::NameError),
    #[error("the credentials of the demo cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// A command of the server's own, where nobody has called: first starts and sweeps.
pub(crate) fn system_command(action: Action) -> Command {
    #[expect(clippy::expect_used, reason = "the literal is an id")]
    let actor = PrincipalId::parse("system").expect("the literal is an id");
    Command {
        actor,
        reach: Reach::Everything,
        action,
    }
}

/// Has the server's own commands decided, all of which must succeed.
pub(crate) async fn submit(store: &Store, actions: Vec<Action>) -> Result<(), BootstrapError> {
    for outcome in store
        .submit(actions.into_iter().map(system_command).collect())
        .await?
    {
        if let Outcome::Denied(denial) = outcome {
            return Err(BootstrapError::Denied(denial));
        }
    }
    Ok(())
}

/// The action that makes a principal with a credential.
pub(crate) fn create(
    made: &Made,
    role: Role,
    reach: Reach,
    description: &str,
) -> Result<Action, BootstrapError> {
    Ok(Action::CreatePrincipal(CreatePrincipal {
        id: made.id.clone(),
        role,
        may_force: role == Role::Admin,
        reach,
        credential: made.credential.clone(),
        expires_at: None,
        description: Text::parse(description)?,
    }))
}
