//! Every edge of the label's state machine, each in a test named after it (docs/spec/hosting.md, section 11.4).

use bisik::DisclosureHash;
use bisik::device::Custody;
use bisik::hosting::{
    Blocked, DecideError, DisclosureError, Evidence, HostedDevice, HostingTerms, Label, LabelEvent, LabelState,
    OperatorName, Presented, Purposes, Region, Retention, Roles, TermsDiff, Unverified, VerifiedDisclosure,
};

use crate::parties::*;

/// P-11.14.
#[test]
fn unknown_to_end_to_end_when_every_device_is_own_held() {
    for custody in [Custody::Person, Custody::Business, Custody::SelfHosted] {
        let mut customer = CustomerDevice::new();
        assert_eq!(
            (customer.label(), customer.state.permit(customer.now).err()),
            (Label::Unknown, Some(Blocked::Unknown))
        );
        let event = customer.see(&[phone(), own(LAPTOP, custody)]).unwrap();
        assert!(matches!(event, LabelEvent::Verified(_)), "{event:?}");
        assert!(customer.label().is_end_to_end());
        assert_eq!(event.change().disclosure, None);
        assert!(event.change().terms.is_none());
        assert!(customer.can_send_to(LAPTOP, None));
    }
}

/// P-11.14, P-11.15, P-11.16.
#[test]
fn unknown_to_disclosed_when_a_device_is_hosted() {
    for terms in [vendor(), platform(), interop()] {
        let disclosure = first(HOSTED, terms.clone());
        let mut customer = CustomerDevice::new();
        let event = customer.see(&[phone(), own(LAPTOP, Custody::SelfHosted), hosted(&disclosure)]).unwrap();
        assert!(matches!(event, LabelEvent::HostingDisclosed(_)), "{event:?}");
        assert_eq!(customer.label(), Label::Disclosed { disclosure: disclosure.hash() });
        let change = event.change();
        assert_eq!(change.terms.as_ref(), Some(&terms));
        assert_eq!(change.disclosure, Some(disclosure.hash()));
        assert_eq!(customer.state.question(), Some((disclosure.hash(), &terms)));
        assert_eq!(customer.state.permit(customer.now).err(), Some(Blocked::ConsentNeeded(disclosure.hash())));
    }
}

/// P-11.18, P-11.16, P-11.17.
#[test]
fn disclosed_to_hosted_when_the_user_consents() {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[phone(), hosted(&disclosure)]);
    let (event, decision) = customer.consent(&disclosure);
    assert!(matches!(event, Some(LabelEvent::Consented(_))), "{event:?}");
    let hash = disclosure.hash();
    assert_eq!(customer.label(), Label::Hosted { disclosure: hash, consent: hash });
    assert_eq!((decision.disclosure(), decision.peer()), (hash, &account(BUSINESS)));
    assert_eq!((decision.account(), *decision.device()), (&account(CUSTOMER), key(CUSTOMER)));
    assert!(customer.can_send_to(HOSTED, hash) && customer.can_send_to(BUSINESS, None));
    assert!(!customer.can_send_to(HOSTED, None), "never in a session without the disclosure");
    assert!(!customer.can_send_to(BUSINESS, hash), "nor under it to a device that it is not about");
}

#[test]
fn disclosed_to_refused_when_the_user_refuses() {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[phone(), hosted(&disclosure)]);
    let (event, _) = customer.refuse(&disclosure);
    assert!(matches!(event, Some(LabelEvent::Refused(_))), "{event:?}");
    assert_eq!(customer.label(), Label::Refused { disclosure: disclosure.hash() });
    assert_eq!(customer.state.permit(customer.now).err(), Some(Blocked::Refused(disclosure.hash())));
}

#[test]
fn end_to_end_to_disclosed_when_a_hosted_device_appears() {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[phone()]);
    let event = customer.see(&[phone(), hosted(&disclosure)]);
    assert!(matches!(event, Some(LabelEvent::HostingDisclosed(_))), "{event:?}");
    assert!(!customer.can_send());
}

