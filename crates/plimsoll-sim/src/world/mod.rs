//! The world around the server: clients, the network between, and what goes wrong.
//!
//! It makes the list of steps up as it goes, and lets each happen on the stage.

mod catalogue;
mod census;
mod client;
mod fate;
mod network;
mod operator;

use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use plimsoll_dialects::http::Reply;
use serde_json::Value;

use self::client::Client;
use self::fate::{Card, Fate};
use self::network::{Due, Event, Message};
use self::operator::TURN_MS;
use crate::auditor::{Finding, instant};
use crate::disk::{Fault, Moment};
use crate::planted::Bug;
use crate::random::Random;
use crate::stage::{Counts, EPOCH_MS, Stage};
use crate::step::{Ask, Caller, Step};

/// Once nothing goes wrong any more, every request must end within so long.
const LIVENESS_MS: u64 = 180_000;

/// What a client waits for an answer at first; each time it doubles.
const PATIENCE_MS: u64 = 2_000;
const PATIENCE_MS_MAX: u64 = 64_000;

/// How often the server sweeps.
const SWEEP_MS: u64 = 20_000;

/// How often the server adds up what it has refused.
const COUNT_MS: u64 = 30_000;

/// So long before windows turn, many think of something.
const RUSH_MS: u64 = 230;

/// After this long every hold has lapsed and everything that has ended is forgotten.
const ALL_OVER_MS: u64 = 40 * 60 * 1_000;

/// A run that has ended.
pub struct Run {
    /// Everything that happened.
    pub steps: Vec<Step>,
    /// How often.
    pub counts: Counts,
    /// What follows from every step and every answer.
    pub trace: u64,
    /// What was found at the last step.
    pub finding: Option<Finding>,
}

/// A request under way.
struct Flying {
    ask: Ask,
    /// Counts the client's requests.
    number: u64,
    tries: u32,
}

struct World {
    random: Random,
    stage: Stage,
    steps: Vec<Step>,
    now_ms: u64,
    queue: BinaryHeap<Due>,
    queued: u64,
    clients: Vec<Client>,
    flying: Vec<Option<Flying>>,
    /// Which thought each client will follow.
    thoughts: Vec<u64>,
    /// The latest request of each client that has arrived.
    arrived: Vec<u64>,
    numbers: u64,
    /// Which client's request a ticket belongs to.
    tickets: BTreeMap<u64, (usize, u64)>,
    next_ticket: u64,
    serve_is_due: bool,
    fate: Fate,
    /// What becomes of the next write, and of the next start.
    next_faults: VecDeque<Fault>,
    next_start: Option<Fault>,
    full_until_ms: u64,
    clock_is_off_by_ms: i64,
    busy_until_ms: u64,
    /// Nothing goes wrong any more.
    is_calm: bool,
}

/// Runs a world from a seed.
pub fn run(seed: u64, hours: u64, bug: Option<Bug>) -> Run {
    let mut world = World::new(seed, bug);
    let finding = world.live(hours * 3_600_000).err();
    Run {
        steps: world.steps,
        trace: world.stage.trace,
        counts: world.stage.counts,
        finding,
    }
}

impl World {
    fn new(seed: u64, bug: Option<Bug>) -> Self {
        let clients = client::all();
        Self {
            random: Random::new(seed),
            stage: Stage::new(bug),
            steps: Vec::new(),
            now_ms: 0,
            queue: BinaryHeap::new(),
            queued: 0,
            flying: clients.iter().map(|_| None).collect(),
            arrived: vec![0; clients.len()],
            thoughts: vec![0; clients.len()],
            clients,
            numbers: 0,
            tickets: BTreeMap::new(),
            next_ticket: 1,
            serve_is_due: false,
            fate: Fate::default(),
            next_faults: VecDeque::new(),
            next_start: None,
            full_until_ms: 0,
            clock_is_off_by_ms: 0,
            busy_until_ms: 0,
            is_calm: false,
        }
    }

    fn live(&mut self, end_ms: u64) -> Result<(), Finding> {
        self.step(Step::Start(Fault::None))?;
        let operator = Caller {
            name: "operator".to_owned(),
            reach: None,
        };
        for draft in catalogue::set_up(&mut self.random) {
            let ticket = self.ticket();
            self.step(Step::Ask(draft.by(&operator, ticket)))?;
            self.step(Step::Serve(Fault::None))?;
        }
        for client in 0..self.clients.len() {
            self.think(client);
        }
        self.plan(SWEEP_MS, Event::Sweep);
        self.plan(COUNT_MS, Event::Count);
        self.plan(TURN_MS - RUSH_MS, Event::Rush);
        self.plan(30_000, Event::Misfortune);
        while let Some(due) = self.queue.pop() {
            if end_ms <= due.at_ms {
                self.queue.push(due);
                break;
            }
            self.pass_to(due.at_ms)?;
            self.happen(due.event)?;
        }
        self.pass_to(end_ms)?;
        self.calm_down()?;
        self.end()
    }

