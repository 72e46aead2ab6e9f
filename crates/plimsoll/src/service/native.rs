//! Requests of the native API.

use std::collections::HashMap;

use plimsoll_core::command::{Action, Command, CreatePrincipal, Reserve};
use plimsoll_core::decide::check;
use plimsoll_core::model::{Asked, Reach};
use plimsoll_core::names::{ReservationId, ScopeId};
use plimsoll_core::outcome::{Done, Outcome};
use plimsoll_core::rows::Footprint;
use plimsoll_dialects::http::{Reply, Request};
use plimsoll_dialects::native::{
    self, BatchItem, BatchOutcome, Call, Change, Format, Kind, NewPrincipal, Problem, Read, encode,
};
use plimsoll_store::{StoreError, SubmitError, Tables};

use super::live::Watched;
use super::{Answered, RETRY_AFTER_S, Service, request_id_bytes};
use crate::auth::{Caller, Refusal};
use crate::{clock, secrets};

// What the API takes as one batch, the store must take as one submission.
const _: () = assert!(native::BATCH_COMMANDS_MAX <= plimsoll_store::BATCH_COMMANDS_MAX);

impl Service {
    /// Answers a request under `/plimsoll/v1/`, or one that belongs nowhere.
    pub(super) async fn native(&self, request: &Request<'_>) -> Answered {
        let answered = self.native_answer(request).await;
        answered.unwrap_or_else(|problem| problem.reply().into())
    }

    async fn native_answer(&self, request: &Request<'_>) -> Result<Answered, Problem> {
        let caller = self.native_caller(request).await?;
        let route = native::route(request)?;
        if !caller.has(route.role()) {
            return Err(Problem::forbidden(route.role()));
        }
        let reply = match route.decode()? {
            Call::Read(Read::Events {
                scope,
                filter,
                after,
                live: true,
                ..
            }) => {
                let watched = Watched {
                    scope,
                    filter,
                    after,
                };
                return self.watch(caller, watched).await;
            }
            Call::Act(action) => self.answer(&caller, action).await,
            Call::Change(change) => {
                let action = self.change_action(&caller, change).await?;
                self.answer(&caller, action).await
            }
            Call::Batch(items, format) => self.batch(&caller, items, format).await,
            Call::Check { scope, asked } => self.check(&caller, scope, asked).await,
            Call::DryRun(put) => self.dry_run(&caller, put).await,
            Call::SubmitRequest(new) => self.submit_request(&caller, new).await,
            Call::TestAutoApproval { resource, rule } => {
                self.test_auto_approval(&resource, rule).await
            }
            Call::Reconcile(wanted) => self.reconcile(&caller, wanted).await,
            Call::CreatePrincipal(new) => self.create_principal(&caller, new).await,
            Call::PutWebhook(new) => self.put_webhook(&caller, new).await,
            Call::Read(read) => self.read(&caller, read).await,
        };
        reply.map(Answered::from)
    }

    pub(super) async fn answer(&self, caller: &Caller, action: Action) -> Result<Reply, Problem> {
        let outcome = self.act(caller, action).await?;
        Ok(encode::outcome(&outcome))
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
    pub(super) async fn act(&self, caller: &Caller, action: Action) -> Result<Outcome, Problem> {
        let command = command(caller, action)?;
        let mut outcomes = self
            .store
            .submit(vec![command])
            .await
            .map_err(submit_problem)?;
        self.refusals.note(&outcomes);
        outcomes.pop().ok_or_else(internal)
    }

    /// Has many commands decided, in order; those that could not be read are passed over.
    async fn batch(
        &self,
        caller: &Caller,
        items: Vec<Result<BatchItem, Problem>>,
        format: Format,
    ) -> Result<Reply, Problem> {
        let caller = &caller.apart();
        let mut scopes = BatchScopes::for_items(caller, &items);
        let mut commands = Vec::with_capacity(items.len());
        let mut problems = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let action = match item {
                Ok(BatchItem::Reserve(reserve)) => {
                    scopes.note(&reserve);
                    Ok(Action::Reserve(reserve))
                }
                Ok(BatchItem::Change(change)) => {
                    let change = scopes.complete(change);
                    self.change_action(caller, change).await
                }
                Err(problem) => Err(problem),
            };
            match action.and_then(|action| command(caller, action)) {
                Ok(command) => commands.push(command),
                Err(problem) => problems.push((index, problem)),
            }
        }
        let decided = self.store.submit(commands).await.map_err(submit_problem)?;
        self.refusals.note(&decided);
        Ok(encode::batch(&in_order(decided, problems), format))
    }

    /// The action that changes a reservation, once a scope of its tenant is known.
    async fn change_action(&self, caller: &Caller, change: Change) -> Result<Action, Problem> {
        let scope = self
            .scope_of(caller, &change.id, change.scope.clone())
            .await?;
        Ok(change.action(scope))
    }

