//! The relay: mailboxes and bundles behind a socket on 127.0.0.1. It stores, forwards, and plays tricks.
//!
//! Does not know `bisik`: all that it handles is bytes. A real one would make sure who opens a mailbox, and bound it.

use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::mailbox::{Bundles, Letter, Mailbox, Tally};
use crate::mischief::Mischief;
use crate::recording::{Recording, Shelf};
use crate::wire::{FromRelay, ToRelay, read_frame};
use crate::{Outcome, Who};

/// The relay, as the process that runs it sees it. Its threads end with the process.
#[derive(Clone)]
pub(crate) struct Relay(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// There is mail, or a mailbox was opened on another connection.
    changed: Condvar,
}

struct State {
    mailboxes: [Mailbox; 2],
    bundles: [Bundles; 2],
    recording: Recording,
    at_put: AtPut,
}

/// Called at every message, with how many each party has put; the relay stands still meanwhile.
pub(crate) type AtPut = Box<dyn FnMut([u64; 2]) + Send>;

impl Relay {
    /// Starts it; gives its port.
    pub(crate) fn start(directory: &Path, seed: u64, at_put: AtPut) -> Outcome<(Self, u16)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let mailboxes = [seed, !seed].map(|seed| Mailbox::new(Mischief::new(seed)));
        let state = State { mailboxes, bundles: Default::default(), recording: Recording::create(directory)?, at_put };
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

    /// Whether all mail was delivered and acknowledged.
    pub(crate) fn is_empty(&self) -> bool {
        self.state().mailboxes.iter().all(Mailbox::is_empty)
    }

    /// What was done to each party's mail; `None` if not everything that was seen could be recorded.
    pub(crate) fn finish(&self) -> Option<[Tally; 2]> {
        let mut state = self.state();
        state.recording.finish().then(|| state.mailboxes.each_ref().map(|mailbox| mailbox.tally().clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads one connection to its end.
    fn serve(&self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let Ok(mut answers) = stream.try_clone() else { return };
        let mut reader = BufReader::new(stream);
        let mut frame = Vec::new();
        let mut mailbox = None;
        loop {
            let read = read_frame(&mut reader, &mut frame);
            let request = read.ok().and_then(|()| ToRelay::decode(&frame));
            let shelf = if matches!(request, Some(ToRelay::Publish { .. })) { Shelf::Bundles } else { Shelf::Mail };
            self.state().recording.write(shelf, &frame);
            let handled = request.map(|request| self.handle(request, &mut mailbox, &mut answers));
            if !matches!(handled, Some(Ok(()))) {
                return;
            }
        }
    }

    /// Does what a party asks for on a connection on which `mailbox` is open.
    fn handle(&self, request: ToRelay, mailbox: &mut Option<Who>, answers: &mut TcpStream) -> Outcome<()> {
        let mut state = self.state();
        match request {
            ToRelay::Publish { of, once, bundle } => state.bundles[of.index()].publish(once, bundle),
            ToRelay::Fetch(of) => {
                let answer =
                    state.bundles[of.index()].hand_out().map_or(FromRelay::NoBundle, FromRelay::Bundle).encode();
                state.recording.write(Shelf::Bundles, &answer);
                answers.write_all(&answer)?;
            }
            ToRelay::Open(who) => {
                *mailbox = Some(who);
                let connection = state.mailboxes[who.index()].open();
                let (relay, stream) = (self.clone(), answers.try_clone()?);
                std::thread::spawn(move || relay.deliver(who, connection, stream));
                self.0.changed.notify_all();
            }
            ToRelay::Put { to, message } => {
                state.mailboxes[to.index()].put(message);
                let by = Who::BOTH.map(|who| state.mailboxes[who.other().index()].tally().messages);
                (state.at_put)(by);
                self.0.changed.notify_all();
            }
            ToRelay::Done(delivery) => {
                let who = mailbox.ok_or("no mailbox is open")?;
                state.mailboxes[who.index()].acknowledge(delivery);
            }
        }
        Ok(())
    }

    /// Writes a mailbox to one connection, until that breaks or the mailbox is opened on another.
    fn deliver(&self, who: Who, connection: u64, mut stream: TcpStream) {
        while let Some(Letter { delivery, message }) = self.next(who, connection) {
            let frame = FromRelay::encode_delivery(delivery, &message);
            self.state().recording.write(Shelf::Mail, &frame);
            if stream.write_all(&frame).is_err() {
                return;
            }
        }
    }

    /// Waits for the next delivery.
    fn next(&self, who: Who, connection: u64) -> Option<Letter> {
        let mut state = self.state();
        while state.mailboxes[who.index()].is_open_on(connection) {
            if let Some(letter) = state.mailboxes[who.index()].next() {
                return Some(letter);
            }
            let (woken, wait) = self.0.changed.wait_timeout(state, QUIET).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if wait.timed_out() {
                state.mailboxes[who.index()].release_all();
            }
        }
        None
    }
}

/// When nothing has happened for so long, what is held back is delivered.
const QUIET: Duration = Duration::from_millis(30);
