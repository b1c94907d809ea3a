//! One participant: its part in the call, its sessions with the others, its socket.
#![allow(clippy::as_conversions)]

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bisik::call::{CallId, FrameSuite, GroupCall, OpenError, Signal, no_group};
use bisik::{Accepted, Ciphertext, Identity, IdentityKey, PreKeys, Session, Timestamp, Trust};

use super::Error;

pub(crate) struct Caller {
    pub(crate) name: &'static str,
    pub(crate) index: usize,
    pub(crate) cost: Cost,
    identity: Identity,
    sessions: BTreeMap<usize, Session>,
    call: GroupCall,
    /// The sound that every participant sends, so each listener knows what to expect.
    sound: Vec<Vec<u8>>,
    socket: UdpSocket,
    sequence: u16,
}

/// The cost of encryption, in seconds and bytes.
#[derive(Default)]
pub(crate) struct Cost {
    pub(crate) sealed: f64,
    pub(crate) opened: f64,
    pub(crate) sealing: f64,
    pub(crate) opening: f64,
    pub(crate) payload_bytes: f64,
    pub(crate) frame_bytes: f64,
}

/// The packets that arrived in one part of the call.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) arrived: usize,
    pub(crate) opened: usize,
    /// Refused as replayed.
    pub(crate) doubled: usize,
    /// Refused: encrypted under a key that this participant does not have.
    pub(crate) unknown: usize,
    /// Refused as forged, or with other sound than expected.
    pub(crate) wrong: usize,
}

impl Caller {
    pub(crate) fn new(
        name: &'static str,
        index: usize,
        id: CallId,
        suite: FrameSuite,
        sound: Vec<Vec<u8>>,
        socket: UdpSocket,
    ) -> Result<Self, Error> {
        let rng = &mut rand::rng();
        let identity = Identity::generate(rng);
        let call = GroupCall::start(id, None, suite, identity.public(), rng);
        socket.set_nonblocking(true)?;
        let (sessions, cost) = (BTreeMap::new(), Cost::default());
        Ok(Self { name, index, cost, identity, sessions, call, sound, socket, sequence: 0 })
    }

    pub(crate) fn identity(&self) -> &IdentityKey {
        self.identity.public()
    }

    /// Sets up a session with `other` and exchanges messages until both sides have proved themselves.
    pub(crate) fn meet(&mut self, other: &mut Self) -> Result<(), Error> {
        let (rng, now) = (&mut rand::rng(), Timestamp::from_unix_seconds(1_800_000_000));
        let mut keys = PreKeys::generate(&other.identity, now, rng);
        let bundle = keys.bundle().verify(Trust::Pinned(other.identity.public()), now)?;
        let mut ours = Session::initiate(&self.identity, &bundle, now, rng)?;
        let hello = ours.encrypt(b"halo", rng)?;
        let trust = Trust::Pinned(self.identity.public());
        let Accepted { session: mut theirs, used, .. } = Session::accept(&other.identity, &keys, &hello, trust, now)?;
        keys.remove(used);
        // Whoever accepted takes keys only once the other side has read an answer.
        let answer = ours.decrypt(&self.identity, &theirs.encrypt(b"hai", rng)?)?;
        let thanks = theirs.decrypt(&other.identity, &ours.encrypt(b"terima kasih", rng)?)?;
        if !(answer.confirms && thanks.confirms) {
            return Err("the session is not confirmed".into());
        }
        self.sessions.insert(other.index, ours);
        other.sessions.insert(self.index, theirs);
        Ok(())
    }

    /// With so few participants, the next key always follows from the last: the newcomer's key asks for it.
    pub(crate) fn join(&mut self, who: &IdentityKey) -> Result<(), Error> {
        let _ = self.call.join(who, no_group, &mut rand::rng())?;
        Ok(())
    }

    pub(crate) fn leave(&mut self, who: &IdentityKey) -> Result<(), Error> {
        Ok(self.call.leave(who, &mut rand::rng())?)
    }

    /// Returns the local sender's current key, encrypted for `other`. Only participants in the call get it.
    pub(crate) fn key_for(&mut self, other: usize) -> Result<Vec<u8>, Error> {
        let session = self.sessions.get_mut(&other).ok_or("no session")?;
        let key = self.call.key_for(session)?;
        Ok(session.encrypt(&key.to_bytes(), &mut rand::rng())?.into_bytes())
    }

