//! Clocks that are wrong: of what is known the stricter counts, and no time makes a refusal void.

use bisik::Timestamp;
use bisik::hosting::{
    Blocked, DecisionError, Label, LabelEvent, Promises, Retention, RetentionLedger, VerifiedDisclosure,
};

use crate::parties::*;

fn asked(customer: &mut CustomerDevice) -> VerifiedDisclosure {
    let disclosure = first(HOSTED, vendor());
    let _ = customer.see(&[phone(), hosted(&disclosure)]);
    disclosure
}

/// P-11.27. The label became end-to-end while the telephone's clock was 29 days ahead.
#[test]
fn a_refusal_stops_sending_on_a_device_whose_clock_was_ahead() {
    let (mut at_phone, mut at_tablet) = (CustomerDevice::new(), CustomerDevice::of(TABLET));
    let right = at_phone.now;
    at_phone.now = right.plus_seconds(29 * DAY);
    let _ = at_phone.see(&[phone()]);
    // The clock is right again, and the business begins to host.
    at_phone.now = right.plus_seconds(60);
    let disclosure = asked(&mut at_phone);
    let (_, consent) = at_phone.consent(&disclosure);
    assert!(consent.decided() <= right.plus_seconds(DAY), "dated by the clock, not after the mistake");
    assert!(at_phone.can_send());
    // Both others take the consent.
    let acknowledged = consent.clone().acknowledge(&own_list(), &disclosure, &identity(HOSTED), at_phone.now);
    assert!(acknowledged.is_ok());
    at_tablet.now = at_phone.now;
    let _ = asked(&mut at_tablet);
    let _ = at_tablet.adopt(&consent, &disclosure);
    assert!(at_tablet.can_send());
    // And the telephone takes the refusal of the tablet, which it did not at that time.
    let mut tablet = CustomerDevice::of(TABLET);
    let _ = asked(&mut tablet);
    let (_, refusal) = tablet.refuse(&disclosure);
    let event = at_phone.adopt(&refusal, &disclosure);
    assert!(matches!(event, Some(LabelEvent::Refused(_))), "{event:?}");
    assert!(!at_phone.can_send(), "the telephone that learns of a refusal stops sending");
}

/// P-11.27. From 1970, and from the far future.
#[test]
fn a_refusal_or_withdrawal_counts_whatever_its_date() {
    for decided in [0, NOW.as_unix_seconds() - 400 * DAY, NOW.as_unix_seconds() + 4_000 * DAY] {
        let mut at_phone = CustomerDevice::new();
        let disclosure = asked(&mut at_phone);
        let _ = at_phone.consent(&disclosure);
        let mut at_tablet = CustomerDevice::of(TABLET);
        let _ = asked(&mut at_tablet);
        at_tablet.now = Timestamp::from_unix_seconds(decided);
        let own = account(CUSTOMER);
        let (_, refusal) = at_tablet.state.refuse(disclosure.hash(), &own, &identity(TABLET), at_tablet.now).unwrap();
        assert_eq!(refusal.verify(&own_list(), &disclosure, at_phone.now), Ok(()));
        assert!(refusal.clone().acknowledge(&own_list(), &disclosure, &identity(HOSTED), at_phone.now).is_ok());
        let _ = at_phone.adopt(&refusal, &disclosure);
        assert_eq!(at_phone.label(), Label::Refused { disclosure: disclosure.hash() });
        // Even the far future is no bar to changing one's mind, in a way that others accept.
        let (_, consent) = at_phone.consent(&disclosure);
        assert_eq!(consent.verify(&own_list(), &disclosure, at_phone.now), Ok(()));
        assert!(at_phone.can_send());
        let _ = at_phone.adopt(&refusal, &disclosure);
        assert!(at_phone.can_send(), "the consent was given with knowledge of the refusal");
    }
}

/// P-11.27. A refusal that arrives together with a disclosure that contradicts the known one is not lost with it.
#[test]
fn a_refusal_counts_even_if_its_disclosure_is_a_fork() {
    let [one, other] = [first(HOSTED, vendor()), first(HOSTED, kept_for(1, &vendor()))];
    let (mut at_phone, mut at_tablet) = (CustomerDevice::new(), CustomerDevice::of(TABLET));
    let _ = at_phone.see(&[phone(), hosted(&one)]);
    let _ = at_phone.consent(&one);
    let _ = at_tablet.see(&[phone(), hosted(&other)]);
    let (_, refusal) = at_tablet.refuse(&other);
    let _ = at_phone.adopt(&refusal, &other);
    assert!(matches!(at_phone.label(), Label::Unverified { .. }));
    let later = following(&one, HOSTED, vendor());
    let _ = at_phone.see(&[phone(), hosted(&later)]);
    assert_eq!(at_phone.label(), Label::Refused { disclosure: other.hash() });
}