/// P-11.13. Each term alone becomes worse.
#[test]
fn hosted_to_disclosed_when_terms_are_worse() {
    let region = |name| Some(Region::new(name).unwrap());
    let agreed = HostingTerms {
        purposes: Purposes::ANSWERING.with(Purposes::ANALYTICS),
        retention: Retention { at_rest: 30 * DAY, in_use: 3_600, region: region("ID") },
        ..vendor()
    };
    let kept = |at_rest, in_use, region| {
        let retention = Retention { at_rest, in_use, region };
        HostingTerms { retention, ..agreed.clone() }
    };
    let renamed = OperatorName::new("Awan Raya").unwrap();
    let renamed = bisik::hosting::Operator { name: renamed, ..operator(AWAN) };
    let worse = [
        (HostingTerms { custody: Custody::Platform, ..agreed.clone() }, TermsDiff::CUSTODY),
        (HostingTerms { custody: Custody::ForeignClient, ..agreed.clone() }, TermsDiff::CUSTODY),
        (HostingTerms { roles: agreed.roles.with(Roles::ANSWER), ..agreed.clone() }, TermsDiff::ROLES),
        (HostingTerms { roles: Roles::ANSWER, ..agreed.clone() }, TermsDiff::ROLES),
        (HostingTerms { purposes: Purposes::MARKETING, ..agreed.clone() }, TermsDiff::PURPOSES),
        (kept(30 * DAY + 1, 3_600, region("ID")), TermsDiff::RETENTION),
        (kept(0, 3_601, region("ID")), TermsDiff::RETENTION),
        (kept(Retention::FOREVER, 0, region("ID")), TermsDiff::RETENTION),
        (kept(DAY, 0, region("SG")), TermsDiff::REGION),
        (kept(DAY, 0, None), TermsDiff::REGION),
        (HostingTerms { operator: renamed, ..agreed.clone() }, TermsDiff::OPERATOR),
    ];
    for (terms, expected) in worse {
        let one = first(HOSTED, agreed.clone());
        let two = following(&one, HOSTED, terms.clone());
        let mut customer = CustomerDevice::hosted(&one);
        let event = customer.see(&[phone(), hosted(&two)]).unwrap();
        assert!(matches!(event, LabelEvent::TermsWorsened(_, worse) if worse == expected), "{event:?}: {expected:?}");
        assert_eq!(customer.label(), Label::Disclosed { disclosure: two.hash() });
        assert_eq!(event.change().terms, Some(terms));
        assert!(!customer.can_send());
        let (event, _) = customer.consent(&two);
        assert!(matches!(event, Some(LabelEvent::Consented(_))) && customer.can_send());
    }
}

/// P-11.13. Each term alone becomes better, and then none does.
#[test]
fn hosted_to_hosted_when_terms_are_no_worse() {
    let agreed = HostingTerms {
        custody: Custody::Platform,
        purposes: Purposes::ANSWERING.with(Purposes::ANALYTICS),
        ..vendor()
    };
    let better = [
        agreed.clone(),
        HostingTerms { custody: Custody::Vendor, ..agreed.clone() },
        HostingTerms { roles: Roles::READ, ..agreed.clone() },
        HostingTerms { purposes: Purposes::NONE, ..agreed.clone() },
        kept_for(7, &agreed),
        HostingTerms { retention: Retention::NO_STORAGE, ..agreed.clone() },
    ];
    for terms in better {
        let one = first(HOSTED, agreed.clone());
        let two = following(&one, HOSTED, terms);
        let mut customer = CustomerDevice::hosted(&one);
        let (event, closed) = customer.see_all(&[phone(), hosted(&two)]);
        assert!(matches!(event, Some(LabelEvent::ConsentCarriedOver(_))), "{event:?}");
        assert_eq!(customer.label(), Label::Hosted { disclosure: two.hash(), consent: one.hash() });
        assert_eq!((closed[0].device, closed[0].disclosure), (key(HOSTED), one.hash()));
        assert!(customer.can_send_to(HOSTED, two.hash()) && !customer.can_send_to(HOSTED, one.hash()));
    }
}

