//! Who calls: the one verifier, which stands before every route.
//!
//! Only this module makes a [`Caller`], every handler takes one, and [`Caller::command`] makes the
//! commands of requests: a route that forgets to ask who calls has none to hand on, and does not
//! compile. The server's own commands, for which nobody calls, are made in `bootstrap`.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::{Action, Command};
use plimsoll_core::model::{Credential, Principal, Reach, Role};
use plimsoll_core::names::{PrincipalId, ScopeId};
use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_dialects::sign::SigningKey;
use plimsoll_store::{Store, StoreError};
use subtle::ConstantTimeEq;

use crate::secrets::{self, MasterKey};
use crate::throttle::Throttle;

/// Signing keys that are kept opened, so that a request does not pay for it.
const KEYS_OPENED_MAX: usize = 10_000;

/// Who calls: proved, enabled, not expired, not too often.
#[derive(Debug)]
pub(crate) struct Caller {
    id: PrincipalId,
    role: Role,
    reach: Reach,
    may_force: bool,
}

impl Caller {
    /// Where the caller may act.
    pub(crate) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Who it is.
    pub(crate) fn id(&self) -> &PrincipalId {
        &self.id
    }

    /// The same, with names of its own. Each command has a copy of them, which is counted: those of
    /// thousands of commands are not to be counted where every other thread counts its own.
    pub(crate) fn apart(&self) -> Self {
        let reach = match &self.reach {
            Reach::Everything => Reach::Everything,
            Reach::Below(scope) => {
                Reach::Below(ScopeId::parse(scope.as_str()).unwrap_or_else(|_| scope.clone()))
            }
        };
        Self {
            id: PrincipalId::parse(self.id.as_str()).unwrap_or_else(|_| self.id.clone()),
            reach,
            ..*self
        }
    }

    /// Whether the caller may pass the limits.
    pub(crate) fn may_force(&self) -> bool {
        self.may_force
    }

    /// Whether the caller has at least a role.
    pub(crate) fn has(&self, role: Role) -> bool {
        self.role >= role
    }

    /// A command of this caller; `None` where it may not ask for the action.
    pub(crate) fn command(&self, action: Action) -> Option<Command> {
        let may = self.has(action.role()) && (self.may_force || !action.is_forced());
        may.then(|| Command {
            actor: self.id.clone(),
            reach: self.reach.clone(),
            action,
        })
    }
}

/// Why nobody is let in.
#[derive(Debug)]
pub(crate) enum Refusal<E> {
    /// The proof is wrong.
    Proof(E),
    /// The key or token is unknown, disabled or expired. Answered like a wrong proof.
    Unknown,
    /// The principal has sent too many requests.
    Throttled,
    /// The store does not serve.
    Unavailable,
    /// The secret cannot be opened; the log says why.
    Internal,
}

/// Proves who calls.
pub(crate) struct Verifier {
    store: Arc<Store>,
    master_key: Arc<MasterKey>,
    throttle: Throttle,
    /// Opened signing keys, each with the revision of the principal that it was opened for.
    opened: RwLock<HashMap<PrincipalId, (u64, SigningKey)>>,
    /// Verified against where there is no key, so that the time taken does not tell.
    dummy: SigningKey,
}

impl Verifier {
    pub(crate) fn new(store: Arc<Store>, master_key: Arc<MasterKey>, throttle: Throttle) -> Self {
        let dummy = SigningKey::new(b"no principal has this secret");
        Self {
            store,
            master_key,
            throttle,
            opened: RwLock::default(),
            dummy,
        }
    }

    /// The key that seals new secrets.
    pub(crate) fn master_key(&self) -> &MasterKey {
        &self.master_key
    }

    /// Requests a second that one principal may send.
    pub(crate) fn requests_per_second(&self) -> u32 {
        self.throttle.per_second()
    }

