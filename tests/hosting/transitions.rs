//! Whole conversations: each test is a transition of docs/spec/hosting.md, section 11.4, named after it.

use bisik::device::Custody;
use bisik::hosting::{
    Blocked, DisclosureDraft, DisclosureError, HostedDevice, HostedMember, HostingTerms, Label, LabelEvent, Presented,
    Rotation, RotationError, TermsDiff, Unverified, VerifiedDisclosure, may_receive_in_group,
};
use bisik::{AcceptError, InitiateOptions, PreKeys, Session, Trust};

use crate::parties::*;
use bisik_testkit::SeededRng;

#[test]
fn own_held_to_vendor_in_mid_chat() {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[phone(), own(LAPTOP, Custody::SelfHosted)]);
    assert!(customer.can_send());
    let (event, closed) = customer.see_all(&[phone(), hosted(&disclosure)]);
    assert!(matches!(event, Some(LabelEvent::HostingDisclosed(_))), "{event:?}");
    assert!(closed.is_empty() && !customer.can_send(), "queued messages wait");
    assert!(!customer.can_send_to(HOSTED, disclosure.hash()) && !customer.can_send_to(BUSINESS, None));
    let _ = customer.consent(&disclosure);
    assert!(customer.can_send_to(HOSTED, disclosure.hash()));
}

/// P-11.23.
#[test]
fn vendor_to_platform() {
    let [one, two] = [first(HOSTED, vendor()), first(NEW_HOSTED, platform())];
    let mut customer = CustomerDevice::hosted(&one);
    let (event, closed) = customer.see_all(&[phone(), hosted(&two)]);
    let worse = TermsDiff::OPERATOR;
    assert!(matches!(event, Some(LabelEvent::TermsWorsened(_, found)) if found.contains(worse)), "{event:?}");
    assert_eq!((closed.len(), closed[0].device, closed[0].disclosure), (1, key(HOSTED), one.hash()));
    let _ = customer.consent(&two);
    assert!(customer.can_send_to(NEW_HOSTED, two.hash()) && !customer.can_send_to(HOSTED, one.hash()));
}

#[test]
fn platform_to_own_held() {
    let disclosure = first(HOSTED, platform());
    let mut customer = CustomerDevice::hosted(&disclosure);
    let (event, closed) = customer.see_all(&[phone(), own(LAPTOP, Custody::SelfHosted)]);
    assert!(matches!(event, Some(LabelEvent::HostingEnded(_))), "{event:?}");
    assert_eq!((customer.label().is_end_to_end(), closed.len()), (true, 1));
    assert!(customer.can_send_to(LAPTOP, None), "no consent is needed");
}

/// P-11.12. Ending the hosting takes a new key, since the platform still has the old one.
#[test]
fn platform_to_own_held_under_the_same_key_is_not_verified() {
    let disclosure = first(HOSTED, platform());
    let mut customer = CustomerDevice::hosted(&disclosure);
    let _ = customer.see(&[phone(), own(HOSTED, Custody::SelfHosted)]);
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::KeyWasHosted });
    let _ = customer.see(&[phone()]);
    assert!(customer.label().is_end_to_end());
    let _ = customer.see(&[phone(), own(HOSTED, Custody::SelfHosted)]);
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::KeyWasHosted }, "regardless of how long ago");
}

#[test]
fn phone_and_hosted_device_together_then_apart() {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[phone()]);
    let _ = customer.see(&[phone(), hosted(&disclosure)]);
    let _ = customer.consent(&disclosure);
    assert!(matches!(customer.label(), Label::Hosted { .. }), "the phone is own-held, and the label is not");
    let (event, closed) = customer.see_all(&[phone()]);
    assert!(matches!(event, Some(LabelEvent::HostingEnded(_))) && closed.len() == 1);
    let event = customer.see(&[phone(), hosted(&disclosure)]);
    assert!(matches!(event, Some(LabelEvent::HostingDisclosed(_))), "together again: asked again");
}

