//! The network between machines that are all this one: connections over it can fall silent.
//!
//! A cut connection stays open, and whatever is sent is taken and does not arrive until the cut is
//! mended: as when packets are dropped. A new connection is accepted and hears nothing.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::step::Failure;

/// Where a link begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// The machine of a database, with its Patroni.
    Database(usize),
    /// The machines of etcd.
    Etcd,
    /// The machines of the nodes, as far as they talk to databases.
    Nodes,
    /// The same, as far as their HAProxy asks Patroni.
    Checks,
}

/// The links between places.
#[derive(Default)]
pub(super) struct Network {
    gates: BTreeMap<(Place, Place), Arc<Gate>>,
}

/// Whether bytes pass.
#[derive(Default)]
struct Gate {
    is_cut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn set(&self, is_cut: bool) {
        *self.is_cut.lock().unwrap_or_else(PoisonError::into_inner) = is_cut;
        self.opened.notify_all();
    }

    /// Returns once it is open.
    fn pass(&self) {
        let is_cut = self.is_cut.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = self.opened.wait_while(is_cut, |is_cut| *is_cut);
        drop(passed.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Network {
    /// The address at which `from` reaches what listens at `port` in `to`.
    pub(super) fn link(&mut self, from: Place, to: Place, port: u16) -> Result<u16, Failure> {
        let gate = Arc::clone(self.gates.entry((from, to)).or_default());
        let failed = |error| Failure::new(format!("no link from {from:?} to {to:?}: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let target = SocketAddr::from(([127, 0, 0, 1], port));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let gate = Arc::clone(&gate);
                std::thread::spawn(move || join(&stream, target, &gate));
            }
        });
        Ok(address.port())
    }

    /// Cuts the links of which both ends are so, in both directions, or mends them.
    pub(super) fn set(&self, is_cut: bool, between: impl Fn(Place, Place) -> bool) {
        for ((from, to), gate) in &self.gates {
            if between(*from, *to) || between(*to, *from) {
                gate.set(is_cut);
            }
        }
    }
}

/// Moves bytes both ways until one side ends.
fn join(near: &TcpStream, target: SocketAddr, gate: &Gate) {
    gate.pass();
    let Ok(far) = TcpStream::connect(target) else {
        return;
    };
    // What is sent in one piece arrives in one.
    let _ = near.set_nodelay(true);
    let _ = far.set_nodelay(true);
    std::thread::scope(|threads| {
        threads.spawn(|| pump(near, &far, gate));
        pump(&far, near, gate);
    });
}

fn pump(mut from: &TcpStream, mut to: &TcpStream, gate: &Gate) {
    let mut bytes = [0; 16 << 10];
    loop {
        let read = from.read(&mut bytes).unwrap_or(0);
        // Its end does not arrive earlier than what was sent before it.
        gate.pass();
        if read == 0 || to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    // Whoever is still reading hears of it, on both sides.
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers everything that it is sent with the same.
    fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut reader = stream.try_clone().expect("a socket");
                    std::io::copy(&mut reader, &mut stream)
                });
            }
        });
        port
    }

    #[test]
    fn a_cut_link_is_silent_and_loses_nothing() {
        let mut network = Network::default();
        let (one, other) = (Place::Nodes, Place::Database(0));
        let port = network.link(one, other, echo()).expect("a link");
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        let mut answer = [0; 4];
        stream.write_all(b"ping").expect("sent");
        stream.read_exact(&mut answer).expect("echoed");
        network.set(true, |from, to| (from, to) == (other, one));
        stream.write_all(b"pong").expect("taken");
        stream.set_nonblocking(true).expect("a socket");
        let silent = stream.read(&mut answer).expect_err("nothing has come");
        assert_eq!(silent.kind(), std::io::ErrorKind::WouldBlock);
        stream.set_nonblocking(false).expect("a socket");
        network.set(false, |from, to| (from, to) == (other, one));
        stream.read_exact(&mut answer).expect("echoed");
        assert_eq!(&answer, b"pong");
    }
}
