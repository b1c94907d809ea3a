//! [`Comparison`]: four emoji that the users of a call read to each other.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use super::GroupCall;
use super::commitment::{Commitment, Opening};
use super::error::CompareError;
use super::id::CallId;
use crate::emoji::Emoji;
use crate::keys::IdentityKey;
use crate::labels::call as labels;
use crate::session::Session;
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::secret::Secret;

/// A spoken comparison, in a call of two or of many ([section 9.7](crate::manual::spec::calls#97-spoken-comparison)).
///
/// Every device commits to random bytes, and opens them once it has a commitment of every other. Then all show the same
/// four emoji, if all have the same identity keys of each other. Whoever stands between two of them is told apart,
/// except for one try in 2^24.
///
/// Each round is such a try, also one in which somebody withholds an opening after it has seen those of the others. So
/// [`again`](Self::again) is for users who want to compare again, and not for the program to call by itself; and if no
/// emoji come up, tell the users so.
///
/// Signals travel like those of the call: in confirmed sessions. On error nothing has changed.
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
/// # let _ = b.decrypt(&bob, &a.encrypt(b"apa kabar", rng)?)?;
/// use bisik::call::{CallId, Comparison};
///
/// // Alice has the session `a` with Bob, he has `b` with her, and both are in the call. What one makes, the other takes
/// // from a message in their session.
/// let call = CallId::generate(rng);
/// let (mut at_alice, hers) = Comparison::start(call, alice.public(), [bob.public()], rng)?;
/// let (mut at_bob, his) = Comparison::start(call, bob.public(), [alice.public()], rng)?;
/// assert!(at_alice.opening().is_none(), "not before Bob has committed himself");
/// at_alice.take_commitment(&his, &a, rng)?;
/// at_bob.take_commitment(&hers, &b, rng)?;
/// let (hers, his) = (at_alice.opening().ok_or("all have")?, at_bob.opening().ok_or("all have")?);
/// at_alice.take_opening(&his, &a)?;
/// at_bob.take_opening(&hers, &b)?;
/// let emoji = at_alice.emoji().ok_or("all have opened")?;
/// println!("{}", emoji.map(|emoji| emoji.name).join(", ")); // such as owl, train, anchor, melon
/// assert_eq!(at_bob.emoji(), Some(emoji));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Comparison {
    call: CallId,
    own: IdentityKey,
    round: u16,
    bytes: Box<Secret<16>>,
    /// Whether the bytes were given away.
    opened: bool,
    /// Whether a commitment was taken: until then the others may be in any round.
    heard: bool,
    others: BTreeMap<IdentityKey, Said>,
}

/// What another device has said in this round.
#[derive(Clone, Copy)]
enum Said {
    Nothing,
    Commitment([u8; 32]),
    Bytes([u8; 16], [u8; 32]),
}

impl Said {
    const fn commitment(&self) -> Option<&[u8; 32]> {
        match self {
            Self::Nothing => None,
            Self::Commitment(hash) | Self::Bytes(_, hash) => Some(hash),
        }
    }
}

