//! Both sides of a conversation: hosting on the user's own side, and keys that were hosted once.

use bisik::device::{Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceTerms, Primary, PrimaryError};
use bisik::hosting::{
    Disclosure, Evidence, HostedDevice, Label, LabelEvent, LabelState, Presented, Unverified, VerifiedDisclosure,
};
use bisik_testkit::accounts::Accounts;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::parties::*;

/// The customer's own account is a business, and a vendor holds one of its devices.
fn see(customer: &mut CustomerDevice, devices: &[HostedDevice<'_>], own: &[HostedDevice<'_>]) -> Option<LabelEvent> {
    let expires = customer.now.plus_seconds(30 * DAY);
    let transition = customer.state.observe(Evidence::Devices { expires, devices, own }, customer.now);
    customer.take(transition).0
}

fn shop() -> HostedDevice<'static> {
    own(BUSINESS, Custody::Business)
}

/// P-11.28.
#[test]
fn the_owner_of_a_hosted_business_sees_that_its_vendor_reads() {
    let vendors = first(HOSTED, vendor());
    let mut owner = CustomerDevice::new();
    let _ = see(&mut owner, &[shop()], &[own(CUSTOMER, Custody::Business)]);
    assert!(owner.label().is_end_to_end());
    let both = [own(CUSTOMER, Custody::Business), hosted(&vendors)];
    let event = see(&mut owner, &[shop()], &both).unwrap();
    assert!(matches!(event, LabelEvent::OwnHosting(_)), "{event:?}");
    assert_eq!(owner.label(), Label::OwnHosted { disclosure: Some(vendors.hash()) });
    assert_eq!(event.change().terms, Some(vendor()));
    assert!(owner.can_send(), "the account has signed the disclosure: its own telephone is not blocked");
    assert_eq!(owner.state.question(), None);
    // The terms change, or they are not at hand: told each time.
    let longer = following(&vendors, HOSTED, kept_for(60, &vendor()));
    let event = see(&mut owner, &[shop()], &[hosted(&longer)]);
    assert!(matches!(event, Some(LabelEvent::OwnHosting(_))), "{event:?}");
    let stripped = HostedDevice { presented: Presented::Nothing, ..hosted(&vendors) };
    let event = see(&mut owner, &[shop()], &[stripped]).unwrap();
    assert!(matches!(&event, LabelEvent::OwnHosting(change) if change.terms.is_none()), "{event:?}");
    assert_eq!(owner.label(), Label::OwnHosted { disclosure: Some(vendors.hash()) });
    // The peer's hosting asks for consent, whatever the own side has.
    let theirs = first(NEW_HOSTED, platform());
    let event = see(&mut owner, &[shop(), hosted(&theirs)], &both);
    assert!(matches!(event, Some(LabelEvent::HostingDisclosed(_))) && !owner.can_send(), "{event:?}");
    let event = see(&mut owner, &[shop()], &[own(CUSTOMER, Custody::Business)]);
    assert!(matches!(event, Some(LabelEvent::HostingEnded(_))) && owner.label().is_end_to_end(), "{event:?}");
}

/// P-11.28. In whole conversations, on every device of the hosted account.
#[test]
fn every_device_of_a_hosted_account_is_told_that_a_vendor_reads() {
    let mut accounts = Accounts::new(61, [1, 2]);
    let operator = bisik::Identity::generate(&mut StdRng::seed_from_u64(61));
    let index = accounts.host(1, &operator, bisik::hosting::Retention::THIRTY_DAYS);
    accounts.publish_lists();
    let hash = accounts.disclosures[0].hash();
    for at in [(1, 0), (1, 1), (1, index)] {
        let label = accounts.devices[&at].conversation.as_ref().unwrap().label().label(accounts.now);
        assert_eq!(label, Label::OwnHosted { disclosure: Some(hash) }, "{at:?}");
        accounts.send(at, b"still sent").unwrap();
    }
}

/// The business' account: its primary telephone, and a device of which the vendor had the key.
struct Lister {
    primary: Primary,
    disclosure: VerifiedDisclosure,
}