#[test]
fn hosted_to_disclosed_when_the_operator_is_another() {
    let one = first(HOSTED, vendor());
    let better = HostingTerms { operator: operator(JARING), retention: Retention::NO_STORAGE, ..vendor() };
    let two = first(NEW_HOSTED, better);
    let mut customer = CustomerDevice::hosted(&one);
    let event = customer.see(&[phone(), hosted(&two)]).unwrap();
    assert!(matches!(event, LabelEvent::TermsWorsened(_, worse) if worse == TermsDiff::OPERATOR), "{event:?}");
    assert_eq!(event.change().terms.as_ref().unwrap().operator, operator(JARING));
    assert!(!customer.can_send());
}

#[test]
fn hosted_to_end_to_end_when_own_held_again() {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::hosted(&disclosure);
    let (event, closed) = customer.see_all(&[phone()]);
    let event = event.unwrap();
    assert!(matches!(event, LabelEvent::HostingEnded(_)), "{event:?}");
    assert_eq!(event.change().terms.as_ref().unwrap().operator, operator(AWAN), "the operator that no longer reads");
    assert_eq!((customer.label().is_end_to_end(), closed.len()), (true, 1));
    assert!(customer.can_send() && !customer.can_send_to(HOSTED, disclosure.hash()));
}

/// Consent ends with the hosting that it was given for.
#[test]
fn end_to_end_to_disclosed_again_when_the_same_hosting_comes_back() {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::hosted(&disclosure);
    let _ = customer.see(&[phone()]);
    let event = customer.see(&[phone(), hosted(&disclosure)]);
    assert!(matches!(event, Some(LabelEvent::HostingDisclosed(_))), "{event:?}");
    assert!(!customer.can_send());
}

#[test]
fn disclosed_to_disclosed_when_the_question_changes() {
    let one = first(HOSTED, vendor());
    let two = following(&one, HOSTED, kept_for(7, &vendor()));
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[hosted(&one)]);
    let event = customer.see(&[hosted(&two)]);
    assert!(matches!(event, Some(LabelEvent::DisclosureChanged(_))), "{event:?}");
    assert_eq!(customer.label(), Label::Disclosed { disclosure: two.hash() });
    // The user was still reading the first disclosure.
    let own = account(CUSTOMER);
    let stale = customer.state.consent(one.hash(), &own, &identity(CUSTOMER), customer.now);
    assert_eq!(stale.err(), Some(DecideError::NotShown));
    let stale = customer.state.refuse(one.hash(), &own, &identity(CUSTOMER), customer.now);
    assert_eq!(stale.err(), Some(DecideError::NotShown));
}

#[test]
fn refused_to_hosted_when_the_user_reconsiders() {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[phone(), hosted(&disclosure)]);
    let _ = customer.refuse(&disclosure);
    assert_eq!(customer.state.question().unwrap().0, disclosure.hash());
    let (event, _) = customer.consent(&disclosure);
    assert!(matches!(event, Some(LabelEvent::Consented(_))), "{event:?}");
    assert!(customer.can_send());
}

/// P-11.26. A business cannot nag: the user is asked again only about less, and not at once.
#[test]
fn refused_to_disclosed_for_terms_better_in_kind_only() {
    let one = first(HOSTED, vendor());
    let refused = |next: &VerifiedDisclosure, days: u64| {
        let mut customer = CustomerDevice::new();
        let _ = customer.see(&[phone(), hosted(&one)]);
        let _ = customer.refuse(&one);
        customer.now = customer.now.plus_seconds(days * DAY);
        let event = customer.see(&[phone(), hosted(next)]);
        (customer.label(), event)
    };
    let same = following(&one, HOSTED, vendor());
    let worse = following(&one, HOSTED, kept_for(60, &vendor()));
    let a_little_better = following(&one, HOSTED, kept_for(29, &vendor()));
    let other = first(NEW_HOSTED, platform());
    let better = following(&one, HOSTED, kept_for(7, &vendor()));
    for next in [&same, &worse, &a_little_better, &other] {
        assert_eq!(refused(next, 30), (Label::Refused { disclosure: one.hash() }, None));
    }
    assert_eq!(refused(&better, 29), (Label::Refused { disclosure: one.hash() }, None));
    let (label, event) = refused(&better, 30);
    assert_eq!(label, Label::Disclosed { disclosure: better.hash() });
    assert!(matches!(event, Some(LabelEvent::HostingDisclosed(_))), "{event:?}");
}

