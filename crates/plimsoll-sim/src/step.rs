//! What happens to a server, one thing at a time: the list that reproduces a run, as values and as
//! text.
//!
//! | line | what happens |
//! |---|---|
//! | `wait 1500` | so many milliseconds pass |
//! | `jump -3600000` | the machine's clock is set by so many milliseconds |
//! | `ask 17 ann@acme PUT /path 12 {…}` | a request arrives: ticket, caller and reach, method, path, `if-match` or `-`, body |
//! | `serve FAULT` | the server decides what has arrived, as one group |
//! | `sweep FAULT` | the server lets holds lapse and forgets |
//! | `count FAULT` | the server adds up what it has refused |
//! | `crash TAIL` | the machine fails |
//! | `start FAULT` | the server starts, or loads its rows anew after a failed write |
//! | `rot 5 700` | a copy of the disk with a byte of record 5 changed, so many thousandths into it, is opened |
//! | `audit` | everything is read and compared |

use std::fmt;

use crate::disk::{Fault, Tail};

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Time passes.
    Wait {
        /// Milliseconds.
        ms: u64,
    },
    /// The machine's clock is set.
    Jump {
        /// By so many milliseconds.
        ms: i64,
    },
    /// A request arrives.
    Ask(Ask),
    /// The server decides what has arrived.
    Serve(Fault),
    /// The server lets holds lapse and forgets.
    Sweep(Fault),
    /// The server adds up what it has refused.
    Count(Fault),
    /// The machine fails.
    Crash(Tail),
    /// The server starts, or loads its rows anew.
    Start(Fault),
    /// A copy of the disk with one byte changed is opened.
    Rot {
        /// Which record, from 0, counted round.
        record: u64,
        /// Where in it, in thousandths.
        permille: u64,
    },
    /// Everything is read and compared.
    Audit,
}

/// A request as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What its reply is known by.
    pub ticket: u64,
    /// Who asks, and where they may.
    pub caller: Caller,
    /// The method.
    pub method: String,
    /// The path, with the query.
    pub target: String,
    /// The revision that must be there.
    pub if_match: Option<u64>,
    /// The body; empty where there is none.
    pub body: String,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The id of the principal.
    pub name: String,
    /// A scope and everything below it; `None` for the whole server.
    pub reach: Option<String>,
}

/// The id that the server makes for a request for a higher limit: it follows from the ticket, so that
/// a run follows from its seed.
pub(crate) fn request_id(ticket: u64) -> String {
    format!("req-{ticket:06}")
}

/// The id that the server makes for a thing that an inventory has shown: the same for the same
/// inventory, another for a later one.
pub(crate) fn mend_id(place: [&str; 3], holder: &str, revision: u64) -> String {
    let place = place.join(":").replace('/', ".");
    format!("mend-{place}:{holder}:{revision}")
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.reach.as_deref().unwrap_or("*"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Wait { ms } => write!(f, "wait {ms}"),
            Step::Jump { ms } => write!(f, "jump {ms}"),
            Step::Ask(ask) => {
                let Ask {
                    ticket,
                    caller,
                    method,
                    target,
                    if_match,
                    body,
                } = ask;
                let if_match = if_match.map_or_else(|| "-".to_owned(), |it| it.to_string());
                write!(
                    f,
                    "ask {ticket} {caller} {method} {target} {if_match} {body}"
                )
            }
            Step::Serve(fault) => write!(f, "serve {fault}"),
            Step::Sweep(fault) => write!(f, "sweep {fault}"),
            Step::Count(fault) => write!(f, "count {fault}"),
            Step::Crash(tail) => write!(f, "crash {tail}"),
            Step::Start(fault) => write!(f, "start {fault}"),
            Step::Rot { record, permille } => write!(f, "rot {record} {permille}"),
            Step::Audit => f.write_str("audit"),
        }
    }
}

impl Step {
    /// Reads one line.
    pub fn parse(line: &str) -> Option<Step> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match word {
            "wait" => Step::Wait {
                ms: rest.parse().ok()?,
            },
            "jump" => Step::Jump {
                ms: rest.parse().ok()?,
            },
            "ask" => Step::Ask(Ask::parse(rest)?),
            "serve" => Step::Serve(Fault::parse(rest)?),
            "sweep" => Step::Sweep(Fault::parse(rest)?),
            "count" => Step::Count(Fault::parse(rest)?),
            "crash" => Step::Crash(Tail::parse(rest)?),
            "start" => Step::Start(Fault::parse(rest)?),
            "rot" => {
                let (record, permille) = rest.split_once(' ')?;
                Step::Rot {
                    record: record.parse().ok()?,
                    permille: permille.parse().ok()?,
                }
            }
            "audit" => Step::Audit,
            _ => return None,
        })
    }

    /// Reads a list: one step a line, comments behind `#`, empty lines passed over.
    ///
    /// Errors: the first line that is no step.
    pub fn parse_list(text: &str) -> Result<Vec<Step>, String> {
        let lines = text.lines().map(str::trim_end);
        lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| Step::parse(line).ok_or_else(|| format!("`{line}` is no step")))
            .collect()
    }
}

impl Ask {
    fn parse(text: &str) -> Option<Ask> {
        let mut words = text.splitn(6, ' ');
        let ticket = words.next()?.parse().ok()?;
        let (name, reach) = words.next()?.split_once('@')?;
        Some(Ask {
            ticket,
            caller: Caller {
                name: name.to_owned(),
                reach: (reach != "*").then(|| reach.to_owned()),
            },
            method: words.next()?.to_owned(),
            target: words.next()?.to_owned(),
            if_match: match words.next()? {
                "-" => None,
                revision => Some(revision.parse().ok()?),
            },
            body: words.next().unwrap_or_default().to_owned(),
        })
    }
}
