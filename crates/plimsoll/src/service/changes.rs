//! What the native API changes with the help of the server: ids, secrets, plans, inventories.

use plimsoll_core::amount::Amount;
use plimsoll_core::command::{Action, PutLimit, PutWebhook, SubmitRequest};
use plimsoll_core::decide::decide;
use plimsoll_core::event::Log;
use plimsoll_core::model::{AutoApproval, Request, Reservation};
use plimsoll_core::names::{NameError, RequestId, ReservationId, ResourceName, Text};
use plimsoll_core::outcome::{Breach, Denial, Done, Outcome};
use plimsoll_core::reconcile::{Finding, Inventory, comparable, compare};
use plimsoll_core::report;
use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_dialects::http::Reply;
use plimsoll_dialects::native::{NewRequest, NewWebhook, Problem, Reconcile, Reconciled, encode};
use plimsoll_store::{BATCH_COMMANDS_MAX, Tables};
use sha2::{Digest, Sha256};

use super::Service;
use super::native::{command, internal, read_problem, submit_problem};
use crate::auth::Caller;
use crate::{clock, jobs, secrets, webhooks};

impl Service {
    /// What a limit would be, and what would be over it; writes nothing.
    pub(super) async fn dry_run(&self, caller: &Caller, put: PutLimit) -> Result<Reply, Problem> {
        let command = command(caller, Action::PutLimit(put))?;
        let now = clock::steady();
        let planned = |rows: &Tables| {
            let decision = decide(rows, &command, now)?;
            Ok(match decision.outcome {
                Outcome::Done(Done::Limit(limit)) => {
                    encode::dry_run(&limit, &report::over(rows, &limit, now))
                }
                outcome => encode::outcome(&outcome),
            })
        };
        let planned = self.store.read(&command.footprint(), planned).await;
        planned.map_err(read_problem)?.map_err(|breach: Breach| {
            tracing::error!(%breach, "a plan met contradicting rows");
            internal()
        })
    }

    /// Asks for a higher limit.
    pub(super) async fn submit_request(
        &self,
        caller: &Caller,
        new: NewRequest,
    ) -> Result<Reply, Problem> {
        let id = new_id("req-", RequestId::parse)?;
        let action = Action::SubmitRequest(SubmitRequest {
            id,
            scope: new.scope,
            item: new.item,
            ceiling: new.ceiling,
            reason: new.reason,
        });
        self.answer(caller, action).await
    }

    /// Which of the requests that there were a rule would have approved.
    pub(super) async fn test_auto_approval(
        &self,
        resource: &ResourceName,
        rule: AutoApproval,
    ) -> Result<Reply, Problem> {
        let footprint = Footprint::default();
        let is_known = |rows: &Tables| rows.resource(resource).is_some();
        let is_known = self.store.read(&footprint, is_known).await;
        if !is_known.map_err(read_problem)? {
            let unknown = Denial::UnknownResource(resource.clone());
            return Err(Problem::from_denial(&unknown));
        }
        let requests = self.store.requests_for(resource).await;
        let requests = requests.map_err(read_problem)?;
        let examined = requests.len();
        let approved = requests.into_iter().filter(|it| rule.approves(it));
        let mut approved: Vec<Request> = approved.collect();
        approved.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(encode::auto_approval_tested(examined, &approved))
    }

    /// Makes a webhook, with a secret that is shown this once, or changes one.
    pub(super) async fn put_webhook(
        &self,
        caller: &Caller,
        new: NewWebhook,
    ) -> Result<Reply, Problem> {
        self.webhooks
            .check_target(&new.url)
            .map_err(|refusal| Problem::target_refused(&refusal.to_string()))?;
        let secret = webhooks::new_secret().map_err(|error| {
            tracing::error!(%error, "a secret cannot be made");
            internal()
        })?;
        let sealed = self.verifier.master_key().seal(&new.id, &secret);
        let sealed_secret = sealed.map_err(|error| {
            tracing::error!(%error, "a secret cannot be sealed");
            internal()
        })?;
        let action = Action::PutWebhook(PutWebhook {
            id: new.id,
            reach: new.reach,
            url: new.url,
            topics: new.topics,
            sealed_secret: sealed_secret.clone(),
            enabled: new.enabled,
            delivered: self.store.place().await.map_err(read_problem)?,
        });
        Ok(match self.act(caller, action).await? {
            // The sealed secret is this one only where the webhook is new.
            Outcome::Done(Done::Webhook(webhook)) if webhook.sealed_secret == sealed_secret => {
                encode::webhook_created(&webhook, &secret)
            }
            outcome => encode::outcome(&outcome),
        })
    }

