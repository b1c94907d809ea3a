//! Pairs with a session, a group call of several devices, and both ends of a stream of frames.

use bisik::call::{
    BaseKey, CallId, CallKeys, Calling, EpochKey, EpochKeyError, FrameOpener, FrameSealer, FrameSuite, GroupCall,
    Offer, OpenError, Participant, SenderKey, ShortTag, SignalError,
};
use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};

pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// A session between two devices, the initiator's side first.
pub fn sessions(initiator: &Identity, responder: &Identity) -> (Session, Session) {
    let rng = &mut rand::rng();
    let keys = PreKeys::generate(responder, NOW, rng);
    let bundle = keys.bundle().verify(Trust::Pinned(responder.public()), NOW).unwrap();
    let mut ours = Session::initiate(initiator, &bundle, NOW, rng).unwrap();
    let hello = ours.encrypt(b"halo", rng).unwrap();
    let accepted = Session::accept(responder, &keys, &hello, Trust::Pinned(initiator.public()), NOW).unwrap();
    let Accepted { session: mut theirs, .. } = accepted;
    // Both are confirmed, as the sessions of calls are.
    let answer = theirs.encrypt(b"hai", rng).unwrap();
    assert!(ours.decrypt(initiator, &answer).unwrap().confirms);
    let proof = ours.encrypt(b"apa kabar", rng).unwrap();
    assert!(theirs.decrypt(responder, &proof).unwrap().confirms);
    (ours, theirs)
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

/// A group call with a session between every two participants.
pub struct Room {
    pub identities: Vec<Identity>,
    /// `sessions[i][j]` is the session of `i` with `j`.
    pub sessions: Vec<Vec<Option<Session>>>,
    pub calls: Vec<GroupCall>,
}

impl Room {
    /// Every participant has a call; none has joined another's yet.
    pub fn new(size: usize) -> Self {
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
        let calls = identities
            .iter()
            .enumerate()
            .map(|(i, person)| GroupCall::start(id, FrameSuite::default(), number(i), person.public(), NOW, rng))
            .collect();
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

    pub fn join(&mut self, at: usize, who: usize) {
        let identity = *self.identities[who].public();
        self.calls[at].join(number(who), &identity, &mut rand::rng()).unwrap();
    }

    pub fn session(&self, of: usize, with: usize) -> &Session {
        self.sessions[of][with].as_ref().unwrap()
    }

    pub fn key(&self, of: usize, to: usize) -> EpochKey {
        EpochKey::from_bytes(&self.calls[of].key_for(self.session(of, to)).unwrap().to_bytes()).unwrap()
    }

    pub fn give(&mut self, of: usize, to: usize, key: EpochKey) -> Result<(), EpochKeyError> {
        let session = self.sessions[to][of].as_ref().unwrap();
        self.calls[to].accept_key(key, session)
    }

    /// Every member of `who` receives the current key of every other.
    pub fn share(&mut self, who: &[usize]) {
        for of in who {
            for to in who.iter().filter(|to| *to != of) {
                let key = self.key(*of, *to);
                self.give(*of, *to, key).unwrap();
            }
        }
    }

    pub fn seal(&mut self, of: usize) -> Vec<u8> {
        let mut frame = Vec::new();
        self.calls[of].seal(b"audio", b"20 ms of sound", &mut frame).unwrap();
        frame
    }

    pub fn open(&mut self, at: usize, frame: &[u8]) -> Result<Participant, OpenError> {
        let mut frame = frame.to_vec();
        let opened = self.calls[at].open(b"audio", &mut frame)?;
        assert_eq!(opened.plaintext, b"20 ms of sound");
        Ok(opened.participant)
    }
}

pub fn number(index: usize) -> Participant {
    Participant(u16::try_from(index).unwrap())
}

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
