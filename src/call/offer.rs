//! A call of two: [`Offer`] and [`Answer`], which travel inside a session, and the keys that both sides get.
//!
//! Does not know how signals are carried or what becomes of the keys.
//!
//! ```text
//!   caller                             in the session                                  callee
//!   Calling::start ──── offer: call id, X25519, ML-KEM-768 key, secret ────▶ Offer::accept ─▶ keys
//!   Calling::complete ◀──── answer: call id, X25519, ciphertext, confirmation ───┘
//!     └─▶ keys
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::error::{AnswerError, SignalError, Unanswered};
use super::id::{ANSWER, CallId, OFFER};
use super::keys::DirectionKeys;
use super::schedule::{Derived, Transcript};
use crate::codec::{Reader, SecretWriter, Writer};
use crate::keys::IdentityKey;
use crate::primitives::mlkem768::{CIPHERTEXT, DecapsulationKey, ENCAPSULATION_KEY, EncapsulationKey, SEED};
use crate::primitives::secret::Secret;
use crate::primitives::x25519::{KeyPair, Point, PublicKey};
use crate::session::Session;

/// The keys of a call of two.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallKeys {
    /// Which call.
    pub call: CallId,
    /// For what we send.
    pub sending: DirectionKeys,
    /// For what the other sends.
    pub receiving: DirectionKeys,
}

/// The caller, who waits for the answer to one offer. Calling several devices of one person takes one for each.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
/// # let (alice, bob, now) = (Identity::generate(rng), Identity::generate(rng), Timestamp::from_unix_seconds(0));
/// # let keys = PreKeys::generate(&bob, now, rng);
/// # let mut a = Session::initiate(&alice, &keys.bundle().verify(Trust::OnFirstUse, now)?, rng)?;
/// # let hello = a.encrypt(b"halo", rng)?;
/// # let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse)?;
/// use bisik::call::{CallId, Calling, Signal};
///
/// // Alice has the session `a` with Bob, he has `b` with her.
/// let (calling, offer) = Calling::start(CallId::generate(rng), alice.public(), &a, rng);
/// let message = a.encrypt(&offer.to_bytes(), rng)?;
///
/// let Signal::Offer(offer) = Signal::from_bytes(&b.decrypt(&message)?)? else { panic!("Bob expects a call") };
/// let (at_bob, answer) = offer.accept(bob.public(), &b, rng)?;
/// let message = b.encrypt(&answer.to_bytes(), rng)?;
///
/// let Signal::Answer(answer) = Signal::from_bytes(&a.decrypt(&message)?)? else { panic!("Alice expects an answer") };
/// let at_alice = calling.complete(&answer, &a)?;
/// assert_eq!(at_alice.sending.srtp.expose_key_and_salt(), at_bob.receiving.srtp.expose_key_and_salt());
/// assert_eq!(at_alice.receiving.base.expose_bytes(), at_bob.sending.base.expose_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Calling(Box<Pending>);

struct Pending {
    call: CallId,
    session: [u8; 16],
    caller: IdentityKey,
    callee: IdentityKey,
    pair: KeyPair,
    kem: DecapsulationKey,
    secret: Secret<32>,
    /// The offer without its secret.
    public: Vec<u8>,
}

impl Calling {
    /// P-9.1. Calls the peer of `session`, from 128 bytes of `rng`. `own` is our identity key; the offer goes to the peer
    /// as a message in this `session`.
    #[must_use]
    pub fn start(
        call: CallId,
        own: &IdentityKey,
        session: &Session,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> (Self, Offer) {
        let pair = KeyPair::generate(&mut rng);
        let kem = DecapsulationKey::from_seed(&Secret::<SEED>::random(&mut rng));
        let secret = Secret::random(&mut rng);
        let offer =
            Offer { call, ephemeral: *pair.public(), kem: kem.public().clone(), secret: Box::new(secret.duplicate()) };
        let public = offer.public();
        let (session, caller, callee) = (*session.id(), *own, *session.peer());
        (Self(Box::new(Pending { call, session, caller, callee, pair, kem, secret, public })), offer)
    }

    /// The keys of the call, if `answer` was made from this offer. `session` is the one that it came in, which need not be
    /// the one that the offer went in.
    ///
    /// # Errors
    ///
    /// [`Unanswered`], which gives the caller's state back unchanged: the right answer may still come.
    pub fn complete(self, answer: &Answer, session: &Session) -> Result<CallKeys, Unanswered> {
        match self.0.complete(answer, session) {
            Ok(keys) => Ok(keys),
            Err(error) => Err(Unanswered { calling: self, error }),
        }
    }

    /// Which call.
    #[must_use]
    pub fn call(&self) -> CallId {
        self.0.call
    }

    /// Who is called.
    #[must_use]
    pub fn callee(&self) -> &IdentityKey {
        &self.0.callee
    }
}

impl Pending {
    fn complete(&self, answer: &Answer, session: &Session) -> Result<CallKeys, AnswerError> {
        // P-9.2
        if answer.call != self.call {
            return Err(AnswerError::OtherCall);
        }
        if session.peer() != &self.callee {
            return Err(AnswerError::OtherDevice);
        }
        let agreement = self.pair.agree(&answer.ephemeral).map_err(|_| AnswerError::Rejected)?;
        let encapsulated = self.kem.decapsulate(&answer.ciphertext);
        let transcript = Transcript {
            session: &self.session,
            caller: &self.caller,
            callee: &self.callee,
            offer: &self.public,
            answer: &answer.public(),
        };
        let Derived { by_caller, by_callee, confirmation } = transcript.derive(&agreement, &encapsulated, &self.secret);
        // P-9.3
        if !bool::from(confirmation.expose().ct_eq(&answer.confirmation)) {
            return Err(AnswerError::Rejected);
        }
        Ok(CallKeys { call: self.call, sending: by_caller, receiving: by_callee })
    }
}

impl fmt::Debug for Calling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pending { call, session: _, caller: _, callee, pair: _, kem: _, secret: _, public: _ } = self.0.as_ref();
        f.debug_struct("Calling").field("call", call).field("callee", callee).finish_non_exhaustive()
    }
}

