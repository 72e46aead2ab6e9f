//! Requests of the native API.

use std::collections::HashMap;

use plimsoll_core::command::{Action, Command, CreatePrincipal, ReservationKey};
use plimsoll_core::decide::check;
use plimsoll_core::model::{Lines, Reach};
use plimsoll_core::names::{ReservationId, ScopeId};
use plimsoll_core::outcome::{Denial, Done, Outcome};
use plimsoll_core::rows::{Footprint, scope_within};
use plimsoll_dialects::http::{Reply, Request};
use plimsoll_dialects::native::{
    self, BatchItem, BatchOutcome, Call, Kind, NewPrincipal, Problem, Settle, Verb, encode,
};
use plimsoll_store::{StoreError, SubmitError, Tables};

use super::{RETRY_AFTER_S, Service, request_id_bytes};
use crate::auth::{Caller, Refusal};
use crate::{clock, secrets};

impl Service {
    /// Answers a request under `/plimsoll/v1/`, or one that belongs nowhere.
    pub(super) async fn native(&self, request: &Request<'_>) -> Reply {
        let answered = self.native_answer(request).await;
        answered.unwrap_or_else(|problem| problem.reply())
    }

    async fn native_answer(&self, request: &Request<'_>) -> Result<Reply, Problem> {
        let caller = self.native_caller(request).await?;
        let call = native::decode(request)?;
        if !caller.has(call.role()) {
            return Err(Problem::forbidden(call.role()));
        }
        match call {
            Call::Act(action) => self
                .act(&caller, action)
                .await
                .map(|it| encode::outcome(&it)),
            Call::Settle(settle) => {
                let action = self.settle_action(&caller, settle).await?;
                self.act(&caller, action)
                    .await
                    .map(|it| encode::outcome(&it))
            }
            Call::Batch(items) => self.batch(&caller, items).await,
            Call::Check { scope, lines } => self.check(&caller, scope, lines).await,
            Call::CreatePrincipal(new) => self.create_principal(&caller, new).await,
            Call::Read(read) => self.read(&caller, read).await,
        }
    }

    async fn native_caller(&self, request: &Request<'_>) -> Result<Caller, Problem> {
        let token = native::bearer_token(request)?;
        let proved = self.verifier.by_token(token, clock::now()).await;
        proved.map_err(refused)
    }

    /// Whether a request's token is known: not yet who calls, and not counted as a request.
    pub(super) async fn native_token_is_known(&self, head: &Request<'_>) -> Result<(), Problem> {
        let token = native::bearer_token(head)?;
        let known = self.verifier.knows_token(token, clock::now()).await;
        known.map_err(refused)
    }

    /// Has one command decided.
    async fn act(&self, caller: &Caller, action: Action) -> Result<Outcome, Problem> {
        let command = command(caller, action)?;
        let mut outcomes = self
            .store
            .submit(vec![command])
            .await
            .map_err(submit_problem)?;
        outcomes.pop().ok_or_else(internal)
    }

    /// Has many commands decided, in order; those that could not be read are passed over.
    async fn batch(
        &self,
        caller: &Caller,
        items: Vec<Result<BatchItem, Problem>>,
    ) -> Result<Reply, Problem> {
        let mut tenants = BatchTenants::default();
        let mut commands = Vec::with_capacity(items.len());
        let mut outcomes = Vec::with_capacity(items.len());
        for item in items {
            let action = match item {
                Ok(BatchItem::Reserve(reserve)) => {
                    tenants
                        .scope_of_id
                        .insert(reserve.id.clone(), reserve.scope.clone());
                    Ok(Action::Reserve(reserve))
                }
                Ok(BatchItem::Settle(settle)) => {
                    let settle = tenants.complete(caller, settle);
                    self.settle_action(caller, settle).await
                }
                Err(problem) => Err(problem),
            };
            match action.and_then(|action| command(caller, action)) {
                Ok(command) => {
                    commands.push(command);
                    outcomes.push(None);
                }
                Err(problem) => outcomes.push(Some(BatchOutcome::Problem(problem))),
            }
        }
        let decided = self.store.submit(commands).await.map_err(submit_problem)?;
        let mut decided = decided.into_iter().map(BatchOutcome::Decided);
        let outcomes = outcomes
            .into_iter()
            .map(|outcome| outcome.or_else(|| decided.next()))
            .collect::<Option<Vec<_>>>();
        outcomes
            .map(|outcomes| encode::batch(&outcomes))
            .ok_or_else(internal)
    }

    /// The action that settles a reservation, once its tenant is known.
    async fn settle_action(&self, caller: &Caller, settle: Settle) -> Result<Action, Problem> {
        let Settle { verb, id, scope } = settle;
        let tenant = self.tenant(caller, &id, scope).await?;
        let key = ReservationKey { tenant, id };
        Ok(match verb {
            Verb::Commit => Action::Commit(key),
            Verb::Release => Action::Release(key),
        })
    }