impl Lister {
    fn new() -> Self {
        let disclosure = first(HOSTED, vendor());
        let mut primary = Primary::new(&identity(BUSINESS), DeviceTerms::own_held(Custody::Business).unwrap(), NOW);
        let terms = DeviceTerms::disclosed(Custody::Vendor, disclosure.hash()).unwrap();
        let certificate = DeviceCertificate::sign(&identity(HOSTED), &account(BUSINESS), 1, terms);
        primary.add(&identity(BUSINESS), certificate, NOW).unwrap();
        Self { primary, disclosure }
    }

    fn as_own(index: u32) -> DeviceCertificate {
        let terms = DeviceTerms::own_held(Custody::Business).unwrap();
        DeviceCertificate::sign(&identity(HOSTED), &account(BUSINESS), index, terms)
    }
}

/// P-11.30.
#[test]
fn a_primary_does_not_list_a_hosted_key_as_its_own() {
    let mut lister = Lister::new();
    let before = lister.primary.list().clone();
    let (update, add) = (DeviceChange::Update(Lister::as_own(1)), DeviceChange::Add(Lister::as_own(2)));
    for changes in [&[update][..], &[DeviceChange::Remove(1), add]] {
        let refused = lister.primary.issue(&identity(BUSINESS), changes, NOW).err();
        assert_eq!(refused, Some(PrimaryError::WasHosted));
        assert_eq!(*lister.primary.list(), before, "nothing has changed");
    }
    assert!(lister.primary.remove(&identity(BUSINESS), 1, NOW).is_ok());
}

/// A dishonest account: the key of the vendor's device, listed as the business' own.
fn relisted() -> DeviceDirectory {
    let mut primary = Primary::new(&identity(BUSINESS), DeviceTerms::own_held(Custody::Business).unwrap(), NOW);
    primary.add(&identity(BUSINESS), Lister::as_own(1), NOW).unwrap();
    primary.directory()
}

/// P-11.30. One has seen it hosted; one has never seen the account; one is a device that was linked just now.
#[test]
fn a_key_once_hosted_is_never_end_to_end_again_for_anybody_who_is_shown_its_disclosure() {
    let Lister { primary, disclosure } = Lister::new();
    let published: Vec<Disclosure> = vec![disclosure.disclosure().clone()];
    let (list, own) = (relisted(), own_list());
    let refused = Label::Unverified { why: Unverified::KeyWasHosted };
    let new = LabelState::new(account(BUSINESS));
    let known = new.observe_lists(&own, &primary.directory(), &published, NOW).state;
    assert!(matches!(known.label(NOW), Label::Disclosed { .. }));
    for (who, state) in [("known", known), ("new", new)] {
        let transition = state.observe_lists(&own, &list, &published, NOW);
        assert_eq!(transition.state.label(NOW), refused, "{who}");
        assert!(transition.state.permit(NOW).is_err());
        // A relay that withholds the disclosure the next time comes too late.
        let again = transition.state.observe_lists(&own, &list, &[], NOW).state;
        assert_eq!(again.label(NOW), refused, "{who}");
        // Long after the disclosure has expired.
        let expired = disclosure.disclosure().expires();
        assert_eq!(
            again.observe_lists(&own, &list, &published, expired).state.label(expired),
            match list.is_expired(expired) {
                true => Label::Unverified { why: Unverified::DeviceList },
                false => refused,
            }
        );
    }
    // On the business' own side too.
    let peer = own_list();
    let owner = LabelState::new(account(CUSTOMER)).observe_lists(&list, &peer, &published, NOW).state;
    assert_eq!(owner.label(NOW), Label::OwnHosted { disclosure: Some(disclosure.hash()) });
}

/// P-11.30. Only the account, the operator and the device together can show that a key was hosted.
#[test]
fn a_forged_disclosure_does_not_spoil_a_key() {
    let mut forged = first_at(HOSTED, vendor(), NOW).to_bytes();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let forged = Disclosure::from_bytes(&forged).unwrap();
    let state = LabelState::new(account(BUSINESS)).observe_lists(&own_list(), &relisted(), &[forged], NOW).state;
    assert!(state.label(NOW).is_end_to_end());
}

/// P-11.11. Lists of another account are no evidence.
#[test]
fn lists_of_another_account_are_no_evidence() {
    let state = LabelState::new(account(BUSINESS)).observe_lists(&own_list(), &own_list(), &[], NOW).state;
    assert_eq!(state.label(NOW), Label::Unverified { why: Unverified::DeviceList });
}