    /// Compares an inventory with what is reserved, and mends what differs where that is wanted.
    pub(super) async fn reconcile(
        &self,
        caller: &Caller,
        wanted: Reconcile,
    ) -> Result<Reply, Problem> {
        let Reconcile {
            mut inventory,
            repair,
        } = wanted;
        // To say what is there is the enforcer's; to pass a limit with it takes the permission.
        inventory.passes = caller.may_force();
        let tenant = self.tenant_of(caller, &inventory.scope).await?;
        let log = Log::Tenant(tenant);
        self.expect_comparable(caller, &log, &inventory).await?;
        let findings = self.findings(&inventory).await?;
        let reconciled = if repair {
            self.mend(caller, findings).await?
        } else {
            let unmended = |finding| Reconciled {
                finding,
                mend: None,
            };
            findings.into_iter().map(unmended).collect()
        };
        let footprint = Footprint::of_scope(&inventory.scope);
        let revision = |rows: &Tables| rows.head(&log).revision;
        let revision = self.store.read(&footprint, revision).await;
        let revision = revision.map_err(read_problem)?;
        Ok(encode::reconciled(&inventory, revision, &reconciled))
    }

    /// Refuses an inventory that cannot be compared: of something unknown, of a revision to come,
    /// or so old that what has ended since may be forgotten.
    async fn expect_comparable(
        &self,
        caller: &Caller,
        log: &Log,
        inventory: &Inventory,
    ) -> Result<(), Problem> {
        let comparable = |rows: &Tables| comparable(rows, caller.reach(), inventory);
        let footprint = Footprint::of_scope(&inventory.scope);
        let comparable = self.store.read(&footprint, comparable).await;
        comparable
            .map_err(read_problem)?
            .map_err(|denial| Problem::from_denial(&denial))?;
        let before = inventory.revision.saturating_sub(1);
        let event = self.store.events(log, before, 1).await;
        let event = event.map_err(read_problem)?.into_iter().next();
        let remembered_until = event.map(|event| event.at.after_ms(self.retention_ms));
        if remembered_until.is_none_or(|until| until <= clock::steady()) {
            return Err(Problem::inventory_too_old());
        }
        Ok(())
    }

    /// How an inventory differs from the reservations of its scope. They are looked at some at a
    /// time and compared beside the threads that answer, so that nobody else waits for it.
    async fn findings(&self, inventory: &Inventory) -> Result<Vec<Finding>, Problem> {
        let _one_at_a_time = self.reconciles.lock().await;
        let is_about = |row: &Reservation| {
            let of_item = row.lines.amount_of(&inventory.item) != Amount::ZERO;
            inventory.revision < row.revision
                || (of_item && row.scope == inventory.scope && row.state.is_live())
        };
        let rows = self
            .store
            .reservations_of(&inventory.scope, is_about)
            .await
            .map_err(read_problem)?;
        let inventory = inventory.clone();
        let compared = jobs::compute(move || {
            let id_of = |holder: &Text| mend_id(&inventory, holder);
            compare(&inventory, rows.iter(), id_of)
        });
        compared.await.ok_or_else(internal)
    }

    /// Has the mends decided. Each is fenced: what has changed since the comparison is left alone.
    async fn mend(
        &self,
        caller: &Caller,
        findings: Vec<Finding>,
    ) -> Result<Vec<Reconciled>, Problem> {
        let mut reconciled = Vec::with_capacity(findings.len());
        let mut commands = Vec::new();
        for finding in findings {
            let first = commands.len();
            for action in &finding.mends {
                commands.push(command(caller, action.clone())?);
            }
            reconciled.push((finding, first..commands.len()));
        }
        let mut outcomes = Vec::with_capacity(commands.len());
        for commands in commands.chunks(BATCH_COMMANDS_MAX) {
            let decided = self.store.submit(commands.to_vec()).await;
            outcomes.extend(decided.map_err(submit_problem)?);
        }
        let reconciled = reconciled.into_iter().map(|(finding, places)| {
            let outcomes = outcomes.get(places).unwrap_or_default();
            let denial = outcomes.iter().find_map(|outcome| match outcome {
                Outcome::Denied(denial) => Some(Problem::from_denial(denial)),
                Outcome::Done(_) => None,
            });
            let mend = (!outcomes.is_empty()).then_some(denial.map_or(Ok(()), Err));
            Reconciled { finding, mend }
        });
        Ok(reconciled.collect())
    }
}

/// The id under which a thing is reserved that was found: the same for the same inventory, so that
/// a repeat finds it, and another for a later one.
fn mend_id(inventory: &Inventory, holder: &Text) -> ReservationId {
    let revision = inventory.revision.to_string();
    let location = inventory.item.location.as_ref();
    let parts = [
        inventory.scope.as_str(),
        inventory.item.resource.as_str(),
        location.map_or("", |location| location.as_str()),
        holder.as_str(),
        &revision,
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let id = format!(
        "mend-{}",
        secrets::hex(digest.get(..16).unwrap_or_default())
    );
    #[expect(clippy::expect_used, reason = "hexadecimal digits are an id")]
    ReservationId::parse(&id).expect("hexadecimal digits are an id")
}

/// A new id of 72 random bits.
fn new_id<T>(prefix: &str, parse: fn(&str) -> Result<T, NameError>) -> Result<T, Problem> {
    let random = clock::random::<9>().map_err(|error| {
        tracing::error!(%error, "an id cannot be made");
        internal()
    })?;
    parse(&format!("{prefix}{}", secrets::hex(&random))).map_err(|error| {
        tracing::error!(%error, "an id cannot be made");
        internal()
    })
}
