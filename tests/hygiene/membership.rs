//! Who is a member of a group: `Debug` of its types, and the secret of a link.

use bisik::device::{AccountKey, Custody, DeviceTerms, Primary};
use bisik::group::membership::{
    AdmittedEndpoint, Author, GroupEvent, LinkPolicy, LinkSecret, Membership, OfferError, Role, Setting, Signers,
    Suspension, VoidReason, Wanted, WriteError,
};
use bisik::{DisclosureHash, Identity};
use bisik_testkit::SeededRng;

use super::debug::{Shown, show};
use super::freed::freed_by;
use super::keys::NOW;
use super::recording::Recording;

/// Shows every public type of this module. What is drawn for public names comes from another generator.
pub fn debug(shown: &mut Shown, rng: &mut Recording) {
    let names = &mut SeededRng::new(5);
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let devices = Primary::new(&alice, DeviceTerms::own_held(Custody::Person).unwrap(), NOW).directory();
    let author = Author::of(&alice, &devices).unwrap();
    let (mut group, written) = Membership::found(&author, &[(Setting::NAME, b"x")], None, NOW, names).unwrap();
    let mut twin =
        Membership::follow(group.id(), written.entry().unwrap(), &AccountKey::of(&alice), alice.public()).unwrap();
    let (link, opened) = group.open_link(&author, LinkPolicy::Member, NOW, rng).unwrap();
    let signers = Signers::new();
    show(shown, &author);
    show(shown, &link);
    show(shown, &opened.statements[0]);
    show(shown, &opened.events[0]);
    show(shown, &group.acts().next().unwrap());
    show(shown, &group.acts().next().unwrap().kind);
    show(shown, &group.act_bytes().next().unwrap().0);
    show(shown, &link.id());
    show(shown, &LinkPolicy::Ask);
    show(shown, group.state());
    let (stay, view) = group.state().stays().next().unwrap();
    show(shown, stay);
    show(shown, &stay.id);
    show(shown, view);
    show(shown, &Suspension { act: link.id(), by: *stay });
    show(shown, &group.newest_entry());
    show(shown, &Wanted::Entry(group.newest_entry()));
    show(shown, &Role::Reader);
    show(shown, &Setting::NAME);
    show(shown, &VoidReason::Lifted);
    show(shown, &OfferError::DoesNotCount(VoidReason::Lifted));
    show(shown, &WriteError::Unknown);
    show(shown, &signers);
    let disclosure = DisclosureHash::from_bytes([7; 32]).unwrap();
    let (endpoint, account) = (*bob.public(), AccountKey::of(&bob));
    show(shown, &AdmittedEndpoint { endpoint, account, disclosure, until: NOW });
    let one = group.set(&author, Setting::NAME, b"one", NOW).unwrap();
    let other = twin.set(&author, Setting::NAME, b"other", NOW).unwrap();
    show(shown, &one);
    let offered = group.offer(&other.statements[0], &signers).unwrap();
    assert_eq!(offered.events, [GroupEvent::Equivocation]);
    show(shown, &offered);
    show(shown, &offered.taken);
    show(shown, &group.offer_acts(&[], &signers));
    show(shown, group.evidence().unwrap());
    show(shown, &group);
}

/// Opening a link, reading it, joining by it and dropping it leave its secret nowhere.
#[test]
fn links_leave_no_secret_in_freed_memory() {
    let (mut drawn, names) = (Recording::new(72), &mut SeededRng::new(5));
    let people = [(); 2].map(|()| Identity::generate(names));
    let terms = DeviceTerms::own_held(Custody::Person).unwrap();
    let devices = people.each_ref().map(|identity| Primary::new(identity, terms, NOW).directory());
    let authors = [0, 1].map(|who| Author::of(&people[who], &devices[who]).unwrap());
    let (mut group, founded) = Membership::found(&authors[0], &[], None, NOW, names).unwrap();
    let first = founded.entry().unwrap();
    let ((), freed) = freed_by(|| {
        let (link, opened) = group.open_link(&authors[0], LinkPolicy::Member, NOW, &mut drawn).unwrap();
        let mut bytes = link.expose_bytes();
        let copy = LinkSecret::from_bytes(&bytes).unwrap();
        zeroize::Zeroize::zeroize(&mut bytes);
        let account = devices[1].account();
        let mut joining = Membership::follow(group.id(), first, account, people[1].public()).unwrap();
        let _ = joining.offer(&opened.statements[0], &Signers::new()).unwrap();
        let joined = joining.join(&authors[1], &copy, NOW, names).unwrap();
        let _ = group.offer(&joined.statements[0], &Signers::new()).unwrap();
        assert!(group.state().is_member(account));
    });
    let secrets = drawn.secrets();
    assert_eq!(secrets.iter().map(|secret| secret.len()).collect::<Vec<_>>(), [32]);
    for block in &freed {
        assert!(!block.windows(8).any(|window| secrets[0].windows(8).any(|part| part == window)), "{}", block.len());
    }
}
