//! One machine with one server on it, and the auditor beside it: steps happen here.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::Command;
use plimsoll_dialects::http::Reply;

use crate::auditor::{Auditor, Before, Expected, Finding, Outside, Seen};
use crate::disk::{Disk, Fault, Moment, Tail};
use crate::planted::Bug;
use crate::server::{Fell, RETENTION_MS, Server};
use crate::step::{Ask, Step};

/// When every simulation begins: 2026-01-01T00:00:00Z, in milliseconds since 1970.
pub(crate) const EPOCH_MS: u64 = 1_767_225_600_000;

/// How often each kind of thing has happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub BTreeMap<&'static str, u64>);

impl Counts {
    /// It has happened once more.
    pub fn add(&mut self, what: &'static str) {
        self.add_many(what, 1);
    }

    /// It has happened so many times more.
    pub fn add_many(&mut self, what: &'static str, times: u64) {
        *self.0.entry(what).or_default() += times;
    }

    /// How often it has happened.
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Counts) {
        for (what, times) in &other.0 {
            self.add_many(what, *times);
        }
    }
}

/// Groups of submissions, each with the time that it was to be decided at.
pub type Groups = Rc<RefCell<Vec<(Timestamp, Vec<Vec<Command>>)>>>;

/// Both clocks of the machine, as they are now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    pub(crate) wall: Timestamp,
    pub(crate) passed: Duration,
}

/// Answers by ticket.
pub type Replies = Vec<(u64, Reply)>;

/// The machine.
pub struct Stage {
    disk: Rc<RefCell<Disk>>,
    server: Option<Server>,
    auditor: Auditor,
    outside: Outside,
    waiting: Vec<Ask>,
    bug: Option<Bug>,
    groups: Option<Groups>,
    /// What has happened.
    pub counts: Counts,
    /// A number that follows from every step and every answer.
    pub trace: u64,
}

impl Stage {
    /// A machine that is off, with an empty disk.
    pub fn new(bug: Option<Bug>) -> Self {
        Self {
            disk: Rc::new(RefCell::new(Disk::new(Bug::lies(bug)))),
            server: None,
            auditor: Auditor::default(),
            outside: Outside {
                wall_ms: EPOCH_MS,
                passed_ms: 0,
            },
            waiting: Vec::new(),
            bug,
            groups: None,
            counts: Counts::default(),
            trace: 0xcbf2_9ce4_8422_2325,
        }
    }

    /// Keeps all groups that servers are to decide from now on.
    pub fn keep_groups(&mut self) -> Groups {
        Rc::clone(self.groups.get_or_insert_default())
    }

    /// Whether there is a server, and it serves.
    pub fn is_serving(&self) -> bool {
        self.server.as_ref().is_some_and(Server::is_serving)
    }

    /// Whether there is a server.
    pub fn is_on(&self) -> bool {
        self.server.is_some()
    }

