//! The network: it delays, loses, repeats and reorders, both ways.

use std::cmp::Ordering;

use plimsoll_dialects::http::Reply;

use super::{PATIENCE_MS, PATIENCE_MS_MAX, World};
use crate::step::Ask;

/// Something that will happen.
pub(super) enum Event {
    /// A client thinks of something to ask for, unless it has had another thought since.
    Think { client: usize, thought: u64 },
    /// A client has heard nothing.
    Impatience {
        client: usize,
        number: u64,
        tries: u32,
    },
    /// A request arrives.
    Deliver(Message),
    /// An answer arrives.
    Hear {
        client: usize,
        number: u64,
        reply: Reply,
    },
    /// The server decides what has arrived.
    Serve,
    /// The server lets holds lapse.
    Sweep,
    /// The server adds up what it has refused.
    Count,
    /// Windows turn, and many ask just then.
    Rush,
    /// Somebody starts the server, or it loads its rows anew.
    Start,
    /// The machine's clock is set right.
    MendClock,
    /// Something goes wrong.
    Misfortune,
}

/// A request on its way.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) client: usize,
    pub(super) number: u64,
    pub(super) ask: Ask,
}

/// An event with its time: the earliest comes first out of a heap.
pub(super) struct Due {
    pub(super) at_ms: u64,
    pub(super) order: u64,
    pub(super) event: Event,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_ms, other.order).cmp(&(self.at_ms, self.order))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

impl World {
    /// Sends a client's request, for the first time or once more.
    pub(super) fn send(&mut self, client: usize) {
        let Some(flying) = &mut self.flying[client] else {
            return;
        };
        flying.tries += 1;
        let (number, tries) = (flying.number, flying.tries);
        let message = Message {
            client,
            number,
            ask: flying.ask.clone(),
        };
        let patience_ms = PATIENCE_MS << tries.saturating_sub(1).min(5);
        let patience_ms = if self.is_calm {
            PATIENCE_MS
        } else {
            patience_ms.min(PATIENCE_MS_MAX)
        };
        self.plan(
            patience_ms,
            Event::Impatience {
                client,
                number,
                tries,
            },
        );
        for in_ms in self.ways("requests lost", "requests repeated on the way") {
            self.plan(in_ms, Event::Deliver(message.clone()));
        }
    }

    /// Sends the answer to a ticket.
    pub(super) fn send_reply(&mut self, ticket: u64, reply: &Reply) {
        let Some((client, number)) = self.tickets.remove(&ticket) else {
            return;
        };
        for in_ms in self.ways("answers lost", "answers repeated on the way") {
            let reply = reply.clone();
            self.plan(
                in_ms,
                Event::Hear {
                    client,
                    number,
                    reply,
                },
            );
        }
    }

    /// How long each copy of a message takes: none where it is lost, two where it is repeated.
    fn ways(&mut self, lost: &'static str, repeated: &'static str) -> Vec<u64> {
        if self.is_calm {
            return vec![self.random.between(1, 20)];
        }
        if self.random.permille(30) {
            self.stage.counts.add(lost);
            return Vec::new();
        }
        let mut ways = vec![self.delay()];
        if self.random.permille(40) {
            self.stage.counts.add(repeated);
            ways.push(self.delay());
        }
        ways
    }

    /// Mostly milliseconds; sometimes so long that everything after it overtakes.
    fn delay(&mut self) -> u64 {
        match self.random.below(1_000) {
            0..8 => {
                self.stage.counts.add("messages delayed for minutes");
                self.random.between(60_000, 600_000)
            }
            8..60 => {
                self.stage.counts.add("messages delayed for seconds");
                self.random.between(1_000, 15_000)
            }
            _ => self.random.between(1, 40),
        }
    }
}