/// P-11.27. The same on every side: the tablet, the hosted device, and the telephone itself once its clock is right.
#[test]
fn consent_from_a_clock_that_was_ahead_is_asked_for_again_on_every_side() {
    let mut at_phone = CustomerDevice::new();
    let right = at_phone.now;
    at_phone.now = right.plus_seconds(29 * DAY);
    let disclosure = asked(&mut at_phone);
    let (_, consent) = at_phone.consent(&disclosure);
    assert_eq!(consent.verify(&own_list(), &disclosure, right), Err(DecisionError::NotYetValid));
    let refused = consent.clone().acknowledge(&own_list(), &disclosure, &identity(HOSTED), right);
    assert_eq!(refused.err(), Some(DecisionError::NotYetValid));

    at_phone.now = right;
    let question = Label::Disclosed { disclosure: disclosure.hash() };
    assert_eq!(at_phone.state.label(right), question, "before any operation has noticed it");
    assert_eq!(at_phone.state.permit(right).err(), Some(Blocked::ConsentNeeded(disclosure.hash())));
    let transition = at_phone.state.tick(right);
    assert!(matches!(transition.event, Some(LabelEvent::HostingDisclosed(_))));
    at_phone.state = transition.state;
    at_phone.shown = question;
    let (_, consent) = at_phone.consent(&disclosure);
    assert_eq!(consent.verify(&own_list(), &disclosure, right), Ok(()));
    assert!(at_phone.can_send());
}

/// P-11.29. Nobody has looked for forty days.
#[test]
fn after_forty_days_without_a_list_the_label_is_not_end_to_end() {
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[phone()]);
    assert!(customer.label().is_end_to_end());
    customer.now = customer.now.plus_seconds(40 * DAY);
    let expired = Label::Unverified { why: bisik::hosting::Unverified::Expired };
    assert_eq!(customer.label(), expired, "it says that it is not current");
    assert!(!customer.can_send());
    let event = customer.tick().unwrap();
    assert_eq!((event.change().new, customer.tick()), (expired, None), "and that is an event, once");
}

fn promises(all: &[&VerifiedDisclosure]) -> Promises {
    let mut promises = Promises::new();
    all.iter().for_each(|one| promises.add(one.disclosure().clone()));
    promises
}

/// P-11.21. The vendor adopts other terms while a message is on its way.
#[test]
fn a_message_is_deleted_by_the_promise_it_was_sent_under() {
    let short = first(HOSTED, bisik::hosting::HostingTerms { retention: Retention::NO_STORAGE, ..vendor() });
    let long = following(&short, HOSTED, kept_for(3_000, &vendor()));
    let promises = promises(&[&short, &long]);
    let under = |disclosure: &VerifiedDisclosure| promises.deadline(|hash| hash == disclosure.hash(), NOW);
    assert_eq!(under(&short), Some(NOW.plus_seconds(3_600)), "what it was sent under");
    assert_eq!(under(&long), Some(after(3_000)));
    assert_eq!(promises.deadline(|_| false, NOW), None);
    assert_eq!(promises.strictest_deadline(NOW), Some(NOW.plus_seconds(3_600)), "where the session does not tell");
    assert_eq!(Promises::new().strictest_deadline(NOW), None);
}

/// P-11.21. Of disclosures that are no longer kept, the shortest promise is remembered.
#[test]
fn forgotten_promises_are_kept_to() {
    let mut all = vec![first(HOSTED, kept_for(2, &vendor()))];
    for days in [1, 300, 300, 300, 300, 300, 300, 300, 300, 300] {
        let next = following(all.last().unwrap(), HOSTED, kept_for(days, &vendor()));
        all.push(next);
    }
    let promises = promises(&all.iter().collect::<Vec<_>>());
    assert!(!promises.holds(all[1].hash()) && promises.holds(all[3].hash()));
    assert_eq!(promises.strictest_deadline(NOW), Some(after(1)));
    assert_eq!(promises.newest(), Some(all[10].disclosure()));
}

/// P-11.21, P-11.22. A clock that runs ahead gives nobody more time: not beyond the disclosure's end, and not once it is
/// right again.
#[test]
fn a_clock_that_ran_ahead_prolongs_no_deadline() {
    let disclosure = first(HOSTED, vendor());
    let promises = promises(&[&disclosure]);
    let ahead = after(4_000);
    let deadline = promises.deadline(|_| true, ahead).unwrap();
    assert_eq!(deadline, disclosure.disclosure().expires().plus_seconds(30 * DAY));

    let mut ledger = RetentionLedger::new(9);
    ledger.record("ahead", Retention::THIRTY_DAYS.deadline(after(29)), after(29)).unwrap();
    ledger.record("right", Retention::THIRTY_DAYS.deadline(NOW), NOW).unwrap();
    assert_eq!(ledger.due(NOW).count(), 0);
    let deadlines: Vec<_> = ledger.entries().map(|(_, deadline)| deadline).collect();
    assert_eq!(deadlines, [after(30), after(30)]);
    assert_eq!(ledger.due(after(30)).count(), 2);
}
