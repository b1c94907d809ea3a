//! The relay: mailboxes and bundles behind a socket on 127.0.0.1. It stores, forwards, misbehaves on purpose, and
//! records everything.
//!
//! It handles only bytes. A real relay would authenticate the owners of mailboxes, and bound the mailboxes.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::mailbox::{Bundles, Letter, Mailbox, Tally};
use crate::mischief::Mischief;
use crate::wire::{self, Frame, Kind};
use crate::{Outcome, Who};

/// The relay, as the process that runs it sees it. Its threads end with the process.
#[derive(Clone)]
pub(crate) struct Relay(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Signals that there is mail, or that a mailbox was opened on another connection.
    changed: Condvar,
}

struct State {
    mailboxes: [Mailbox; 2],
    bundles: [Bundles; 2],
    /// Every byte that was read and written. Bundles are recorded separately, because they must contain their owner's
    /// public identity.
    recordings: [BufWriter<File>; 2],
    /// Whether the recording is complete.
    whole: bool,
}

/// The separate recordings: see [`recording`].
#[derive(Clone, Copy)]
pub(crate) enum Shelf {
    Bundles,
    Mail,
}

/// Returns the file of a recording.
pub(crate) fn recording(scene: &Path, shelf: Shelf) -> PathBuf {
    scene.join(if matches!(shelf, Shelf::Bundles) { "bundles" } else { "mail" })
}

impl State {
    fn record(&mut self, shelf: Shelf, bytes: &[u8]) {
        let [bundles, mail] = &mut self.recordings;
        let file = if matches!(shelf, Shelf::Bundles) { bundles } else { mail };
        self.whole &= file.write_all(bytes).is_ok();
    }
}

impl Relay {
    /// Starts the relay. Returns it with its port.
    pub(crate) fn start(scene: &Path, seed: u64) -> Outcome<(Self, u16)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let mailboxes = [seed, !seed].map(|seed| Mailbox::new(Mischief::new(seed)));
        let create = |shelf| File::create(recording(scene, shelf)).map(BufWriter::new);
        let recordings = [create(Shelf::Bundles)?, create(Shelf::Mail)?];
        let state = State { mailboxes, bundles: Default::default(), recordings, whole: true };
        let relay = Self(Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }));
        let acceptor = relay.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let relay = acceptor.clone();
                std::thread::spawn(move || relay.serve(stream));
            }
        });
        Ok((relay, port))
    }

    /// Returns whether all mail was delivered and acknowledged.
    pub(crate) fn is_empty(&self) -> bool {
        self.state().mailboxes.iter().all(Mailbox::is_empty)
    }

    /// Returns what was done to each party's mail, or `None` if the recording is incomplete.
    pub(crate) fn finish(&self) -> Option<[Tally; 2]> {
        let mut state = self.state();
        let whole = state.recordings.iter_mut().all(|file| file.flush().is_ok()) && state.whole;
        whole.then(|| state.mailboxes.each_ref().map(|mailbox| mailbox.tally().clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads one connection to its end.
    fn serve(&self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let Ok(mut answers) = stream.try_clone() else { return };
        let mut reader = BufReader::new(stream);
        let (mut raw, mut mailbox) = (Vec::new(), None);
        loop {
            let frame = wire::read(&mut reader, &mut raw);
            let kind = frame.as_ref().map(|frame| frame.kind);
            let shelf = match kind {
                Ok(Kind::PublishOnce | Kind::PublishLast) => Shelf::Bundles,
                // Includes the incomplete frame of a killed process.
                _ => Shelf::Mail,
            };
            self.state().record(shelf, &raw);
            if frame.and_then(|frame| self.handle(frame, &mut mailbox, &mut answers)).is_err() {
                return;
            }
        }
    }

    /// Executes a party's request on a connection on which `mailbox` is open.
    fn handle(&self, frame: Frame, mailbox: &mut Option<usize>, answers: &mut TcpStream) -> io::Result<()> {
        let mut state = self.state();
        let Frame { kind, number, bytes } = frame;
        if kind == Kind::Done {
            mailbox.map(|mailbox| state.mailboxes[mailbox].acknowledge(number));
            return Ok(());
        }
        let which = usize::try_from(number).unwrap_or(usize::MAX);
        if which >= Who::BOTH.len() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        match kind {
            Kind::PublishOnce => state.bundles[which].publish_once(bytes),
            Kind::PublishLast => state.bundles[which].publish_last(bytes),
            Kind::Fetch => {
                let answer = wire::encode(Kind::Bundle, number, &state.bundles[which].hand_out());
                state.record(Shelf::Bundles, &answer);
                answers.write_all(&answer)?;
            }
            Kind::Open => {
                *mailbox = Some(which);
                let connection = state.mailboxes[which].open();
                let (relay, stream) = (self.clone(), answers.try_clone()?);
                std::thread::spawn(move || relay.deliver(which, connection, stream));
            }
            Kind::Put => state.mailboxes[which].put(bytes),
            Kind::Done | Kind::Bundle | Kind::Deliver => {}
        }
        self.0.changed.notify_all();
        Ok(())
    }

    /// Delivers a mailbox to one connection, until that breaks or the mailbox is opened on another.
    fn deliver(&self, mailbox: usize, connection: u64, mut stream: TcpStream) {
        while let Some(Letter { delivery, message }) = self.next(mailbox, connection) {
            let frame = wire::encode(Kind::Deliver, delivery, &message);
            self.state().record(Shelf::Mail, &frame);
            if stream.write_all(&frame).is_err() {
                return;
            }
        }
    }

    /// Waits for the next delivery.
    fn next(&self, mailbox: usize, connection: u64) -> Option<Letter> {
        let mut state = self.state();
        while state.mailboxes[mailbox].is_open_on(connection) {
            if let Some(letter) = state.mailboxes[mailbox].next() {
                return Some(letter);
            }
            let (woken, wait) = self.0.changed.wait_timeout(state, QUIET).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if wait.timed_out() {
                state.mailboxes[mailbox].release_all();
            }
        }
        None
    }
}

/// After this time without activity, held messages are delivered.
const QUIET: Duration = Duration::from_millis(30);
