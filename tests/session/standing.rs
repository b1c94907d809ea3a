//! Standing: who has proved what, by type; and sessions that are bound to older ones.

use bisik::{
    Accepted, DecryptError, Decrypted, Identity, InitiateOptions, Plaintext, PreKeys, ResumeError, Resumed, Session,
    Standing, Timestamp, Trust,
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

struct Pair {
    alice: Identity,
    bob: Identity,
    a: Session,
    b: Session,
}

/// A first message was accepted; nothing was answered.
fn unanswered(alice: Identity, bob: Identity, options: InitiateOptions<'_>) -> Pair {
    let rng = &mut rand::rng();
    let mut keys = PreKeys::generate(&bob, NOW, rng);
    let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), NOW).unwrap();
    let mut a = Session::initiate_with(&alice, &bundle, options, NOW, rng).unwrap();
    let hello = a.encrypt(b"halo", rng).unwrap();
    let accepted = Session::accept(&bob, &keys, &hello, Trust::Pinned(alice.public()), NOW).unwrap();
    let Accepted { session: b, plaintext, used } = accepted;
    keys.remove(used);
    assert_eq!(plaintext.show_unconfirmed(), b"halo");
    Pair { alice, bob, a, b }
}

fn identities() -> (Identity, Identity) {
    (Identity::generate(&mut rand::rng()), Identity::generate(&mut rand::rng()))
}

impl Pair {
    fn new() -> Self {
        let (alice, bob) = identities();
        unanswered(alice, bob, InitiateOptions::default())
    }

    fn bob_reads(&mut self, text: &[u8]) -> Decrypted {
        let message = self.a.encrypt(text, &mut rand::rng()).unwrap();
        self.b.decrypt(&self.bob, &message).unwrap()
    }

    fn alice_reads(&mut self, text: &[u8]) -> Decrypted {
        let message = self.b.encrypt(text, &mut rand::rng()).unwrap();
        self.a.decrypt(&self.alice, &message).unwrap()
    }

    fn turns(&mut self, count: usize) {
        for _ in 0..count {
            drop(self.alice_reads(b"b").plaintext.confirmed().unwrap());
            drop(self.bob_reads(b"a").plaintext.confirmed().unwrap());
        }
    }
}

/// P-3.11, P-3.14, P-3.15, P-4.1
#[test]
fn a_session_is_confirmed_by_a_message_that_only_the_peer_can_write() {
    let mut pair = Pair::new();
    assert_eq!((pair.a.standing(), pair.b.standing()), (Standing::Waiting, Standing::Unconfirmed));
    assert_eq!((pair.a.chains_received(), pair.b.chains_received()), (0, 1));

    let again = pair.bob_reads(b"more of the same chain proves nothing");
    assert!(!again.confirms && again.plaintext.confirmed().is_err());
    assert_eq!(pair.b.standing(), Standing::Unconfirmed);

    let answer = pair.alice_reads(b"hai");
    assert!(answer.confirms);
    assert_eq!(answer.plaintext, Plaintext::Confirmed(b"hai".to_vec()));
    assert_eq!((pair.a.standing(), pair.b.standing()), (Standing::Confirmed, Standing::Unconfirmed));

    let proof = pair.bob_reads(b"apa kabar");
    assert!(proof.confirms);
    assert_eq!(proof.plaintext, Plaintext::Confirmed(b"apa kabar".to_vec()));
    assert_eq!(pair.b.standing(), Standing::Confirmed);
    assert!(!pair.bob_reads(b"once").confirms && !pair.alice_reads(b"once").confirms);
    assert_eq!((pair.a.chains_received(), pair.b.chains_received()), (2, 2));
}

/// P-3.13
#[test]
fn the_first_answer_is_read_with_the_identity_that_initiated() {
    let mut pair = Pair::new();
    let rng = &mut rand::rng();
    let answer = pair.b.encrypt(b"hai", rng).unwrap();
    let other = Identity::generate(rng);
    assert_eq!(pair.a.decrypt(&other, &answer).unwrap_err(), DecryptError::WrongIdentity);
    assert!(pair.a.decrypt(&pair.alice, &answer).is_ok());
    // Later, the identity is not needed.
    let next = pair.b.encrypt(b"lagi", rng).unwrap();
    assert!(pair.a.decrypt(&other, &next).is_ok());
}