    /// Nothing goes wrong any more: every request must end.
    fn calm_down(&mut self) -> Result<(), Finding> {
        self.is_calm = true;
        self.mend_clock()?;
        self.next_faults.clear();
        self.next_start = None;
        let until_ms = self.now_ms + LIVENESS_MS;
        self.plan(500, Event::Start);
        for client in 0..self.clients.len() {
            if self.flying[client].is_none() {
                self.send_next(client);
            }
        }
        while self.flying.iter().any(Option::is_some) {
            let Some(due) = self.queue.pop() else { break };
            if until_ms < due.at_ms {
                break;
            }
            self.pass_to(due.at_ms)?;
            self.happen(due.event)?;
        }
        match self.flying.iter().flatten().next() {
            None => Ok(()),
            Some(flying) => Err(Finding(format!(
                "{LIVENESS_MS} ms after the last fault there is no answer to {}",
                Step::Ask(flying.ask.clone())
            ))),
        }
    }

    /// Reads everything, replays everything, and waits until every hold has lapsed.
    fn end(&mut self) -> Result<(), Finding> {
        self.step(Step::Audit)?;
        self.stage.replay()?;
        self.pass_to(self.now_ms + ALL_OVER_MS)?;
        // A clock that was ahead at some start lets holds last longer for who was written to then.
        self.step(Step::Sweep(Fault::None))?;
        self.step(Step::Audit)?;
        self.stage.counts.add("worlds");
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), Finding> {
        self.steps.push(step);
        let step = self.steps.last().expect("it was just put there");
        let replies = self.stage.apply(step)?;
        for (ticket, reply) in replies {
            self.send_reply(ticket, &reply);
        }
        Ok(())
    }

    fn pass_to(&mut self, at_ms: u64) -> Result<(), Finding> {
        let ms = at_ms - self.now_ms;
        if ms > 0 {
            self.step(Step::Wait { ms })?;
            self.now_ms = at_ms;
        }
        Ok(())
    }

    fn plan(&mut self, in_ms: u64, event: Event) {
        self.queued += 1;
        self.queue.push(Due {
            at_ms: self.now_ms + in_ms,
            order: self.queued,
            event,
        });
    }

    fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    fn happen(&mut self, event: Event) -> Result<(), Finding> {
        match event {
            Event::Think { client, thought } => {
                let is_last = self.thoughts[client] == thought;
                if is_last && self.flying[client].is_none() && !self.is_calm {
                    self.send_next(client);
                }
            }
            Event::Impatience {
                client,
                number,
                tries,
            } => {
                let is_same = |flying: &Flying| flying.number == number && flying.tries == tries;
                if self.flying[client].as_ref().is_some_and(is_same) {
                    self.stage.counts.add("requests asked again");
                    self.send(client);
                }
            }
            Event::Deliver(message) => self.deliver(message)?,
            Event::Hear {
                client,
                number,
                reply,
            } => self.hear(client, number, &reply),
            Event::Serve => {
                self.serve_is_due = false;
                let fault = self.fault();
                self.step(Step::Serve(fault))?;
                self.look_after(fault);
            }
            Event::Sweep => {
                self.plan(SWEEP_MS, Event::Sweep);
                let fault = self.fault();
                self.step(Step::Sweep(fault))?;
                self.look_after(fault);
            }
            Event::Count => {
                self.plan(COUNT_MS, Event::Count);
                let fault = self.fault();
                self.step(Step::Count(fault))?;
                self.look_after(fault);
            }
            Event::Rush => {
                self.plan(TURN_MS, Event::Rush);
                for client in 0..self.clients.len() {
                    if self.random.permille(500) {
                        let in_ms = self.random.below(RUSH_MS - 60);
                        self.think_in(client, in_ms);
                    }
                }
            }
            Event::Start => self.start()?,
            Event::MendClock => self.mend_clock()?,
            Event::Misfortune => {
                let in_ms = self.random.between(40_000, 160_000);
                self.plan(in_ms, Event::Misfortune);
                if !self.is_calm {
                    self.misfortune()?;
                }
            }
        }
        Ok(())
    }

    /// What goes wrong with the write that comes.
    fn fault(&mut self) -> Fault {
        if self.is_calm || !self.stage.is_serving() {
            return Fault::None;
        }
        if self.now_ms < self.full_until_ms {
            return Fault::Full;
        }
        self.next_faults.pop_front().unwrap_or(Fault::None)
    }

    /// Somebody sees to a server that has stopped. A fault that met nothing to be written waits for
    /// the next write.
    fn look_after(&mut self, fault: Fault) {
        if self.stage.is_serving() && fault != Fault::None && fault != Fault::Full {
            self.next_faults.push_front(fault);
        }
        if !self.stage.is_on() {
            let in_ms = self.random.between(500, 20_000);
            self.plan(in_ms, Event::Start);
        } else if !self.stage.is_serving() {
            let in_ms = match fault {
                Fault::Full => self.random.between(4_000, 15_000),
                _ => 500,
            };
            self.plan(in_ms, Event::Start);
        }
    }

