//! Records of sessions and ratchets: each still opens, writes and reads what it did, and is sealed to the same bytes
//! again.
//!
//! Beside a record `name` are `name-sent`, which it writes with known randomness, and `name-next`, which it reads: the
//! plaintext of each is its name.

use std::collections::BTreeMap;

use bisik::ratchet::{self, DoubleRatchet, SharedSecret};
use bisik::{
    Accepted, Ciphertext, DecryptError, Identity, InitiateOptions, PreKeys, Session, Standing, Timestamp, Trust,
};
use bisik_testkit::alice_and_bob::read;
use bisik_testkit::draws::Draws;

use super::state_golden::{CREATED, Golden, golden, key, message, nonce};

/// The randomness of the recorded messages: 32 bytes for a step if one is due, 16 for the salt.
fn step_and_salt() -> Draws {
    Draws::listed(&[0x5a; 48])
}

fn session(name: &str) -> Session {
    let record = golden(name);
    let mut session = Session::unseal(&key(), name.as_bytes(), &record, |_| None).unwrap();
    assert_eq!(session.seal(&key(), name.as_bytes(), &mut nonce()).unwrap().head(), record);
    session
}

fn identity(name: &str) -> Identity {
    Identity::unseal(&key(), name.as_bytes(), &golden(name)).unwrap()
}

/// Writes and reads what was recorded beside the record; returns the session.
fn continued(name: &str, of: &str) -> Session {
    let (sent, next) = (format!("{name}-sent"), format!("{name}-next"));
    let mut session = session(name);
    assert_eq!(session.encrypt(sent.as_bytes(), &mut step_and_salt()).unwrap(), message(&sent));
    assert_eq!(read(&mut session, &identity(of), &message(&next)), next.as_bytes());
    session
}

/// P-3.5, P-6.4: an initiator's session without an answer. It still says what it offers, and the answer binds it.
#[test]
fn golden_waiting_session_opens_and_completes_its_handshake() {
    let waiting = session("session-waiting");
    assert_eq!((waiting.standing(), waiting.bound()), (Standing::Waiting, None));
    assert_eq!(waiting.labels().unwrap().concat(), golden("session-waiting-labels"));
    assert!(message("session-waiting-sent").is_pre_key_message());
    let confirmed = continued("session-waiting", "session-alice");
    assert_eq!((confirmed.standing(), confirmed.bound()), (Standing::Confirmed, Some(2)));
}

/// P-3.14, P-6.4: a responder's session before its first answer, not bound.
#[test]
fn golden_unconfirmed_session_opens_and_is_confirmed() {
    let opened = session("session-unconfirmed");
    assert_eq!((opened.standing(), opened.bound()), (Standing::Unconfirmed, Some(0)));
    let mut session = session("session-unconfirmed");
    let sent = session.encrypt(b"session-unconfirmed-sent", &mut step_and_salt()).unwrap();
    assert_eq!(sent, message("session-unconfirmed-sent"));
    let next = message("session-unconfirmed-next");
    assert_eq!(read(&mut session, &identity("session-bob"), &next), b"session-unconfirmed-next");
    assert_eq!(session.standing(), Standing::Confirmed);
}

/// P-3.17, P-6.4: a responder's session that is bound to an older one, before and after its first answer.
#[test]
fn golden_bound_sessions_open_and_are_confirmed() {
    for name in ["session-bound-unanswered", "session-bound-answered"] {
        let opened = session(name);
        assert_eq!((opened.standing(), opened.bound()), (Standing::Unconfirmed, Some(2)), "{name}");
        assert!(opened.bound_by().is_some());
        assert_eq!(continued(name, "session-bob").standing(), Standing::Confirmed, "{name}");
    }
}

/// P-3.19, P-3.20, P-6.4: a confirmed session that is bound, with what it offers and accepts.
#[test]
fn golden_confirmed_bound_session_opens_and_continues() {
    let session = continued("session-confirmed-bound", "session-alice");
    assert_eq!((session.standing(), session.bound()), (Standing::Confirmed, Some(2)));
    assert_eq!(session.offer().unwrap().name().as_slice(), golden("session-confirmed-bound-offer"));
    assert_eq!(session.peer(), identity("session-bob").public());
}

