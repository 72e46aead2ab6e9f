//! The one binary: `plimsoll serve`, `plimsoll verify` for auditors, and `plimsoll openapi` for the
//! API's document.
//!
//! ```text
//! http ──Request──► service ──► auth (who?) ──► dialect decode ──► store ──► dialect encode ──► Reply
//! ```
//!
//! Modules, in reading order: `cli`, `config`, `serve` (start-up), `http` (sockets), `service`
//! (one request end to end), `auth` and `secrets` (who calls), `throttle`, `webhooks` (who is told),
//! `jobs` (what runs beside requests), `bootstrap` and `demo` (what a first start makes), `clock`.

mod auth;
mod bootstrap;
mod cli;
mod clock;
mod config;
mod demo;
mod http;
mod jobs;
mod refusals;
mod secrets;
mod serve;
mod service;
mod throttle;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;

/// Requests are read on one thread and forgotten on another: the system's allocator takes a lock
/// for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run(&cli::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("plimsoll: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// An error with all its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