impl Comparison {
    /// Begins to compare with the devices in `others`. Send the commitment to each of them.
    ///
    /// `own` is the local identity key. Draws 16 bytes from `rng`.
    ///
    /// # Errors
    ///
    /// [`CompareError::NotInCall`] if `others` are none or more than 255, or have the local device among them.
    pub fn start<'a>(
        call: CallId,
        own: &IdentityKey,
        others: impl IntoIterator<Item = &'a IdentityKey>,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Self, Commitment), CompareError> {
        let others = with(own, others)?;
        let bytes = Box::new(Secret::random(&mut rng));
        let comparison = Self { call, own: *own, round: 1, bytes, opened: false, heard: false, others };
        let commitment = comparison.commitment();
        Ok((comparison, commitment))
    }

    /// Begins another round with the devices in `others`, because the users want to compare again: after one has joined,
    /// left, or come again ([`KeyNews::NewStay`](super::KeyNews::NewStay)), or another [begins again
    /// ](CompareError::BeginsAgain). Send the commitment to each of them. Draws 16 bytes from `rng`.
    ///
    /// # Errors
    ///
    /// [`CompareError`] as for [`start`](Self::start), or if there were 65,535 rounds.
    pub fn again<'a>(
        &mut self,
        others: impl IntoIterator<Item = &'a IdentityKey>,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Commitment, CompareError> {
        let others = with(&self.own, others)?;
        let round = self.round.checked_add(1).ok_or(CompareError::Exhausted)?;
        self.others = others;
        self.begin(round, &mut rng);
        Ok(self.commitment())
    }

    /// P-9.20: in each round the bytes are fresh, and so are all commitments.
    fn begin(&mut self, round: u16, rng: &mut dyn CryptoRng) {
        self.round = round;
        *self.bytes = Secret::random(rng);
        self.opened = false;
        self.others.values_mut().for_each(|said| *said = Said::Nothing);
    }

    /// Returns the local commitment in this round.
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        let hash = commit(self.call, self.round, &self.own, self.bytes.expose());
        Commitment { call: self.call, round: self.round, hash }
    }

    /// Takes a commitment. `session` is the session in which it arrived.
    ///
    /// One of a later round begins that round here too, while this device has not opened its own commitment: it draws 16
    /// bytes from `rng` and returns a commitment to send to each of the others. After each commitment, see whether there
    /// is an [`opening`](Self::opening).
    ///
    /// # Errors
    ///
    /// [`CompareError`] if the session is not confirmed; if the commitment is of another call or of somebody who does not
    /// take part; if it is of an earlier round, of a later one after this device has opened its own, or of one that is
    /// more than 64 ahead, unless it is the first that is taken; or if its sender has given another in this round.
    pub fn take_commitment(
        &mut self,
        commitment: &Commitment,
        session: &Session,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Option<Commitment>, CompareError> {
        let Commitment { call, round, hash } = commitment;
        let said = self.said(*call, session)?;
        let ahead = round.checked_sub(self.round).ok_or(CompareError::OtherRound)?;
        if ahead > AHEAD && self.heard {
            return Err(CompareError::OtherRound);
        }
        // P-9.20: whoever has seen the bytes knows what would be shown, and may want another try.
        if ahead > 0 && self.opened {
            return Err(CompareError::BeginsAgain);
        }
        if ahead > 0 {
            self.begin(*round, &mut rng);
            self.heard = true;
            self.others.insert(*session.peer(), Said::Commitment(*hash));
            return Ok(Some(self.commitment()));
        }
        match said.commitment() {
            None => _ = self.others.insert(*session.peer(), Said::Commitment(*hash)),
            Some(former) if former == hash => {}
            Some(_) => return Err(CompareError::Changed),
        }
        self.heard = true;
        Ok(None)
    }

    /// Returns the opening of the local commitment, to send to each of the others, once there is a commitment of each.
    /// From then on none is replaced. Requirement P-9.19.
    pub fn opening(&mut self) -> Option<Opening> {
        let committed = self.others.values().all(|said| said.commitment().is_some());
        self.opened |= committed;
        committed.then(|| Opening { call: self.call, round: self.round, bytes: *self.bytes.expose() })
    }

    /// Takes an opening. `session` is the session in which it arrived.
    ///
    /// # Errors
    ///
    /// [`CompareError`] if the session is not confirmed; if the opening is of another call, round or device, has come before
    /// its commitment (keep it and try it again), or does not fit the commitment.
    pub fn take_opening(&mut self, opening: &Opening, session: &Session) -> Result<(), CompareError> {
        let Opening { call, round, bytes } = opening;
        let said = self.said(*call, session)?;
        if *round < self.round {
            return Err(CompareError::OtherRound);
        }
        let commitment = said.commitment().filter(|_| *round == self.round).ok_or(CompareError::TooEarly)?;
        // P-9.20: compared in constant time like every secret, although it is one no longer.
        let fits = commit(self.call, self.round, session.peer(), bytes).ct_eq(commitment);
        if !bool::from(fits) {
            return Err(CompareError::Changed);
        }
        self.others.insert(*session.peer(), Said::Bytes(*bytes, *commitment));
        Ok(())
    }

    fn said(&self, call: CallId, session: &Session) -> Result<Said, CompareError> {
        if !session.is_confirmed() {
            return Err(CompareError::Unconfirmed);
        }
        if call != self.call {
            return Err(CompareError::OtherCall);
        }
        self.others.get(session.peer()).copied().ok_or(CompareError::NotInCall)
    }

    /// Returns the emoji to show, once every device has opened its commitment. Show them with the names of those who take
    /// part: they say nothing of anybody else. Requirement P-9.21.
    #[must_use]
    pub fn emoji(&self) -> Option<[Emoji; 4]> {
        let mut all = Vec::new();
        all.push((self.own.to_bytes(), self.opened.then(|| *self.bytes.expose())?));
        for (device, said) in &self.others {
            let Said::Bytes(bytes, _) = said else { return None };
            all.push((device.to_bytes(), *bytes));
        }
        all.sort_unstable();
        let all: Vec<_> = all.into_iter().map(|(key, bytes)| [key.as_slice(), &bytes].concat()).collect();
        let [a, b, c, ..] = digest(&[labels::WORDS, self.call.as_bytes(), &self.round.to_be_bytes(), &all.concat()]);
        let bits = u32::from_be_bytes([0, a, b, c]);
        Some([18, 12, 6, 0].map(|shift| {
            let [.., six] = ((bits >> shift) & 0x3f).to_be_bytes();
            Emoji::of(six)
        }))
    }

    /// Returns the number of the round.
    #[must_use]
    pub const fn round(&self) -> u16 {
        self.round
    }
}

impl fmt::Debug for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, own: _, round, bytes: _, opened, heard: _, others } = self;
        f.debug_struct("Comparison")
            .field("call", call)
            .field("round", round)
            .field("opened", opened)
            .field("others", &others.len())
            .finish_non_exhaustive()
    }
}

fn with<'a>(
    own: &IdentityKey,
    others: impl IntoIterator<Item = &'a IdentityKey>,
) -> Result<BTreeMap<IdentityKey, Said>, CompareError> {
    let mut all = BTreeMap::new();
    for device in others {
        all.insert(*device, Said::Nothing);
        if device == own || all.len() >= GroupCall::MAX_PARTICIPANTS {
            return Err(CompareError::NotInCall);
        }
    }
    if all.is_empty() { Err(CompareError::NotInCall) } else { Ok(all) }
}

/// The commitment of a device to its bytes.
fn commit(call: CallId, round: u16, device: &IdentityKey, bytes: &[u8; 16]) -> [u8; 32] {
    digest(&[labels::COMMITMENT, call.as_bytes(), &round.to_be_bytes(), &device.to_bytes(), bytes])
}

/// How many rounds a commitment may be ahead: more than joins that somebody has not heard of.
const AHEAD: u16 = 64;
