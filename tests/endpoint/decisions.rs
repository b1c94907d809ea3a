//! Consent, refusal and withdrawal on several devices of one user: in whatever order they hear of each other, they agree.
//!
//! Does not know bytes.

use bisik::DecisionError;
use bisik::device::{AccountKey, Custody, Terms};
use bisik::hosting::{Choice, Decision, Label, LabelEvent, VerifiedDisclosure};

use crate::world::*;

/// Both of the customer's devices, before the same question.
fn asked() -> (Seat, Seat, VerifiedDisclosure) {
    let disclosure = first(ENDPOINT, vendor());
    let mut seats = [Seat::new(), Seat::of(TABLET)];
    for seat in &mut seats {
        let _ = seat.see(&[phone(), hosted(&disclosure)]);
    }
    let [at_phone, at_tablet] = seats;
    (at_phone, at_tablet, disclosure)
}

#[test]
fn one_decision_holds_on_all_of_the_users_devices() {
    let (mut at_phone, mut at_tablet, disclosure) = asked();
    let (_, decision) = at_tablet.consent(&disclosure);
    let event = at_phone.adopt(&decision, &disclosure);
    assert!(matches!(event, Some(LabelEvent::Consented(_))), "{event:?}");
    assert!(at_phone.can_send());
    assert_eq!(at_phone.adopt(&decision, &disclosure), None, "again: nothing new");
    let (_, decision) = at_tablet.withdraw(&disclosure);
    let event = at_phone.adopt(&decision, &disclosure);
    assert!(matches!(event, Some(LabelEvent::Withdrawn(_))), "{event:?}");
    assert!(!at_phone.can_send());
}

/// P-11.16. Whichever was made first by the clock, and whichever is heard of first.
#[test]
fn in_a_conflict_the_stricter_wins() {
    for (consented, refused) in [(0, 50), (50, 0)] {
        let (mut at_phone, mut at_tablet, disclosure) = asked();
        at_phone.now = at_phone.now.plus_seconds(consented);
        at_tablet.now = at_tablet.now.plus_seconds(refused);
        let (_, consent) = at_phone.consent(&disclosure);
        let (_, refusal) = at_tablet.refuse(&disclosure);
        let _ = at_phone.adopt(&refusal, &disclosure);
        let _ = at_tablet.adopt(&consent, &disclosure);
        for seat in [at_phone, at_tablet] {
            assert_eq!(seat.label(), Label::Refused { disclosure: disclosure.hash() });
        }
    }
}

/// P-11.16. Who agrees knowing of the refusal has changed their mind; who refuses again has the last word again.
#[test]
fn a_later_round_wins_over_what_it_was_made_in_knowledge_of() {
    let (mut at_phone, mut at_tablet, disclosure) = asked();
    let (_, refusal) = at_tablet.refuse(&disclosure);
    let _ = at_phone.adopt(&refusal, &disclosure);
    let (_, reconsidered) = at_phone.consent(&disclosure);
    let _ = at_tablet.adopt(&reconsidered, &disclosure);
    assert!(at_phone.can_send() && at_tablet.can_send());
    let _ = at_tablet.adopt(&refusal, &disclosure);
    assert!(at_tablet.can_send(), "the refusal that it overruled, once more");
    let (_, withdrawal) = at_tablet.withdraw(&disclosure);
    let _ = at_phone.adopt(&withdrawal, &disclosure);
    let _ = at_phone.adopt(&reconsidered, &disclosure);
    assert!(!at_phone.can_send() && !at_tablet.can_send());
}

/// P-11.16. A device whose clock is behind still has the last word.
#[test]
fn a_decision_is_later_than_the_one_it_replaces_whatever_the_clock_says() {
    let (mut at_phone, mut at_tablet, disclosure) = asked();
    at_tablet.now = at_tablet.now.plus_seconds(3_600);
    let (_, refusal) = at_tablet.refuse(&disclosure);
    let _ = at_phone.adopt(&refusal, &disclosure);
    let (_, consent) = at_phone.consent(&disclosure);
    assert!(consent.decided() > refusal.decided());
}

/// P-11.16. All orders of four decisions end alike.
#[test]
fn the_order_in_which_decisions_arrive_does_not_matter() {
    let (mut at_phone, mut at_tablet, disclosure) = asked();
    let (_, a) = at_phone.consent(&disclosure);
    let (_, b) = at_tablet.refuse(&disclosure);
    let _ = at_tablet.adopt(&a, &disclosure);
    let (_, c) = at_tablet.consent(&disclosure);
    let (_, d) = at_phone.withdraw(&disclosure);
    let decisions = [a, b, c, d];
    let mut wire = Wire::new();
    let mut outcomes = Vec::new();
    for order in 0..24 {
        let (mut left, mut rest) = ((0..4).collect::<Vec<_>>(), order);
        let mut seat = asked().0;
        while !left.is_empty() {
            let decision = &decisions[left.remove(rest % left.len())];
            rest /= left.len() + 1;
            let shared = wire.share(decision, disclosure.disclosure());
            let transition = seat.state.adopt(&shared, &account(CUSTOMER), seat.now).unwrap();
            let _ = seat.take(transition);
        }
        outcomes.push(seat.state);
    }
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    assert!(matches!(outcomes[0].label(), Label::Hosted { .. }), "the tablet agreed, knowing of its refusal");
}

