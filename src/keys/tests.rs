//! Known answers of draws, and the replay memory at its bounds.

use super::draw::PreKeyKind;
use super::prekey::UnsignedBundle;
use super::replay::{Refusal, ReplayMemory};
use super::*;
use crate::labels;
use alloc::vec::Vec;
use bisik_core::primitives::kdf::{HmacSha256, Prk, extract};
use bisik_core::primitives::secret::Secret;

/// Gives the same bytes at every draw.
struct Predictable(u8);

impl rand_core::TryRng for Predictable {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(self.0);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Predictable {}

/// The formulas of section 2.5, written out.
#[test]
fn a_draw_is_a_mac_of_the_generator_under_a_key_of_the_identity() {
    let identity = Identity::generate(&mut Predictable(1));
    let hedge = extract(b"bisik-1 hedge\0", &[identity.agreement().expose_secret_bytes()]);
    let mixed = HmacSha256::new(&hedge).hash(&[b"bisik-1 draw\0\x01", &[7; 32], &[5; 32], &[0; 32]]);
    let expected = |output: u8| Prk::from_uniform_key(&mixed).expand::<32>(&[b"bisik-1 draw\0", &[output]]);
    let draw = identity.draw_set_up(&[5; 32], None, &mut Predictable(7));
    assert_eq!(draw.agreement().expose(), expected(0x10).expose());
    assert_eq!(draw.encapsulation().expose(), expected(0x11).expose());
    assert_eq!(draw.first_ratchet().expose(), expected(0x13).expose());
    assert_eq!(draw.labels().concat(), expected(0x14).expose());

    let mixed = HmacSha256::new(&hedge).hash(&[b"bisik-1 draw\0\x03", &[7; 32], &[0x02]]);
    let draw = identity.draw_pre_key(PreKeyKind::OneTime, &mut Predictable(7));
    let prk = Prk::from_uniform_key(&mixed);
    assert_eq!(draw.kem_seed().expose(), prk.expand::<64>(&[b"bisik-1 draw\0\x12"]).expose());
    assert_eq!(draw.agreement().expose(), prk.expand::<32>(&[b"bisik-1 draw\0\x10"]).expose());
}

/// P-3.3, P-2.12
#[test]
fn no_two_identities_bundles_or_purposes_share_a_draw() {
    let (alice, bob) = (Identity::generate(&mut Predictable(1)), Identity::generate(&mut Predictable(2)));
    let disclosure = bisik_core::disclosure::DisclosureHash::from_bytes([9; 32]).unwrap();
    let mut drawn: Vec<[u8; 32]> = Vec::new();
    for identity in [&alice, &bob] {
        let rng = &mut Predictable(7);
        let set_up = [
            identity.draw_set_up(&[5; 32], None, rng),
            identity.draw_set_up(&[6; 32], None, rng),
            identity.draw_set_up(&[5; 32], Some(disclosure), rng),
            identity.draw_pre_key(PreKeyKind::Generation, rng),
            identity.draw_pre_key(PreKeyKind::OneTime, rng),
        ];
        for draw in &set_up {
            drawn.extend([draw.agreement(), draw.encapsulation(), draw.first_ratchet()].map(|secret| *secret.expose()));
        }
    }
    let count = drawn.len();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!((count, drawn.len()), (30, 30));
    let [one, other] = [3, 4].map(|byte| alice.draw_set_up(&[5; 32], None, &mut Predictable(byte)));
    assert_ne!(one.agreement().expose(), other.agreement().expose(), "the generator enters too");
}

fn initiator(byte: u8) -> IdentityKey {
    *Identity::generate(&mut Predictable(byte)).public()
}

fn session(number: u32) -> [u8; 16] {
    let mut id = [0; 16];
    id.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    id
}

#[test]
fn an_entry_is_half_of_each_digest() {
    let name = bisik_core::primitives::kdf::digest(&[b"bisik-1 replay initiator\0", &initiator(1).to_bytes()]);
    let entry = ReplayMemory::entry(&initiator(1), b"0123456789abcdef");
    assert_eq!((&entry[..8], &entry[8..]), (&name[..8], b"01234567".as_slice()));
    assert_eq!(labels::REPLAY_INITIATOR, b"bisik-1 replay initiator\0");
}

/// P-3.8
#[test]
fn an_initiator_with_sixteen_sessions_shuts_only_its_own_door() {
    let mut memory = ReplayMemory::default();
    for number in 0..16 {
        let entry = ReplayMemory::entry(&initiator(1), &session(number));
        assert_eq!(memory.check(entry, false), Ok(()));
        memory.remember(entry);
        assert_eq!(memory.check(entry, true), Err(Refusal::Replayed));
    }
    for known in [false, true] {
        assert_eq!(memory.check(ReplayMemory::entry(&initiator(1), &session(16)), known), Err(Refusal::TooMany));
        assert_eq!(memory.check(ReplayMemory::entry(&initiator(2), &session(16)), known), Ok(()));
    }
    let first = ReplayMemory::entry(&initiator(1), &session(0));
    assert_eq!(memory.check(first, false), Err(Refusal::Replayed), "a replay is told from one too many");
}

/// P-3.8
#[test]
fn strangers_fill_three_quarters_of_the_memory() {
    let mut memory = ReplayMemory::default();
    let entry = |number: u32| {
        let mut entry = [0; 16];
        entry.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
        entry
    };
    for number in 0..1_024 {
        assert_eq!(memory.is_full_for_strangers(), number >= 768);
        let stranger = if number < 768 { Ok(()) } else { Err(Refusal::Full) };
        assert_eq!(memory.check(entry(number), false), stranger);
        assert_eq!(memory.check(entry(number), true), Ok(()));
        memory.remember(entry(number));
    }
    assert_eq!(memory.check(entry(2_000), true), Err(Refusal::Full));
    assert_eq!(memory.entries().len(), 1_024, "nothing is evicted");
}

/// P-2.12: a predicted generator gives no pre-key, because what it gives is a public input of the draw.
#[test]
fn a_predicted_generator_gives_no_pre_key() {
    let identity = Identity::generate(&mut rand::rng());
    let now = bisik_core::time::Timestamp::from_unix_seconds(1_800_000_000);
    let mut keys = PreKeys::generate(&identity, now, &mut Predictable(7));
    let _ = keys.replenish(&identity, 1, &mut Predictable(7)).unwrap();
    let guessed = Secret::new([7; 32]);
    let pair = bisik_core::primitives::x25519::pair_from_secret(guessed);
    let one_time = keys.one_time.values().next().unwrap();
    assert_ne!(pair.public(), keys.current.signed.public());
    assert_ne!(pair.public(), one_time.agreement.public());
    assert!(one_time.kem.expose() != &[7; 64] && keys.current.last_resort.expose() != &[7; 64]);
}

/// P-2.8: without one-time bundles that anybody may still use, a generation goes three days after its successor was
/// made. With them it stays, and the oldest goes at the bound.
#[test]
fn a_flooded_device_keeps_a_bounded_number_of_generations() {
    let identity = Identity::generate(&mut Predictable(1));
    let at = |hours: u64| bisik_core::time::Timestamp::from_unix_seconds(1_800_000_000 + hours * 3_600);
    for (with_one_time, expected) in [(false, 12), (true, 16)] {
        let mut keys = PreKeys::generate(&identity, at(0), &mut rand::rng());
        let mut most = 0;
        for round in 1..=40 {
            if with_one_time {
                let _ = keys.replenish(&identity, 1, &mut rand::rng()).unwrap();
            }
            for number in 0..768 {
                keys.current.seen.remember(ReplayMemory::entry(keys.owner(), &session(number)));
            }
            assert_eq!(keys.rotate(&identity, at(round * 6 - 1), &mut rand::rng()), Ok(Rotation::Nothing));
            assert_eq!(keys.rotate(&identity, at(round * 6), &mut rand::rng()), Ok(Rotation::LastResort));
            most = most.max(keys.older.len());
        }
        assert_eq!(most, expected);
    }
}

/// Signs a bundle with dates and an identity of one's choice.
fn signed(identity: &Identity, keys: &PreKeys, change: impl FnOnce(&mut UnsignedBundle)) -> PreKeyBundle {
    let mut unsigned = keys.current.unsigned(*identity.public());
    change(&mut unsigned);
    PreKeyBundle::from_bytes(&PreKeyBundle::sign(identity, unsigned).to_bytes()).unwrap()
}

/// P-2.5
#[test]
fn a_bundle_that_is_valid_for_more_than_thirty_days_is_refused() {
    let identity = Identity::generate(&mut rand::rng());
    let now = bisik_core::time::Timestamp::from_unix_seconds(1_800_000_000);
    let keys = PreKeys::generate(&identity, now, &mut rand::rng());
    for (days, seconds, expected) in
        [(30, 0, Ok(())), (30, 1, Err(BundleError::ValidTooLong)), (31, 0, Err(BundleError::ValidTooLong))]
    {
        let expires = now.plus_seconds(days * 24 * 60 * 60 + seconds);
        let bundle = signed(&identity, &keys, |unsigned| unsigned.expires = expires);
        for trust in [Trust::OnFirstUse, Trust::Pinned(identity.public())] {
            assert_eq!(bundle.clone().verify(trust, now).map(drop), expected);
        }
    }
}

/// P-2.3: a bundle under `X + T` is refused for all seven points of small order. A caller that has pinned `X` compares.
#[test]
fn a_bundle_of_an_identity_with_a_component_of_small_order_is_refused() {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::montgomery::MontgomeryPoint;
    let identity = Identity::generate(&mut rand::rng());
    let now = bisik_core::time::Timestamp::from_unix_seconds(1_800_000_000);
    let keys = PreKeys::generate(&identity, now, &mut rand::rng());
    let point = MontgomeryPoint(*identity.public().agreement().as_bytes()).to_edwards(0).unwrap();
    for torsion in &EIGHT_TORSION[1..] {
        let mut bytes = identity.public().to_bytes();
        bytes[32..].copy_from_slice(&(point + torsion).to_montgomery().0);
        let mixed = IdentityKey::from_bytes_without_points(&bytes).unwrap();
        let bundle = signed(&identity, &keys, |unsigned| unsigned.identity = mixed);
        let verify = |trust| bundle.clone().verify(trust, now).map(drop);
        assert_eq!(verify(Trust::OnFirstUse), Err(BundleError::MixedOrder));
        assert_eq!(verify(Trust::Pinned(identity.public())), Err(BundleError::IdentityMismatch));
    }
    assert!(signed(&identity, &keys, |_| {}).verify(Trust::OnFirstUse, now).is_ok());
}

/// P-2.8: an older generation whose clock stood at 0 can be stored, and the current one was not replaced.
#[test]
fn generations_replaced_at_any_time_can_be_stored() {
    let identity = Identity::generate(&mut rand::rng());
    let at = bisik_core::time::Timestamp::from_unix_seconds;
    let key = bisik_core::storage::StorageKey::from_bytes([7; 32]);
    for (created, now) in [(400 * 24 * 60 * 60, 0), (u64::MAX, 1), (0, u64::MAX), (1_800_000_000, 1_900_000_000)] {
        let mut keys = PreKeys::generate(&identity, at(created), &mut rand::rng());
        assert_eq!(keys.rotate(&identity, at(now), &mut rand::rng()), Ok(Rotation::Everything));
        let record = keys.seal(&key, b"", &mut Predictable(0));
        let same = PreKeys::unseal(&key, b"", &record).unwrap();
        assert_eq!(same.seal(&key, b"", &mut Predictable(0)), record);
        keys.current.replaced = Some(at(5));
        assert!(PreKeys::unseal(&key, b"", &keys.seal(&key, b"", &mut Predictable(0))).is_err());
    }
}