/// P-11.10, P-11.23. The same operator under a new device key, then another operator.
#[test]
fn operator_key_rotation() {
    let [one, two] = [first(HOSTED, vendor()), first(NEW_HOSTED, vendor())];
    let rotation = Rotation::plan(one.disclosure(), &two).unwrap();
    assert_eq!((rotation.revoke, rotation.install), (key(HOSTED), key(NEW_HOSTED)));
    assert_eq!((rotation.custody, rotation.disclosure), (Custody::Vendor, two.hash()));
    let mut customer = CustomerDevice::hosted(&one);
    let (event, closed) = customer.see_all(&[phone(), hosted(&two)]);
    assert!(matches!(event, Some(LabelEvent::ConsentCarriedOver(_))), "{event:?}");
    assert_eq!((closed.len(), closed[0].device), (1, key(HOSTED)));
    assert!(!customer.can_send_to(HOSTED, one.hash()), "sessions to the old key close");
    assert!(customer.can_send_to(NEW_HOSTED, two.hash()));

    let plan = |next: &VerifiedDisclosure| Rotation::plan(one.disclosure(), next).map(drop);
    assert_eq!(plan(&following(&one, HOSTED, vendor())), Err(RotationError::SameDevice));
    assert_eq!(plan(&following(&two, NEW_HOSTED, vendor())), Err(RotationError::NotFirstDisclosure));
    assert_eq!(plan(&of_another_account()), Err(RotationError::OtherAccount));
    // Another operator with the old key: the former holder still has it.
    let reused = first(HOSTED, platform());
    let mut customer = CustomerDevice::hosted(&one);
    let _ = customer.see(&[phone(), hosted(&reused)]);
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::Disclosure(DisclosureError::KeyReused) });
}

/// P-11.8, P-11.16.
#[test]
fn expiry_while_offline() {
    let one = first(HOSTED, vendor());
    let mut customer = CustomerDevice::hosted(&one);
    let long = customer.now.plus_seconds(1_000 * DAY);
    let devices = [phone(), hosted(&one)];
    let evidence = bisik::hosting::Evidence::Devices { expires: long, devices: &devices, own: &[] };
    let transition = customer.state.observe(evidence, customer.now);
    let _ = customer.take(transition);
    customer.now = bisik::Timestamp::from_unix_seconds(one.disclosure().expires().as_unix_seconds() - 1);
    assert!(customer.tick().is_none() && customer.can_send());
    customer.now = one.disclosure().expires();
    assert_eq!(
        customer.state.permit(customer.now).err(),
        Some(Blocked::Expired),
        "before any operation has noticed it"
    );
    let event = customer.tick();
    assert!(matches!(event, Some(LabelEvent::Unverified(_))), "{event:?}");
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::Expired });
    let _ = customer.see(&[phone(), hosted(&one)]);
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::Disclosure(DisclosureError::Expired) });
    // Renewed under the same terms: the consent still covers it.
    let draft =
        DisclosureDraft::following(one.disclosure(), vendor(), customer.now, customer.now.plus_seconds(90 * DAY))
            .unwrap();
    let renewed = verified(&assemble(draft, BUSINESS, HOSTED));
    let event = customer.see(&[phone(), hosted(&renewed)]);
    assert!(matches!(event, Some(LabelEvent::VerifiedAgain(_))) && customer.can_send(), "{event:?}");
}

/// The list of an own-held account expires too.
#[test]
fn expiry_of_the_device_list_while_offline() {
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[phone()]);
    customer.now = customer.now.plus_seconds(30 * DAY);
    assert_eq!(customer.state.permit(customer.now).err(), Some(Blocked::Expired));
    let _ = customer.tick();
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::Expired });
}

/// P-11.9.
#[test]
fn replay_of_an_older_better_disclosure() {
    let better = first(HOSTED, kept_for(1, &vendor()));
    let worse = following(&better, HOSTED, kept_for(60, &vendor()));
    let mut customer = CustomerDevice::hosted(&better);
    let _ = customer.see(&[phone(), hosted(&worse)]);
    assert_eq!(customer.label(), Label::Disclosed { disclosure: worse.hash() });
    // By a relay, with the newest list, which does not name the old one.
    let replayed = HostedDevice { presented: Presented::Verified(&better), ..hosted(&worse) };
    let _ = customer.see(&[phone(), replayed]);
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::Disclosure(DisclosureError::OtherDevice) });
    // With a list that names it, by anyone who can sign lists.
    let _ = customer.see(&[phone(), hosted(&better)]);
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::Disclosure(DisclosureError::RolledBack) });
    let known = customer.state.known(&key(HOSTED)).unwrap();
    let refused = better.disclosure().clone().verify(&account(BUSINESS), Some(&known), customer.now);
    assert_eq!(refused.err(), Some(DisclosureError::RolledBack));
    // Also after the device had left.
    let _ = customer.see(&[phone()]);
    let _ = customer.see(&[phone(), hosted(&better)]);
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::Disclosure(DisclosureError::RolledBack) });
}

