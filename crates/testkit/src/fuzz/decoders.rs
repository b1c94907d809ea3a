//! The decoders of public data: every decoded value has exactly one encoding, and can be used.

use bisik::handshake::PreKeyHeader;
use bisik::{BundleError, Ciphertext, Identity, IdentityKey, PreKeyBundle, Session, Trust};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use ed25519_dalek::{Signer, SigningKey};

use super::fixtures::{PARTIES, Parties, Repeatable};
use super::input::Input;
use super::model::{is_on_curve, is_public_key};

pub fn identity_key(data: &[u8]) {
    let bytes = Input::new(data).array::<64>();
    let (signing, agreement) = bytes.split_first_chunk().expect("64 bytes have 32");
    let agreement = *agreement.first_chunk().expect("and 32 more");
    let good = is_verifying_key(signing)
        && is_public_key(&agreement)
        && is_on_curve(&agreement)
        && is_torsion_free(&agreement);
    match IdentityKey::from_bytes(&bytes) {
        Ok(key) => assert!(good && key.to_bytes() == bytes, "a decoded key is valid, and has one encoding"),
        Err(error) => assert!(!good, "a good key is refused: {error:?}"),
    }
}

pub fn ciphertext(data: &[u8]) {
    if let Ok(message) = Ciphertext::from_bytes(data) {
        assert_eq!(message.as_bytes(), data, "decoded values have one encoding");
        assert!(
            message.is_pre_key_message() == (data[0] == 0x21) && data.len() >= 133,
            "a message is as long as its overhead"
        );
        assert_eq!(message.into_bytes(), data);
    }
}

pub fn first_flight(data: &[u8]) {
    let ephemeral = data.first_chunk().copied().unwrap_or_default();
    let decoded = PreKeyHeader::from_bytes(data);
    assert_eq!(decoded.is_ok(), data.len() == PreKeyHeader::LENGTH && is_public_key(&ephemeral));
    if let Ok(header) = decoded {
        assert_eq!(header.to_bytes(), data, "decoded values have one encoding");
        let Parties { bob, keys, now, .. } = &*PARTIES;
        let _ = bisik::handshake::respond(bob, keys, &header, None, Trust::OnFirstUse, *now);
    }
}

/// The first byte selects a raw bundle or one correctly signed by a dishonest device.
pub fn bundle(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 2 {
        0 => bundle_as_it_comes(input.rest()),
        _ => bundle_of_a_hostile_device(input.rest()),
    }
}

fn bundle_as_it_comes(data: &[u8]) {
    let Parties { bob, bundles, now, .. } = &*PARTIES;
    let Ok(bundle) = PreKeyBundle::from_bytes(data) else { return };
    assert_eq!(bundle.to_bytes(), data, "decoded values have one encoding");
    if bundle.clone().verify(Trust::Pinned(bob.public()), *now).is_ok() {
        assert!(bundles.contains(&bundle), "only bundles that their owner signed verify");
    }
    let _ = bundle.verify(Trust::OnFirstUse, *now);
}

/// The fuzzer chooses everything but signing key and signature, and the signature is valid.
fn bundle_of_a_hostile_device(data: &[u8]) {
    let Parties { alice, now, .. } = &*PARTIES;
    let hostile = SigningKey::from_bytes(&[0x48; 32]);
    let mut bytes = data[..data.len().saturating_sub(64)].to_vec();
    if let Some(key) = bytes.get_mut(SIGNING_KEY) {
        key.copy_from_slice(hostile.verifying_key().as_bytes());
    }
    let signature = hostile.sign(&[b"bisik-1 pre-key bundle\0", bytes.as_slice()].concat());
    bytes.extend_from_slice(&signature.to_bytes());
    let Ok(bundle) = PreKeyBundle::from_bytes(&bytes) else { return };
    assert_eq!(bundle.to_bytes(), bytes, "decoded values have one encoding");
    let date = |at: usize| bytes[at..].first_chunk().map_or(0, |date| u64::from_be_bytes(*date));
    let latest = now.plus_seconds(24 * 60 * 60).as_unix_seconds();
    let in_time = date(CREATED) <= latest && date(EXPIRES) > now.as_unix_seconds();
    let lifetime = date(EXPIRES).saturating_sub(date(CREATED));
    match bundle.verify(Trust::OnFirstUse, *now) {
        Ok(verified) => {
            assert!(in_time, "only a bundle within its dates verifies");
            assert!(lifetime <= 30 * 24 * 60 * 60, "only a bundle of at most 30 days verifies");
            write_to(alice, &verified);
        }
        Err(BundleError::NotYetValid | BundleError::Expired) => assert!(!in_time, "it is refused within its dates"),
        Err(BundleError::ValidTooLong) => assert!(in_time && lifetime > 30 * 24 * 60 * 60, "it ends within 30 days"),
        Err(error) => assert!(
            matches!(error, BundleError::NonCanonical | BundleError::MixedOrder),
            "no other fault of a well-signed bundle: {error:?}"
        ),
    }
}

/// A session with any bundle that verified can encrypt.
fn write_to(alice: &Identity, verified: &bisik::VerifiedBundle) {
    let rng = &mut Repeatable(5);
    let mut session =
        Session::initiate(alice, verified, PARTIES.now, rng).expect("a verified bundle gives a shared secret");
    session.encrypt(b"halo", rng).expect("an initiator can write");
}

/// Whether the point on the curve with this u-coordinate has no component of small order.
fn is_torsion_free(u: &[u8; 32]) -> bool {
    MontgomeryPoint(*u).to_edwards(0).is_some_and(|point| point.is_torsion_free())
}

/// Whether these are the canonical encoding of a point that is not of small order.
fn is_verifying_key(bytes: &[u8; 32]) -> bool {
    let point = CompressedEdwardsY(*bytes).decompress();
    point.is_some_and(|point| !point.is_small_order() && point.compress().0 == *bytes)
}

/// Offset of the Ed25519 key in a bundle.
const SIGNING_KEY: std::ops::Range<usize> = 2..34;
/// Offset of the time of issue in a bundle.
const CREATED: usize = 71;
/// Offset of the expiry.
const EXPIRES: usize = 79;