/// P-4.10, P-6.4: a session in mid-conversation, with kept keys in two chains.
#[test]
fn golden_established_session_opens_decrypts_and_encrypts() {
    assert_eq!(
        (session("session-established").skipped_keys(), session("session-established").is_confirmed()),
        (2, true)
    );
    let (mut session, alice) = (continued("session-established", "session-alice"), identity("session-alice"));
    for name in ["session-established-late-old", "session-established-late"] {
        assert_eq!(read(&mut session, &alice, &message(name)), name.as_bytes());
    }
    assert_eq!(session.skipped_keys(), 0);
    let read_before_sealing = session.decrypt(&alice, &message("session-established-read"));
    assert_eq!(read_before_sealing.unwrap_err(), DecryptError::Duplicate);
}

/// P-6.4, P-6.5: a session that waits for 50 messages, with two blocks beside its head.
#[test]
fn golden_session_with_blocks_opens_and_reads_what_it_skipped() {
    let (name, head) = ("session-blocks", golden("session-blocks"));
    let names = Session::named_blocks(&key(), name.as_bytes(), &head).unwrap();
    let blocks: BTreeMap<_, _> =
        names.iter().zip(["session-blocks-1", "session-blocks-2"]).map(|(id, name)| (*id, golden(name))).collect();
    let mut session = Session::unseal(&key(), name.as_bytes(), &head, |id| blocks.get(&id).cloned()).unwrap();
    assert_eq!((session.skipped_keys(), names.len()), (50, 2));
    let sealed = session.seal(&key(), name.as_bytes(), &mut nonce()).unwrap();
    assert_eq!((sealed.head(), sealed.blocks().len(), sealed.ended().len()), (head.as_slice(), 0, 0));
    let sent = session.encrypt(b"session-blocks-sent", &mut step_and_salt()).unwrap();
    assert_eq!(sent, message("session-blocks-sent"));
    for name in ["session-blocks-next", "session-blocks-late-1", "session-blocks-late-2", "session-blocks-late-head"] {
        assert_eq!(read(&mut session, &identity("session-blocks-bob"), &message(name)), name.as_bytes());
    }
    let sealed = session.seal(&key(), name.as_bytes(), &mut rand::rng()).unwrap();
    assert_eq!((sealed.blocks().len(), sealed.ended()), (2, names.as_slice()));
}

/// P-4.10, P-6.4: a ratchet without a session around it, which keeps the key of a message that is late.
#[test]
fn golden_ratchet_opens_decrypts_and_encrypts() {
    let mut ratchet = ratchet_goes_on("ratchet");
    assert_eq!(ratchet.decrypt(&golden("ratchet-late")).unwrap(), b"ratchet-late");
    assert_eq!(ratchet.decrypt(&golden("ratchet-read")).unwrap_err(), ratchet::DecryptError::Duplicate);
}

/// P-5.1, P-6.4: a ratchet in every state of the braid.
#[test]
fn golden_ratchets_open_and_continue_in_every_state_of_the_braid() {
    for Stop { name, .. } in STOPS {
        ratchet_goes_on(name);
    }
}

fn ratchet_goes_on(name: &str) -> DoubleRatchet {
    let (record, sent, next) = (golden(name), format!("{name}-sent"), format!("{name}-next"));
    let mut ratchet = DoubleRatchet::unseal(&key(), name.as_bytes(), &record).unwrap();
    assert_eq!(ratchet.seal(&key(), name.as_bytes(), &mut nonce()), record);
    assert_eq!(ratchet.encrypt(sent.as_bytes(), &mut step_and_salt()).unwrap(), golden(&sent), "{name}");
    assert_eq!(ratchet.decrypt(&golden(&next)).unwrap(), next.as_bytes(), "{name}");
    ratchet
}

/// Where two ratchets that write in turn are recorded.
struct Stop {
    name: &'static str,
    initiator: bool,
    /// Messages before it, the initiator's first.
    turns: u32,
    /// Whether every second message of the responder's is lost.
    lossy: bool,
}

const fn stop(name: &'static str, initiator: bool, turns: u32) -> Stop {
    Stop { name, initiator, turns, lossy: false }
}

/// The states of the braid, in their order. After how many messages each is there follows from the numbers of chunks.
const STOPS: [Stop; 11] = [
    stop("ratchet-keys-unsampled", true, 2),
    stop("ratchet-keys-sampled", true, 5),
    stop("ratchet-header-sent", true, 41),
    stop("ratchet-ct1-received", true, 72),
    stop("ratchet-ek-sent-ct1-received", true, 84),
    stop("ratchet-no-header-received", true, 92),
    stop("ratchet-header-received", true, 94),
    stop("ratchet-ct1-sampled", true, 121),
    Stop { name: "ratchet-ek-received-ct1-sampled", initiator: false, turns: 90, lossy: true },
    stop("ratchet-ct1-acknowledged", true, 160),
    stop("ratchet-ct2-sampled", true, 171),
];

