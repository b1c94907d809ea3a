//! Pre-key messages that meet rotated, used or lost pre-keys, a full replay memory, or a changed identity.
//!
//! Other failures of set-up are tested in setup.rs.

use bisik::{
    AcceptError, Accepted, Ciphertext, Identity, PreKeyBundle, PreKeys, Rotation, Session, StorageKey, Timestamp,
    Trust, VerifiedBundle,
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
        let mut session = Session::initiate(&self.alice, &bundle, NOW, &mut self.rng).unwrap();
        let message = session.encrypt(text, &mut self.rng).unwrap();
        (session, message)
    }

    fn accept(&self, message: &Ciphertext) -> Result<Accepted, AcceptError> {
        Session::accept(&self.bob, &self.keys, message, Trust::Pinned(self.alice.public()), NOW)
    }
}

/// P-3.7
#[test]
fn a_one_time_pre_key_is_bound_to_its_generation() {
    let mut setting = setting();
    let bundle = setting.keys.replenish(&setting.bob, 1, &mut setting.rng).unwrap().remove(0);
    let (_, message) = setting.first_message(bundle, b"halo");
    let later = NOW.plus_seconds(4 * DAY);
    assert_eq!(setting.keys.rotate(&setting.bob, later, &mut setting.rng), Ok(Rotation::Everything));
    let other = setting.keys.bundle().to_bytes();
    let mut bytes = message.into_bytes();
    bytes[33..37].copy_from_slice(&other[67..71]);
    let crossed = Ciphertext::from_bytes(&bytes).unwrap();
    assert_eq!(setting.accept(&crossed).unwrap_err(), AcceptError::UnknownPreKey);
}

/// The message of one more session of `initiator`, and what accepting it says.
fn set_up(
    setting: &mut Setting,
    initiator: &Identity,
    bundle: &VerifiedBundle,
    trust: Trust<'_>,
) -> (Ciphertext, Result<Accepted, AcceptError>) {
    let mut session = Session::initiate(initiator, bundle, NOW, &mut setting.rng).unwrap();
    let message = session.encrypt(b"", &mut setting.rng).unwrap();
    let accepted = Session::accept(&setting.bob, &setting.keys, &message, trust, NOW);
    (message, accepted)
}

/// P-3.8
#[test]
fn the_seventeenth_last_resort_session_of_one_identity_is_refused_and_named() {
    let mut setting = setting();
    let bundle = setting.keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let mallory = Identity::generate(&mut setting.rng);
    let mut first = None;
    for _ in 0..16 {
        let (message, accepted) = set_up(&mut setting, &mallory, &bundle, Trust::OnFirstUse);
        setting.keys.remove(accepted.unwrap().used);
        first.get_or_insert(message);
    }
    let refused = AcceptError::TooManySetUps { initiator: *mallory.public() };
    for trust in [Trust::OnFirstUse, Trust::Pinned(mallory.public())] {
        let (message, accepted) = set_up(&mut setting, &mallory, &bundle, trust);
        assert_eq!(accepted.unwrap_err(), refused);
        // Only a message that verifies names somebody.
        let mut bytes = message.into_bytes();
        *bytes.last_mut().unwrap() ^= 1;
        let damaged = Ciphertext::from_bytes(&bytes).unwrap();
        let forged = Session::accept(&setting.bob, &setting.keys, &damaged, trust, NOW);
        assert_eq!(forged.unwrap_err(), AcceptError::Rejected);
    }
    let replayed = Session::accept(&setting.bob, &setting.keys, &first.unwrap(), Trust::OnFirstUse, NOW);
    assert_eq!(replayed.unwrap_err(), AcceptError::Replayed);
    // Nobody else notices, and with a one-time bundle not even that identity does.
    let (_, message) = setting.first_message(setting.keys.bundle(), b"halo");
    assert!(setting.accept(&message).is_ok());
    let one_time = setting.keys.replenish(&setting.bob, 1, &mut setting.rng).unwrap().remove(0);
    let one_time = one_time.verify(Trust::OnFirstUse, NOW).unwrap();
    assert!(set_up(&mut setting, &mallory, &one_time, Trust::OnFirstUse).1.is_ok());
}

/// P-3.8. As many as strangers may set up, and one more of each at once: all are remembered, the record opens, and a
/// contact still gets in.
#[test]
fn strangers_who_fill_the_last_resort_key_do_not_shut_out_contacts() {
    let mut setting = setting();
    let bundle = setting.keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let mut accepted = Vec::new();
    for _ in 0..769 {
        let stranger = Identity::generate(&mut setting.rng);
        let (message, of) = set_up(&mut setting, &stranger, &bundle, Trust::OnFirstUse);
        accepted.push((of.unwrap().used, message));
    }
    // Accepted before the others were removed, so that all 769 fit.
    for (used, _) in &accepted {
        setting.keys.remove(*used);
    }
    let key = StorageKey::generate(&mut setting.rng);
    let record = setting.keys.seal(&key, b"", &mut setting.rng);
    setting.keys = PreKeys::unseal(&key, b"", &record).unwrap();
    for (_, message) in &accepted {
        let again = Session::accept(&setting.bob, &setting.keys, message, Trust::OnFirstUse, NOW);
        assert_eq!(again.unwrap_err(), AcceptError::Replayed);
    }
    let stranger = Identity::generate(&mut setting.rng);
    let (_, refused) = set_up(&mut setting, &stranger, &bundle, Trust::OnFirstUse);
    assert_eq!(refused.unwrap_err(), AcceptError::StrangersFull { initiator: *stranger.public() });
    // A pin helps only the identity that it pins.
    let other = *Identity::generate(&mut setting.rng).public();
    let (_, refused) = set_up(&mut setting, &stranger, &bundle, Trust::Pinned(&other));
    assert_eq!(refused.unwrap_err(), AcceptError::IdentityMismatch);
    let (_, message) = setting.first_message(setting.keys.bundle(), b"halo");
    assert!(setting.accept(&message).is_ok(), "a contact");

    let soon = NOW.plus_seconds(6 * 60 * 60);
    assert_eq!(setting.keys.rotate(&setting.bob, soon, &mut setting.rng), Ok(Rotation::LastResort));
    let fresh = setting.keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    assert!(set_up(&mut setting, &stranger, &fresh, Trust::OnFirstUse).1.is_ok());
}

/// P-2.1, P-3.9
#[test]
fn a_changed_identity_is_reported_only_for_an_authentic_message() {
    let mut setting = setting();
    let (_, message) = setting.first_message(setting.keys.bundle(), b"halo");
    let pinned = Trust::Pinned(setting.bob.public());
    let mismatch = Session::accept(&setting.bob, &setting.keys, &message, pinned, NOW);
    assert_eq!(mismatch.unwrap_err(), AcceptError::IdentityMismatch);

    let mut bytes = message.into_bytes();
    *bytes.last_mut().unwrap() ^= 1;
    let damaged = Ciphertext::from_bytes(&bytes).unwrap();
    let rejected = Session::accept(&setting.bob, &setting.keys, &damaged, pinned, NOW);
    assert_eq!(rejected.unwrap_err(), AcceptError::Rejected, "damage must not be reported as a changed key");
}

/// P-2.4
#[test]
fn a_reinstalled_device_distinguishes_lost_keys_from_forgeries() {
    let mut setting = setting();
    let (_, message) = setting.first_message(setting.keys.bundle(), b"halo");
    setting.keys = PreKeys::generate(&setting.bob, NOW, &mut setting.rng);
    assert_eq!(setting.accept(&message).unwrap_err(), AcceptError::UnknownPreKey);
}
