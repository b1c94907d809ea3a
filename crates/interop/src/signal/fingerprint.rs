//! The safety number of two people: 60 digits to compare by eye or voice, and a code to scan (docs/interop.md, section
//! 9).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;

use super::key::IdentityKey;
use super::wire::{low_half, small};
use crate::fields::{begin_bytes, bytes_length, put_bytes, put_u32};
use bisik_core::codec::{Malformed, Records, Value};
use bisik_core::primitives::sha512::sha512;

/// Hash iterations for each of the two halves, as clients compute the number that they show.
pub const ITERATIONS: u32 = 5_200;

/// One of the two people.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a> {
    /// The person's identifier, in the bytes that both clients use: a telephone number, or a 16-byte account
    /// identifier.
    pub identifier: &'a [u8],
    /// The identity keys of the person's devices, in any order.
    pub keys: &'a [IdentityKey],
}

/// The safety number of the local user and another. It changes when an identity key does.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// use bisik::interop::signal::{Identity, Party, SafetyNumber};
///
/// let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// let alice = Party { identifier: b"+6281200000001", keys: &[alice.public()] };
/// let bob = Party { identifier: b"+6281200000002", keys: &[bob.public()] };
///
/// let hers = SafetyNumber::new(1, &alice, &bob);
/// let his = SafetyNumber::new(1, &bob, &alice);
/// assert_eq!(hers.to_string(), his.to_string()); // 60 digits, the same for both
/// assert_eq!(hers.verify(&his.to_scannable()), Ok(()));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SafetyNumber {
    version: u32,
    local: [u8; 64],
    remote: [u8; 64],
}

impl SafetyNumber {
    /// Computes the number with [`ITERATIONS`], which takes some milliseconds. `version` is 1 if identifiers are
    /// telephone numbers, 2 if they are account identifiers. It is compared when a code is scanned; the digits do not
    /// depend on it.
    #[must_use]
    pub fn new(version: u32, local: &Party<'_>, remote: &Party<'_>) -> Self {
        Self::with_iterations(ITERATIONS, version, local, remote)
    }

    /// The same with another number of iterations, at least one. Both sides must use the same number.
    #[must_use]
    pub fn with_iterations(iterations: u32, version: u32, local: &Party<'_>, remote: &Party<'_>) -> Self {
        Self { version, local: half(iterations, local), remote: half(iterations, remote) }
    }

    /// The code that the local user's client shows: `{version, local, remote}`.
    #[must_use]
    pub fn to_scannable(&self) -> Vec<u8> {
        let mut code = Vec::new();
        put_u32(&mut code, small(VERSION), self.version);
        for (number, half) in [(LOCAL, &self.local), (REMOTE, &self.remote)] {
            let content = scanned(half);
            begin_bytes(&mut code, small(number), bytes_length(content.len()));
            put_bytes(&mut code, small(CONTENT), content);
        }
        code
    }

    /// Compares with the scanned code of the other user's client, whose local half is the remote half here.
    /// Constant-time. S-9.3.
    ///
    /// # Errors
    ///
    /// [`ScanError`] if `code` is malformed, of another version, or of other keys or people.
    pub fn verify(&self, code: &[u8]) -> Result<(), ScanError> {
        let (Some(version), Some(local), Some(remote)) = parse(code).map_err(|_| ScanError::Malformed)? else {
            return Err(ScanError::Malformed);
        };
        if version != self.version {
            return Err(ScanError::OtherVersion { theirs: version });
        }
        let same = scanned(&self.remote).ct_eq(local) & scanned(&self.local).ct_eq(remote);
        if bool::from(same) { Ok(()) } else { Err(ScanError::Mismatch) }
    }
}

/// The digits: the smaller half first, so that both users see the same. S-9.2.
impl fmt::Display for SafetyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ours, theirs) = (digits(&self.local), digits(&self.remote));
        let (first, second) = if ours <= theirs { (ours, theirs) } else { (theirs, ours) };
        write!(f, "{first}{second}")
    }
}

impl fmt::Debug for SafetyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SafetyNumber({}, {self})", self.version)
    }
}

/// Why a scanned code does not confirm the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanError {
    /// Not the code of a safety number: something else was scanned.
    Malformed,
    /// The two clients use different kinds of identifier: one of them is older.
    OtherVersion {
        /// The scanned code's version.
        theirs: u32,
    },
    /// Another key or another person: an attacker may be in between. Do not mark the contact as verified.
    Mismatch,
}

bisik_core::error_texts! {
    ScanError {
        Malformed => "interop.signal.scan.malformed", "the scanned code is not that of a safety number";
        OtherVersion => "interop.signal.scan.other_version", "the scanned code has another version";
        Mismatch => "interop.signal.scan.mismatch", "the scanned code is for another key or person";
    }
}

/// `h = SHA-512(0000 ‖ keys ‖ identifier ‖ keys)`, then repeatedly `h = SHA-512(h ‖ keys)`. S-9.1.
fn half(iterations: u32, party: &Party<'_>) -> [u8; 64] {
    let mut keys: Vec<_> = party.keys.iter().map(IdentityKey::to_bytes).collect();
    keys.sort_unstable();
    let keys = keys.concat();
    let first = sha512(&[&[0, 0], &keys, party.identifier, &keys]);
    (1..iterations).fold(first, |hash, _| sha512(&[&hash, &keys]))
}

/// Thirty digits: six groups of five bytes, each modulo 100,000.
fn digits(half: &[u8; 64]) -> String {
    let groups = half.chunks_exact(5).take(6);
    groups.fold(String::with_capacity(30), |mut text, group| {
        let number = group.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        text.push_str(&alloc::format!("{:05}", number % 100_000));
        text
    })
}

/// The part of a half that the code contains.
fn scanned(half: &[u8; 64]) -> &[u8] {
    let (scanned, _) = half.split_at(32);
    scanned
}

/// A scanned code: version, the other client's local half, and its remote half.
type Code<'a> = (Option<u32>, Option<&'a [u8]>, Option<&'a [u8]>);

/// Reads a code. Fields that are not known are skipped. Of a field that occurs twice, the last one counts.
fn parse(code: &[u8]) -> Result<Code<'_>, Malformed> {
    let (mut version, mut local, mut remote) = (None, None, None);
    for record in Records::of(code) {
        let record = record?;
        match (record.number, record.value) {
            (VERSION, Value::Varint(value)) => version = Some(low_half(value)),
            (LOCAL, Value::Bytes(value)) => local = parse_half(value)?.or(local),
            (REMOTE, Value::Bytes(value)) => remote = parse_half(value)?.or(remote),
            (VERSION..=REMOTE, _) => return Err(Malformed),
            _ => {}
        }
    }
    Ok((version, local, remote))
}

fn parse_half(message: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    let mut content = None;
    for record in Records::of(message) {
        let record = record?;
        match (record.number, record.value) {
            (CONTENT, Value::Bytes(value)) => content = Some(value),
            (CONTENT, _) => return Err(Malformed),
            _ => {}
        }
    }
    Ok(content)
}

// The fields of a code.
const VERSION: u32 = 1;
const LOCAL: u32 = 2;
const REMOTE: u32 = 3;

/// The one field of a half.
const CONTENT: u32 = 1;
