//! How much memory bodies take, and how often they are moved.

use tokio::sync::watch;

use super::super::limits::BODY_BYTES_IN_FLIGHT_MAX;
use super::*;

const BYTES_MAX: usize = 8 << 20;

const PEERS: usize = 4_096;

fn limits() -> Limits {
    let (_, stop) = watch::channel(false);
    Limits::new(1, stop)
}

fn declared(declared: usize) -> Held {
    Held {
        declared,
        ..Held::default()
    }
}

/// Adds pieces of 8 KiB, as hyper reads them; answers how often the body was moved.
fn send(held: &mut Held, bytes: usize, limits: &Limits) -> Result<u32, TransportFault> {
    let piece = Bytes::from(vec![7; 8 << 10]);
    let mut moved = 0;
    let end = held.bytes.len() + bytes;
    while held.bytes.len() < end {
        let before = held.bytes.capacity();
        let missing = (end - held.bytes.len()).min(piece.len());
        held.add(&piece.slice(..missing), BYTES_MAX, limits)?;
        moved += u32::from(before != held.bytes.capacity());
    }
    Ok(moved)
}

/// Those that declare as much as they may and send what is free, or a little more.
#[test]
fn what_is_only_declared_takes_no_more_memory_than_there_is_room() {
    for sent in [BODY_BYTES_FREE, 140 << 10] {
        let limits = limits();
        let mut bodies = Vec::new();
        while bodies.len() < PEERS {
            let mut held = declared(BYTES_MAX);
            if send(&mut held, sent, &limits).is_err() {
                break;
            }
            bodies.push(held);
        }
        assert!(250 < bodies.len(), "{sent}: {}", bodies.len());
        let taken: usize = bodies.iter().map(|held| held.bytes.capacity()).sum();
        // What has come may have twice the room, as any vector that grows.
        let most = 2 * (PEERS * BODY_BYTES_FREE + BODY_BYTES_IN_FLIGHT_MAX);
        assert!(taken <= most, "{sent}: {taken}");
    }
}

#[test]
fn what_is_only_declared_keeps_nobody_out() {
    let limits = limits();
    let mut bodies: Vec<Held> = (0..PEERS).map(|_| declared(BYTES_MAX)).collect();
    for held in &mut bodies {
        assert!(send(held, BODY_BYTES_FREE, &limits).is_ok());
    }
    for sent in [BYTES_MAX; 4] {
        let mut held = declared(sent);
        assert!(send(&mut held, sent, &limits).is_ok());
        assert_eq!(held.bytes.len(), sent);
        bodies.push(held);
    }
    drop(bodies);
    assert!(limits.body_room(BODY_BYTES_IN_FLIGHT_MAX).is_some());
}

#[test]
fn a_body_that_is_declared_is_moved_twice() {
    let limits = limits();
    for (said, sent, moved) in [
        (BODY_BYTES_FREE, BODY_BYTES_FREE, 1),
        (1 << 20, 1 << 20, 2),
        (2 << 20, 2 << 20, 2),
        // Nothing is said.
        (0, 1 << 20, 8),
    ] {
        let found = send(&mut declared(said), sent, &limits);
        assert_eq!(found.ok(), Some(moved), "{said}");
    }
}
