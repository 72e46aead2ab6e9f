//! Requests that are due at fixed times.

use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;

use crate::bench::clock;
use crate::step::Failure;

/// Connections whose requests are due within the same one are woken together: to wake the generator
/// for each alone would take the processor from the server.
const TICK: Duration = Duration::from_micros(250);

/// When the next request of a connection is due, whatever became of the last: a wait for a slow
/// answer counts.
///
/// It has a timer of the system's, as those of tokio are late by a millisecond or two.
pub(super) struct Pacer {
    /// Read like a pipe: it has something to read when it is time.
    timer: Receiver,
    start: Instant,
    due: Instant,
    every: Duration,
}

impl Pacer {
    /// One of several connections that have `rate` requests a second together, from `start` on.
    pub(super) fn new(
        rate: f64,
        connections: u32,
        index: u32,
        start: Instant,
    ) -> Result<Self, Failure> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK);
        let timer = timer.map_err(broken)?;
        let every = Duration::from_secs_f64(f64::from(connections) / rate);
        Ok(Self {
            timer: Receiver::from_owned_fd_unchecked(timer).map_err(broken)?,
            start,
            due: start + every * index / connections,
            every,
        })
    }

    /// Waits until it is due, or a tick longer at most; latency counts from when it was due.
    pub(super) async fn turn(&mut self) -> Result<Instant, Failure> {
        self.due += self.every;
        let wait = self.tick().saturating_duration_since(clock::now());
        if !wait.is_zero() {
            self.sleep(wait).await?;
        }
        Ok(self.due)
    }

    /// The first tick that is not before the due time.
    fn tick(&self) -> Instant {
        let nanoseconds = (self.due - self.start).as_nanos();
        let ticks = nanoseconds.div_ceil(TICK.as_nanos());
        let ticks = u32::try_from(ticks).expect("a load is over within days");
        self.start + TICK * ticks
    }

    async fn sleep(&mut self, time: Duration) -> Result<(), Failure> {
        let once = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: Timespec::try_from(time).map_err(broken)?,
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once).map_err(broken)?;
        // Eight bytes come, the number of times; with room for more, nobody looks for a rest.
        let read = self.timer.read(&mut [0; 16]).await;
        read.map(|_| ()).map_err(broken)
    }
}

fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("a timer broke: {error}"))
}
