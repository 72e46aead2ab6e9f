//! Bytes to core values. Every length and number is checked: a record may come from anywhere.

pub(super) mod outline;
mod settings;

use std::collections::BTreeMap;
use std::fmt;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::command::ReservationKey;
use plimsoll_core::event::{Cause, Change, Crossing, Event, Log, Mark};
use plimsoll_core::model::{
    Account, Alerts, Asked, Attributes, Credential, Item, Line, Lines, Location, Original,
    Principal, Reservation, Resource, Role, Scope, State, Terms,
};
use plimsoll_core::names::NameError;
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, Text, TierName,
    WebhookId,
};

use super::EVENTS_OFFSET;

/// What is wrong with a record, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The byte at which it was noticed.
    pub(crate) offset: usize,
    /// What is wrong.
    pub(crate) what: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.what, self.offset)
    }
}

impl std::error::Error for Damage {}

type Parsed<T> = Result<T, Damage>;

/// Reads the events of a record, each with its bytes: `count` of them, and nothing behind them.
pub(super) fn events(body: &[u8], count: u32) -> Parsed<Vec<(Event, Box<[u8]>)>> {
    let mut reader = Reader {
        bytes: body,
        offset: EVENTS_OFFSET,
    };
    let mut events = Vec::new();
    for _ in 0..count {
        let start = reader.offset;
        let event = reader.event()?;
        events.push((
            event,
            body.get(start..reader.offset).unwrap_or_default().into(),
        ));
    }
    if reader.offset < body.len() {
        return Err(reader.damage("there are bytes behind the last event"));
    }
    Ok(events)
}

/// Reads one change, and nothing behind it.
pub(super) fn change(bytes: &[u8]) -> Parsed<Change> {
    let mut reader = Reader { bytes, offset: 0 };
    let change = reader.change()?;
    if reader.offset < bytes.len() {
        return Err(reader.damage("there are bytes behind the change"));
    }
    Ok(change)
}

/// Reads one event, and nothing behind it.
pub(super) fn event(bytes: &[u8]) -> Parsed<Event> {
    let mut reader = Reader { bytes, offset: 0 };
    let event = reader.event()?;
    if reader.offset < bytes.len() {
        return Err(reader.damage("there are bytes behind the event"));
    }
    Ok(event)
}