/// P-3.12, P-3.17, P-3.18, P-3.19, P-3.20
#[test]
fn a_new_session_is_bound_to_an_older_one_by_a_secret_that_both_hold() {
    let mut old = Pair::new();
    old.turns(3);
    let offer = old.a.offer().unwrap();
    let accepts = old.b.accepts();
    assert_eq!(accepts.len(), 3);
    assert_eq!(accepts[0].name(), offer.name());

    let mut new = unanswered(old.alice, old.bob, InitiateOptions { offers: &[offer], ..InitiateOptions::default() });
    let labels = new.a.labels().unwrap();
    assert_eq!(new.a.bound(), None);
    let resumed = new.b.resume(&labels, &accepts).unwrap();
    assert_eq!(resumed, Some(Resumed { place: 1, index: 0 }));
    assert_eq!(new.b.resume(&labels, &accepts), Err(ResumeError::TooLate), "once");
    new.turns(2);
    assert_eq!((new.a.bound(), new.b.bound()), (Some(1), Some(1)));
    assert_eq!((new.a.bound_by(), new.b.bound_by()), (Some(&accepts[0].name()), Some(&accepts[0].name())));
    assert_eq!(new.b.resume(&labels, &accepts), Err(ResumeError::TooLate), "after step 1");
    assert_eq!(new.a.resume(&labels, &accepts), Err(ResumeError::TooLate), "an initiator");
    assert!(new.a.labels().is_none());
}

/// P-3.17
#[test]
fn a_session_whose_responder_has_lost_the_older_one_works_and_is_not_bound() {
    let mut old = Pair::new();
    old.turns(3);
    let mut other = Pair::new();
    other.turns(2);
    let offer = old.a.offer().unwrap();
    let mut new = unanswered(old.alice, old.bob, InitiateOptions { offers: &[offer], ..InitiateOptions::default() });
    let labels = new.a.labels().unwrap();
    assert_eq!(new.b.resume(&labels, &other.b.accepts()), Ok(None));
    assert_eq!(new.b.resume(&labels, &[]), Ok(None));
    new.turns(2);
    assert_eq!((new.a.bound(), new.b.bound()), (Some(0), Some(0)));
    assert_eq!((new.a.bound_by(), new.b.bound_by()), (None, None));
}

/// P-3.17
#[test]
fn the_label_of_one_flight_fits_no_other() {
    let mut old = Pair::new();
    old.turns(3);
    let (offer, again) = (old.a.offer().unwrap(), old.a.offer().unwrap());
    let first = unanswered(old.alice, old.bob, InitiateOptions { offers: &[offer], ..InitiateOptions::default() });
    let mut second =
        unanswered(first.alice, first.bob, InitiateOptions { offers: &[again], ..InitiateOptions::default() });
    assert_eq!(second.b.resume(&first.a.labels().unwrap(), &old.b.accepts()), Ok(None));
}

/// P-4.21
#[test]
fn a_duplicate_and_a_fork_are_told_apart() {
    let mut pair = Pair::new();
    pair.turns(2);
    let rng = &mut rand::rng();
    let key = bisik::StorageKey::generate(rng);
    let copied = pair.a.seal(&key, b"", rng).unwrap();
    let mut copy = Session::unseal(&key, b"", copied.head(), |_| None).unwrap();

    // The chain goes on twice from one state.
    let _ = pair.b.encrypt(b"", rng).unwrap();
    let genuine = pair.a.encrypt(b"genuine", rng).unwrap();
    let forged = copy.encrypt(b"forged", rng).unwrap();
    assert!(pair.b.decrypt(&pair.bob, &genuine).is_ok());
    assert_eq!(pair.b.decrypt(&pair.bob, &genuine).unwrap_err(), DecryptError::Duplicate);
    assert!(matches!(pair.b.decrypt(&pair.bob, &forged), Err(DecryptError::Forked { .. })));
}