#[test]
fn refused_to_end_to_end_when_own_held_again() {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[phone(), hosted(&disclosure)]);
    let _ = customer.refuse(&disclosure);
    let event = customer.see(&[phone()]);
    assert!(matches!(event, Some(LabelEvent::HostingEnded(_))), "{event:?}");
    assert!(customer.can_send());
}

/// A conversation under each label, and a disclosure of `HOSTED` that it knows or could learn.
pub fn every_label() -> Vec<(CustomerDevice, VerifiedDisclosure)> {
    let disclosure = first(HOSTED, vendor());
    let mut disclosed = CustomerDevice::new();
    let _ = disclosed.see(&[phone(), hosted(&disclosure)]);
    let mut refused = disclosed.clone();
    let _ = refused.refuse(&disclosure);
    let mut end_to_end = CustomerDevice::new();
    let _ = end_to_end.see(&[phone()]);
    let mut unverified = CustomerDevice::hosted(&disclosure);
    let transition = unverified.state.observe(Evidence::NoDeviceList, unverified.now);
    let _ = unverified.take(transition);
    let hosted = CustomerDevice::hosted(&disclosure);
    let customers = [CustomerDevice::new(), end_to_end, disclosed, hosted, refused, unverified];
    customers.map(|customer| (customer, disclosure.clone())).into()
}

/// P-11.11, P-11.12. From every label, for every reason; nothing is sent then.
#[test]
fn any_to_unverified_when_the_evidence_does_not_hold() {
    for (customer, disclosure) in every_label() {
        for (device, why) in not_to_be_believed(&disclosure) {
            let mut customer = customer.clone();
            let before = customer.label();
            let (event, closed) = customer.see_all(&[phone(), device]);
            assert_eq!(customer.label(), Label::Unverified { why }, "from {before:?}");
            assert!(matches!(event, Some(LabelEvent::Unverified(_))), "{event:?}");
            assert!(closed.is_empty(), "nothing else has changed");
            assert_eq!(customer.state.permit(customer.now).err(), Some(Blocked::Unverified(why)));
        }
        for evidence in [
            Evidence::NoDeviceList,
            Evidence::Devices { expires: customer.now, devices: &[phone()], own: &[] },
            Evidence::Devices { expires: after(30), devices: &[], own: &[] },
        ] {
            let mut customer = customer.clone();
            let transition = customer.state.observe(evidence, customer.now);
            let _ = customer.take(transition);
            assert_eq!(customer.label(), Label::Unverified { why: Unverified::DeviceList });
            assert!(!customer.can_send());
        }
    }
}

/// Lists with a device whose evidence is invalid.
fn not_to_be_believed(disclosure: &VerifiedDisclosure) -> Vec<(HostedDevice<'_>, Unverified)> {
    let good = hosted(disclosure);
    let other = Unverified::Disclosure(DisclosureError::OtherDevice);
    let rejected =
        |error| (HostedDevice { presented: Presented::Rejected(error), ..good }, Unverified::Disclosure(error));
    vec![
        (HostedDevice { presented: Presented::Nothing, ..good }, Unverified::Missing),
        (HostedDevice { key: key(NEW_HOSTED), ..good }, other),
        (HostedDevice { custody: Custody::Platform, ..good }, other),
        (HostedDevice { disclosure: DisclosureHash::from_bytes([7; 32]).ok(), ..good }, other),
        (
            HostedDevice { disclosure: DisclosureHash::from_bytes([7; 32]).ok(), ..own(LAPTOP, Custody::Business) },
            other,
        ),
        rejected(DisclosureError::BadSignature),
        rejected(DisclosureError::Malformed),
        rejected(DisclosureError::Expired),
        rejected(DisclosureError::OtherAccount),
    ]
}

