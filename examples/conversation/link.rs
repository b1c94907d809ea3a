//! A party's connections: to the relay by TCP, and to the director by standard input. Every wait has a time limit.

use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use bisik::IdentityKey;

use crate::said::from_hex;
use crate::wire::{self, Frame, Kind};
use crate::{Outcome, Who};

/// The connection to the relay.
pub(crate) struct Link {
    stream: TcpStream,
    arrived: Receiver<Frame>,
}

impl Link {
    pub(crate) fn connect(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(LIMIT))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let (sender, arrived) = mpsc::channel();
        // This thread always reads, so the relay never waits for this process while this process waits for the relay.
        std::thread::spawn(move || {
            let mut raw = Vec::new();
            while wire::read(&mut reader, &mut raw).is_ok_and(|frame| sender.send(frame).is_ok()) {}
        });
        Ok(Self { stream, arrived })
    }

    /// Sends a frame to the mailbox of a party.
    pub(crate) fn send(&mut self, kind: Kind, who: Who, bytes: &[u8]) -> Outcome<()> {
        Ok(self.stream.write_all(&wire::encode(kind, who.index().try_into()?, bytes))?)
    }

    pub(crate) fn done(&mut self, delivery: u64) -> Outcome<()> {
        Ok(self.stream.write_all(&wire::encode(Kind::Done, delivery, &[]))?)
    }

    /// Returns the next frame, if one arrives within `wait`.
    pub(crate) fn receive(&self, wait: Duration) -> Outcome<Option<Frame>> {
        match self.arrived.recv_timeout(wait) {
            Ok(frame) => Ok(Some(frame)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err("the connection to the relay has ended".into()),
        }
    }

    /// Fetches a bundle of `of` as soon as the relay has one. Call it only before the mailbox is opened.
    pub(crate) fn fetch_bundle(&mut self, of: Who) -> Outcome<Vec<u8>> {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            self.send(Kind::Fetch, of, &[])?;
            let Some(answer) = self.receive(LIMIT)? else { break };
            if !answer.bytes.is_empty() {
                return Ok(answer.bytes);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("the relay has no bundle".into())
    }
}

/// The connection to the process that started this one.
pub(crate) struct Director {
    codes: Receiver<String>,
    gone: Arc<AtomicBool>,
}

impl Director {
    pub(crate) fn listen() -> Self {
        let (sender, codes) = mpsc::channel();
        let gone = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&gone);
        std::thread::spawn(move || {
            for line in io::stdin().lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
            // The end of the input means that the director wants this process to stop, or has died. No process stays
            // behind.
            flag.store(true, Ordering::Relaxed);
        });
        Self { codes, gone }
    }

    /// Returns the peer's identity. In a real application the user's camera reads it.
    pub(crate) fn scanned_code(&mut self) -> Outcome<[u8; IdentityKey::LENGTH]> {
        let line = self.codes.recv_timeout(LIMIT)?;
        let code = from_hex(&line).and_then(|code| code.try_into().ok());
        code.ok_or_else(|| "the code is unreadable".into())
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}

/// Time limit for operations that should be instant.
const LIMIT: Duration = Duration::from_secs(30);