    /// The caller who signed with an access key; `verify` checks the signature.
    pub(crate) async fn by_signature<E>(
        &self,
        key_id: &str,
        now: Timestamp,
        verify: impl FnOnce(&SigningKey) -> Result<(), E>,
    ) -> Result<Caller, Refusal<E>> {
        let known = match self.principal(key_id, now).await? {
            Some(Principal {
                credential: Credential::Token { .. },
                ..
            })
            | None => None,
            Some(principal) => Some(principal),
        };
        let Some(principal) = known else {
            verify(&self.dummy).map_err(Refusal::Proof)?;
            return Err(Refusal::Unknown);
        };
        let key = self.signing_key(&principal).ok_or(Refusal::Internal)?;
        verify(&key).map_err(Refusal::Proof)?;
        self.admit(principal, now)
    }

    /// The caller who holds a bearer token.
    pub(crate) async fn by_token<E>(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Caller, Refusal<E>> {
        let principal = self.holder(token, now).await?;
        self.admit(principal, now)
    }

    /// Whether somebody who may call holds a bearer token.
    pub(crate) async fn knows_token<E>(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<(), Refusal<E>> {
        self.holder(token, now).await.map(drop)
    }

    async fn holder<E>(&self, token: &str, now: Timestamp) -> Result<Principal, Refusal<E>> {
        let (id, secret) = secrets::split_token(token).ok_or(Refusal::Unknown)?;
        let given = secrets::token_hash(secret);
        match self.principal(id, now).await? {
            Some(principal) => match principal.credential {
                Credential::Token { hash } if bool::from(hash.ct_eq(&given)) => Ok(principal),
                Credential::Token { .. } | Credential::AccessKey { .. } => Err(Refusal::Unknown),
            },
            None => Err(Refusal::Unknown),
        }
    }

    /// The principal with an id, where it may call at `now`.
    async fn principal<E>(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Principal>, Refusal<E>> {
        let Ok(id) = PrincipalId::parse(id) else {
            return Ok(None);
        };
        let footprint = Footprint {
            principals: vec![id.clone()],
            ..Footprint::default()
        };
        let found = self
            .store
            .read(&footprint, |rows| rows.principal(&id).cloned())
            .await;
        let found = found.map_err(|_: StoreError| Refusal::Unavailable)?;
        Ok(found.filter(|principal| {
            principal.enabled && principal.expires_at.is_none_or(|end| now < end)
        }))
    }

    /// Whether a caller who was let in before would be let in now, as who it was.
    pub(crate) async fn may_still_call(&self, caller: &Caller, now: Timestamp) -> bool {
        let principal = self.principal::<()>(caller.id.as_str(), now).await;
        let is_same = |it: Principal| it.reach == caller.reach && it.role == caller.role;
        principal.ok().flatten().is_some_and(is_same)
    }

    fn admit<E>(&self, principal: Principal, now: Timestamp) -> Result<Caller, Refusal<E>> {
        let Principal {
            id,
            role,
            reach,
            may_force,
            ..
        } = principal;
        if self.throttle.admits(&id, now) {
            Ok(Caller {
                id,
                role,
                reach,
                may_force,
            })
        } else {
            Err(Refusal::Throttled)
        }
    }

    fn signing_key(&self, principal: &Principal) -> Option<SigningKey> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((revision, key)) = opened.get(&principal.id)
            && *revision == principal.revision
        {
            return Some(key.clone());
        }
        drop(opened);
        let Credential::AccessKey { sealed_secret } = &principal.credential else {
            return None;
        };
        let secret = match self.master_key.open(&principal.id, sealed_secret) {
            Ok(secret) => secret,
            Err(error) => {
                tracing::error!(%error, "a secret cannot be opened");
                return None;
            }
        };
        let key = SigningKey::new(&secret);
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        if opened.len() >= KEYS_OPENED_MAX {
            opened.clear();
        }
        opened.insert(principal.id.clone(), (principal.revision, key.clone()));
        Some(key)
    }
}
