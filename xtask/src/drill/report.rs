//! What a drill has proved, and what it cost.

use crate::drill::audit;
use crate::drill::corrupt;
use crate::drill::history::Operation;
use crate::drill::linear;
use crate::drill::load::{Load, Recorded, tenants};
use crate::drill::nodes::{COUNT, Nodes};
use crate::step::Failure;

/// Operations of one tenant that copies are spoilt of.
const SPOILT_OPERATIONS_MAX: usize = 1_500;

/// How many hundredths of them must be rejected. It is nearly all; but what happens at the same
/// time is up to the machine, and a drill that is well must never fail.
const REJECTED_PERCENT_MIN: usize = 80;

/// One fault, from when it was made until callers had got on with their work behind it.
pub(super) struct Fault {
    what: &'static str,
    start: u64,
    end: u64,
    /// Between these instants nothing may have been asked and acknowledged.
    silence: Option<(u64, u64)>,
}

impl Fault {
    /// Makes it: `work` returns when it is over and callers get on.
    pub(super) fn watch(
        what: &'static str,
        load: &Load,
        work: impl FnOnce(&Load) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        println!("[{:>4} s] {what}", load.shared.now() / 1_000_000_000);
        let start = load.shared.now();
        work(load).map_err(|failure| Failure::new(format!("{what}: {failure}")))?;
        let end = load.shared.now();
        Ok(Self {
            what,
            start,
            end,
            silence: None,
        })
    }

    /// The same, with a time in it in which nothing can be acknowledged.
    pub(super) fn without_changes_in(self, silence: Option<(u64, u64)>) -> Self {
        Self { silence, ..self }
    }

    fn check_silence(&self, history: &[Operation]) -> Result<(), Failure> {
        let Some((start, end)) = self.silence else {
            return Ok(());
        };
        let within = |it: &&Operation| {
            let is_over = it.end.as_ref().is_some_and(|it| it.at < end);
            // A repeat of what was acknowledged before is no change.
            let is_first = |row: u64| {
                let mut others = history.iter().filter(|other| other.called < start);
                !others.any(|other| {
                    other.tenant == it.tenant
                        && other
                            .acknowledged()
                            .is_some_and(|(_, it)| it.revision == row)
                })
            };
            let row = it.acknowledged().map(|(_, row)| row.revision);
            start < it.called && is_over && row.is_some_and(is_first)
        };
        match history.iter().find(within) {
            None => Ok(()),
            Some(operation) => {
                let told = operation.told();
                let what = self.what;
                let text = format!("{what}: acknowledged without a standby: {told}");
                Err(Failure::new(text))
            }
        }
    }

    /// The longest time within it without an answer of some kind, in seconds.
    fn seconds_without(&self, history: &[Operation], is_it: fn(&Operation) -> bool) -> f64 {
        let answered = history.iter().filter(|it| is_it(it));
        let answered = answered.filter_map(|it| it.end.as_ref().map(|end| end.at));
        let within = answered.filter(|at| (self.start..self.end).contains(at));
        let mut instants: Vec<u64> = within.chain([self.start, self.end]).collect();
        instants.sort_unstable();
        let gaps = instants.windows(2).map(|pair| pair[1] - pair[0]);
        let nanoseconds = gaps.max().unwrap_or(0);
        std::time::Duration::from_nanos(nanoseconds).as_secs_f64()
    }
}

/// Figures of a drill in which everything that must be true was.
pub(super) struct Report {
    faults: Vec<(&'static str, f64, f64)>,
    acknowledged: usize,
    operations: usize,
    /// That the checker took for them.
    steps: usize,
    unknown: u64,
    not_done: u64,
    events: usize,
    spoilt: (usize, usize),
}

impl Report {
    /// Audits what is left after a drill.
    ///
    /// `ask` is answered by the database.
    pub(super) fn of(
        recorded: Recorded,
        faults: Vec<Fault>,
        nodes: &mut Nodes,
        ask: impl Fn(&str) -> Result<String, Failure>,
        seed: u64,
    ) -> Result<Self, Failure> {
        // What was still under way is over with them.
        (0..COUNT).for_each(|index| nodes.end(index));
        let node = nodes.restart(0)?;
        let Recorded {
            mut history,
            unknown,
            not_done,
        } = recorded;
        let times = faults.iter().map(|fault| {
            let changes = fault.seconds_without(&history, |it| it.acknowledged().is_some());
            let reads = fault.seconds_without(&history, |it| !it.ask.is_change());
            (fault.what, changes, reads)
        });
        let times: Vec<_> = times.collect();
        let facts = audit::facts(node, &nodes.token)?;
        let acknowledged = audit::settle(&mut history, &facts)?;
        for fault in &faults {
            fault.check_silence(&history)?;
        }
        let events = audit::verify_chains(&ask(audit::EVENTS)?, &ask(audit::LOGS)?)?;
        let checked = linear::check(&history);
        let steps = checked.map_err(|violation| Failure::new(violation.0))?;
        let operations = history.len();
        let mut some: Vec<Operation> = history;
        some.retain(|it| it.tenant == tenants()[0]);
        some.sort_by_key(|it| it.called);
        some.truncate(SPOILT_OPERATIONS_MAX);
        let spoilt = corrupt::prove(&some, seed, REJECTED_PERCENT_MIN).map_err(Failure::new)?;
        Ok(Self {
            faults: times,
            acknowledged,
            operations,
            steps,
            unknown,
            not_done,
            events,
            spoilt,
        })
    }

    /// Tells it.
    ///
    /// Errors: less has happened than must have, so that it proves little.
    pub(super) fn tell(&self, operations_min: usize, faults_min: usize) -> Result<(), Failure> {
        println!("\n{:<44} {:>10} {:>10}", "fault", "changes", "reads");
        for (what, changes, reads) in &self.faults {
            println!("{what:<44} {changes:>8.1} s {reads:>8.1} s");
        }
        println!("(the longest time without one that was answered)\n");
        let Self {
            acknowledged,
            operations,
            steps,
            unknown,
            not_done,
            events,
            spoilt: (rejected, spoilt),
            ..
        } = self;
        println!("{acknowledged} acknowledged changes, none lost; no account over its limit");
        println!("{unknown} calls without a known outcome, {not_done} refused with nothing done");
        println!("{events} events, every chain is whole");
        println!(
            "{operations} operations are linearizable, in {steps} steps; so are not {rejected} of {spoilt} spoilt copies"
        );
        if *operations < operations_min || self.faults.len() < faults_min {
            return Err(Failure::new(format!(
                "too little happened: at least {operations_min} operations and {faults_min} \
                 faults are wanted"
            )));
        }
        Ok(())
    }
}
