//! A signal to end, heard so that servers are ended and files are taken away.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use crate::step::Failure;

static HEARD: AtomicBool = AtomicBool::new(false);

/// Listens from now on, for as long as this program runs.
pub(crate) fn listen() -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("signals cannot be heard: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let (mut interrupt, mut terminate, mut hang_up) = {
        let _inside = runtime.enter();
        let hear = |kind| signal(kind).map_err(failed);
        (
            hear(SignalKind::interrupt())?,
            hear(SignalKind::terminate())?,
            hear(SignalKind::hangup())?,
        )
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
        });
        HEARD.store(true, Ordering::Relaxed);
    });
    Ok(())
}

/// Whether there was none so far.
pub(crate) fn none() -> Result<(), Failure> {
    if HEARD.load(Ordering::Relaxed) {
        Err(Failure::new("ended by a signal"))
    } else {
        Ok(())
    }
}
