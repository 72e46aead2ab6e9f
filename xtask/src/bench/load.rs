//! The generator: connections that each send one request at a time and wait for its answer.
//!
//! The same code drives every system; only the bytes and where an answer ends differ.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::bench::framing::{Framing, Verdict};
use crate::bench::pace::Pacer;
use crate::bench::process::{cpu_seconds, resident_bytes};
use crate::bench::template::{Accounts, Requests, Template};
use crate::bench::{clock, interrupt, sample::Sample};
use crate::step::Failure;

const WARMING: u8 = 0;
const MEASURING: u8 = 1;
const OVER: u8 = 2;

/// How long after the end an answer may still come.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// Bytes that one read takes at most.
const READ_BYTES: usize = 256 << 10;

/// What to send, to whom, how often.
#[derive(Clone)]
pub(super) struct Load {
    /// Connections go to each of these in turn.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) framing: Framing,
    /// Sent once on each connection, each answered before the next.
    pub(super) greeting: Vec<Vec<u8>>,
    pub(super) request: Template,
    pub(super) accounts: Accounts,
    /// Reservations in one request.
    pub(super) weight: u64,
    pub(super) connections: u32,
    /// The servers, whose CPU time is read.
    pub(super) servers: Vec<u32>,
    /// Requests a second of all connections together; as many as go where it is left out.
    pub(super) pace: Option<f64>,
}

/// How long, or how many.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) warm_up: Duration,
    pub(super) measure: Duration,
    /// Each connection ends after so many requests.
    pub(super) requests_max: u64,
}

impl Span {
    pub(super) fn seconds(warm_up: f64, measure: f64) -> Self {
        Self {
            warm_up: Duration::from_secs_f64(warm_up),
            measure: Duration::from_secs_f64(measure),
            requests_max: u64::MAX,
        }
    }

    /// So many requests on each connection, however long it takes within reason.
    pub(super) fn requests(requests_max: u64) -> Self {
        Self {
            warm_up: Duration::ZERO,
            measure: Duration::from_secs(120),
            requests_max,
        }
    }
}

/// What one connection saw while it was measured.
#[derive(Default)]
struct Tally {
    nanoseconds: Vec<u32>,
    granted: u64,
    refused: u64,
    busy: u64,
    acknowledged: u64,
}

impl Load {
    /// Sends, and tells what came of it.
    pub(super) fn run(&self, span: Span) -> Result<Sample, Failure> {
        let phase = Arc::new(AtomicU8::new(WARMING));
        let seen = Arc::clone(&phase);
        let load = self.clone();
        let generator = std::thread::spawn(move || drive(&load, span, &seen));
        clock::wait(span.warm_up);
        let before = Reading::take(&self.servers);
        phase.store(MEASURING, Ordering::Relaxed);
        while before.at.elapsed() < span.measure && !generator.is_finished() {
            clock::wait(Duration::from_millis(2).min(span.measure));
            if interrupt::none().is_err() {
                break;
            }
        }
        let after = Reading::take(&self.servers);
        phase.store(OVER, Ordering::Relaxed);
        let tallies = generator.join();
        interrupt::none()?;
        let tallies = tallies.map_err(|_| Failure::new("the generator panicked"))??;
        Ok(self.sample(tallies, &before, &after))
    }

    fn sample(&self, tallies: Vec<Tally>, before: &Reading, after: &Reading) -> Sample {
        let mut nanoseconds = Vec::new();
        let mut sample = Sample {
            seconds: (after.at - before.at).as_secs_f64(),
            server_cpu_seconds: after.server - before.server,
            load_cpu_seconds: after.load - before.load,
            resident_bytes: after.resident_bytes,
            ..Sample::default()
        };
        for tally in tallies {
            nanoseconds.extend(tally.nanoseconds);
            sample.granted += tally.granted * self.weight;
            sample.refused += tally.refused * self.weight;
            sample.busy += tally.busy * self.weight;
            sample.acknowledged += tally.acknowledged * self.weight;
        }
        nanoseconds.sort_unstable();
        sample.nanoseconds = nanoseconds;
        sample
    }
}

