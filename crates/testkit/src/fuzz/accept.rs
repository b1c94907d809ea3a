//! `accept`: edited pre-key messages and raw bytes against pre-keys of two generations.
//!
//! Only a genuine pre-key message opens a session, and only once.

use bisik::{AcceptError, Accepted, Ciphertext, PreKeys, Session, Trust};

use super::fixtures::{PARTIES, PRE_KEY_MESSAGES, Parties, Repeatable, storage_key};
use super::input::Input;
use super::record::CONTEXT;

pub fn accept(data: &[u8]) {
    let Parties { alice, bob, keys, now, .. } = &*PARTIES;
    let bytes = Input::new(data).edited(&PRE_KEY_MESSAGES);
    let genuine = PRE_KEY_MESSAGES.iter().find(|genuine| genuine.bytes == bytes);
    let Ok(message) = Ciphertext::from_bytes(&bytes) else {
        assert!(genuine.is_none(), "every genuine message is one");
        return;
    };
    match Session::accept(bob, keys, &message, Trust::OnFirstUse, *now) {
        Ok(Accepted { session, plaintext, used }) => {
            let genuine = genuine.expect("only a genuine pre-key message opens a session");
            assert_eq!(plaintext.show_unconfirmed(), genuine.plaintext);
            assert_eq!(session.peer(), alice.public());
            assert!(session.recognizes(&message), "a session knows its pre-key messages");
            let pinned = Session::accept(bob, keys, &message, Trust::Pinned(bob.public()), *now);
            assert_eq!(pinned.unwrap_err(), AcceptError::IdentityMismatch);
            let mut spent = own_copy(keys);
            spent.remove(used);
            let again = Session::accept(bob, &spent, &message, Trust::OnFirstUse, *now).unwrap_err();
            assert!(matches!(again, AcceptError::Replayed | AcceptError::UnknownPreKey), "{again:?}");
        }
        Err(error) => {
            assert!(genuine.is_none(), "a genuine pre-key message is accepted: {error:?}");
            assert_ne!(error, AcceptError::WrongIdentity, "the pre-keys are the identity's own");
        }
    }
}

/// Copies the pre-keys, so that the copy can change.
fn own_copy(keys: &PreKeys) -> PreKeys {
    let record = keys.seal(&storage_key(), CONTEXT, &mut Repeatable(0));
    PreKeys::unseal(&storage_key(), CONTEXT, &record).expect("a sealed record opens")
}
