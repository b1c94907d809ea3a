//! Pairs with a session, a group call of several devices, and both ends of a stream of frames.

use std::convert::Infallible;

use bisik::call::{
    BaseKey, CallGroup, CallId, CallKeys, Calling, EpochKey, EpochKeyError, FrameOpener, FrameSealer, FrameSuite,
    GroupCall, KeyNews, Offer, OpenError, Participant, Recipients, SenderKey, ShortTag, SignalError, Standing,
};
use bisik::rand_core::{TryCryptoRng, TryRng};
use bisik::{Accepted, Identity, IdentityKey, PreKeys, Session, Timestamp, Trust};

pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// A session between two devices of which neither has heard from the other, the initiator's side first.
pub fn unconfirmed(initiator: &Identity, responder: &Identity) -> (Session, Session) {
    let rng = &mut rand::rng();
    let keys = PreKeys::generate(responder, NOW, rng);
    let bundle = keys.bundle().verify(Trust::Pinned(responder.public()), NOW).unwrap();
    let mut ours = Session::initiate(initiator, &bundle, NOW, rng).unwrap();
    let hello = ours.encrypt(b"halo", rng).unwrap();
    let accepted = Session::accept(responder, &keys, &hello, Trust::Pinned(initiator.public()), NOW).unwrap();
    let Accepted { session: theirs, .. } = accepted;
    (ours, theirs)
}

/// A session between two devices, the initiator's side first. Both are confirmed, as the sessions of calls are.
pub fn sessions(initiator: &Identity, responder: &Identity) -> (Session, Session) {
    let (mut ours, mut theirs) = unconfirmed(initiator, responder);
    confirm((initiator, &mut ours), (responder, &mut theirs));
    (ours, theirs)
}

/// Each side writes once, and the other reads it.
pub fn confirm((initiator, ours): (&Identity, &mut Session), (responder, theirs): (&Identity, &mut Session)) {
    let rng = &mut rand::rng();
    let answer = theirs.encrypt(b"hai", rng).unwrap();
    assert!(ours.decrypt(initiator, &answer).unwrap().confirms);
    let proof = ours.encrypt(b"apa kabar", rng).unwrap();
    assert!(theirs.decrypt(responder, &proof).unwrap().confirms);
}

/// Two devices and a session between them.
pub struct Pair {
    pub alice: Identity,
    pub bob: Identity,
    pub at_alice: Session,
    pub at_bob: Session,
}

impl Pair {
    pub fn new() -> Self {
        let [alice, bob] = [(); 2].map(|()| Identity::generate(&mut rand::rng()));
        let (at_alice, at_bob) = sessions(&alice, &bob);
        Self { alice, bob, at_alice, at_bob }
    }

    pub fn offer(&self) -> (Calling, Vec<u8>) {
        let rng = &mut rand::rng();
        let (calling, offer) = Calling::start(CallId::generate(rng), self.alice.public(), &self.at_alice, rng);
        (calling, offer.to_bytes().to_vec())
    }

    pub fn accept(&self, offer: &[u8]) -> Result<(CallKeys, Vec<u8>), SignalError> {
        let offer = Offer::from_bytes(offer)?;
        let (keys, answer) = offer.accept(self.bob.public(), &self.at_bob, &mut rand::rng())?;
        Ok((keys, answer.to_bytes()))
    }
}

/// A group call with a session between every two devices.
pub struct Room {
    pub identities: Vec<Identity>,
    /// `sessions[i][j]` is the session of `i` with `j`.
    pub sessions: Vec<Vec<Option<Session>>>,
    pub calls: Vec<GroupCall>,
}

impl Room {
    /// Every device has a call; none has joined another's yet.
    pub fn new(size: usize) -> Self {
        Self::of_group(size, None)
    }

    pub fn of_group(size: usize, group: Option<CallGroup>) -> Self {
        let rng = &mut rand::rng();
        let identities: Vec<_> = (0..size).map(|_| Identity::generate(rng)).collect();
        let mut sessions: Vec<Vec<Option<Session>>> = (0..size).map(|_| (0..size).map(|_| None).collect()).collect();
        for i in 0..size {
            for j in i + 1..size {
                let (ours, theirs) = self::sessions(&identities[i], &identities[j]);
                (sessions[i][j], sessions[j][i]) = (Some(ours), Some(theirs));
            }
        }
        let id = CallId::generate(rng);
        // Each with a number of its own: that two draw the same is another test.
        let start = |(i, person): (usize, &Identity)| {
            GroupCall::start(id, group, FrameSuite::default(), person.public(), &mut Chosen(i as u16))
        };
        let calls = identities.iter().enumerate().map(start).collect();
        Self { identities, sessions, calls }
    }

    pub fn with_all(size: usize) -> Self {
        let mut room = Self::new(size);
        for i in 0..size {
            for j in (0..size).filter(|j| *j != i) {
                room.join(i, j);
            }
        }
        room.share(&(0..size).collect::<Vec<_>>());
        room
    }