/// Writes all records of this file.
pub(super) fn write(golden: &Golden) {
    sessions(golden);
    blocks(golden);
    ratchet(golden);
    for stop in &STOPS {
        braid(golden, stop);
    }
}

fn record(golden: &Golden, name: &str, session: &mut Session) {
    golden.write(name, session.seal(&key(), name.as_bytes(), &mut nonce()).unwrap().head());
}

/// Records a session, and what it writes next. It has not written that: it goes on without.
fn record_with_sent(golden: &Golden, name: &str, session: &mut Session) {
    record(golden, name, session);
    let bytes = session.seal(&key(), b"", &mut nonce()).unwrap().head().to_vec();
    let mut copy = Session::unseal(&key(), b"", &bytes, |_| None).unwrap();
    let sent = format!("{name}-sent");
    golden.write(&sent, copy.encrypt(sent.as_bytes(), &mut step_and_salt()).unwrap().as_bytes());
}

/// Two sessions of Alice's with Bob, the second bound to the first at place 2, and a third that is not bound.
fn sessions(golden: &Golden) {
    let rng = &mut rand::rng();
    let [alice, bob] = [("session-alice", Identity::generate(rng)), ("session-bob", Identity::generate(rng))].map(
        |(name, identity)| {
            golden.write(name, &identity.seal(&key(), name.as_bytes(), &mut nonce()));
            identity
        },
    );
    let keys = PreKeys::generate(&bob, CREATED, rng);
    let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), CREATED).unwrap();
    let accept = |first: &Ciphertext, now: Timestamp| {
        let Accepted { session, .. } = Session::accept(&bob, &keys, first, Trust::OnFirstUse, now).unwrap();
        session
    };

    let mut at_alice = Session::initiate(&alice, &bundle, CREATED, rng).unwrap();
    let mut at_bob = accept(&at_alice.encrypt(b"first", rng).unwrap(), CREATED);
    record_with_sent(golden, "session-unconfirmed", &mut at_bob);
    let answer = at_bob.encrypt(b"an answer", rng).unwrap();
    // The record answers on its own, with other randomness: this side reads that answer.
    let mut reads_the_record = copied(&mut at_alice);
    let _ = read(&mut reads_the_record, &alice, &golden.message("session-unconfirmed-sent"));
    golden.session_message("session-unconfirmed-next", &mut reads_the_record);
    let late_old = golden.session_message("session-established-late-old", &mut at_bob);
    let _ = read(&mut at_alice, &alice, &answer);
    let _ = read(&mut at_bob, &bob, &at_alice.encrypt(b"a step", rng).unwrap());
    let _late = golden.session_message("session-established-late", &mut at_bob);
    let last = golden.session_message("session-established-read", &mut at_bob);
    let _ = read(&mut at_alice, &alice, &last);
    record_with_sent(golden, "session-established", &mut at_alice);
    golden.session_message("session-established-next", &mut at_bob);
    let _ = read(&mut at_alice, &alice, &late_old);

    let offers = [at_alice.offer().unwrap(), at_alice.offer().unwrap()];
    let other = {
        // Bob does not hold the first: place 2 is taken.
        let mut other = Session::initiate(&alice, &bundle, CREATED, rng).unwrap();
        let mut theirs = accept(&other.encrypt(b"", rng).unwrap(), CREATED);
        let _ = read(&mut other, &alice, &theirs.encrypt(b"", rng).unwrap());
        other.offer().unwrap()
    };
    let [second, _] = offers;
    let options = InitiateOptions { disclosure: None, offers: &[other, second] };
    let mut at_alice = Session::initiate_with(&alice, &bundle, options, CREATED, rng).unwrap();
    let first = at_alice.encrypt(b"first", rng).unwrap();
    record_with_sent(golden, "session-waiting", &mut at_alice);
    let labels = at_alice.labels().unwrap();
    golden.write("session-waiting-labels", &labels.concat());
    let mut bound = accept(&first, CREATED);
    assert_eq!(bound.resume(&labels, &at_bob.accepts()).unwrap().unwrap().place, 2);
    record_with_sent(golden, "session-bound-unanswered", &mut bound);
    let mut reads_the_record = copied(&mut at_alice);
    let _ = read(&mut reads_the_record, &alice, &golden.message("session-bound-unanswered-sent"));
    golden.session_message("session-bound-unanswered-next", &mut reads_the_record);
    let answer = golden.session_message("session-waiting-next", &mut bound);
    record_with_sent(golden, "session-bound-answered", &mut bound);
    let _ = read(&mut at_alice, &alice, &answer);
    golden.session_message("session-bound-answered-next", &mut at_alice);
    record_with_sent(golden, "session-confirmed-bound", &mut at_alice);
    golden.write("session-confirmed-bound-offer", &at_alice.offer().unwrap().name());
    golden.session_message("session-confirmed-bound-next", &mut bound);
}

