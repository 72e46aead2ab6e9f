//! What a simulation drives instead of a [`Store`](crate::Store): the same engine, with a journal
//! and a time of its own, and no thread. No promise is made to anybody else.

pub use crate::engine::{ByTheRules, Decide, Engine, Journal, StepError};
pub use crate::record::{Damage, RecordWriter};
pub use crate::replay::{Misfit, Place, replay};
