//! Alice and Bob, and the pre-key messages between them: for tests that need no network.

use bisik::{
    Accepted, Ciphertext, DecryptError, Identity, Plaintext, PreKeyBundle, PreKeys, Session, Timestamp, Trust,
    VerifiedBundle,
};

use crate::blocks::{block, head};
use crate::rng::{ConstantRng, SeededRng};
use crate::simulation::checked_session::{CONTEXT, storage_key};

/// Two identities, and the pre-keys of the responder.
pub struct AliceAndBob {
    pub alice: Identity,
    pub bob: Identity,
    pub keys: PreKeys,
    pub now: Timestamp,
    pub rng: SeededRng,
}

impl AliceAndBob {
    pub fn new(seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let (alice, bob) = (Identity::generate(&mut rng), Identity::generate(&mut rng));
        let keys = PreKeys::generate(&bob, now, &mut rng);
        Self { alice, bob, keys, now, rng }
    }

    /// A bundle of Bob's: a new one with one-time keys, or the last-resort bundle.
    pub fn bundle(&mut self, one_time: bool) -> PreKeyBundle {
        if one_time { self.keys.replenish(&self.bob, 1, &mut self.rng).unwrap().remove(0) } else { self.keys.bundle() }
    }

    pub fn verified(&mut self, one_time: bool) -> VerifiedBundle {
        let now = self.now;
        self.bundle(one_time).verify(Trust::OnFirstUse, now).unwrap()
    }

    /// Alice's session before anything is sent.
    pub fn initiate(&mut self, one_time: bool) -> Session {
        let bundle = self.verified(one_time);
        Session::initiate(&self.alice, &bundle, self.now, &mut self.rng).unwrap()
    }

    /// Bob's session, set up by her pre-key message.
    pub fn accept(&self, message: &Ciphertext) -> Accepted {
        Session::accept(&self.bob, &self.keys, message, Trust::Pinned(self.alice.public()), self.now).unwrap()
    }

    /// Both sessions after Alice's pre-key message, which Bob has accepted and not answered.
    pub fn opened(&mut self, one_time: bool) -> (Session, Session) {
        let mut alice = self.initiate(one_time);
        let hello = alice.encrypt(b"halo", &mut self.rng).unwrap();
        let Accepted { session, plaintext, used } = self.accept(&hello);
        assert_eq!((plaintext.show_unconfirmed(), used.one_time()), (b"halo".to_vec(), one_time));
        self.keys.remove(used);
        (alice, session)
    }

    /// Both sessions after each side has sent and received.
    pub fn established(&mut self) -> (Session, Session) {
        let (mut alice, mut bob) = self.opened(true);
        let reply = bob.encrypt(b"hai", &mut self.rng).unwrap();
        assert_eq!(read(&mut alice, &self.alice, &reply), b"hai");
        (alice, bob)
    }
}

/// Decrypts a message that confirms its session, or comes after such a one.
pub fn read(session: &mut Session, identity: &Identity, message: &Ciphertext) -> Vec<u8> {
    session.decrypt(identity, message).unwrap().plaintext.confirmed().unwrap()
}

/// Decrypts a message, and gives the plaintext whatever its mark.
///
/// # Errors
///
/// [`DecryptError`], as from the session.
pub fn try_read(session: &mut Session, identity: &Identity, message: &Ciphertext) -> Result<Vec<u8>, DecryptError> {
    Ok(match session.decrypt(identity, message)?.plaintext {
        Plaintext::Confirmed(plaintext) => plaintext,
        Plaintext::Unconfirmed(plaintext) => plaintext.show_unconfirmed(),
    })
}

/// The state in bytes: equal bytes mean equal states. Its blocks are named by their content, and stay in the store of
/// [`blocks`](crate::blocks).
pub fn state(session: &mut Session) -> Vec<u8> {
    head(&session.seal(&storage_key(), CONTEXT, &mut ConstantRng(0)).unwrap())
}

/// A session that was sealed and opened again.
pub fn reloaded(session: &mut Session) -> Session {
    Session::unseal(&storage_key(), CONTEXT, &state(session), block).unwrap()
}

/// The pre-keys in bytes.
pub fn state_of(keys: &PreKeys) -> Vec<u8> {
    keys.seal(&storage_key(), CONTEXT, &mut ConstantRng(0))
}