/// A call that somebody makes. Accepting it consumes it.
///
/// It holds a secret: its bytes belong into [`Session::encrypt`] and nowhere else.
pub struct Offer {
    call: CallId,
    ephemeral: PublicKey,
    kem: EncapsulationKey,
    secret: Box<Secret<32>>,
}

impl Offer {
    /// Bytes of an offer: 1,265.
    pub const LENGTH: usize = PUBLIC_OFFER + 32;

    /// Reads an offer that came out of a session.
    ///
    /// # Errors
    ///
    /// [`SignalError`] where it is not the one encoding of an offer, or holds a key that no honest device makes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignalError> {
        let mut reader = Reader::new(bytes);
        reader.expect(&[OFFER])?;
        let call = CallId::from_bytes(*reader.array()?);
        let (ephemeral, kem) = (reader.array()?, reader.array()?);
        let secret = Box::new(Secret::copy_of(reader.array()?));
        reader.finish()?;
        let ephemeral = *Point::decode(PublicKey::decode(ephemeral)?)?.public();
        let kem = EncapsulationKey::decode(kem).ok_or(SignalError::NonCanonical)?;
        Ok(Self { call, ephemeral, kem, secret })
    }

    /// The bytes to [encrypt](Session::encrypt) for the peer.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = SecretWriter::with_capacity(Self::LENGTH);
        writer.bytes(&self.public()).bytes(self.secret.expose());
        writer.finish()
    }

    /// Which call.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.call
    }

    /// Answers, from 64 bytes of `rng`. `own` is our identity key, `session` the one that the offer came in; the answer
    /// goes back in it, or in another one with the same peer.
    ///
    /// # Errors
    ///
    /// [`SignalError`] where the agreement gives nothing: no honest caller's does.
    pub fn accept(
        self,
        own: &IdentityKey,
        session: &Session,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(CallKeys, Answer), SignalError> {
        let theirs = Point::decode(self.ephemeral)?;
        let (pair, agreement) = KeyPair::generate_and_agree(&mut rng, &theirs)?;
        let (ciphertext, encapsulated) = self.kem.encapsulate(&mut rng);
        let ephemeral = Point::decode(*pair.public())?;
        let mut answer = Answer { call: self.call, ephemeral, ciphertext, confirmation: [0; 32] };
        let transcript = Transcript {
            session: session.id(),
            caller: session.peer(),
            callee: own,
            offer: &self.public(),
            answer: &answer.public(),
        };
        let Derived { by_caller, by_callee, confirmation } = transcript.derive(&agreement, &encapsulated, &self.secret);
        answer.confirmation = *confirmation.expose();
        Ok((CallKeys { call: self.call, sending: by_callee, receiving: by_caller }, answer))
    }

    /// All but the secret.
    fn public(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(PUBLIC_OFFER);
        writer.u8(OFFER).bytes(self.call.as_bytes()).bytes(self.ephemeral.as_bytes()).bytes(self.kem.as_bytes());
        writer.finish()
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, ephemeral, kem: _, secret: _ } = self;
        f.debug_struct("Offer").field("call", call).field("ephemeral", ephemeral).finish_non_exhaustive()
    }
}

/// The answer to one offer. Its bytes belong into [`Session::encrypt`] too: they say who speaks with whom.
#[derive(Clone)]
pub struct Answer {
    call: CallId,
    ephemeral: Point,
    ciphertext: Box<[u8; CIPHERTEXT]>,
    confirmation: [u8; 32],
}

impl Answer {
    /// Bytes of an answer: 1,169.
    pub const LENGTH: usize = PUBLIC_ANSWER + 32;

    /// Reads an answer that came out of a session.
    ///
    /// # Errors
    ///
    /// [`SignalError`] where it is not the one encoding of an answer, or holds a key that no honest device makes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignalError> {
        let mut reader = Reader::new(bytes);
        reader.expect(&[ANSWER])?;
        let call = CallId::from_bytes(*reader.array()?);
        let ephemeral = reader.array()?;
        let ciphertext = Box::new(*reader.array()?);
        let confirmation = *reader.array()?;
        reader.finish()?;
        let ephemeral = Point::decode(PublicKey::decode(ephemeral)?)?;
        Ok(Self { call, ephemeral, ciphertext, confirmation })
    }

    /// The bytes to [encrypt](Session::encrypt) for the peer.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.public().as_slice(), &self.confirmation].concat()
    }

    /// Which call.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.call
    }

    /// All but the confirmation.
    fn public(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.u8(ANSWER).bytes(self.call.as_bytes()).bytes(self.ephemeral.public().as_bytes());
        writer.bytes(self.ciphertext.as_slice());
        writer.finish()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, ephemeral, ciphertext: _, confirmation: _ } = self;
        f.debug_struct("Answer").field("call", call).field("ephemeral", ephemeral.public()).finish_non_exhaustive()
    }
}

/// Kind, call id, X25519 key, encapsulation key.
const PUBLIC_OFFER: usize = 1 + 16 + 32 + ENCAPSULATION_KEY;
/// Kind, call id, X25519 key, ciphertext.
const PUBLIC_ANSWER: usize = 1 + 16 + 32 + CIPHERTEXT;
