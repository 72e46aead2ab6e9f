//! Problems that only the server can find: what is asked for is well formed, and cannot be had.

use plimsoll_core::names::ScopeId;

use super::{Code, Place, Problem};

impl Problem {
    /// 400: a moment before there was anything to tell of.
    pub fn before_first(scope: &ScopeId) -> Problem {
        let detail =
            format!("`as_of` in the query is before scope `{scope}` was made: ask for later");
        Problem::parameter("as_of", detail)
    }

    /// 400: a revision that the tenant's log has not come to.
    pub fn beyond_log(head: u64) -> Problem {
        let detail =
            format!("`as_of` in the query must be at most `{head}`, where the tenant's log stands");
        Problem::parameter("as_of", detail)
    }

    /// 400: a moment that is to come.
    pub fn not_yet() -> Problem {
        let detail = "`as_of` in the query lies in the future: ask for a moment that has passed";
        Problem::parameter("as_of", detail)
    }

    /// 412: an inventory from so long ago that what has ended since may be forgotten.
    pub fn inventory_too_old() -> Problem {
        let detail = "the inventory's revision is from before what is still remembered of ended \
                      reservations: read the revision and list the things again";
        Problem::new(Code::PreconditionFailed, detail).with(|content| {
            content.place = Place::Body {
                pointer: "/revision".to_owned(),
            }
        })
    }

    /// 400: a webhook's address to which nothing may be sent.
    pub fn target_refused(why: &str) -> Problem {
        Problem::body("/url".to_owned(), format!("`/url` {why}"))
    }
}
