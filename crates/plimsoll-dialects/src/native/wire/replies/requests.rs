//! Requests for higher limits, and inventories.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::leaf::{Limit, Next, Parsed, Time};
use super::super::words::{DifferenceName, MendName, StatusName};
use super::Problem;

/// A wish for a higher limit, and what became of it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Request<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// What became of it.
    #[schemars(with = "Parsed<StatusName>")]
    pub(crate) state: &'static str,
    /// Where the limit is to bind.
    pub(crate) scope: &'a str,
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location; null for any.
    pub(crate) location: Option<&'a str>,
    /// How much was asked for.
    pub(crate) limit: Limit,
    /// Why.
    pub(crate) reason: &'a str,
    /// Who asked.
    pub(crate) submitted_by: &'a str,
    /// When.
    pub(crate) submitted_at: Time,
    /// What bound the scope then.
    pub(crate) present_limit: Limit,
    /// Who decided, when and why; null while it is pending.
    pub(crate) ruling: Option<Ruling<'a>>,
    /// Once it is approved: how much was granted.
    pub(crate) granted_limit: Option<Limit>,
    /// Once it is approved: until when; null for until further notice.
    pub(crate) until: Option<Time>,
    /// Once it is approved: the revision of the limit that it became.
    pub(crate) limit_revision: Option<u64>,
    /// Once it is approved: whether the resource's rule approved it.
    pub(crate) automatic: Option<bool>,
    /// The revision of the tenant's log at which it last changed.
    pub(crate) revision: u64,
}

/// How a request was decided.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Ruling<'a> {
    /// Who.
    pub(crate) by: &'a str,
    /// When.
    pub(crate) at: Time,
    /// Why.
    pub(crate) reason: &'a str,
}

/// The requests for a scope and everything below it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Requests<'a> {
    /// The scope.
    pub(crate) scope: &'a str,
    /// In order of id.
    pub(crate) requests: Vec<Request<'a>>,
    pub(crate) next_page_token: Next,
}

/// What a rule for automatic approval would have done.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AutoApprovalTested<'a> {
    /// How many requests for the resource there are.
    pub(crate) examined: usize,
    /// Those that the rule would have approved at once.
    pub(crate) approved: Vec<Request<'a>>,
}

/// How an inventory differs from what is reserved.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Reconciled<'a> {
    /// The scope.
    pub(crate) scope: &'a str,
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location, where the resource is counted per location.
    pub(crate) location: Option<&'a str>,
    /// The revision of the tenant's log now, mends among it.
    pub(crate) revision: u64,
    /// The revision at which the inventory was taken.
    pub(crate) inventory_revision: u64,
    /// How many things are as they are said to be.
    pub(crate) agreeing: usize,
    /// The others, in order of holder.
    pub(crate) findings: Vec<Finding<'a>>,
}

/// One thing that is not as it is said to be.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Finding<'a> {
    /// The thing: the holder of its reservations, or the id of one without a holder.
    pub(crate) holder: &'a str,
    /// How it differs.
    #[schemars(with = "Parsed<DifferenceName>")]
    pub(crate) difference: &'static str,
    /// How much is reserved for it.
    pub(crate) here: u64,
    /// How much it uses.
    pub(crate) there: u64,
    /// The reservations that a mend changes or makes; none where it is in flight.
    pub(crate) reservations: Vec<&'a str>,
    /// What came of the mend; null where there was none.
    #[schemars(with = "Option<Parsed<MendName>>")]
    pub(crate) mend: Option<&'static str>,
    /// Why the mend failed.
    pub(crate) problem: Option<Problem<'a>>,
}
