//! The table of what can happen to a reservation that is there.

use serde_json::{Value, json};

use super::admission::Want;
use super::model::{Line, Model, State, Taken};
use super::verbs::{Answer, problem};

/// A change of a reservation that is there.
pub(super) struct Change<'a> {
    pub(super) model: &'a mut Model,
    pub(super) tenant: &'a str,
    pub(super) id: &'a str,
    pub(super) before: Taken,
    pub(super) now: u64,
    /// Limits that were passed and that warn.
    pub(super) warnings: Value,
}

impl Change<'_> {
    fn put(&mut self, change: impl FnOnce(&mut Taken)) {
        self.model.put(self.tenant, self.id, self.now, change);
    }

    /// The state does not allow it; a hold whose time is over lapses first.
    fn conflict(&mut self) -> Answer {
        if self.before.state.is_due(self.now) {
            self.model.lapse_one(self.tenant, self.id, self.now);
            return state_conflict(State::Expired { ended_at: self.now });
        }
        state_conflict(self.before.state)
    }

    fn is_held(&self) -> bool {
        matches!(self.before.state, State::Held { expires_at } if self.now < expires_at)
    }

    pub(super) fn commit(&mut self, part: Option<&[Line]>) -> Result<(), Answer> {
        if self.before.state == State::Committed {
            return Ok(());
        }
        if !self.is_held() {
            return Err(self.conflict());
        }
        let lines = self.part(part)?;
        self.put(|taken| {
            taken.state = State::Committed;
            taken.lines = lines;
        });
        Ok(())
    }

    pub(super) fn release(&mut self, part: Option<&[Line]>) -> Result<(), Answer> {
        if self.before.state.is_due(self.now) {
            self.model.lapse_one(self.tenant, self.id, self.now);
            return Ok(());
        }
        if !self.before.state.is_live() {
            return Ok(());
        }
        let gone = self.part(part)?;
        let mut left = self.before.lines.clone();
        for line in &mut left {
            let of = gone.iter().find(|gone| gone.item == line.item);
            line.amount -= of.map_or(0, |gone| gone.amount);
        }
        left.retain(|line| line.amount > 0);
        let now = self.now;
        self.put(|taken| {
            if left.is_empty() {
                taken.state = State::Released { ended_at: now };
            } else {
                taken.lines = left;
            }
        });
        Ok(())
    }

    pub(super) fn extend(&mut self, ttl_ms: u64) -> Result<(), Answer> {
        if !self.is_held() {
            return Err(self.conflict());
        }
        let state = State::Held {
            expires_at: self.now + ttl_ms,
        };
        if state != self.before.state {
            self.put(|taken| taken.state = state);
        }
        Ok(())
    }

    pub(super) fn resize(&mut self, lines: &[Line], is_forced: bool) -> Result<(), Answer> {
        if !self.is_held() && self.before.state != State::Committed {
            return Err(self.conflict());
        }
        if self.before.lines == lines {
            return Ok(());
        }
        self.model.senseless(lines)?;
        let scope = self.before.scope.clone();
        self.swap(&scope, lines, is_forced)
    }

    pub(super) fn transfer(
        &mut self,
        reach: Option<&str>,
        to: &str,
        is_forced: bool,
    ) -> Result<(), Answer> {
        if !self.model.sees(reach, to) {
            return Err(problem(404, "unknown_scope"));
        }
        if self.model.tenant_of(to) != self.tenant {
            return Err(problem(409, "other_tenant"));
        }
        if self.before.state != State::Committed {
            return Err(self.conflict());
        }
        if self.before.scope == to {
            return Ok(());
        }
        let lines = self.before.lines.clone();
        self.swap(to, &lines, is_forced)
    }

    /// An atomic swap, admitted as a difference.
    fn swap(&mut self, to: &str, lines: &[Line], is_forced: bool) -> Result<(), Answer> {
        let want = Want {
            scope: to,
            lines,
            instead_of: Some(&self.before),
            is_forced,
            now: self.now,
        };
        let mut verdict = self.model.judge(&want);
        if !verdict.is_clear() {
            self.model.lapse(self.tenant, self.now);
            verdict = self.model.judge(&want);
        }
        if !verdict.refused.is_empty() {
            let own_end = match self.before.state {
                State::Held { expires_at } => Some(expires_at),
                _ => None,
            };
            let mut refused = problem(422, "quota_exceeded");
            refused.body["exceeded"] = self.model.exceeded_json(&verdict.refused, own_end);
            return Err(refused);
        }
        self.warnings = self.model.note_passed(&verdict.passed, self.now);
        self.put(|taken| {
            taken.scope = to.to_owned();
            taken.lines = lines.to_vec();
        });
        Ok(())
    }

    /// The lines that are named, which must be part of what is taken; else all.
    fn part(&self, part: Option<&[Line]>) -> Result<Vec<Line>, Answer> {
        let part = part.unwrap_or(&self.before.lines);
        let is_part = |line: &Line| line.amount <= self.before.amount_of(&line.item);
        if part.iter().all(is_part) {
            Ok(part.to_vec())
        } else {
            Err(problem(409, "not_a_part"))
        }
    }
}

fn state_conflict(state: State) -> Answer {
    let mut conflict = problem(409, "state_conflict");
    conflict.body["state"] = json!(state.name());
    conflict
}
