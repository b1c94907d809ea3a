//! A call of two: [`Offer`] and [`Answer`], which travel inside sessions, and the keys that both sides derive.
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
use crate::keys::IdentityKey;
use crate::session::Session;
use bisik_core::codec::{Reader, SecretWriter, Writer};
use bisik_core::primitives::mlkem768::{CIPHERTEXT, DecapsulationKey, ENCAPSULATION_KEY, EncapsulationKey, SEED};
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, KeyPair, Point, PublicKey};

/// The keys of a call of two.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallKeys {
    /// The call.
    pub call: CallId,
    /// Keys for what this device sends.
    pub sending: DirectionKeys,
    /// Keys for what the peer sends.
    pub receiving: DirectionKeys,
}

/// The caller's state while it waits for the answer to one offer. To call several devices, start one for each.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
/// # let (alice, bob, now) = (Identity::generate(rng), Identity::generate(rng), Timestamp::from_unix_seconds(0));
/// # let keys = PreKeys::generate(&bob, now, rng);
/// # let mut a = Session::initiate(&alice, &keys.bundle().verify(Trust::OnFirstUse, now)?, now, rng)?;
/// # let hello = a.encrypt(b"halo", rng)?;
/// # let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
/// # let _ = a.decrypt(&alice, &b.encrypt(b"hai", rng)?)?;
/// use bisik::call::{CallId, Calling, Signal};
///
/// // Alice has the session `a` with Bob, he has `b` with her, and both have proved who they are.
/// let (calling, offer) = Calling::start(CallId::generate(rng), alice.public(), &a, rng);
/// let message = a.encrypt(&offer.to_bytes(), rng)?;
///
/// let read = b.decrypt(&bob, &message)?.plaintext.confirmed().expect("Alice has read an answer");
/// let Signal::Offer(offer) = Signal::from_bytes(&read)? else { panic!("Bob expects a call") };
/// let (at_bob, answer) = offer.accept(bob.public(), &b, rng)?;
/// let message = b.encrypt(&answer.to_bytes(), rng)?;
///
/// let read = a.decrypt(&alice, &message)?.plaintext.confirmed().expect("Bob has answered before");
/// let Signal::Answer(answer) = Signal::from_bytes(&read)? else { panic!("Alice expects an answer") };
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
    /// The encoded offer without its secret.
    public: Vec<u8>,
}

impl Calling {
    /// Calls the peer of `session`. Send the offer to the peer as a message in this session.
    ///
    /// `own` is the local identity key. Draws 128 bytes from `rng`: key pair, encapsulation key and secret are fresh
    /// for each offer (requirement P-9.1).
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

    /// Derives the keys of the call from the callee's answer. `session` is the session in which the answer arrived; it
    /// need not be the one in which the offer was sent.
    ///
    /// # Errors
    ///
    /// [`Unanswered`] if `answer` is not the callee's answer to this offer. It returns the caller's state unchanged,
    /// because the right answer may still arrive.
    pub fn complete(self, answer: &Answer, session: &Session) -> Result<CallKeys, Unanswered> {
        match self.0.complete(answer, session) {
            Ok(keys) => Ok(keys),
            Err(error) => Err(Unanswered { calling: self, error }),
        }
    }

    /// Returns the id of the call.
    #[must_use]
    pub fn call(&self) -> CallId {
        self.0.call
    }

    /// Returns the identity key of the called device.
    #[must_use]
    pub fn callee(&self) -> &IdentityKey {
        &self.0.callee
    }
}