/// P-11.16. A decision about something that has ended is of no use when it comes late.
#[test]
fn a_decision_from_before_the_hosting_ended_does_not_outlive_it() {
    let (mut at_phone, mut at_tablet, disclosure) = asked();
    let (_, consent) = at_tablet.consent(&disclosure);
    at_phone.now = at_phone.now.plus_seconds(100);
    let _ = at_phone.see(&[phone()]);
    let _ = at_phone.adopt(&consent, &disclosure);
    assert_eq!(at_phone.label(), Label::EndToEnd);
    let _ = at_phone.see(&[phone(), hosted(&disclosure)]);
    assert_eq!(at_phone.label(), Label::Disclosed { disclosure: disclosure.hash() });
}

/// A decision may come before the device list that it is about.
#[test]
fn a_decision_that_comes_early_waits_for_its_hosting() {
    let (_, mut at_tablet, disclosure) = asked();
    let mut behind = Seat::new();
    let _ = behind.see(&[phone()]);
    at_tablet.now = behind.now.plus_seconds(100);
    let (_, consent) = at_tablet.consent(&disclosure);
    assert_eq!(behind.adopt(&consent, &disclosure), None);
    assert_eq!(behind.label(), Label::EndToEnd);
    behind.now = behind.now.plus_seconds(200);
    let event = behind.see(&[phone(), hosted(&disclosure)]);
    assert!(matches!(event, Some(LabelEvent::Consented(_))), "{event:?}");
    let mut never = Seat::new();
    assert_eq!(never.adopt(&consent, &disclosure), None);
    assert_eq!((never.label(), never.can_send()), (Label::Unknown, false));
}

/// P-11.16. Consent to terms does not cover worse ones that another device has not seen.
#[test]
fn consent_on_one_device_to_older_terms_asks_on_another() {
    let (mut at_phone, mut at_tablet, one) = asked();
    let two = following(&one, ENDPOINT, kept_for(60, &vendor()));
    let (_, consent) = at_tablet.consent(&one);
    let _ = at_phone.see(&[phone(), hosted(&two)]);
    let _ = at_phone.adopt(&consent, &one);
    assert_eq!(at_phone.label(), Label::Disclosed { disclosure: two.hash() });
}

/// P-11.16. Nobody but the user's own devices, about this account, with the disclosure that was decided about.
#[test]
fn what_is_not_the_users_own_decision_changes_nothing() {
    let (at_phone, mut at_tablet, disclosure) = asked();
    let (_, decision) = at_tablet.consent(&disclosure);
    let other = following(&disclosure, ENDPOINT, vendor());
    let own = account(CUSTOMER);
    let adopt = |decision: &Decision, about: &VerifiedDisclosure, own: &AccountKey| {
        let shared = Wire::new().share(decision, about.disclosure());
        at_phone.state.adopt(&shared, own, at_phone.now).map(drop)
    };
    assert_eq!(adopt(&decision, &disclosure, &own), Ok(()));
    assert_eq!(adopt(&decision, &other, &own), Err(DecisionError::OtherDisclosure));
    assert_eq!(adopt(&decision, &disclosure, &account(LAPTOP)), Err(DecisionError::OtherAccount));
    let mut forged = decision.to_bytes();
    forged[Decision::LENGTH - 1] ^= 1;
    let forged = Decision::from_bytes(&forged).unwrap();
    assert_eq!(adopt(&forged, &disclosure, &own), Err(DecisionError::BadSignature));
    // The customer is a business itself, and one of its devices is in a vendor's hands: that one decides nothing.
    let terms = Terms::disclosed(Custody::Vendor, disclosure.hash()).unwrap();
    let shared = Wire::from(LAPTOP, terms).share(&decision, disclosure.disclosure());
    let refused = at_phone.state.adopt(&shared, &own, at_phone.now);
    assert_eq!(refused.err(), Some(DecisionError::OtherDevice));
}

#[test]
fn every_choice_is_signed_as_what_it_is() {
    let (mut at_phone, mut at_tablet, disclosure) = asked();
    let (_, consent) = at_phone.consent(&disclosure);
    let (_, withdrawal) = at_phone.withdraw(&disclosure);
    let (_, refusal) = at_tablet.refuse(&disclosure);
    for (decision, choice) in [(consent, Choice::Consent), (refusal, Choice::Refusal), (withdrawal, Choice::Withdrawal)]
    {
        assert_eq!(decision.choice(), choice);
        assert_eq!(decision.verify(&account(CUSTOMER), &disclosure, at_phone.now), Ok(()));
    }
}