    /// Lets one thing happen; a panic is a finding like any other.
    pub fn apply(&mut self, step: &Step) -> Result<Replies, Finding> {
        self.note(step.to_string().as_bytes());
        let applied = catch_unwind(AssertUnwindSafe(|| self.happen(step)));
        let replies = applied.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(Finding(format!("panicked: {}", text.unwrap_or("no words"))))
        })?;
        for (ticket, reply) in &replies {
            self.note(&ticket.to_le_bytes());
            self.note(&reply.status.to_le_bytes());
            self.note(&reply.body);
        }
        Ok(replies)
    }

    /// FNV-1a.
    fn note(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.trace = (self.trace ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn happen(&mut self, step: &Step) -> Result<Replies, Finding> {
        match step {
            Step::Wait { ms } => {
                self.outside.wall_ms += ms;
                self.outside.passed_ms += ms;
            }
            Step::Jump { ms } => {
                self.outside.wall_ms = self.outside.wall_ms.saturating_add_signed(*ms);
                self.counts.add(if *ms > 0 {
                    "clock jumps ahead"
                } else {
                    "clock jumps back"
                });
            }
            // Nobody listens on a machine that is off.
            Step::Ask(_) if self.server.is_none() => {}
            Step::Ask(ask) => self.waiting.push(ask.clone()),
            Step::Serve(fault) => return self.serve(*fault),
            Step::Sweep(fault) => self.sweep(*fault)?,
            Step::Count(fault) => self.count(*fault)?,
            Step::Crash(tail) => {
                self.count_tail(*tail);
                self.counts.add("crashes while idle");
                self.disk.borrow_mut().crash(*tail);
                self.fail();
            }
            Step::Start(fault) => self.start(*fault)?,
            Step::Rot { record, permille } => self.rot(*record, *permille)?,
            Step::Audit => self.audit()?,
        }
        Ok(Vec::new())
    }

    fn clocks(&self) -> Clocks {
        Clocks {
            wall: Timestamp::default().after_ms(self.outside.wall_ms),
            passed: Duration::from_millis(self.outside.passed_ms),
        }
    }

    /// The time at which the server decides next.
    fn now(&mut self) -> Result<Timestamp, Finding> {
        let (clocks, outside) = (self.clocks(), self.outside);
        let server = self.server.as_mut().expect("it is on");
        let now = server.now(clocks);
        self.auditor.decides_at(now.ms(), outside)?;
        Ok(now)
    }

    fn serve(&mut self, fault: Fault) -> Result<Replies, Finding> {
        let asks = std::mem::take(&mut self.waiting);
        if !self.is_on() {
            return Ok(Vec::new());
        }
        let all = |reply: Reply| asks.iter().map(|ask| (ask.ticket, reply.clone())).collect();
        if !self.is_serving() {
            self.counts
                .add_many("answers: unavailable", asks.len() as u64);
            return Ok(all(Server::unavailable()));
        }
        let now = self.now()?;
        let before = (fault != Fault::None).then(|| self.auditor.before());
        let expected = self.auditor.expect(&asks, now.ms());
        self.disk.borrow_mut().set_fault(fault);
        let server = self.server.as_mut().expect("it serves");
        let served = server.serve(&asks, now);
        match self.after(fault, served, before)? {
            None => Ok(Vec::new()),
            Some(Served::Unknown) => {
                self.counts
                    .add_many("answers: outcome unknown", asks.len() as u64);
                Ok(all(Server::unknown()))
            }
            Some(Served::Answered(replies)) => {
                for ((ask, expected), reply) in asks.iter().zip(&expected).zip(&replies) {
                    self.judge(ask, expected, reply)?;
                }
                self.auditor.answered(&expected);
                let tickets = asks.iter().map(|ask| ask.ticket);
                Ok(tickets.zip(replies).collect())
            }
        }
    }

    fn judge(&mut self, ask: &Ask, expected: &Expected, reply: &Reply) -> Result<(), Finding> {
        let judged = expected.judge(reply);
        judged.map_err(|Finding(what)| Finding(format!("{}: {what}", Step::Ask(ask.clone()))))?;
        self.counts.add(match expected.status() {
            200 => "answers: done",
            422 => "answers: refused by a quota",
            409 => "answers: conflict",
            412 => "answers: precondition failed",
            _ => "answers: unknown or senseless",
        });
        for kind in expected.kinds(ask) {
            self.counts.add(kind);
        }
        Ok(())
    }

    fn sweep(&mut self, fault: Fault) -> Result<(), Finding> {
        if !self.is_serving() {
            return Ok(());
        }
        let now = self.now()?;
        let before = (fault != Fault::None).then(|| self.auditor.before());
        self.auditor.expect_sweep(now.ms(), RETENTION_MS);
        self.disk.borrow_mut().set_fault(fault);
        let server = self.server.as_mut().expect("it serves");
        let swept = server.sweep(now).map(|()| Vec::new());
        self.after(fault, swept, before)?;
        self.counts.add("sweeps");
        Ok(())
    }

    /// The server adds up what it has refused, and keeps what may not have been.
    fn count(&mut self, fault: Fault) -> Result<(), Finding> {
        if !self.is_serving() {
            return Ok(());
        }
        let now = self.now()?;
        let before = (fault != Fault::None).then(|| self.auditor.before());
        self.auditor.expect_count(now.ms());
        self.disk.borrow_mut().set_fault(fault);
        let server = self.server.as_mut().expect("it serves");
        let counted = server.count(now).map(|()| Vec::new());
        if let Some(Served::Answered(_)) = self.after(fault, counted, before)? {
            self.auditor.counted();
            self.counts.add("refusals added up");
        }
        Ok(())
    }

    /// What has come of a group, given what was to go wrong; `None` where the machine has failed.
    fn after(
        &mut self,
        fault: Fault,
        served: Result<Vec<Reply>, Fell>,
        before: Option<Before>,
    ) -> Result<Option<Served>, Finding> {
        self.disk.borrow_mut().set_fault(Fault::None);
        let crashed = self.disk.borrow_mut().take_crash();
        if let Err(Fell::Breach(breach)) = served {
            return Err(Finding(format!("rows contradict each other: {breach}")));
        }
        if let Fault::Crash(moment, tail) = fault {
            if !crashed {
                // There was nothing to write: it fails all the same, before anybody is answered.
                self.disk.borrow_mut().crash(tail);
            }
            self.counts.add(match moment {
                Moment::Write => "crashes amid a write",
                Moment::Flush => "crashes before a flush",
                Moment::Answer => "crashes before an answer",
            });
            self.count_tail(tail);
            self.in_doubt(before);
            self.fail();
            return Ok(None);
        }
        match (served, before) {
            (Ok(replies), _) => Ok(Some(Served::Answered(replies))),
            (Err(_), None) => Err(Finding("a write failed on a disk that is well".to_owned())),
            (Err(_), Some(before)) => {
                self.counts.add(match fault {
                    Fault::Full => "writes to a full disk",
                    Fault::WriteFails { .. } => "failed writes",
                    _ => "failed flushes",
                });
                self.in_doubt(Some(before));
                Ok(Some(Served::Unknown))
            }
        }
    }

    fn in_doubt(&mut self, before: Option<Before>) {
        if let Some(before) = before {
            self.counts.add("groups in doubt");
            self.auditor.doubt(before);
        }
    }

    fn count_tail(&mut self, tail: Tail) {
        match tail {
            Tail::Torn(_) | Tail::Garbled(_) => self.counts.add("torn tails"),
            Tail::Lost | Tail::Kept => {}
        }
    }

    /// The machine is off: what waited is gone.
    fn fail(&mut self) {
        self.disk.borrow_mut().take_crash();
        self.server = None;
        self.waiting.clear();
    }

    fn start(&mut self, fault: Fault) -> Result<(), Finding> {
        if self.is_serving() {
            return Ok(());
        }
        self.disk.borrow_mut().set_fault(fault);
        let clocks = self.clocks();
        let started = match &mut self.server {
            Some(server) => server.reload(),
            None => {
                let disk = Rc::clone(&self.disk);
                let groups = self.groups.clone();
                Server::start(disk, clocks, self.bug, groups).map(|server| {
                    self.server = Some(server);
                    self.auditor.started(self.outside);
                })
            }
        };
        self.disk.borrow_mut().set_fault(Fault::None);
        if self.disk.borrow_mut().take_crash() {
            self.counts.add("crashes amid a start");
            self.fail();
            return Ok(());
        }
        match started {
            Ok(()) => {
                self.counts.add("starts");
                self.audit()
            }
            Err(_) if fault != Fault::None => {
                self.counts.add("failed starts");
                Ok(())
            }
            Err(error) => Err(Finding(format!(
                "the rows cannot be loaded from a disk that is well: {error}"
            ))),
        }
    }

    /// Opens a copy of the disk with one byte changed: it must be refused.
    fn rot(&mut self, record: u64, permille: u64) -> Result<(), Finding> {
        let mut copy = self.disk.borrow().clone();
        let flushed = u64::try_from(copy.flushed()).expect("a length is a number");
        if flushed == 0 {
            return Ok(());
        }
        let row = usize::try_from(record % flushed).expect("it is less than a length");
        copy.rot(row, permille);
        let copy = Rc::new(RefCell::new(copy));
        if Server::start(copy, self.clocks(), None, None).is_ok() {
            let what = format!("record {row} has another byte than was written, and was loaded");
            return Err(Finding(what));
        }
        self.counts.add("damaged disks refused");
        Ok(())
    }

    fn audit(&mut self) -> Result<(), Finding> {
        if !self.is_serving() {
            return Ok(());
        }
        let now = self.now()?;
        let seen = self.look(self.server.as_ref().expect("it serves"), now)?;
        let was_in_doubt = self.auditor.is_in_doubt();
        self.auditor.compare(&seen)?;
        self.counts.add("audits");
        if was_in_doubt {
            self.counts.add("doubts resolved");
        }
        Ok(())
    }

    fn look(&self, server: &Server, now: Timestamp) -> Result<Seen, Finding> {
        self.auditor.look(now.ms(), |ask| server.read(ask, now))
    }

    /// Replays the whole journal on a machine of its own: the same must be read there.
    pub fn replay(&mut self) -> Result<(), Finding> {
        let copy = Rc::new(RefCell::new(self.disk.borrow().clone()));
        let fresh = Server::start(copy, self.clocks(), self.bug, None)
            .map_err(|error| Finding(format!("the journal cannot be replayed: {error}")))?;
        let now = self.now()?;
        let here = self.look(self.server.as_ref().expect("it serves at the end"), now)?;
        if !here.is_same(&self.look(&fresh, now)?) {
            let what = "the replayed journal tells something else than the server";
            return Err(Finding(what.to_owned()));
        }
        let records = u64::try_from(self.disk.borrow().len()).expect("a length is a number");
        self.counts.add_many("records replayed at the end", records);
        Ok(())
    }
}

/// What a group was answered.
enum Served {
    Answered(Vec<Reply>),
    Unknown,
}
