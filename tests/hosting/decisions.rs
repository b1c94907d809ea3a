//! Consent, refusal and withdrawal on several devices of one user: the devices agree for every order of arrival.

use bisik::device::{Custody, DeviceDirectory, DeviceTerms};
use bisik::hosting::{Choice, Decision, DecisionError, Label, LabelEvent, VerifiedDisclosure};

use crate::parties::*;

/// Both of the customer's devices, with the same pending question.
fn asked() -> (CustomerDevice, CustomerDevice, VerifiedDisclosure) {
    let disclosure = first(HOSTED, vendor());
    let mut customers = [CustomerDevice::new(), CustomerDevice::of(TABLET)];
    for customer in &mut customers {
        let _ = customer.see(&[phone(), hosted(&disclosure)]);
    }
    let [at_phone, at_tablet] = customers;
    (at_phone, at_tablet, disclosure)
}

#[test]
fn a_decision_applies_on_all_of_the_users_devices() {
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

/// P-11.18. In either order by the clock, and in either order of arrival.
#[test]
fn of_conflicting_decisions_the_stricter_wins() {
    for (consented, refused) in [(0, 50), (50, 0)] {
        let (mut at_phone, mut at_tablet, disclosure) = asked();
        at_phone.now = at_phone.now.plus_seconds(consented);
        at_tablet.now = at_tablet.now.plus_seconds(refused);
        let (_, consent) = at_phone.consent(&disclosure);
        let (_, refusal) = at_tablet.refuse(&disclosure);
        let _ = at_phone.adopt(&refusal, &disclosure);
        let _ = at_tablet.adopt(&consent, &disclosure);
        for customer in [at_phone, at_tablet] {
            assert_eq!(customer.label(), Label::Refused { disclosure: disclosure.hash() });
        }
    }
}

/// P-11.18. Consent given with knowledge of the refusal overrides it, and a later refusal overrides that.
#[test]
fn a_decision_overrides_those_it_was_made_with_knowledge_of() {
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

/// P-11.18. A device with a slow clock can still override.
#[test]
fn a_decision_replaces_an_earlier_one_even_if_the_clock_went_back() {
    let (mut at_phone, mut at_tablet, disclosure) = asked();
    at_tablet.now = at_tablet.now.plus_seconds(3_600);
    let (_, refusal) = at_tablet.refuse(&disclosure);
    let _ = at_phone.adopt(&refusal, &disclosure);
    let (_, consent) = at_phone.consent(&disclosure);
    assert!(consent.decided() > refusal.decided());
}

/// P-11.18. Four decisions give the same result in every order.
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
        let mut customer = asked().0;
        while !left.is_empty() {
            let decision = &decisions[left.remove(rest % left.len())];
            rest /= left.len() + 1;
            let shared = wire.share(decision, disclosure.disclosure());
            let transition = customer.state.adopt(&shared, &own_list(), customer.now).unwrap();
            let _ = customer.take(transition);
        }
        outcomes.push(customer.state);
    }
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    assert!(matches!(outcomes[0].label(NOW), Label::Hosted { .. }), "the tablet agreed, knowing of its refusal");
}

/// P-11.18. A late decision about a hosting that has ended has no effect.
#[test]
fn consent_does_not_outlive_the_hosting_it_was_given_for() {
    let (mut at_phone, mut at_tablet, disclosure) = asked();
    let (_, consent) = at_tablet.consent(&disclosure);
    at_phone.now = at_phone.now.plus_seconds(100);
    let _ = at_phone.see(&[phone()]);
    let _ = at_phone.adopt(&consent, &disclosure);
    assert!(at_phone.label().is_end_to_end());
    let _ = at_phone.see(&[phone(), hosted(&disclosure)]);
    assert_eq!(at_phone.label(), Label::Disclosed { disclosure: disclosure.hash() });
}

/// A decision may arrive before the device list that it is about.
#[test]
fn a_decision_that_arrives_early_waits_for_its_disclosure() {
    let (_, mut at_tablet, disclosure) = asked();
    let mut behind = CustomerDevice::new();
    let _ = behind.see(&[phone()]);
    at_tablet.now = behind.now.plus_seconds(100);
    let (_, consent) = at_tablet.consent(&disclosure);
    assert_eq!(behind.adopt(&consent, &disclosure), None);
    assert!(behind.label().is_end_to_end());
    behind.now = behind.now.plus_seconds(200);
    let event = behind.see(&[phone(), hosted(&disclosure)]);
    assert!(matches!(event, Some(LabelEvent::Consented(_))), "{event:?}");
    let mut never = CustomerDevice::new();
    assert_eq!(never.adopt(&consent, &disclosure), None);
    assert_eq!((never.label(), never.can_send()), (Label::Unknown, false));
}

/// P-11.18. Consent to terms does not cover worse ones that another device has not seen.
#[test]
fn consent_to_older_terms_asks_again_on_a_device_with_newer_terms() {
    let (mut at_phone, mut at_tablet, one) = asked();
    let two = following(&one, HOSTED, kept_for(60, &vendor()));
    let (_, consent) = at_tablet.consent(&one);
    let _ = at_phone.see(&[phone(), hosted(&two)]);
    let _ = at_phone.adopt(&consent, &one);
    assert_eq!(at_phone.label(), Label::Disclosed { disclosure: two.hash() });
}

/// P-11.18. Only decisions of the user's own devices count, about this account and the disclosure they name.
#[test]
fn only_a_decision_of_an_own_device_is_adopted() {
    let (at_phone, mut at_tablet, disclosure) = asked();
    let (_, decision) = at_tablet.consent(&disclosure);
    let other = following(&disclosure, HOSTED, vendor());
    let own = own_list();
    let adopt = |decision: &Decision, about: &VerifiedDisclosure, own: &DeviceDirectory| {
        let shared = Wire::new().share(decision, about.disclosure());
        at_phone.state.adopt(&shared, own, at_phone.now).map(drop)
    };
    assert_eq!(adopt(&decision, &disclosure, &own), Ok(()));
    assert_eq!(adopt(&decision, &other, &own), Err(DecisionError::OtherDisclosure));
    assert_eq!(adopt(&decision, &disclosure, &listed(&[])), Err(DecisionError::NotListed));
    let mut forged = decision.to_bytes();
    forged[Decision::LENGTH - 1] ^= 1;
    let forged = Decision::from_bytes(&forged).unwrap();
    assert_eq!(adopt(&forged, &disclosure, &own), Err(DecisionError::BadSignature));
    // The customer is itself a business, and a vendor holds one of its devices: that device's decision does not count.
    let terms = DeviceTerms::disclosed(Custody::Vendor, disclosure.hash()).unwrap();
    let shared = Wire::from(LAPTOP, terms).share(&decision, disclosure.disclosure());
    let refused = at_phone.state.adopt(&shared, &own, at_phone.now);
    assert_eq!(refused.err(), Some(DecisionError::OtherDevice));
}

#[test]
fn consent_refusal_and_withdrawal_are_each_signed() {
    let (mut at_phone, mut at_tablet, disclosure) = asked();
    let (_, consent) = at_phone.consent(&disclosure);
    let (_, withdrawal) = at_phone.withdraw(&disclosure);
    let (_, refusal) = at_tablet.refuse(&disclosure);
    for (decision, choice) in [(consent, Choice::Consent), (refusal, Choice::Refusal), (withdrawal, Choice::Withdrawal)]
    {
        assert_eq!(decision.choice(), choice);
        assert_eq!(decision.verify(&own_list(), &disclosure, at_phone.now), Ok(()));
    }
}