/// P-11.12. In the evidence, and in the handshake: the two sides do not have the same hash.
#[test]
fn the_relay_strips_the_disclosure() {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::hosted(&disclosure);
    let stripped = HostedDevice { presented: Presented::Nothing, ..hosted(&disclosure) };
    let _ = customer.see(&[phone(), stripped]);
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::Missing });
    assert!(!customer.can_send());

    let rng = &mut SeededRng::new(1);
    let (customer, hosted) = (identity(CUSTOMER), identity(HOSTED));
    let keys = PreKeys::generate(&hosted, NOW, rng);
    let bundle = keys.bundle().verify(Trust::Pinned(hosted.public()), NOW).unwrap();
    let swapped = first(HOSTED, kept_for(1, &vendor())).hash();
    for held in [None, Some(swapped), Some(disclosure.hash())] {
        let options = InitiateOptions { disclosure: held, offers: &[] };
        let mut session = Session::initiate_with(&customer, &bundle, options, NOW, rng).unwrap();
        let hello = session.encrypt(b"halo", rng).unwrap();
        let accepted = Session::accept_under(
            &hosted,
            &keys,
            &hello,
            Trust::Pinned(customer.public()),
            Some(disclosure.hash()),
            NOW,
        );
        let expected = if held == Some(disclosure.hash()) { None } else { Some(AcceptError::Rejected) };
        assert_eq!(accepted.err(), expected);
    }
}

fn of_another_account() -> VerifiedDisclosure {
    let draft = DisclosureDraft::new(account(OTHER_BUSINESS), key(NEW_HOSTED), vendor(), NOW, after(90)).unwrap();
    verified(&assemble(draft, OTHER_BUSINESS, NEW_HOSTED))
}

#[test]
fn a_disclosure_of_another_account() {
    let theirs = of_another_account();
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[phone(), hosted(&theirs)]);
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::Disclosure(DisclosureError::OtherAccount) });
}

/// P-11.9, P-11.18. Two disclosures with one sequence number: the account shows them to different devices.
#[test]
fn two_own_devices_saw_different_disclosures() {
    let [one, other] = [first(HOSTED, vendor()), first(HOSTED, kept_for(1, &vendor()))];
    let (mut at_phone, mut at_tablet) = (CustomerDevice::new(), CustomerDevice::of(TABLET));
    let _ = at_phone.see(&[phone(), hosted(&one)]);
    let _ = at_tablet.see(&[phone(), hosted(&other)]);
    let (_, decision) = at_tablet.consent(&other);
    let event = at_phone.adopt(&decision, &other);
    assert!(matches!(event, Some(LabelEvent::Unverified(_))), "{event:?}");
    let forked = Label::Unverified { why: Unverified::Disclosure(DisclosureError::Forked) };
    assert_eq!(at_phone.label(), forked);
    for shown in [&one, &other] {
        let _ = at_phone.see(&[phone(), hosted(shown)]);
        assert_eq!(at_phone.label(), forked, "neither is trusted any more");
    }
    let later = following(&one, HOSTED, vendor());
    let _ = at_phone.see(&[phone(), hosted(&later)]);
    assert_eq!(at_phone.label(), Label::Disclosed { disclosure: later.hash() });
}

/// P-11.17. The message reaches the holder of the old key, as was allowed when it was sent; no later message does.
#[test]
fn a_message_in_flight_to_the_old_hosted_device() {
    let [one, two] = [first(HOSTED, vendor()), first(NEW_HOSTED, vendor())];
    let mut customer = CustomerDevice::hosted(&one);
    assert!(customer.can_send_to(HOSTED, one.hash()), "it was sent");
    let (_, closed) = customer.see_all(&[phone(), hosted(&two)]);
    assert_eq!(closed[0].device, key(HOSTED), "its session is to be closed: no answer is taken in it");
    assert!(!customer.can_send_to(HOSTED, one.hash()) && !customer.can_send_to(HOSTED, None));
    assert!(!customer.can_send_to(HOSTED, two.hash()), "to be sent again, it goes to the new one");
}

#[test]
fn refusal_with_queued_messages() {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[phone()]);
    let _ = customer.see(&[phone(), hosted(&disclosure)]);
    let _ = customer.refuse(&disclosure);
    for (hosted, under) in [(HOSTED, Some(disclosure.hash())), (BUSINESS, None)] {
        assert!(!customer.can_send_to(hosted, under), "they wait, or are thrown away; they are not sent");
    }
    let _ = customer.see(&[phone()]);
    assert!(customer.can_send_to(BUSINESS, None) && !customer.can_send_to(HOSTED, disclosure.hash()));
}