    pub fn identity(&self, who: usize) -> IdentityKey {
        *self.identities[who].public()
    }

    pub fn join(&mut self, at: usize, who: usize) {
        let identity = self.identity(who);
        let _ = self.calls[at].join(&identity, everybody, &mut rand::rng()).unwrap();
    }

    pub fn leave(&mut self, at: usize, who: usize) {
        let identity = self.identity(who);
        self.calls[at].leave(&identity, &mut rand::rng()).unwrap();
    }

    /// Somebody joins at `at` who is nowhere else, and leaves again if told so.
    pub fn guest(&mut self, at: usize, leaves: bool) -> Recipients {
        let (guest, rng) = (*Identity::generate(&mut rand::rng()).public(), &mut rand::rng());
        let recipients = self.calls[at].join(&guest, everybody, rng).unwrap();
        if leaves {
            self.calls[at].leave(&guest, rng).unwrap();
        }
        recipients
    }

    /// The program of `who` ends and starts again: it knows nobody.
    pub fn restart(&mut self, who: usize, number: u16) {
        let (id, own) = (self.calls[who].call(), self.identity(who));
        self.calls[who] = GroupCall::start(id, None, FrameSuite::default(), &own, &mut Chosen(number));
    }

    pub fn session(&self, of: usize, with: usize) -> &Session {
        self.sessions[of][with].as_ref().unwrap()
    }

    pub fn key(&mut self, of: usize, to: usize) -> EpochKey {
        let session = self.sessions[of][to].as_ref().unwrap();
        EpochKey::from_bytes(&self.calls[of].key_for(session).unwrap().to_bytes()).unwrap()
    }

    pub fn give(&mut self, of: usize, to: usize, key: &EpochKey) -> Result<KeyNews, EpochKeyError> {
        let session = self.sessions[to][of].as_ref().unwrap();
        self.calls[to].accept_key(key, session, everybody, &mut rand::rng()).map(|taken| taken.news)
    }

    /// Every device of `who` receives the current key of every other.
    pub fn share(&mut self, who: &[usize]) {
        for of in who {
            for to in who.iter().filter(|to| *to != of) {
                let key = self.key(*of, *to);
                self.give(*of, *to, &key).unwrap();
            }
        }
    }

    pub fn seal(&mut self, of: usize) -> Vec<u8> {
        let mut frame = Vec::new();
        self.calls[of].seal(b"audio", b"20 ms of sound", &mut frame).unwrap();
        frame
    }

    /// Opens a frame, and returns whose it is.
    pub fn open(&mut self, at: usize, frame: &[u8]) -> Result<usize, OpenError> {
        let mut frame = frame.to_vec();
        let opened = self.calls[at].open(b"audio", &mut frame)?;
        assert_eq!(opened.plaintext, b"20 ms of sound");
        Ok(self.identities.iter().position(|identity| *identity.public() == opened.device).unwrap())
    }

    pub fn hears(&mut self, at: usize, of: usize) -> bool {
        let frame = self.seal(of);
        self.open(at, &frame) == Ok(of)
    }
}

/// Everybody is a live member of every group.
pub fn everybody(_: &[u8; 32], _: &IdentityKey) -> Standing {
    Standing::Live
}

/// A generator that gives this number for a stay, and is random otherwise.
pub struct Chosen(pub u16);

impl TryRng for Chosen {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        rand::rng().try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        rand::rng().try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        if bytes.len() == 2 {
            bytes.copy_from_slice(&self.0.to_be_bytes());
            return Ok(());
        }
        rand::rng().try_fill_bytes(bytes)
    }
}

impl TryCryptoRng for Chosen {}

pub fn key(suite: FrameSuite, participant: u16, epoch: u64) -> SenderKey {
    let secret = [u8::try_from(epoch % 251).unwrap(); 32];
    SenderKey::new(suite, Participant(participant), epoch, BaseKey::from_bytes(&secret).unwrap())
}

pub fn ends(suite: FrameSuite) -> (FrameSealer, FrameOpener) {
    let mut opener = FrameOpener::new();
    opener.install(key(suite, 3, 0)).unwrap();
    (FrameSealer::new(key(suite, 3, 0)), opener)
}

pub const SUITES: [FrameSuite; 5] = [
    FrameSuite::Aes128Gcm,
    FrameSuite::Aes256Gcm,
    FrameSuite::ShortTag(ShortTag::Aes128CtrHmac80),
    FrameSuite::ShortTag(ShortTag::Aes128CtrHmac64),
    FrameSuite::ShortTag(ShortTag::Aes128CtrHmac32),
];

pub fn sealed(sealer: &mut FrameSealer, plaintext: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    sealer.seal(b"audio", plaintext, &mut frame).unwrap();
    frame
}
