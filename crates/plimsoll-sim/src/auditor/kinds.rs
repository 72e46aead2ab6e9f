//! What kinds of things were answered: a run in which they do not happen proves nothing.

use serde_json::Value;

use super::Expected;
use super::verbs::Answer;
use crate::step::Ask;

/// Whether something has happened, and what it is called.
type Kind = (&'static str, bool);

impl Expected {
    /// What has happened, beside what the status says.
    pub(crate) fn kinds(&self, ask: &Ask) -> impl Iterator<Item = &'static str> {
        let kinds = self.settings(ask).into_iter().chain(self.wishes(ask));
        let kinds = kinds.chain(self.inventories(ask));
        let happened = kinds.filter(|(_, has_happened)| *has_happened);
        happened.map(|(kind, _)| kind)
    }

    fn settings(&self, ask: &Ask) -> [Kind; 10] {
        let Answer { status, body } = &self.0;
        let is_set = |name: &str| body[name].is_string();
        let path = ask.target.split('?').next().unwrap_or_default();
        let done = |method: &str| *status == 200 && ask.method == method;
        let put = done("PUT") && path.ends_with("/limits");
        let gone = done("DELETE") && path.ends_with("/limits");
        let is_for_a_time = is_set("starts_at") || is_set("ends_at");
        [
            ("limits set", put),
            ("limits set for a time", put && is_for_a_time),
            ("limits set that let pass", put && body["mode"] != "enforce"),
            ("limits taken away", gone),
            (
                "limits of a window taken away",
                gone && ask.target.contains("s_at="),
            ),
            (
                "limits that end in the past",
                body["code"] == "ends_in_the_past",
            ),
            ("tiers put", done("PUT") && path.contains("/tiers/")),
            (
                "scopes given a tier",
                done("PUT") && path.contains("/scopes/") && is_set("tier"),
            ),
            ("answers with warnings", *status == 200 && warns(body)),
            (
                "refusals by a tier",
                exceeded(body).any(|limit| limit["limit_source"] == "tier"),
            ),
        ]
    }

    fn wishes(&self, ask: &Ask) -> [Kind; 11] {
        let Answer { status, body } = &self.0;
        let code = body["code"].as_str().unwrap_or_default();
        let is_post = ask.method == "POST";
        let is_done = is_post && *status == 200;
        let ends = |verb: &str| is_done && ask.target.ends_with(verb);
        [
            ("requests for more", ends("/requests")),
            (
                "requests approved by rule",
                ends("/requests") && body["automatic"] == true,
            ),
            ("requests pending already", code == "request_pending"),
            ("requests for no more", code == "not_an_increase"),
            (
                "requests for what is not adjustable",
                code == "not_adjustable",
            ),
            ("requests approved", ends("/approve")),
            (
                "requests approved for a time",
                ends("/approve") && body["until"].is_string(),
            ),
            ("requests denied", ends("/deny")),
            ("requests cancelled", ends("/cancel")),
            (
                "requests decided otherwise already",
                code == "state_conflict" && ask.target.contains("/requests/"),
            ),
            ("refusals by a limit for a time", refused_for_a_time(body)),
        ]
    }

    fn inventories(&self, ask: &Ask) -> [Kind; 4] {
        let Answer { status, body } = &self.0;
        let findings = body["findings"].as_array();
        let mends = |what: &str| findings.is_some_and(|it| it.iter().any(|it| it["mend"] == what));
        let is_done = *status == 200 && ask.target.ends_with("/reconcile");
        [
            ("inventories compared", is_done),
            ("inventories mended", mends("done")),
            (
                "inventories in which nothing differs",
                findings.is_some_and(Vec::is_empty),
            ),
            ("mends of what has changed since", mends("failed")),
        ]
    }
}

fn warns(body: &Value) -> bool {
    body["warnings"].as_array().is_some_and(|it| !it.is_empty())
}

fn exceeded(body: &Value) -> impl Iterator<Item = &Value> {
    body["exceeded"].as_array().into_iter().flatten()
}

fn refused_for_a_time(body: &Value) -> bool {
    exceeded(body).any(|limit| limit["limit_set"]["ends_at"].is_string())
}