/// P-11.20.
#[test]
fn a_hosted_device_in_a_group() {
    let one = first(HOSTED, vendor());
    let two = following(&one, HOSTED, kept_for(60, &vendor()));
    let member = HostedMember::new(&one);
    assert_eq!(HostedMember::from_bytes(&member.to_bytes()), Some(member));
    assert_eq!(member.to_bytes().len(), HostedMember::LENGTH);
    assert_eq!(HostedMember::from_bytes(&member.to_bytes()[1..]), None);
    assert_eq!(HostedMember::from_bytes(&[&member.to_bytes()[..128], &[0; 32]].concat()), None);
    let may = |device, announced: &[HostedMember]| may_receive_in_group(&account(BUSINESS), &device, announced);
    assert!(may(phone(), &[]), "the account's own devices are members");
    assert!(!may(hosted(&one), &[]), "not unless everyone was informed");
    assert!(may(hosted(&one), &[member]));
    assert!(!may(hosted(&two), &[member]), "other terms: everyone is informed again");
    assert!(!may_receive_in_group(&account(OTHER_BUSINESS), &hosted(&one), &[member]));
    let hidden = HostedDevice { disclosure: None, ..hosted(&one) };
    assert!(!may(hidden, &[member]));
}

#[test]
fn retention_made_shorter() {
    let one = first(HOSTED, vendor());
    let two = following(&one, HOSTED, kept_for(7, &vendor()));
    let mut customer = CustomerDevice::hosted(&one);
    let event = customer.see(&[phone(), hosted(&two)]).unwrap();
    assert!(matches!(event, LabelEvent::ConsentCarriedOver(_)), "{event:?}");
    assert_eq!(event.change().terms.as_ref().unwrap().retention.at_rest, 7 * DAY, "and the user is informed");
    // Back to the terms of the first consent: still covered.
    let three = following(&two, HOSTED, vendor());
    let event = customer.see(&[phone(), hosted(&three)]);
    assert!(matches!(event, Some(LabelEvent::ConsentCarriedOver(_))) && customer.can_send(), "{event:?}");
}

#[test]
fn retention_made_longer() {
    let one = first(HOSTED, vendor());
    let two = following(&one, HOSTED, kept_for(31, &vendor()));
    let mut customer = CustomerDevice::hosted(&one);
    let event = customer.see(&[phone(), hosted(&two)]);
    assert!(matches!(event, Some(LabelEvent::TermsWorsened(_, worse)) if worse == TermsDiff::RETENTION), "{event:?}");
    assert!(!customer.can_send());
}

/// P-11.28. The user wrote to a person, and a server of a business reads.
#[test]
fn a_person_that_becomes_a_server_with_a_program_is_an_event_and_another_label() {
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[own(BUSINESS, Custody::Person)]);
    assert_eq!(customer.label(), Label::EndToEnd { custody: Custody::Person, automated: false });
    let server = own(LAPTOP, Custody::SelfHosted);
    let program = HostedDevice { automated: true, ..server };
    for (devices, custody, automated) in [
        (vec![own(BUSINESS, Custody::Person), server], Custody::SelfHosted, false),
        (vec![own(BUSINESS, Custody::Person), program], Custody::SelfHosted, true),
        (vec![own(BUSINESS, Custody::Business)], Custody::Business, false),
        (vec![own(BUSINESS, Custody::Person)], Custody::Person, false),
    ] {
        let event = customer.see(&devices);
        assert!(matches!(event, Some(LabelEvent::DevicesChanged(_))), "{event:?}");
        assert_eq!(customer.label(), Label::EndToEnd { custody, automated });
        assert_eq!(customer.see(&devices), None, "once");
        assert!(customer.can_send());
    }
}

/// If an operator leaves and returns, the user is asked again, even about the same terms.
#[test]
fn an_operator_that_comes_back_is_asked_about_again() {
    let [one, two] = [first(HOSTED, vendor()), first(NEW_HOSTED, platform())];
    let mut customer = CustomerDevice::hosted(&one);
    let _ = customer.see(&[phone(), hosted(&two)]);
    let _ = customer.consent(&two);
    let _ = customer.see(&[phone(), hosted(&one)]);
    assert_eq!(customer.label(), Label::Disclosed { disclosure: one.hash() });
}

/// A hosted device without storage, and terms that improve while the user is away.
#[test]
fn hosting_without_storage_is_still_hosting() {
    let terms = HostingTerms { retention: bisik::hosting::Retention::NO_STORAGE, ..vendor() };
    let disclosure = first(HOSTED, terms);
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[hosted(&disclosure)]);
    assert_eq!(customer.label(), Label::Disclosed { disclosure: disclosure.hash() });
}