    /// A scope of the tenant whose reservation a caller means: the one that it names, else its
    /// own, else the only tenant that uses the id.
    pub(super) async fn scope_of(
        &self,
        caller: &Caller,
        id: &ReservationId,
        named: Option<ScopeId>,
    ) -> Result<ScopeId, Problem> {
        match (named, caller.reach()) {
            (Some(scope), _) => return Ok(scope),
            (None, Reach::Below(own)) => return Ok(own.clone()),
            (None, Reach::Everything) => {}
        }
        let mut tenants = self.store.tenants_of(id).await.map_err(read_problem)?;
        match (tenants.pop(), tenants.is_empty()) {
            (Some(tenant), true) => Ok(tenant),
            (Some(_), false) => Err(Problem::ambiguous()),
            (None, _) => Err(Problem::not_found()),
        }
    }

    async fn check(&self, caller: &Caller, scope: ScopeId, asked: Asked) -> Result<Reply, Problem> {
        let footprint = Footprint::of_check(&scope, asked.lines());
        let now = clock::steady();
        let checked = |rows: &Tables| check(rows, caller.id(), caller.reach(), &scope, &asked, now);
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
            may_force: new.may_force,
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

/// Where the reservations of a batch are taken, for the items behind that change them.
struct BatchScopes {
    /// `None` where the batch takes the same id in several scopes: then the id alone does not tell.
    of_id: HashMap<ReservationId, Option<ScopeId>>,
    /// Whether any item may ask: a whole-server caller changes something, and does not say where.
    are_wanted: bool,
}

impl BatchScopes {
    fn for_items(caller: &Caller, items: &[Result<BatchItem, Problem>]) -> Self {
        let asks = |item: &BatchItem| matches!(item, BatchItem::Change(it) if it.scope.is_none());
        let is_everywhere = *caller.reach() == Reach::Everything;
        Self {
            of_id: HashMap::new(),
            are_wanted: is_everywhere && items.iter().flatten().any(asks),
        }
    }

    fn note(&mut self, reserve: &Reserve) {
        if !self.are_wanted {
            return;
        }
        let scope = Some(reserve.scope.clone());
        let noted = self
            .of_id
            .entry(reserve.id.clone())
            .or_insert_with(|| scope.clone());
        if *noted != scope {
            *noted = None;
        }
    }

    /// Names the scope of a change, where the batch itself tells it.
    fn complete(&self, change: Change) -> Change {
        let told = || self.of_id.get(&change.id).cloned().flatten();
        Change {
            scope: change.scope.or_else(told),
            ..change
        }
    }
}

/// What was decided, and between it what was not, each at its place.
fn in_order(decided: Vec<Outcome>, problems: Vec<(usize, Problem)>) -> Vec<BatchOutcome> {
    let mut decided = decided.into_iter().map(BatchOutcome::Decided);
    if problems.is_empty() {
        return decided.collect();
    }
    let mut outcomes = Vec::with_capacity(decided.len() + problems.len());
    for (place, problem) in problems {
        outcomes.extend(decided.by_ref().take(place - outcomes.len()));
        outcomes.push(BatchOutcome::Problem(problem));
    }
    outcomes.extend(decided);
    outcomes
}

fn refused(refusal: Refusal<()>) -> Problem {
    match refusal {
        Refusal::Proof(()) | Refusal::Unknown => Problem::unauthenticated(),
        Refusal::Throttled => Problem::rate_limited(RETRY_AFTER_S),
        Refusal::Unavailable => Problem::unavailable(RETRY_AFTER_S),
        Refusal::Internal => internal(),
    }
}

pub(super) fn command(caller: &Caller, action: Action) -> Result<Command, Problem> {
    let (least, is_forced) = (action.role(), action.is_forced());
    caller.command(action).ok_or_else(|| {
        if is_forced && caller.has(least) {
            Problem::force_not_permitted()
        } else {
            Problem::forbidden(least)
        }
    })
}

pub(super) fn submit_problem(error: SubmitError) -> Problem {
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
        | StoreError::NoPages
        | StoreError::InUse { .. }
        | StoreError::Sqlite { .. }
        | StoreError::Damaged { .. }
        | StoreError::Layout { .. }
        | StoreError::Database { .. }
        | StoreError::NoLedger { .. }
        | StoreError::NotEmpty { .. }
        | StoreError::Copying { .. }
        | StoreError::NotTheSame { .. }
        | StoreError::Breach { .. } => {
            tracing::error!(%error, "a read failed");
            internal()
        }
    }
}

pub(super) fn internal() -> Problem {
    let request_id = secrets::hex(&request_id_bytes());
    tracing::error!(%request_id, "a request could not be answered");
    Problem::internal(&request_id)
}