struct Reading {
    at: Instant,
    server: f64,
    load: f64,
    resident_bytes: u64,
}

impl Reading {
    fn take(servers: &[u32]) -> Self {
        Self {
            at: clock::now(),
            server: servers.iter().map(|id| cpu_seconds(*id)).sum(),
            load: own_cpu_seconds(),
            resident_bytes: servers.iter().map(|id| resident_bytes(*id)).sum(),
        }
    }
}

/// Ours without our children's.
fn own_cpu_seconds() -> f64 {
    crate::bench::process::own_cpu_seconds(std::process::id())
}

fn drive(load: &Load, span: Span, phase: &Arc<AtomicU8>) -> Result<Vec<Tally>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("no runtime: {error}")))?;
    runtime.block_on(async {
        let mut connections = JoinSet::new();
        let start = clock::now();
        for index in 0..load.connections {
            let (load, phase) = (load.clone(), Arc::clone(phase));
            connections.spawn(async move { converse(&load, index, start, span, &phase).await });
        }
        let limit = span.warm_up + span.measure + ANSWER_MAX;
        let all = tokio::time::timeout(limit, connections.join_all()).await;
        let all = all.map_err(|_| Failure::new("answers did not come in time"))?;
        all.into_iter().collect()
    })
}

async fn converse(
    load: &Load,
    index: u32,
    start: Instant,
    span: Span,
    phase: &AtomicU8,
) -> Result<Tally, Failure> {
    let broken = |error| Failure::new(format!("a connection broke: {error}"));
    let mut turns = load.addresses.iter().cycle();
    let address = turns.nth(index as usize);
    let address = address.ok_or_else(|| Failure::new("a load goes nowhere"))?;
    let mut stream = TcpStream::connect(address).await.map_err(broken)?;
    stream.set_nodelay(true).map_err(broken)?;
    let mut buffer = Vec::with_capacity(READ_BYTES.min(4 << 10));
    for message in &load.greeting {
        stream.write_all(message).await.map_err(broken)?;
        answer(&mut stream, load.framing, &mut buffer).await?;
    }
    let mut requests = Requests::new(load.request.clone(), load.accounts);
    let mut tally = Tally::default();
    let mut pacer = load
        .pace
        .map(|rate| Pacer::new(rate, load.connections, index, start))
        .transpose()?;
    for _ in 0..span.requests_max {
        let request = requests.next();
        let start = match &mut pacer {
            Some(pacer) => pacer.turn().await?,
            None => clock::now(),
        };
        stream.write_all(request).await.map_err(broken)?;
        let verdict = answer(&mut stream, load.framing, &mut buffer).await?;
        if verdict == Verdict::Failed {
            let shown = String::from_utf8_lossy(&buffer[..buffer.len().min(600)]).into_owned();
            return Err(Failure::new(format!("a request failed: {shown}")));
        }
        tally.acknowledged += u64::from(verdict == Verdict::Granted);
        match phase.load(Ordering::Relaxed) {
            WARMING => {}
            MEASURING => tally.add(verdict, start.elapsed()),
            _ => break,
        }
    }
    Ok(tally)
}

/// Reads one answer into `buffer`.
async fn answer(
    stream: &mut TcpStream,
    framing: Framing,
    buffer: &mut Vec<u8>,
) -> Result<Verdict, Failure> {
    buffer.clear();
    loop {
        let read = stream.read_buf(buffer).await;
        let read = read.map_err(|error| Failure::new(format!("a connection broke: {error}")))?;
        if read == 0 {
            return Err(Failure::new("a server closed a connection"));
        }
        if let Some(verdict) = framing.verdict(buffer) {
            return Ok(verdict);
        }
        if buffer.len() == buffer.capacity() {
            buffer.reserve(buffer.len().min(READ_BYTES));
        }
    }
}

impl Tally {
    fn add(&mut self, verdict: Verdict, took: Duration) {
        match verdict {
            Verdict::Granted => {
                self.granted += 1;
                let nanoseconds = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
                self.nanoseconds.push(nanoseconds);
            }
            Verdict::Refused => self.refused += 1,
            Verdict::Busy => self.busy += 1,
            Verdict::Failed => {}
        }
    }
}
