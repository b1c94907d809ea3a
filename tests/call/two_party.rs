//! Calls of two: both sides derive the same keys, and a changed or crossed signal gives no call.

use std::collections::BTreeSet;

use bisik::Identity;
use bisik::call::{Answer, AnswerError, CallKeys, Offer, Signal, SignalError};

use super::fixtures::*;

fn secrets(keys: &CallKeys) -> [Vec<u8>; 4] {
    let [ours, theirs] = [&keys.sending, &keys.receiving];
    [
        ours.srtp.expose_key_and_salt().to_vec(),
        theirs.srtp.expose_key_and_salt().to_vec(),
        ours.base.expose_bytes().to_vec(),
        theirs.base.expose_bytes().to_vec(),
    ]
}

/// P-9.4
#[test]
fn both_sides_of_a_call_derive_the_same_keys_one_per_direction() {
    let pair = Pair::new();
    let (calling, offer) = pair.offer();
    let (at_bob, answer) = pair.accept(&offer).unwrap();
    assert_eq!((offer.len(), answer.len()), (Offer::LENGTH, Answer::LENGTH));
    let at_alice = calling.complete(&Answer::from_bytes(&answer).unwrap(), &pair.at_alice).unwrap();
    let [ours, theirs, our_base, their_base] = secrets(&at_alice);
    assert_eq!(secrets(&at_bob), [theirs.clone(), ours.clone(), their_base.clone(), our_base.clone()]);
    let beginnings: BTreeSet<_> = [ours, theirs, our_base, their_base].map(|secret| secret[..32].to_vec()).into();
    assert_eq!(beginnings.len(), 4, "no two keys begin alike");
}

/// P-9.1
#[test]
fn no_two_offers_and_no_two_answers_share_a_key() {
    let pair = Pair::new();
    let [(_, one), (_, other)] = [pair.offer(), pair.offer()];
    for part in [1..17, 17..49, 49..81, 1233..1265] {
        assert_ne!(one[part.clone()], other[part]);
    }
    let [(first, one), (second, other)] = [pair.accept(&one).unwrap(), pair.accept(&one).unwrap()];
    assert_ne!(one[17..49], other[17..49]);
    assert_ne!(one[49..81], other[49..81]);
    assert_ne!(secrets(&first), secrets(&second));
}

/// P-9.3: a changed offer does not decode, or the answer to it is refused; and the call still completes.
#[test]
fn an_offer_with_any_byte_changed_gives_no_call() {
    let pair = Pair::new();
    let (mut calling, offer) = pair.offer();
    let mut reached = 0;
    for at in 0..offer.len() {
        let mut changed = offer.clone();
        changed[at] ^= 1;
        let Ok((_, answer)) = pair.accept(&changed) else { continue };
        let refused = calling.complete(&Answer::from_bytes(&answer).unwrap(), &pair.at_alice).unwrap_err();
        let expected = if (1..17).contains(&at) { AnswerError::OtherCall } else { AnswerError::Rejected };
        assert_eq!(refused.error, expected, "byte {at}");
        calling = refused.calling;
        reached += 1;
    }
    assert!(reached > 1_000, "most changes decode: {reached}");
    let (_, answer) = pair.accept(&offer).unwrap();
    assert!(calling.complete(&Answer::from_bytes(&answer).unwrap(), &pair.at_alice).is_ok());
}

/// P-9.2, P-9.3
#[test]
fn a_changed_answer_is_refused_and_the_call_keeps_waiting() {
    let pair = Pair::new();
    let (mut calling, offer) = pair.offer();
    let (_, answer) = pair.accept(&offer).unwrap();
    for at in 0..answer.len() {
        for bit in [0, 7] {
            let mut changed = answer.clone();
            changed[at] ^= 1 << bit;
            let Ok(changed) = Answer::from_bytes(&changed) else { continue };
            calling = calling.complete(&changed, &pair.at_alice).unwrap_err().calling;
        }
    }
    assert!(calling.complete(&Answer::from_bytes(&answer).unwrap(), &pair.at_alice).is_ok());
}

/// P-9.2
#[test]
fn crossed_answers_are_distinguished_and_change_nothing() {
    let pair = Pair::new();
    let [(first, first_offer), (second, second_offer)] = [pair.offer(), pair.offer()];
    let [first_answer, second_answer] =
        [first_offer, second_offer].map(|offer| Answer::from_bytes(&pair.accept(&offer).unwrap().1).unwrap());
    let refused = first.complete(&second_answer, &pair.at_alice).unwrap_err();
    assert_eq!(refused.error, AnswerError::OtherCall);

    let carol = Identity::generate(&mut rand::rng());
    let (with_carol, _) = sessions(&pair.alice, &carol);
    let refused = refused.calling.complete(&first_answer, &with_carol).unwrap_err();
    assert_eq!(refused.error, AnswerError::OtherDevice);
    assert!(refused.calling.complete(&first_answer, &pair.at_alice).is_ok());
    assert!(second.complete(&second_answer, &pair.at_alice).is_ok());
}

/// P-9.2: the answer may arrive in another session with the same peer, but it answers the offer of the first.
#[test]
fn a_call_belongs_to_the_session_its_offer_came_in() {
    let pair = Pair::new();
    let (also_at_bob, also_at_alice) = sessions(&pair.bob, &pair.alice);
    let (calling, offer) = pair.offer();
    let offer = || Offer::from_bytes(&offer).unwrap();
    let (_, elsewhere) = offer().accept(pair.bob.public(), &also_at_bob, &mut rand::rng()).unwrap();
    let refused = calling.complete(&elsewhere, &also_at_alice).unwrap_err();
    assert_eq!(refused.error, AnswerError::Rejected);
    let (_, other_identity) = offer().accept(pair.alice.public(), &pair.at_bob, &mut rand::rng()).unwrap();
    let refused = refused.calling.complete(&other_identity, &pair.at_alice).unwrap_err();
    assert_eq!(refused.error, AnswerError::Rejected);
    let (_, answer) = offer().accept(pair.bob.public(), &pair.at_bob, &mut rand::rng()).unwrap();
    assert!(refused.calling.complete(&answer, &also_at_alice).is_ok());
}

#[test]
fn a_signal_is_known_by_its_first_byte_and_names_its_call() {
    let mut pair = Pair::new();
    let (calling, offer) = pair.offer();
    let message = pair.at_alice.encrypt(&offer, &mut rand::rng()).unwrap();
    let read = pair.at_bob.decrypt(&pair.bob, &message).unwrap().plaintext.confirmed().unwrap();
    let Ok(Signal::Offer(offer)) = Signal::from_bytes(&read) else { panic!("offer") };
    assert_eq!(offer.call(), calling.call());
    let (_, answer) = offer.accept(pair.bob.public(), &pair.at_bob, &mut rand::rng()).unwrap();
    assert!(matches!(Signal::from_bytes(&answer.to_bytes()), Ok(Signal::Answer(_))));
    assert!(pair.at_bob.decrypt(&pair.bob, &message).is_err(), "an offer that comes twice is refused by the session");
    for bytes in [&[][..], &[0x40], &[0x44], &[0x41], &[0x42], &[0x43], &[0x46], &[0x47]] {
        assert!(matches!(Signal::from_bytes(bytes), Err(SignalError::Malformed)), "{bytes:?}");
    }
}