    /// The tenant whose reservation a caller means: that of the scope it names, else that of its
    /// own scope, else the only one that uses the id.
    pub(super) async fn tenant(
        &self,
        caller: &Caller,
        id: &ReservationId,
        named: Option<ScopeId>,
    ) -> Result<ScopeId, Problem> {
        let own = match caller.reach() {
            Reach::Everything => None,
            Reach::Below(scope) => Some(scope.clone()),
        };
        if let Some(scope) = named.or(own) {
            let footprint = Footprint {
                scopes: vec![scope.clone()],
                ..Footprint::default()
            };
            let tenant = |rows: &Tables| {
                scope_within(rows, caller.reach(), &scope).map(|scope| scope.tenant.clone())
            };
            let tenant = self
                .store
                .read(&footprint, tenant)
                .await
                .map_err(read_problem)?;
            return tenant.ok_or_else(|| Problem::from_denial(&Denial::UnknownScope(scope)));
        }
        let mut tenants = self.store.tenants_of(id).await.map_err(read_problem)?;
        match (tenants.pop(), tenants.is_empty()) {
            (Some(tenant), true) => Ok(tenant),
            (Some(_), false) => Err(Problem::ambiguous()),
            (None, _) => Err(Problem::not_found()),
        }
    }

    async fn check(&self, caller: &Caller, scope: ScopeId, lines: Lines) -> Result<Reply, Problem> {
        let footprint = Footprint::of_check(&scope, &lines);
        let now = clock::now();
        let checked = |rows: &Tables| check(rows, caller.id(), caller.reach(), &scope, &lines, now);
        let checked = self
            .store
            .read(&footprint, checked)
            .await
            .map_err(read_problem)?;
        let checked = checked.map_err(|breach| {
            tracing::error!(%breach, "a check met contradicting rows");
            internal()
        })?;
        Ok(encode::checked(&checked))
    }

    async fn create_principal(&self, caller: &Caller, new: NewPrincipal) -> Result<Reply, Problem> {
        if new.expires_at.is_some_and(|end| end <= clock::now()) {
            return Err(Problem::expired_already());
        }
        let made = self.new_credential(&new).map_err(|error| {
            tracing::error!(%error, "a secret cannot be made");
            internal()
        })?;
        let action = Action::CreatePrincipal(CreatePrincipal {
            id: made.id,
            role: new.role,
            reach: new.reach,
            credential: made.credential,
            expires_at: new.expires_at,
            description: new.description,
        });
        Ok(match self.act(caller, action).await? {
            Outcome::Done(Done::Principal(principal)) => {
                encode::principal_created(&principal, &made.secret)
            }
            outcome => encode::outcome(&outcome),
        })
    }

    fn new_credential(&self, new: &NewPrincipal) -> Result<secrets::Made, secrets::SecretError> {
        let id = new.id.clone();
        match new.kind {
            Kind::Token => secrets::Made::token(id),
            Kind::AccessKey => secrets::Made::access_key(id, self.verifier.master_key()),
        }
    }
}

/// Where the reservations of a batch are taken, for the items behind that settle them.
#[derive(Default)]
struct BatchTenants {
    scope_of_id: HashMap<ReservationId, ScopeId>,
}

impl BatchTenants {
    /// Names the scope of a settle by a whole-server caller, where the batch itself tells it.
    fn complete(&self, caller: &Caller, settle: Settle) -> Settle {
        let told = match caller.reach() {
            Reach::Everything => self.scope_of_id.get(&settle.id).cloned(),
            Reach::Below(_) => None,
        };
        Settle {
            scope: settle.scope.or(told),
            ..settle
        }
    }
}

fn refused(refusal: Refusal<()>) -> Problem {
    match refusal {
        Refusal::Proof(()) | Refusal::Unknown => Problem::unauthenticated(),
        Refusal::Throttled => Problem::rate_limited(RETRY_AFTER_S),
        Refusal::Unavailable => Problem::unavailable(RETRY_AFTER_S),
        Refusal::Internal => internal(),
    }
}

fn command(caller: &Caller, action: Action) -> Result<Command, Problem> {
    let least = action.role();
    caller
        .command(action)
        .ok_or_else(|| Problem::forbidden(least))
}

fn submit_problem(error: SubmitError) -> Problem {
    match error {
        SubmitError::Overloaded | SubmitError::Unavailable => Problem::unavailable(RETRY_AFTER_S),
        SubmitError::Unknown => Problem::outcome_unknown(),
        SubmitError::TooMany | SubmitError::Breach(_) => internal(),
    }
}

/// What a failed read is to a caller.
pub(super) fn read_problem(error: StoreError) -> Problem {
    match error {
        StoreError::Unavailable => Problem::unavailable(RETRY_AFTER_S),
        StoreError::File { .. }
        | StoreError::NotOurs { .. }
        | StoreError::InUse { .. }
        | StoreError::Sqlite { .. }
        | StoreError::Damaged { .. }
        | StoreError::Layout { .. }
        | StoreError::Breach { .. } => {
            tracing::error!(%error, "a read failed");
            internal()
        }
    }
}

fn internal() -> Problem {
    let request_id = secrets::hex(&request_id_bytes());
    tracing::error!(%request_id, "a request could not be answered");
    Problem::internal(&request_id)
}