#[test]
fn unverified_to_the_previous_label_when_the_evidence_holds_again() {
    for (mut customer, disclosure) in every_label() {
        let before = customer.label();
        if matches!(before, Label::Unknown | Label::Unverified { .. }) {
            continue;
        }
        let transition = customer.state.observe(Evidence::NoDeviceList, customer.now);
        let _ = customer.take(transition);
        let hosting = !before.is_end_to_end();
        let event = if hosting { customer.see(&[phone(), hosted(&disclosure)]) } else { customer.see(&[phone()]) };
        assert_eq!(customer.label(), before);
        let asked = matches!(before, Label::Disclosed { .. });
        let expected = if asked {
            matches!(event, Some(LabelEvent::HostingDisclosed(_)))
        } else {
            matches!(event, Some(LabelEvent::VerifiedAgain(_)))
        };
        assert!(expected, "{event:?}");
    }
}

#[test]
fn any_to_refused_when_the_user_withdraws() {
    let disclosure = first(HOSTED, vendor());
    let mut hosting = CustomerDevice::hosted(&disclosure);
    let mut unverified = hosting.clone();
    let transition = unverified.state.observe(Evidence::NoDeviceList, unverified.now);
    let _ = unverified.take(transition);
    // Another operator has joined, and the user is asked about it.
    let mut asked = hosting.clone();
    let second = first(NEW_HOSTED, platform());
    let _ = asked.see(&[phone(), hosted(&disclosure), hosted(&second)]);
    assert_eq!(asked.label(), Label::Disclosed { disclosure: second.hash() });
    for customer in [&mut hosting, &mut unverified, &mut asked] {
        let (event, decision) = customer.withdraw(&disclosure);
        assert!(matches!(event, Some(LabelEvent::Withdrawn(_))), "{event:?}");
        assert_eq!(customer.label(), Label::Refused { disclosure: disclosure.hash() });
        assert_eq!(decision.disclosure(), disclosure.hash());
        assert!(!customer.can_send());
        let again = customer.state.withdraw(disclosure.hash(), &account(CUSTOMER), &identity(CUSTOMER), customer.now);
        assert_eq!(again.err(), Some(DecideError::NothingToDecide));
    }
}

/// P-11.11. Withdrawing and consenting again does not get around evidence that does not hold.
#[test]
fn unverified_never_becomes_sendable_by_a_decision() {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::hosted(&disclosure);
    let transition = customer.state.observe(Evidence::NoDeviceList, customer.now);
    let _ = customer.take(transition);
    let _ = customer.withdraw(&disclosure);
    let own = account(CUSTOMER);
    let again = customer.state.consent(disclosure.hash(), &own, &identity(CUSTOMER), customer.now);
    assert_eq!(again.err(), Some(DecideError::Expired));
    let mut tablet = CustomerDevice::of(TABLET);
    let _ = tablet.see(&[hosted(&disclosure)]);
    let _ = tablet.refuse(&disclosure);
    tablet.now = customer.now.plus_seconds(100);
    let (_, reconsidered) = tablet.consent(&disclosure);
    let _ = customer.adopt(&reconsidered, &disclosure);
    assert!(!customer.can_send() && !matches!(customer.label(), Label::Hosted { .. } | Label::EndToEnd { .. }));
    let _ = customer.tick();
    assert!(matches!(customer.label(), Label::Unverified { .. }));
}

/// P-11.15. The same list, time or decision again changes nothing and gives no event.
#[test]
fn no_edge_without_a_change() {
    for (mut customer, disclosure) in every_label() {
        let devices: &[_] = match customer.label() {
            Label::EndToEnd { .. } => &[phone()],
            Label::Unknown | Label::Unverified { .. } => continue,
            _ => &[phone(), hosted(&disclosure)],
        };
        let label = customer.label();
        assert_eq!((customer.see_all(devices), customer.tick(), customer.label()), ((None, Vec::new()), None, label));
    }
}

