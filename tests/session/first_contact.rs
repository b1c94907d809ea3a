//! Pre-key messages that meet rotated, used or lost pre-keys, a full replay cache, or a changed identity.
//!
//! Other failures of set-up are tested in setup.rs.

use bisik::{
    AcceptError, Accepted, Ciphertext, Identity, PreKeyBundle, PreKeys, Session, StorageKey, Timestamp, Trust,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

const DAY: u64 = 24 * 60 * 60;
const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

struct Setting {
    rng: StdRng,
    alice: Identity,
    bob: Identity,
    keys: PreKeys,
}

fn setting() -> Setting {
    let mut rng = StdRng::seed_from_u64(7);
    let (alice, bob) = (Identity::generate(&mut rng), Identity::generate(&mut rng));
    let keys = PreKeys::generate(&bob, NOW, &mut rng);
    Setting { rng, alice, bob, keys }
}

impl Setting {
    fn first_message(&mut self, bundle: PreKeyBundle, text: &[u8]) -> (Session, Ciphertext) {
        let bundle = bundle.verify(Trust::Pinned(self.bob.public()), NOW).unwrap();
        let mut session = Session::initiate(&self.alice, &bundle, &mut self.rng).unwrap();
        let message = session.encrypt(text, &mut self.rng).unwrap();
        (session, message)
    }

    fn accept(&self, message: &Ciphertext) -> Result<Accepted, AcceptError> {
        Session::accept(&self.bob, &self.keys, message, Trust::Pinned(self.alice.public()))
    }
}

/// P-3.6
#[test]
fn a_one_time_pre_key_is_bound_to_its_generation() {
    let mut setting = setting();
    let bundle = setting.keys.replenish(&setting.bob, 1, &mut setting.rng).unwrap().remove(0);
    let (_, message) = setting.first_message(bundle, b"halo");
    let later = NOW.plus_seconds(8 * DAY);
    assert!(setting.keys.rotate(&setting.bob, later, &mut setting.rng).unwrap());
    let other = setting.keys.bundle().to_bytes();
    let mut bytes = message.into_bytes();
    bytes[33..37].copy_from_slice(&other[67..71]);
    let crossed = Ciphertext::from_bytes(&bytes).unwrap();
    assert_eq!(setting.accept(&crossed).unwrap_err(), AcceptError::UnknownPreKey);
}

/// P-2.6, P-3.7. More pre-key messages than the limit may be accepted at once; the record still opens and none is
/// forgotten.
#[test]
fn a_full_replay_cache_refuses_new_sessions_until_rotation() {
    let mut setting = setting();
    let verified = setting.keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let mut accepted = Vec::new();
    for _ in 0..1_026 {
        let mut session = Session::initiate(&setting.alice, &verified, &mut setting.rng).unwrap();
        let message = session.encrypt(b"", &mut setting.rng).unwrap();
        accepted.push((setting.accept(&message).unwrap().used, message));
    }
    let (last_used, last) = accepted.pop().unwrap();
    for (used, _) in &accepted {
        setting.keys.remove(*used);
    }
    assert_eq!(setting.accept(&last).unwrap_err(), AcceptError::ReplayCacheFull);
    setting.keys.remove(last_used);

    let key = StorageKey::generate(&mut setting.rng);
    let record = setting.keys.seal(&key, b"", &mut setting.rng);
    setting.keys = PreKeys::unseal(&key, b"", &record).unwrap();
    assert_eq!(setting.accept(&last).unwrap_err(), AcceptError::Replayed);
    assert!(setting.keys.rotate(&setting.bob, NOW, &mut setting.rng).unwrap(), "rotation is due at once");
    let (_, fresh) = setting.first_message(setting.keys.bundle(), b"halo");
    assert!(setting.accept(&fresh).is_ok());
}

/// P-2.1, P-3.8
#[test]
fn a_changed_identity_is_reported_only_for_an_authentic_message() {
    let mut setting = setting();
    let (_, message) = setting.first_message(setting.keys.bundle(), b"halo");
    let pinned = Trust::Pinned(setting.bob.public());
    let mismatch = Session::accept(&setting.bob, &setting.keys, &message, pinned);
    assert_eq!(mismatch.unwrap_err(), AcceptError::IdentityMismatch);

    let mut bytes = message.into_bytes();
    *bytes.last_mut().unwrap() ^= 1;
    let damaged = Ciphertext::from_bytes(&bytes).unwrap();
    let rejected = Session::accept(&setting.bob, &setting.keys, &damaged, pinned);
    assert_eq!(rejected.unwrap_err(), AcceptError::Rejected, "damage must not be reported as a changed key");
}

/// P-2.3
#[test]
fn a_reinstalled_device_distinguishes_lost_keys_from_forgeries() {
    let mut setting = setting();
    let (_, message) = setting.first_message(setting.keys.bundle(), b"halo");
    setting.keys = PreKeys::generate(&setting.bob, NOW, &mut setting.rng);
    assert_eq!(setting.accept(&message).unwrap_err(), AcceptError::UnknownPreKey);
}