impl Pending {
    fn complete(&self, answer: &Answer, session: &Session) -> Result<CallKeys, AnswerError> {
        // P-9.2: refuse another call id or another identity key, and go on waiting.
        if answer.call != self.call {
            return Err(AnswerError::OtherCall);
        }
        if session.peer() != &self.callee {
            return Err(AnswerError::OtherDevice);
        }
        let agreement = x25519::agree(&self.pair, &answer.ephemeral).map_err(|_| AnswerError::Rejected)?;
        let encapsulated = self.kem.decapsulate(&answer.ciphertext);
        let transcript = Transcript {
            session: &self.session,
            caller: &self.caller,
            callee: &self.callee,
            offer: &self.public,
            answer: &answer.public(),
        };
        let Derived { by_caller, by_callee, confirmation } = transcript.derive(&agreement, &encapsulated, &self.secret);
        // P-9.3: compare the confirmation in constant time before any key is used.
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

/// An offer of a call of two. Accepting it consumes it.
///
/// It contains a secret: pass its bytes to [`Session::encrypt`] and nowhere else.
pub struct Offer {
    call: CallId,
    ephemeral: PublicKey,
    kem: EncapsulationKey,
    secret: Box<Secret<32>>,
}

impl Offer {
    /// Length in bytes: 1,265.
    pub const LENGTH: usize = PUBLIC_OFFER + 32;

    /// Decodes an offer from the plaintext of a session's message.
    ///
    /// # Errors
    ///
    /// [`SignalError`] if the bytes are not the encoding of an offer, or contain a key that no honest device generates.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignalError> {
        let mut reader = Reader::new(bytes);
        reader.expect(&[OFFER])?;
        let call = CallId::from_bytes(*reader.array()?);
        let (ephemeral, kem) = (reader.array()?, reader.array()?);
        let secret = Box::new(Secret::copy_of(reader.array()?));
        reader.finish()?;
        let ephemeral = *Point::decode(x25519::decode_public(ephemeral)?)?.public();
        let kem = EncapsulationKey::decode(kem).ok_or(SignalError::NonCanonical)?;
        Ok(Self { call, ephemeral, kem, secret })
    }

    /// Encodes the offer, to [encrypt](Session::encrypt) for the peer.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = SecretWriter::with_capacity(Self::LENGTH);
        writer.bytes(&self.public()).bytes(self.secret.expose());
        writer.finish()
    }

    /// Returns the id of the call.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.call
    }

    /// Accepts the call. Send the answer to the caller in `session`, or in another session with the same peer.
    ///
    /// `own` is the local identity key; `session` is the one in which the offer arrived. Draws 64 bytes from `rng`.
    ///
    /// # Errors
    ///
    /// [`SignalError`] if the X25519 agreement yields an all-zero secret, which no honest caller's key does.
    pub fn accept(
        self,
        own: &IdentityKey,
        session: &Session,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(CallKeys, Answer), SignalError> {
        let theirs = Point::decode(self.ephemeral)?;
        let (pair, [agreement]) = x25519::pair_and_agree(Secret::random(&mut rng), [&theirs])?;
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

    /// The encoding without the secret.
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

/// The answer to one offer. Pass its bytes to [`Session::encrypt`] too: they reveal who calls whom.
#[derive(Clone)]
pub struct Answer {
    call: CallId,
    ephemeral: Point,
    ciphertext: Box<[u8; CIPHERTEXT]>,
    confirmation: [u8; 32],
}

impl Answer {
    /// Length in bytes: 1,169.
    pub const LENGTH: usize = PUBLIC_ANSWER + 32;

    /// Decodes an answer from the plaintext of a session's message.
    ///
    /// # Errors
    ///
    /// [`SignalError`] if the bytes are not the encoding of an answer, or contain a key that no honest device
    /// generates.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignalError> {
        let mut reader = Reader::new(bytes);
        reader.expect(&[ANSWER])?;
        let call = CallId::from_bytes(*reader.array()?);
        let ephemeral = reader.array()?;
        let ciphertext = Box::new(*reader.array()?);
        let confirmation = *reader.array()?;
        reader.finish()?;
        let ephemeral = Point::decode(x25519::decode_public(ephemeral)?)?;
        Ok(Self { call, ephemeral, ciphertext, confirmation })
    }

    /// Encodes the answer, to [encrypt](Session::encrypt) for the peer.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.public().as_slice(), &self.confirmation].concat()
    }

    /// Returns the id of the call.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.call
    }

    /// The encoding without the confirmation.
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

/// Length in bytes of kind, call id, X25519 key and encapsulation key.
const PUBLIC_OFFER: usize = 1 + 16 + 32 + ENCAPSULATION_KEY;
/// Length in bytes of kind, call id, X25519 key and ciphertext.
const PUBLIC_ANSWER: usize = 1 + 16 + 32 + CIPHERTEXT;