    /// Takes a key, and returns whether its sender asks for the local one.
    pub(crate) fn receive_key(&mut self, from: usize, message: &[u8]) -> Result<bool, Error> {
        let session = self.sessions.get_mut(&from).ok_or("no session")?;
        let read = session.decrypt(&self.identity, &Ciphertext::from_bytes(message)?)?.plaintext;
        let read = read.confirmed().map_err(|_| "a key from somebody who has proved nothing")?;
        let Signal::EpochKey(key) = Signal::from_bytes(&read)? else {
            return Err("not an epoch key".into());
        };
        Ok(self.call.accept_key(&key, session, no_group, &mut rand::rng())?.answer.is_some())
    }

    /// Sends `frames` frames if it may speak and processes what arrives, until all of the `talking` have finished and late
    /// packets have arrived.
    pub(crate) fn talk(&mut self, frames: usize, speaks: bool, talking: &AtomicUsize) -> Result<Heard, Error> {
        let mut heard = Heard::default();
        let spoken = (0..frames).try_for_each(|_| {
            if speaks {
                self.say()?;
            }
            std::thread::sleep(PACE);
            self.listen(&mut heard)
        });
        // After an error too, so that nobody waits for ever.
        talking.fetch_sub(1, Ordering::Relaxed);
        spoken?;
        while talking.load(Ordering::Relaxed) > 0 {
            self.listen(&mut heard)?;
            std::thread::sleep(PACE);
        }
        let end = Instant::now() + LATE;
        while Instant::now() < end {
            self.listen(&mut heard)?;
            std::thread::sleep(PACE);
        }
        Ok(heard)
    }

    /// Sends one packet: a header like RTP's, which the relay can read but not change undetected, and a frame.
    fn say(&mut self) -> Result<(), Error> {
        let payload = &self.sound[usize::from(self.sequence) % self.sound.len()];
        let timestamp = u32::from(self.sequence) * 160;
        let mut packet = vec![0x80, 0];
        packet.extend_from_slice(&self.sequence.to_be_bytes());
        packet.extend_from_slice(&timestamp.to_be_bytes());
        packet.extend_from_slice(&u32::try_from(self.index)?.to_be_bytes());
        let metadata: [u8; RTP] = packet.as_slice().try_into()?;

        let start = Instant::now();
        self.call.seal(&metadata, payload, &mut packet)?;
        self.cost.sealing += start.elapsed().as_secs_f64();
        self.cost.sealed += 1.0;
        self.cost.payload_bytes += payload.len() as f64;
        self.cost.frame_bytes += (packet.len() - RTP) as f64;
        self.sequence = self.sequence.wrapping_add(1);
        self.socket.send(&packet)?;
        Ok(())
    }

    /// Processes every packet that has arrived.
    fn listen(&mut self, heard: &mut Heard) -> Result<(), Error> {
        let mut packet = [0; 2048];
        loop {
            let length = match self.socket.recv(&mut packet) {
                Ok(length) => length,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            heard.arrived += 1;
            let (metadata, frame) = packet[..length].split_at_mut(RTP);
            let sequence = usize::from(u16::from_be_bytes([metadata[2], metadata[3]]));
            let start = Instant::now();
            let opened = self.call.open(metadata, frame);
            let elapsed = start.elapsed().as_secs_f64();
            // Refused frames cost less and would make the result look better.
            if opened.is_ok() {
                self.cost.opening += elapsed;
                self.cost.opened += 1.0;
            }
            match opened {
                Ok(frame) if frame.plaintext == self.sound[sequence % self.sound.len()] => heard.opened += 1,
                Err(OpenError::Replayed) => heard.doubled += 1,
                Err(OpenError::UnknownKey) => heard.unknown += 1,
                Ok(_) | Err(_) => heard.wrong += 1,
            }
        }
    }
}

/// Bytes in an RTP header.
const RTP: usize = 12;
/// Time between frames: twenty times as fast as real time.
const PACE: Duration = Duration::from_millis(1);
/// How long to wait after the last frame of a part.
const LATE: Duration = Duration::from_millis(200);
