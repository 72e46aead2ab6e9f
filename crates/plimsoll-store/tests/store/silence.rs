//! A database that accepts connections and says nothing: behind a proxy, or on a network that
//! drops what was sent.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plimsoll_store::{PostgresOptions, Store, SubmitError};

use crate::cluster;
use crate::nodes::faults::until_back;
use crate::support::*;

/// Connections to a server, until it falls silent: then those that are open are cut, and new ones
/// are accepted and hear nothing, for good.
#[derive(Default)]
struct Relay {
    is_silent: bool,
    open: Vec<TcpStream>,
}

/// The port at which it listens, and what it does.
fn relay(socket: PathBuf) -> (u16, Arc<Mutex<Relay>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let relay = Arc::new(Mutex::new(Relay::default()));
    let shared = Arc::clone(&relay);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut relay = shared.lock().unwrap_or_else(PoisonError::into_inner);
            if !relay.is_silent {
                let server = UnixStream::connect(&socket).expect("the server is there");
                let client = stream.try_clone().expect("a socket");
                let (there, here) = (Arc::new(server), Arc::new(client));
                let (back, forth) = (Arc::clone(&there), Arc::clone(&here));
                std::thread::spawn(move || {
                    // It ends with either of them.
                    let _ = std::io::copy(&mut &*forth, &mut &*there);
                    let _ = there.shutdown(Shutdown::Both);
                });
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut &*back, &mut &*here);
                    let _ = here.shutdown(Shutdown::Both);
                });
            }
            relay.open.push(stream);
        }
    });
    (port, relay)
}

fn options(port: u16, name: &str) -> PostgresOptions {
    PostgresOptions {
        connect_timeout: Duration::from_secs(1),
        statement_timeout: Duration::from_secs(1),
        ..PostgresOptions::new(format!(
            "host=127.0.0.1 port={port} user=plimsoll dbname={name}"
        ))
    }
}

#[test]
fn a_database_that_says_nothing_is_given_up_at_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let options = options(port, "db");
    let opened = wait(Store::postgres(&options, HandClock::default().clock()));
    let error = chain_of(&opened.map(drop).expect_err("nobody answers"));
    assert!(error.contains("does not answer"), "{error}");
}

#[test]
fn connections_that_hear_nothing_are_given_up() {
    let database = cluster::database();
    let name = database.url.rsplit('=').next().expect("a name").to_owned();
    let socket = cluster::shared().folder().join(".s.PGSQL.5432");
    let (port, relay) = relay(socket);
    let lock = || relay.lock().unwrap_or_else(PoisonError::into_inner);
    // Statements may be slow where many tests run.
    let options = PostgresOptions {
        statement_timeout: Duration::from_secs(5),
        ..options(port, &name)
    };
    let node = cluster::node(&options, HandClock::default().clock());
    submit(&node, base());
    {
        let mut relay = lock();
        relay.is_silent = true;
        for stream in relay.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
    let command = || vec![reserve("r1", "p", &[("vm/disk", 1)], None)];
    assert!(wait(node.submit(command())).is_err());
    until("connections hear nothing", || !lock().open.is_empty());
    lock().is_silent = false;
    until_back(std::slice::from_ref(&node));
    // A look at the database that began in the silence may come to nothing only now.
    let mut decided = Err(SubmitError::Unavailable);
    until("whoever asks again is served", || {
        decided = wait(node.submit(command()));
        decided.is_ok()
    });
    assert!(reserved(decided).is_some());
}
