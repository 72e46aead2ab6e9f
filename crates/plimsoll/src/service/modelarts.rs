//! ModelArts and IAM requests.

use plimsoll_dialects::http::{Reply, Request};
use plimsoll_dialects::modelarts::auth::{AuthDenial, Claim, claim};
use plimsoll_dialects::modelarts::{self, ModelArtsError, RequestId, error_reply};
use plimsoll_dialects::sign::SigningKey;
use plimsoll_store::Tables;

use super::{Service, TransportFault, request_id_bytes};
use crate::auth::{Caller, Refusal};
use crate::clock;

impl Service {
    /// Answers a request under `/v1/`, `/v2/` or `/v3/`.
    pub(super) async fn modelarts(&self, request: &Request<'_>) -> Reply {
        let request_id = RequestId::from_bytes(request_id_bytes());
        let answered = self.modelarts_answer(request, &request_id).await;
        answered.unwrap_or_else(|error| error_reply(&error, &request_id))
    }

    async fn modelarts_answer(
        &self,
        request: &Request<'_>,
        request_id: &RequestId,
    ) -> Result<Reply, ModelArtsError> {
        modelarts::route(request)?;
        let caller = self.modelarts_caller(request).await?;
        let call = modelarts::decode(request)?;
        let reach = caller.reach();
        let now = clock::steady();
        let answer =
            |rows: &Tables| modelarts::answer(&call, rows, reach, &self.modelarts, request_id, now);
        let footprint = || call.footprint(reach);
        let read = self.store.read_lately(footprint, answer).await;
        let (reply, _) = read.map_err(|_| ModelArtsError::Unavailable)?;
        Ok(reply)
    }

    async fn modelarts_caller(&self, request: &Request<'_>) -> Result<Caller, ModelArtsError> {
        let now = clock::now();
        let proved = match claim(request).map_err(ModelArtsError::Auth)? {
            Claim::Signed(claim) => {
                let verify = |key: &SigningKey| claim.verify(request, key, clock::seconds(now));
                let proved = self
                    .verifier
                    .by_signature(claim.access_key(), now, verify)
                    .await;
                proved.map_err(|refusal| {
                    (refusal, ModelArtsError::Auth(AuthDenial::SignatureFailure))
                })
            }
            Claim::Token(token) => {
                let proved = self.verifier.by_token(token, now).await;
                proved.map_err(|refusal| (refusal, ModelArtsError::TokenUnknown))
            }
        };
        proved.map_err(|(refusal, unknown)| match refusal {
            Refusal::Proof(denial) => ModelArtsError::Auth(denial),
            Refusal::Unknown => unknown,
            Refusal::Throttled => ModelArtsError::Throttled {
                requests_per_s_max: self.verifier.requests_per_second(),
            },
            Refusal::Unavailable => ModelArtsError::Unavailable,
            Refusal::Internal => ModelArtsError::Internal,
        })
    }
}

/// Answers a request that could not be read whole.
pub(super) fn refuse(fault: TransportFault) -> Reply {
    let error = match fault {
        TransportFault::BodyTooLarge => ModelArtsError::BodyTooLarge,
        TransportFault::HeadMalformed | TransportFault::BodyMalformed => {
            ModelArtsError::RequestMalformed
        }
        TransportFault::HeadTooLarge => ModelArtsError::HeadTooLarge,
        TransportFault::HeadTooSlow | TransportFault::BodyTooSlow => ModelArtsError::TimedOut,
        TransportFault::NoRoom => ModelArtsError::Unavailable,
    };
    error_reply(&error, &RequestId::from_bytes(request_id_bytes()))
}
