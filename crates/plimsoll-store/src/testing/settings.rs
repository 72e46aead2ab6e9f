//! Limits, tiers, requests and webhooks at random.

use plimsoll_core::event::Change;
use plimsoll_core::model::{
    AutoApproval, Limit, Mode, Reach, Request, RequestStatus, Ruling, Tally, Tier, TierLimit,
    TierLimits, Topic, Webhook, Window,
};
use plimsoll_core::names::PrincipalId;

use super::{Dice, amount, instant, items, name, requests, tenant_of, tiers, webhooks};

impl Dice {
    pub(super) fn limits(&mut self) -> Change {
        let (scope, item) = (self.scope_id(), self.item());
        let limits = (0..self.below(4)).map(|index| Limit {
            scope: scope.clone(),
            item: item.clone(),
            window: window(index),
            ceiling: self.ceiling(),
            mode: self.mode(),
            set_by: name("mia", PrincipalId::parse),
            set_at: self.instant(),
            reason: self.text(),
            request: self.flip().then(|| self.pick(&requests())),
            revision: self.integer(),
        });
        Change::Limits {
            limits: limits.collect(),
            scope: scope.clone(),
            item: item.clone(),
        }
    }

    pub(super) fn mode(&mut self) -> Mode {
        self.pick(&[Mode::Enforce, Mode::Warn, Mode::Observe])
    }

    pub(super) fn auto_approval(&mut self) -> AutoApproval {
        AutoApproval {
            ceiling: amount(self.next() >> 11),
            factor_percent: self.flip().then(|| self.pick(&[100, u32::MAX])),
            cool_off_ms: self.next() >> 1,
        }
    }

    /// Counts that a column of the ledger holds.
    pub(super) fn tally(&mut self) -> Tally {
        Tally {
            refused: self.next() >> 1,
            warned: self.next() >> 40,
            observed: 0,
            last_at: self.instant(),
        }
    }

    pub(super) fn tier(&mut self) -> Tier {
        let mut limits = Vec::new();
        for item in items() {
            if self.flip() {
                limits.push(TierLimit {
                    item,
                    ceiling: self.ceiling(),
                    mode: self.mode(),
                });
            }
        }
        Tier {
            name: self.pick(&tiers()),
            description: self.text(),
            limits: TierLimits::new(limits).expect("different items"),
        }
    }

    pub(super) fn request(&mut self) -> Request {
        let id = self.pick(&requests());
        Request {
            tenant: tenant_of(&id),
            id,
            scope: self.scope_id(),
            item: self.item(),
            ceiling: self.ceiling(),
            reason: self.text(),
            submitted_by: name("tom", PrincipalId::parse),
            submitted_at: self.instant(),
            present: self.ceiling(),
            approved_before: self.flip().then(|| self.instant()),
            status: match self.below(4) {
                0 => RequestStatus::Pending,
                1 => RequestStatus::Approved {
                    ruling: self.ruling(),
                    ceiling: self.ceiling(),
                    ends_at: self.flip().then(|| self.instant()),
                    limit_revision: self.integer(),
                    automatic: self.flip(),
                },
                2 => RequestStatus::Denied(self.ruling()),
                _ => RequestStatus::Cancelled(self.ruling()),
            },
            revision: self.integer(),
        }
    }

    fn ruling(&mut self) -> Ruling {
        Ruling {
            by: name("mia", PrincipalId::parse),
            at: self.instant(),
            reason: self.text(),
        }
    }

    pub(super) fn webhook(&mut self) -> Webhook {
        Webhook {
            id: self.pick(&webhooks()),
            reach: match self.flip() {
                true => Reach::Everything,
                false => Reach::Below(self.scope_id()),
            },
            url: self.text(),
            topics: Topic::ALL.into_iter().filter(|_| self.flip()).collect(),
            sealed_secret: self.next().to_le_bytes().repeat(self.below(9)),
            enabled: self.flip(),
            delivered: self.next() >> 1,
            revision: self.integer(),
        }
    }
}

fn window(index: usize) -> Window {
    let windows = [
        (None, None),
        (Some(5), None),
        (None, Some(7)),
        (Some(5), Some(9)),
    ];
    let (starts_at, ends_at) = windows[index];
    Window::new(starts_at.map(instant), ends_at.map(instant)).expect("a window")
}