    fn start(&mut self) -> Result<(), Finding> {
        if self.stage.is_serving() {
            return Ok(());
        }
        // Mostly the clock is set before a server is started.
        if self.clock_is_off_by_ms.abs() > 60_000 && self.random.permille(900) {
            self.mend_clock()?;
        }
        let fault = self.next_start.take().unwrap_or(Fault::None);
        self.step(Step::Start(fault))?;
        self.look_after(Fault::None);
        Ok(())
    }

    fn mend_clock(&mut self) -> Result<(), Finding> {
        let ms = -std::mem::take(&mut self.clock_is_off_by_ms);
        if ms != 0 {
            self.step(Step::Jump { ms })?;
        }
        Ok(())
    }

    fn misfortune(&mut self) -> Result<(), Finding> {
        if self.random.permille(200) {
            self.busy_until_ms = self.now_ms + 10_000;
        }
        let card = self.fate.draw(&mut self.random);
        if let Some(fault) = card.fault(&mut self.random) {
            self.next_faults.push_back(fault);
            return Ok(());
        }
        match card {
            Card::CrashAmidStart => {
                let tail = fate::tail(&mut self.random);
                self.next_start = Some(Fault::Crash(Moment::Flush, tail));
            }
            Card::StartFails => self.next_start = Some(Fault::FlushFailsAndKeeps),
            Card::Full => {
                self.full_until_ms = self.now_ms + self.random.between(15_000, 40_000);
                return Ok(());
            }
            Card::JumpAhead | Card::JumpBack => {
                // A start amid a small one is not waited for, so logs come to be ahead of the clock.
                let most = *self.random.pick(&[50_000, 7_200_000]);
                let ms = self.random.between(2_000, most).cast_signed();
                let ms = if card == Card::JumpAhead { ms } else { -ms };
                self.clock_is_off_by_ms += ms;
                let in_ms = self.random.between(10_000, 600_000);
                self.plan(in_ms, Event::MendClock);
                return self.step(Step::Jump { ms });
            }
            Card::Rot => {
                let (record, permille) = (self.random.number(), self.random.below(1_000));
                return self.step(Step::Rot { record, permille });
            }
            _ => {}
        }
        let tail = fate::tail(&mut self.random);
        self.step(Step::Crash(tail))?;
        self.look_after(Fault::None);
        Ok(())
    }

    fn think(&mut self, client: usize) {
        let in_ms = if self.now_ms < self.busy_until_ms {
            self.random.between(5, 100)
        } else {
            self.random.between(500, 60_000)
        };
        self.think_in(client, in_ms);
    }

    fn think_in(&mut self, client: usize, in_ms: u64) {
        self.thoughts[client] += 1;
        let thought = self.thoughts[client];
        self.plan(in_ms, Event::Think { client, thought });
    }

    fn send_next(&mut self, client: usize) {
        let draft = if self.is_calm {
            self.clients[client].last(&mut self.random)
        } else {
            self.clients[client].next(&mut self.random, EPOCH_MS + self.now_ms)
        };
        let ask = draft.by(&self.clients[client].caller, 0);
        self.numbers += 1;
        self.flying[client] = Some(Flying {
            ask,
            number: self.numbers,
            tries: 0,
        });
        self.stage.counts.add("requests");
        self.send(client);
    }

    /// What a client is answered that it must ask for again: nothing is known.
    fn hear(&mut self, client: usize, number: u64, reply: &Reply) {
        let flying = self.flying[client].as_ref();
        if flying.is_none_or(|flying| flying.number != number) || reply.status == 503 {
            return;
        }
        self.flying[client] = None;
        self.stage.counts.add("requests acknowledged");
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        self.clients[client].hear(&mut self.random, reply.status, &body);
        self.think(client);
    }

    fn deliver(&mut self, message: Message) -> Result<(), Finding> {
        let Message {
            client,
            number,
            mut ask,
        } = message;
        ask.ticket = self.ticket();
        if number < self.arrived[client] {
            self.stage.counts.add("requests overtaken on the way");
        }
        self.arrived[client] = number.max(self.arrived[client]);
        if self.stage.is_on() {
            self.tickets.insert(ask.ticket, (client, number));
        }
        self.step(Step::Ask(ask))?;
        if !self.serve_is_due {
            self.serve_is_due = true;
            let slow = self.random.permille(100);
            let mut in_ms = self.random.between(0, if slow { 300 } else { 6 });
            // Much happens at full quarters of a second, so that holds end just when they matter.
            if self.random.permille(300) {
                in_ms = (self.now_ms + in_ms).next_multiple_of(250) - self.now_ms;
            }
            self.plan(in_ms, Event::Serve);
        }
        Ok(())
    }
}
