//! A bare hyper server that answers a fixed body: what HTTP alone costs.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::bench::process::Process;
use crate::step::{Failure, program};

/// The word of the command line that makes this program the server.
pub(crate) const CHORE: &str = "bench-ceiling";

/// The server, as a process of its own.
pub(super) struct Ceiling {
    pub(super) process: Process,
    pub(super) address: SocketAddr,
}

impl Ceiling {
    /// Starts this program once more, as the server.
    pub(super) fn start(folder: &Path, body_bytes: usize) -> Result<Self, Failure> {
        let myself = std::env::current_exe();
        let myself = myself.map_err(|error| Failure::new(format!("who am I: {error}")))?;
        let mut command = program(myself, folder);
        command.args([CHORE, &body_bytes.to_string()]);
        let log = folder.join("ceiling.log");
        let mut process = Process::start(&mut command, &log, "KILL")?;
        let lines = process.lines_until(|line| line.starts_with("127."))?;
        let address = lines.last().and_then(|line| line.parse().ok());
        let address = address.ok_or_else(|| Failure::new("the bare server has no address"))?;
        Ok(Self { process, address })
    }
}

/// Serves until it is ended; the runtime is that of Plimsoll's server.
pub(crate) fn serve(body_bytes: usize) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .and_then(|runtime| runtime.block_on(answer_all(body_bytes)));
    runtime.map_err(|error| Failure::new(format!("the bare server ended: {error}")))
}

async fn answer_all(body_bytes: usize) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let body = Bytes::from(vec![b' '; body_bytes]);
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        let service = service_fn(move |request| answer(request, body.clone()));
        connections.spawn(async move {
            let served = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
            // A connection that the generator closes is at its end, not broken.
            drop(served);
        });
    }
}

/// Reads what was sent, as every server must, and answers.
async fn answer(
    request: Request<Incoming>,
    body: Bytes,
) -> Result<Response<Full<Bytes>>, Infallible> {
    drop(request.into_body().collect().await);
    let response = Response::builder().header("content-type", "application/json");
    Ok(response.body(Full::new(body)).expect("one plain header"))
}