/// A session that waits for 50 messages.
fn blocks(golden: &Golden) {
    let rng = &mut rand::rng();
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    golden.write("session-blocks-bob", &bob.seal(&key(), b"session-blocks-bob", &mut nonce()));
    let keys = PreKeys::generate(&bob, CREATED, rng);
    let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), CREATED).unwrap();
    let mut at_alice = Session::initiate(&alice, &bundle, CREATED, rng).unwrap();
    let first = at_alice.encrypt(b"first", rng).unwrap();
    let Accepted { session: mut at_bob, .. } =
        Session::accept(&bob, &keys, &first, Trust::OnFirstUse, CREATED).unwrap();
    let _ = read(&mut at_alice, &alice, &at_bob.encrypt(b"an answer", rng).unwrap());
    for number in 0..50 {
        match number {
            5 => drop(golden.session_message("session-blocks-late-1", &mut at_alice)),
            47 => drop(golden.session_message("session-blocks-late-2", &mut at_alice)),
            49 => drop(golden.session_message("session-blocks-late-head", &mut at_alice)),
            _ => drop(at_alice.encrypt(b"late", rng).unwrap()),
        }
    }
    let _ = read(&mut at_bob, &bob, &at_alice.encrypt(b"the last", rng).unwrap());
    let sealed = at_bob.seal(&key(), b"session-blocks", &mut Draws::listed(&[0x5a; 3 * 24])).unwrap();
    golden.write("session-blocks", sealed.head());
    for (block, name) in sealed.blocks().iter().zip(["session-blocks-1", "session-blocks-2"]) {
        golden.write(name, block.as_bytes());
    }
    golden.session_message("session-blocks-next", &mut at_alice);
    golden
        .write("session-blocks-sent", at_bob.encrypt(b"session-blocks-sent", &mut step_and_salt()).unwrap().as_bytes());
}

fn copied(session: &mut Session) -> Session {
    let bytes = session.seal(&key(), b"", &mut nonce()).unwrap().head().to_vec();
    Session::unseal(&key(), b"", &bytes, |_| None).unwrap()
}

fn ratchets() -> [DoubleRatchet; 2] {
    let (secret, binding) = (SharedSecret::from_bytes([7; 32]), [9; 32]);
    [DoubleRatchet::initiator(&secret, &binding, &mut rand::rng()), DoubleRatchet::responder(&secret, &binding)]
}

/// Records a ratchet, what it writes next, and what it reads after that.
fn record_ratchet(golden: &Golden, name: &str, kept: &mut DoubleRatchet, peer: &mut DoubleRatchet) {
    golden.write(name, &kept.seal(&key(), name.as_bytes(), &mut nonce()));
    let [sent, next] = ["sent", "next"].map(|what| format!("{name}-{what}"));
    golden.write(&next, &peer.encrypt(next.as_bytes(), &mut rand::rng()).unwrap());
    golden.write(&sent, &kept.encrypt(sent.as_bytes(), &mut step_and_salt()).unwrap());
}

fn ratchet(golden: &Golden) {
    let [mut sender, mut kept] = ratchets();
    let messages = ["ratchet-late", "ratchet-read"].map(|name| {
        let message = sender.encrypt(name.as_bytes(), &mut rand::rng()).unwrap();
        golden.write(name, &message);
        message
    });
    let _ = kept.decrypt(&messages[1]).unwrap();
    record_ratchet(golden, "ratchet", &mut kept, &mut sender);
}

fn braid(golden: &Golden, stop: &Stop) {
    let [mut initiator, mut responder] = ratchets();
    for turn in 0..stop.turns {
        let (of, at) = if turn % 2 == 0 { (&mut initiator, &mut responder) } else { (&mut responder, &mut initiator) };
        let message = of.encrypt(b"", &mut rand::rng()).unwrap();
        if !(stop.lossy && turn % 4 == 1) {
            let _ = at.decrypt(&message).unwrap();
        }
    }
    let (kept, peer) = if stop.initiator { (initiator, responder) } else { (responder, initiator) };
    let (mut kept, mut peer) = (kept, peer);
    record_ratchet(golden, stop.name, &mut kept, &mut peer);
}
