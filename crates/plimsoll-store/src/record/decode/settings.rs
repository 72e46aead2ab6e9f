//! Bytes to limits, tiers, requests and webhooks.

use plimsoll_core::model::{
    AutoApproval, Item, Limit, Mode, Reach, Request, RequestStatus, Ruling, Tally, Tier, TierLimit,
    TierLimits, Topic, Webhook, Window,
};
use plimsoll_core::names::{PrincipalId, RequestId, ScopeId, Text, TierName, WebhookId};

use super::{Parsed, Reader};

impl Reader<'_> {
    pub(super) fn limits(&mut self, scope: &ScopeId, item: &Item) -> Parsed<Vec<Limit>> {
        (0..self.len()?).map(|_| self.limit(scope, item)).collect()
    }

    fn limit(&mut self, scope: &ScopeId, item: &Item) -> Parsed<Limit> {
        Ok(Limit {
            scope: scope.clone(),
            item: item.clone(),
            window: self.window()?,
            ceiling: self.ceiling()?,
            mode: self.mode()?,
            set_by: self.name(PrincipalId::parse)?,
            set_at: self.instant()?,
            reason: self.name(Text::parse)?,
            request: self.optional_name(RequestId::parse)?,
            revision: self.integer()?,
        })
    }

    fn window(&mut self) -> Parsed<Window> {
        let starts_at = self.optional(Self::instant)?;
        let ends_at = self.optional(Self::instant)?;
        Window::new(starts_at, ends_at).ok_or_else(|| self.damage("a limit ends before it starts"))
    }

    pub(super) fn mode(&mut self) -> Parsed<Mode> {
        match self.byte()? {
            0 => Ok(Mode::Enforce),
            1 => Ok(Mode::Warn),
            2 => Ok(Mode::Observe),
            _ => Err(self.damage("a mode is of no known kind")),
        }
    }

    pub(super) fn auto_approval(&mut self) -> Parsed<AutoApproval> {
        let ceiling = self.amount()?;
        let factor = self.optional(Self::integer)?;
        let factor_percent = factor.map(u32::try_from).transpose();
        Ok(AutoApproval {
            ceiling,
            factor_percent: factor_percent.map_err(|_| self.damage("a factor is too large"))?,
            cool_off_ms: self.integer()?,
        })
    }

    pub(super) fn tally(&mut self) -> Parsed<Tally> {
        Ok(Tally {
            refused: self.integer()?,
            warned: self.integer()?,
            observed: self.integer()?,
            last_at: self.instant()?,
        })
    }

    pub(super) fn tier(&mut self) -> Parsed<Tier> {
        let name = self.name(TierName::parse)?;
        let description = self.name(Text::parse)?;
        let limits: Vec<TierLimit> = (0..self.len()?)
            .map(|_| {
                Ok(TierLimit {
                    item: self.item()?,
                    ceiling: self.ceiling()?,
                    mode: self.mode()?,
                })
            })
            .collect::<Parsed<_>>()?;
        let limits = TierLimits::new(limits);
        Ok(Tier {
            name,
            description,
            limits: limits
                .ok_or_else(|| self.damage("a tier's limits are too many or repeated"))?,
        })
    }

    pub(super) fn request(&mut self) -> Parsed<Request> {
        Ok(Request {
            id: self.name(RequestId::parse)?,
            tenant: self.name(ScopeId::parse)?,
            scope: self.name(ScopeId::parse)?,
            item: self.item()?,
            ceiling: self.ceiling()?,
            reason: self.name(Text::parse)?,
            submitted_by: self.name(PrincipalId::parse)?,
            submitted_at: self.instant()?,
            present: self.ceiling()?,
            approved_before: self.optional(Self::instant)?,
            status: match self.byte()? {
                0 => RequestStatus::Pending,
                1 => RequestStatus::Approved {
                    ruling: self.ruling()?,
                    ceiling: self.ceiling()?,
                    ends_at: self.optional(Self::instant)?,
                    limit_revision: self.integer()?,
                    automatic: self.flag()?,
                },
                2 => RequestStatus::Denied(self.ruling()?),
                3 => RequestStatus::Cancelled(self.ruling()?),
                _ => return Err(self.damage("a request's status is of no known kind")),
            },
            revision: self.integer()?,
        })
    }

    fn ruling(&mut self) -> Parsed<Ruling> {
        Ok(Ruling {
            by: self.name(PrincipalId::parse)?,
            at: self.instant()?,
            reason: self.name(Text::parse)?,
        })
    }

    pub(super) fn webhook(&mut self) -> Parsed<Webhook> {
        Ok(Webhook {
            id: self.name(WebhookId::parse)?,
            reach: self.reach()?,
            url: self.name(Text::parse)?,
            topics: (0..self.len()?)
                .map(|_| self.topic())
                .collect::<Parsed<_>>()?,
            sealed_secret: self.byte_string()?.to_vec(),
            enabled: self.flag()?,
            delivered: self.integer()?,
            revision: self.integer()?,
        })
    }

    fn topic(&mut self) -> Parsed<Topic> {
        let number = usize::from(self.byte()?);
        let topic = Topic::ALL.get(number).copied();
        topic.ok_or_else(|| self.damage("a topic is of no known kind"))
    }

    pub(super) fn reach(&mut self) -> Parsed<Reach> {
        Ok(if self.flag()? {
            Reach::Below(self.name(ScopeId::parse)?)
        } else {
            Reach::Everything
        })
    }
}
