//! Known answers for whole conversations: every message is encrypted to the same bytes and decrypted, from the private
//! keys alone.
//!
//! tests/reference/interop.py made them. `BISIK_INTEROP` names another directory to read.

use bisik::interop::signal::{Accepted, Ciphertext, Identity, KeyPair, MessageKind, PreKeys, Session, Trust};

use super::known::{Draws, Known};

/// S-2.2, S-2.3, S-3.1, S-3.2, S-3.3, S-3.4, S-3.5, S-4.1, S-4.2, S-4.3
#[test]
fn known_conversations_match_the_reference() {
    let blocks = Known::load("conversation.txt");
    let mut conversations = 0;
    for conversation in blocks.chunk_by(|_, next| next.text("do") != "begin") {
        replay(&conversation[0], &conversation[1..]);
        conversations += 1;
    }
    assert_eq!(conversations, 2, "with a one-time pre-key and without");
}

fn replay(begin: &Known, messages: &[Known]) {
    let rng = &mut rand::rng();
    let id = |name| begin.text(name).parse::<u32>().unwrap();
    let pair = |name| KeyPair::from_secret_bytes(begin.array(name));
    let initiator = Identity::from_secret_bytes(begin.array("initiator_private"), id("initiator_id"));
    let responder = Identity::from_secret_bytes(begin.array("responder_private"), id("responder_id"));
    let mut keys = PreKeys::with_signed(&responder, id("signed_id"), pair("signed_private"), rng);
    let one_time = begin.text("one_time_id").parse().ok();
    if let Some(one_time) = one_time {
        keys.insert_one_time(one_time, pair("one_time_private")).unwrap();
    }
    let bundle = keys.bundle(&responder, 1, one_time).unwrap().verify(Trust::OnFirstUse).unwrap();
    let mut base = Draws::listed(&begin.array::<32>("base_private"));
    let mut a = Session::initiate(&initiator, &bundle, &mut base).unwrap();
    assert!(base.is_used_up());
    assert_eq!(*a.base_key().unwrap(), pair("base_private").public());
    let mut b = None;
    for known in messages {
        let (plaintext, bytes) = (known.hex("plaintext"), known.hex("message"));
        let kind = if known.text("kind") == "pkmsg" { MessageKind::PreKey } else { MessageKind::Whisper };
        let message = Ciphertext::from_parts(kind, &bytes).unwrap();
        let mut draws = Draws::listed(&known.find("ratchet_private").unwrap_or_default());
        let by_initiator = known.text("of") == "initiator";
        let writer = if by_initiator { &mut a } else { b.as_mut().unwrap() };
        let written = writer.encrypt(&plaintext, &mut draws).unwrap();
        assert!(draws.is_used_up());
        if known.text("do") == "write and read" {
            assert_eq!((written.kind(), written.as_bytes()), (kind, bytes.as_slice()));
        } else {
            assert_ne!(written.as_bytes(), bytes, "only other implementations write it so");
        }
        let read = match (by_initiator, &mut b) {
            (true, Some(b)) => b.decrypt(&message).unwrap(),
            (true, None) => {
                let Accepted { session, plaintext, used } =
                    Session::accept(&responder, &keys, &message, Trust::Pinned(&initiator.public())).unwrap();
                assert_eq!((used.one_time(), used.signed()), (one_time, id("signed_id")));
                assert_eq!(session.peer_registration_id(), id("initiator_id"));
                b = Some(session);
                plaintext
            }
            (false, _) => a.decrypt(&message).unwrap(),
        };
        assert_eq!(read, plaintext);
    }
    assert_eq!(messages.len(), 151);
}
