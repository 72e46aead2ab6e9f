//! Zenlayer requests.

use plimsoll_dialects::http::{Reply, Request};
use plimsoll_dialects::sign::SigningKey;
use plimsoll_dialects::zenlayer::auth::{AuthDenial, Claim, claim};
use plimsoll_dialects::zenlayer::{self, RequestId, ZenlayerError, error_reply};
use plimsoll_store::Tables;

use super::{BODY_BYTES_MAX, Service, TransportFault, request_id_bytes};
use crate::auth::{Caller, Refusal};
use crate::clock;

impl Service {
    /// Answers a request under `/api/v2/`.
    pub(super) async fn zenlayer(&self, request: &Request<'_>) -> Reply {
        let request_id = RequestId::from_bytes(request_id_bytes());
        let answered = self.zenlayer_answer(request, &request_id).await;
        answered.unwrap_or_else(|error| error_reply(&error, &request_id))
    }

    async fn zenlayer_answer(
        &self,
        request: &Request<'_>,
        request_id: &RequestId,
    ) -> Result<Reply, ZenlayerError> {
        zenlayer::route(request)?;
        let caller = self.zenlayer_caller(request).await?;
        let team = zenlayer::team(caller.reach())?;
        let call = zenlayer::decode(request)?;
        let now = clock::steady();
        let answer =
            |rows: &Tables| zenlayer::answer(&call, rows, team, &self.zenlayer, request_id, now);
        let footprint = || call.footprint(team);
        let read = self.store.read_lately(footprint, answer).await;
        let (reply, _) = read.map_err(|_| ZenlayerError::Unavailable)?;
        Ok(reply)
    }

    async fn zenlayer_caller(&self, request: &Request<'_>) -> Result<Caller, ZenlayerError> {
        let now = clock::now();
        match claim(request).map_err(ZenlayerError::Auth)? {
            Claim::Signed(claim) => {
                let verify = |key: &SigningKey| claim.verify(request, key, clock::seconds(now));
                let proved = self
                    .verifier
                    .by_signature(claim.access_key_id(), now, verify)
                    .await;
                let unknown = ZenlayerError::Auth(AuthDenial::SignatureFailure);
                proved.map_err(|refusal| refused(refusal, unknown))
            }
            Claim::Bearer(token) => {
                let proved = self.verifier.by_token(token, now).await;
                proved.map_err(|refusal| refused(refusal, ZenlayerError::TokenUnknown))
            }
        }
    }
}

fn refused(refusal: Refusal<AuthDenial>, unknown: ZenlayerError) -> ZenlayerError {
    match refusal {
        Refusal::Proof(denial) => ZenlayerError::Auth(denial),
        Refusal::Unknown => unknown,
        Refusal::Throttled => ZenlayerError::Throttled,
        Refusal::Unavailable => ZenlayerError::Unavailable,
        Refusal::Internal => ZenlayerError::Internal,
    }
}

/// Answers a request that could not be read whole.
pub(super) fn refuse(fault: TransportFault) -> Reply {
    let error = match fault {
        TransportFault::BodyTooLarge => ZenlayerError::BodyTooLarge {
            bytes_max: BODY_BYTES_MAX,
        },
        TransportFault::HeadMalformed | TransportFault::BodyMalformed => {
            ZenlayerError::RequestMalformed
        }
        TransportFault::HeadTooLarge => ZenlayerError::HeadTooLarge,
        TransportFault::HeadTooSlow | TransportFault::BodyTooSlow => ZenlayerError::TimedOut,
        TransportFault::NoRoom => ZenlayerError::Unavailable,
    };
    error_reply(&error, &RequestId::from_bytes(request_id_bytes()))
}