/// Without a pending question there is nothing to decide.
#[test]
fn a_decision_needs_a_question() {
    for (customer, disclosure) in every_label() {
        let (own, device) = (account(CUSTOMER), identity(CUSTOMER));
        let consent = customer.state.consent(disclosure.hash(), &own, &device, customer.now).map(drop);
        let refuse = customer.state.refuse(disclosure.hash(), &own, &device, customer.now).map(drop);
        let withdraw = customer.state.withdraw(disclosure.hash(), &own, &device, customer.now).map(drop);
        let nothing = Err(DecideError::NothingToDecide);
        let expected = match customer.label() {
            Label::Unknown | Label::EndToEnd { .. } | Label::OwnHosted { .. } => (nothing, nothing, nothing),
            Label::Disclosed { .. } | Label::Refused { .. } => (Ok(()), Ok(()), nothing),
            Label::Hosted { .. } | Label::Unverified { .. } => (nothing, nothing, Ok(())),
        };
        assert_eq!((consent, refuse, withdraw), expected, "{:?}", customer.label());
    }
}

/// P-11.14. The weakest device decides: a hosted one among a thousand, the worst of several.
#[test]
fn the_weakest_device_decides() {
    let [one, two] = [first(HOSTED, vendor()), first(NEW_HOSTED, kept_for(60, &vendor()))];
    let mut devices = vec![phone(); 1_000];
    devices.push(hosted(&one));
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&devices);
    assert_eq!(customer.label(), Label::Disclosed { disclosure: one.hash() });
    let _ = customer.consent(&one);
    devices.insert(0, hosted(&two));
    let _ = customer.see(&devices);
    assert_eq!(
        customer.label(),
        Label::Disclosed { disclosure: two.hash() },
        "one of them was agreed to, the worse was not"
    );
    let _ = customer.consent(&two);
    assert!(customer.can_send_to(HOSTED, one.hash()) && customer.can_send_to(NEW_HOSTED, two.hash()));
}

/// P-11.14. The user is asked about each operator; one refusal is enough.
#[test]
fn several_operators_are_agreed_to_one_by_one() {
    let [one, two] = [first(HOSTED, vendor()), first(NEW_HOSTED, platform())];
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[hosted(&one), hosted(&two)]);
    assert_eq!(customer.label(), Label::Disclosed { disclosure: two.hash() }, "the worst first");
    let (event, _) = customer.consent(&two);
    assert!(matches!(event, Some(LabelEvent::DisclosureChanged(_))), "{event:?}");
    assert_eq!(customer.label(), Label::Disclosed { disclosure: one.hash() });
    let mut other = customer.clone();
    let _ = customer.consent(&one);
    assert_eq!(customer.label(), Label::Hosted { disclosure: two.hash(), consent: two.hash() });
    let _ = other.refuse(&one);
    assert_eq!(other.label(), Label::Refused { disclosure: one.hash() });
}

/// P-11.24. Devices or operators above the limits are not verified.
#[test]
fn too_many_hosted_devices_or_operators_are_not_verified() {
    let disclosures: Vec<_> = (0..65).map(|at| first(100 + at, vendor())).collect();
    let devices: Vec<_> = disclosures.iter().map(hosted).collect();
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&devices[..LabelState::MOST_DEVICES]);
    assert!(matches!(customer.label(), Label::Disclosed { .. }));
    let _ = customer.see(&devices);
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::TooMany });

    let by = |at: u8| first(200 + at, HostingTerms { operator: operator(20 + at), ..vendor() });
    let disclosures: Vec<_> = (0..9).map(by).collect();
    let devices: Vec<_> = disclosures.iter().map(hosted).collect();
    let _ = customer.see(&devices[..LabelState::MOST_OPERATORS]);
    assert!(matches!(customer.label(), Label::Disclosed { .. }));
    let _ = customer.see(&devices);
    assert_eq!(customer.label(), Label::Unverified { why: Unverified::TooMany });
}
