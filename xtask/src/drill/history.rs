//! What callers asked, and what they were told: one list of operations per tenant.

use std::fmt::Write as _;

/// What is counted in a run: one resource, at no location.
pub(super) const RESOURCE: &str = "vm/seat";

/// What there may be at a tenant, and at its scope [`WEB`].
pub(super) const TENANT_LIMIT: u64 = 40;
pub(super) const WEB_LIMIT: u64 = 30;

/// The scopes of a tenant: its id, a hyphen and one of these.
pub(super) const WEB: &str = "web";
pub(super) const APP: &str = "app";

/// How long a hold lasts: longer than any run, so that none lapses in it.
pub(super) const HOLD_SECONDS: u64 = 24 * 60 * 60;

/// What one caller asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// To take so much, for now or for good.
    Reserve {
        /// The caller's id for it, unique in the run.
        id: String,
        scope: String,
        amount: u64,
        for_good: bool,
    },
    /// To keep what is held.
    Commit { id: String },
    /// To let it go.
    Release { id: String },
    /// To take another amount instead.
    Resize { id: String, amount: u64 },
    /// What is taken at a scope.
    Figures { scope: String },
    /// How a reservation stands.
    Look { id: String },
}

/// What the caller was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// How the reservation stands now.
    Row(Row),
    /// No: the code, and which limits are in the way.
    Denied(String, Vec<Exceeded>),
    /// What is used and held.
    Figures { used: u64, held: u64 },
}

/// A reservation as an answer shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) scope: String,
    pub(super) state: String,
    pub(super) amount: u64,
    pub(super) revision: u64,
}

/// A limit as a refusal shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exceeded {
    pub(super) scope: String,
    pub(super) limit: u64,
    pub(super) used: u64,
    pub(super) held: u64,
    pub(super) asked: u64,
}

/// One operation, from when it was asked until it was answered; instants in nanoseconds.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) tenant: String,
    pub(super) ask: Ask,
    pub(super) called: u64,
    /// `None` where nobody knows whether it was done, or ever will be.
    pub(super) end: Option<End>,
}

/// How an operation ended.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) at: u64,
    pub(super) answer: Answer,
}

impl Ask {
    /// The reservation that it is about.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Ask::Reserve { id, .. }
            | Ask::Commit { id }
            | Ask::Release { id }
            | Ask::Resize { id, .. }
            | Ask::Look { id } => Some(id),
            Ask::Figures { .. } => None,
        }
    }

    /// Whether it may change anything.
    pub(super) fn is_change(&self) -> bool {
        match self {
            Ask::Reserve { .. } | Ask::Commit { .. } | Ask::Release { .. } | Ask::Resize { .. } => {
                true
            }
            Ask::Figures { .. } | Ask::Look { .. } => false,
        }
    }
}

impl Operation {
    /// The reservation that it is about and the revision at which it is told to be, where it was
    /// to be changed and was not refused.
    pub(super) fn acknowledged(&self) -> Option<(&str, &Row)> {
        let end = self.end.as_ref().filter(|_| self.ask.is_change())?;
        match &end.answer {
            Answer::Row(row) => Some((self.ask.id()?, row)),
            Answer::Denied(..) | Answer::Figures { .. } => None,
        }
    }

    /// For people.
    pub(super) fn told(&self) -> String {
        let mut text = format!("{} ms: {:?} → ", self.called / 1_000_000, self.ask);
        let written = match &self.end {
            Some(End { at, answer }) => write!(text, "{} ms: {answer:?}", at / 1_000_000),
            None => write!(text, "not known"),
        };
        written.expect("a text grows");
        text
    }
}

/// The scope of a tenant with this name.
pub(super) fn scope_of(tenant: &str, name: &str) -> String {
    format!("{tenant}-{name}")
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// An index into something of this length.
    pub(super) fn index(&mut self, length: usize) -> usize {
        let bound = u64::try_from(length).expect("a length");
        usize::try_from(self.below(bound)).expect("below a length")
    }
}