/// The numbers that bytes hold one behind the other, up to the first that is none.
pub(super) fn integers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let mut reader = Reader { bytes, offset: 0 };
    std::iter::from_fn(move || reader.integer().ok())
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn damage(&self, what: &'static str) -> Damage {
        Damage {
            offset: self.offset,
            what,
        }
    }

    fn take(&mut self, len: usize) -> Parsed<&'a [u8]> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let taken = rest
            .get(..len)
            .ok_or_else(|| self.damage("a value is cut short"))?;
        self.offset += len;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Parsed<u8> {
        self.array().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Parsed<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.damage("a flag is neither 0 nor 1")),
        }
    }

    #[inline]
    fn integer(&mut self) -> Parsed<u64> {
        // Most are small.
        if let Some(byte @ 0..0x80) = self.bytes.get(self.offset).copied() {
            self.offset += 1;
            return Ok(u64::from(byte));
        }
        self.large_integer()
    }

    fn large_integer(&mut self) -> Parsed<u64> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let mut value: u64 = 0;
        for (index, shift) in (0..64).step_by(7).enumerate() {
            let byte = *rest.get(index).ok_or(Damage {
                offset: self.bytes.len(),
                what: "a value is cut short",
            })?;
            self.offset += 1;
            let bits = u64::from(byte & 0x7f);
            if bits
                .checked_shl(shift)
                .is_none_or(|shifted| shifted >> shift != bits)
            {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.damage("a number does not fit into 64 bits"))
    }

    fn len(&mut self) -> Parsed<usize> {
        let len = self.integer()?;
        usize::try_from(len)
            .ok()
            .filter(|len| *len <= self.bytes.len())
            .ok_or_else(|| self.damage("a length is greater than the record"))
    }

    fn byte_string(&mut self) -> Parsed<&'a [u8]> {
        let len = self.len()?;
        self.take(len)
    }

    fn name<T>(&mut self, parse: fn(&str) -> Result<T, NameError>) -> Parsed<T> {
        let bytes = self.byte_string()?;
        str::from_utf8(bytes)
            .ok()
            .and_then(|text| parse(text).ok())
            .ok_or_else(|| self.damage("a name is not one"))
    }

    fn optional_name<T>(&mut self, parse: fn(&str) -> Result<T, NameError>) -> Parsed<Option<T>> {
        if self.flag()? {
            self.name(parse).map(Some)
        } else {
            Ok(None)
        }
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<Option<T>> {
        if self.flag()? {
            read(self).map(Some)
        } else {
            Ok(None)
        }
    }

    fn amount(&mut self) -> Parsed<Amount> {
        let units = self.integer()?;
        Amount::new(units).ok_or_else(|| self.damage("an amount is too large"))
    }

    fn instant(&mut self) -> Parsed<Timestamp> {
        let ms = self.integer()?;
        Timestamp::from_ms(ms).ok_or_else(|| self.damage("an instant is too late"))
    }

    fn ceiling(&mut self) -> Parsed<Ceiling> {
        if self.flag()? {
            Ok(Ceiling::Unlimited)
        } else {
            self.amount().map(Ceiling::Finite)
        }
    }

    fn item(&mut self) -> Parsed<Item> {
        Ok(Item {
            resource: self.name(ResourceName::parse)?,
            location: self.optional_name(LocationId::parse)?,
        })
    }

    fn attributes(&mut self) -> Parsed<Attributes> {
        let mut entries = BTreeMap::new();
        for _ in 0..self.len()? {
            entries.insert(self.name(Text::parse)?, self.name(Text::parse)?);
        }
        Attributes::new(entries).ok_or_else(|| self.damage("there are too many attributes"))
    }

    fn event(&mut self) -> Parsed<Event> {
        let log = match self.byte()? {
            0 => Log::Catalogue,
            1 => Log::Tenant(self.name(ScopeId::parse)?),
            _ => return Err(self.damage("a log is of no known kind")),
        };
        let revision = self.integer()?;
        let at = self.instant()?;
        let actor = self.name(PrincipalId::parse)?;
        let cause = self.cause()?;
        let reason = self.optional_name(Text::parse)?;
        let mark = self.mark()?;
        let changes = (0..self.len()?)
            .map(|_| self.change())
            .collect::<Parsed<_>>()?;
        let crossed = (0..self.len()?)
            .map(|_| self.crossing())
            .collect::<Parsed<_>>()?;
        Ok(Event {
            log,
            revision,
            at,
            actor,
            cause,
            reason,
            mark,
            changes,
            crossed,
        })
    }

    fn mark(&mut self) -> Parsed<Mark> {
        Ok(match self.byte()? {
            0 => Mark::Enforced,
            1 => Mark::Forced {
                reason: self.name(Text::parse)?,
            },
            2 => Mark::Mended {
                reason: self.name(Text::parse)?,
            },
            3 => Mark::Passed {
                limits: (0..self.len()?)
                    .map(|_| Ok((self.name(ScopeId::parse)?, self.item()?, self.mode()?)))
                    .collect::<Parsed<_>>()?,
            },
            _ => return Err(self.damage("a mark is of no known kind")),
        })
    }

    fn crossing(&mut self) -> Parsed<Crossing> {
        Ok(Crossing {
            scope: self.name(ScopeId::parse)?,
            item: self.item()?,
            percent: self.byte()?,
            ceiling: self.amount()?,
            taken: self.amount()?,
        })
    }

    fn cause(&mut self) -> Parsed<Cause> {
        Ok(match self.byte()? {
            0 => Cause::Reserved,
            1 => Cause::Committed,
            2 => Cause::Released,
            3 => Cause::Expired,
            4 => Cause::ResourcePut,
            5 => Cause::LocationPut,
            6 => Cause::ScopePut,
            7 => Cause::LimitPut,
            8 => Cause::LimitDeleted,
            9 => Cause::PrincipalCreated,
            10 => Cause::PrincipalChanged,
            11 => Cause::PrincipalDeleted,
            12 => Cause::Extended,
            13 => Cause::Resized,
            14 => Cause::Transferred,
            15 => Cause::Forgotten,
            16 => Cause::TierPut,
            17 => Cause::RefusalsCounted,
            18 => Cause::RequestSubmitted,
            19 => Cause::RequestApproved,
            20 => Cause::RequestDenied,
            21 => Cause::RequestCancelled,
            22 => Cause::WebhookPut,
            23 => Cause::WebhookDeleted,
            24 => Cause::WebhookDelivered,
            _ => return Err(self.damage("a cause is of no known kind")),
        })
    }

    fn change(&mut self) -> Parsed<Change> {
        Ok(match self.byte()? {
            0 => Change::Resource(self.resource()?.into()),
            1 => Change::Location(self.location()?),
            2 => Change::Scope(self.scope()?.into()),
            3 => {
                let (scope, item) = (self.name(ScopeId::parse)?, self.item()?);
                Change::Limits {
                    limits: self.limits(&scope, &item)?,
                    scope,
                    item,
                }
            }
            4 => Change::Tally {
                scope: self.name(ScopeId::parse)?,
                item: self.item()?,
                tally: self.tally()?,
            },
            5 => Change::Account {
                scope: self.name(ScopeId::parse)?,
                item: self.item()?,
                account: Account {
                    used: self.amount()?,
                    held: self.amount()?,
                },
            },
            6 => Change::Reservation(self.reservation()?.into()),
            7 => Change::Principal(self.principal()?.into()),
            8 => Change::PrincipalGone(self.name(PrincipalId::parse)?),
            9 => Change::ReservationGone(ReservationKey {
                tenant: self.name(ScopeId::parse)?,
                id: self.name(ReservationId::parse)?,
            }),
            10 => Change::Tier(self.tier()?),
            11 => Change::Request(self.request()?.into()),
            12 => Change::RequestGone {
                tenant: self.name(ScopeId::parse)?,
                id: self.name(RequestId::parse)?,
            },
            13 => Change::Webhook(self.webhook()?.into()),
            14 => Change::WebhookGone(self.name(WebhookId::parse)?),
            _ => return Err(self.damage("a change is of no known kind")),
        })
    }

    fn resource(&mut self) -> Parsed<Resource> {
        Ok(Resource {
            name: self.name(ResourceName::parse)?,
            unit: self.name(Text::parse)?,
            default_ceiling: self.ceiling()?,
            per_location: self.flag()?,
            adjustable: self.flag()?,
            description: self.name(Text::parse)?,
            auto_approval: self.optional(Self::auto_approval)?,
            alerts: {
                let percents = self.byte_string()?.to_vec();
                Alerts::new(percents).ok_or_else(|| self.damage("alerts are none"))?
            },
        })
    }

    fn location(&mut self) -> Parsed<Location> {
        Ok(Location {
            id: self.name(LocationId::parse)?,
            name: self.name(Text::parse)?,
            attributes: self.attributes()?,
        })
    }

    fn scope(&mut self) -> Parsed<Scope> {
        Ok(Scope {
            id: self.name(ScopeId::parse)?,
            parent: self.optional_name(ScopeId::parse)?,
            tenant: self.name(ScopeId::parse)?,
            depth: self.byte()?,
            kind: self.name(Text::parse)?,
            tier: self.optional_name(TierName::parse)?,
        })
    }

    fn reservation(&mut self) -> Parsed<Reservation> {
        Ok(Reservation {
            tenant: self.name(ScopeId::parse)?,
            id: self.name(ReservationId::parse)?,
            scope: self.name(ScopeId::parse)?,
            lines: self.lines()?,
            original: if self.flag()? {
                Some(Box::new(self.original()?))
            } else {
                None
            },
            terms: if self.flag()? {
                Terms::Commit
            } else {
                Terms::Hold {
                    ttl_ms: self.integer()?,
                }
            },
            forced: self.optional_name(Text::parse)?,
            holder: self.optional_name(Text::parse)?,
            attributes: self.attributes()?,
            state: match self.byte()? {
                0 => State::Held {
                    expires_at: self.instant()?,
                },
                1 => State::Committed,
                2 => State::Released {
                    ended_at: self.instant()?,
                },
                3 => State::Expired {
                    ended_at: self.instant()?,
                },
                _ => return Err(self.damage("a state is of no known kind")),
            },
            created_at: self.instant()?,
            revision: self.integer()?,
        })
    }

    fn lines(&mut self) -> Parsed<Lines> {
        let lines = (0..self.len()?)
            .map(|_| self.line())
            .collect::<Parsed<_>>()?;
        Lines::new(lines).map_err(|_| self.damage("a reservation's lines are none"))
    }

    fn line(&mut self) -> Parsed<Line> {
        Ok(Line {
            item: self.item()?,
            amount: self.amount()?,
        })
    }

    fn original(&mut self) -> Parsed<Original> {
        let scope = self.name(ScopeId::parse)?;
        let asked: Vec<(Line, Amount)> = (0..self.len()?)
            .map(|_| Ok((self.line()?, self.amount()?)))
            .collect::<Parsed<_>>()?;
        let (lines, at_least): (Vec<Line>, Vec<Amount>) = asked.into_iter().unzip();
        let lines = Lines::new(lines).ok();
        let asked = lines.and_then(|lines| Asked::at_least(lines, at_least));
        Ok(Original {
            scope,
            asked: asked.ok_or_else(|| self.damage("an original's lines are none"))?,
        })
    }

    fn principal(&mut self) -> Parsed<Principal> {
        Ok(Principal {
            id: self.name(PrincipalId::parse)?,
            role: match self.byte()? {
                0 => Role::Viewer,
                1 => Role::Enforcer,
                2 => Role::Manager,
                3 => Role::Admin,
                _ => return Err(self.damage("a role is of no known kind")),
            },
            reach: self.reach()?,
            may_force: self.flag()?,
            credential: if self.flag()? {
                Credential::Token {
                    hash: self.array()?,
                }
            } else {
                Credential::AccessKey {
                    sealed_secret: self.byte_string()?.to_vec(),
                }
            },
            enabled: self.flag()?,
            expires_at: self.optional(Self::instant)?,
            description: self.name(Text::parse)?,
            created_at: self.instant()?,
            revision: self.integer()?,
        })
    }
}
