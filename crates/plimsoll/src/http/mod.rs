//! Sockets: HTTP/1.1 in and out, bounded in bytes, time and connections.
//!
//! Modules, in reading order: `limits` (every bound), `connection` (one connection), `body` (one
//! request's body), `wire` (what passes over a connection, byte for byte), `trace` (which request
//! a byte belongs to).

mod body;
mod connection;
mod limits;
mod trace;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::jobs;
use crate::service::Service;
use limits::Limits;

/// How long requests in flight may take once the server is to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves until `stop` says so, then lets what is in flight end.
pub(crate) async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    mut stop: watch::Receiver<bool>,
) {
    let limits = Arc::new(Limits::new(limits::connections_max(), stop.clone()));
    loop {
        let next = async {
            let place = limits.place().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = told(&mut stop) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (service, limits, stop) = (Arc::clone(&service), Arc::clone(&limits), stop.clone());
        jobs::start(async move {
            connection::serve(stream, service, limits, stop).await;
            drop(place);
        });
    }
    drop(listener);
    let drained = tokio::time::timeout(DRAIN_TIMEOUT, limits.all_places()).await;
    if drained.is_err() {
        tracing::warn!("connections were cut off: their requests took too long");
    }
}

/// Waits until the server is to stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone: that is the end too.
    let _ = stop.wait_for(|stops| *stops).await;
}
