//! A relay that sends every packet to everyone but its sender, in the call or not, over a bad network.
//!
//! It loses one packet in twenty, duplicates one in fifty, and delays one in ten. It knows no keys.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rand::RngExt;

use super::Error;

pub(crate) struct Relay {
    address: SocketAddr,
    callers: Arc<Mutex<Vec<SocketAddr>>>,
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), std::io::Error>>,
}

impl Relay {
    pub(crate) fn start() -> Result<Self, Error> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(20)))?;
        let address = socket.local_addr()?;
        let (callers, stopped) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (to, stop) = (Arc::clone(&callers), Arc::clone(&stopped));
        let thread = thread::spawn(move || forward(&socket, &to, &stop));
        Ok(Self { address, callers, stopped, thread })
    }

    /// Returns a socket for one more participant.
    pub(crate) fn register(&self) -> Result<UdpSocket, Error> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(self.address)?;
        self.callers.lock().map_err(|_| "the relay's thread panicked")?.push(socket.local_addr()?);
        Ok(socket)
    }

    pub(crate) fn stop(self) -> Result<(), Error> {
        self.stopped.store(true, Ordering::Relaxed);
        Ok(self.thread.join().map_err(|_| "the relay's thread panicked")??)
    }
}

fn forward(socket: &UdpSocket, callers: &Mutex<Vec<SocketAddr>>, stopped: &AtomicBool) -> Result<(), std::io::Error> {
    let (mut packet, mut held, rng) = ([0; 2048], Vec::<(Vec<u8>, SocketAddr)>::new(), &mut rand::rng());
    while !stopped.load(Ordering::Relaxed) {
        let (length, from) = match socket.recv_from(&mut packet) {
            Ok(received) => received,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                // Silence: send the delayed packets, so that none of one part of the call arrives in the next.
                for (packet, to) in held.drain(..) {
                    socket.send_to(&packet, to)?;
                }
                continue;
            }
            Err(error) => return Err(error),
        };
        let others: Vec<_> = callers.lock().map_or_else(|_| Vec::new(), |callers| callers.clone());
        for to in others.into_iter().filter(|to| *to != from) {
            match rng.random_range(0..100) {
                0..5 => {}
                5..7 => {
                    socket.send_to(&packet[..length], to)?;
                    socket.send_to(&packet[..length], to)?;
                }
                7..17 => held.push((packet[..length].to_vec(), to)),
                _ => _ = socket.send_to(&packet[..length], to)?,
            }
        }
        while held.len() > HELD {
            let (packet, to) = held.swap_remove(rng.random_range(0..held.len()));
            socket.send_to(&packet, to)?;
        }
    }
    Ok(())
}

/// Packets delayed at one time.
const HELD: usize = 30;
