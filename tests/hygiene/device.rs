//! Devices and linking: `Debug` of their types shows no secret, and linking leaves none in freed memory.

use bisik::device::link::{Companion, Invitation};
use bisik::device::{
    AccountKey, ChangedDevice, Custody, DeviceChange, DeviceTerms, Primary, PrimaryError, RecoverError,
};
use bisik::{Accepted, Identity, PreKeys, Session, Trust};

use super::canaries::Canaries;
use super::debug::{Shown, show};
use super::derived::ed25519_expanded;
use super::freed::freed_by;
use super::keys::NOW;
use super::recording::Recording;

fn account(rng: &mut Recording) -> (Identity, Primary) {
    let phone = Identity::generate(rng);
    let primary = Primary::new(&phone, DeviceTerms::own_held(Custody::Person).unwrap(), NOW);
    (phone, primary)
}

pub fn debug(shown: &mut Shown, rng: &mut Recording) {
    let (phone, mut primary) = account(rng);
    let terms = DeviceTerms::own_held(Custody::Person).unwrap();
    show(shown, &Companion::with_typed_code(rng).1);
    let (companion, code) = Companion::with_qr_code(rng);
    show(shown, &code);
    show(shown, &companion);
    let invitation = Invitation::scan(code.as_bytes()).unwrap();
    show(shown, &invitation);
    let (answered, answer) = invitation.answer(&primary, terms, rng);
    show(shown, &answered);
    let (companion, reveal) = companion.answer(&answer).unwrap();
    show(shown, &companion);
    show(shown, companion.sas());
    show(shown, &companion.sas().emoji()[0]);
    let comparing = answered.reveal(&reveal).unwrap();
    show(shown, &comparing);
    let certificate = comparing.confirm();
    show(shown, &certificate);
    show(shown, &DeviceChange::Add(certificate));
    let mut before = primary.directory();
    let list = primary.add(&phone, certificate, NOW).unwrap();
    show(shown, list);
    show(shown, &list.id());
    let change = before.accept(list, NOW).unwrap();
    show(shown, &change);
    show(shown, &change.events()[0]);
    show(shown, &ChangedDevice { before: change.added[0], after: change.added[0] });
    let companion = companion.confirm();
    show(shown, &companion);
    let linked = companion.finish(list, NOW).unwrap();
    show(shown, &linked);
    show(shown, &linked.directory);
    show(shown, &linked.entry);
    show(shown, linked.entry.terms());
    show(shown, &linked.entry.custody());
    show(shown, &AccountKey::of(&phone));
    show(shown, &primary);
    own_devices(shown, &phone, &linked.identity, &primary, rng);

    show(shown, &DeviceTerms::own_held(Custody::Vendor).unwrap_err());
    show(shown, &PrimaryError::Full);
    show(shown, &RecoverError::NoList);
    show(shown, &before.accept(account(rng).1.list(), NOW).unwrap_err());
    show(shown, &Invitation::fetch(b"").unwrap_err());
    show(shown, &before.own(&Identity::generate(rng), NOW).unwrap_err());
}

fn own_devices(shown: &mut Shown, phone: &Identity, laptop: &Identity, primary: &Primary, rng: &mut Recording) {
    let keys = PreKeys::generate(laptop, NOW, rng);
    let bundle = keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let mut theirs = Session::initiate(phone, &bundle, NOW, rng).unwrap();
    let hello = theirs.encrypt(b"halo", rng).unwrap();
    let Accepted { mut session, .. } = Session::accept(laptop, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
    let answer = session.encrypt(b"hai", rng).unwrap();
    assert!(theirs.decrypt(phone, &answer).unwrap().confirms);
    let message = theirs.encrypt(&rng.secret(), rng).unwrap();
    let directory = primary.directory();
    let devices = directory.own(laptop, NOW).unwrap();
    show(shown, &devices);
    show(shown, &devices.decrypt(laptop, &mut session, &message).unwrap());
}

#[test]
fn linking_leaves_no_secret_in_freed_memory() {
    for (qr_code, fails) in [(true, false), (true, true), (false, false), (false, true)] {
        let mut rng = Recording::new(40);
        let (phone, mut primary) = account(&mut Recording::new(41));
        let terms = DeviceTerms::own_held(Custody::Person).unwrap();
        let ((), freed) = freed_by(|| {
            let (companion, invitation) = if qr_code {
                let (companion, code) = Companion::with_qr_code(&mut rng);
                let invitation = Invitation::scan(code.as_bytes()).unwrap();
                (companion, invitation)
            } else {
                let (companion, _) = Companion::with_typed_code(&mut rng);
                let invitation = Invitation::fetch(companion.hello()).unwrap();
                (companion, invitation)
            };
            let (answered, mut answer) = invitation.answer(&primary, terms, &mut Recording::new(42));
            if fails {
                answer[1] ^= 1;
                assert!(companion.answer(&answer).is_err());
                return;
            }
            let (companion, reveal) = Box::new(companion).answer(&answer).unwrap();
            let certificate = answered.reveal(&reveal).unwrap().confirm();
            let list = primary.add(&phone, certificate, NOW).unwrap();
            drop(vec![companion.confirm().finish(list, NOW).unwrap()]);
        });
        let mut canaries = Canaries::new();
        let drawn = rng.secrets();
        canaries.add("the companion's Ed25519 secret", &drawn[0]);
        canaries.add("the same, expanded", &ed25519_expanded(&drawn[0]));
        canaries.add("the companion's X25519 secret", &drawn[1]);
        assert_eq!(drawn.len(), if qr_code { 4 } else { 3 });
        drawn.get(3).into_iter().for_each(|secret| canaries.add("the link secret", secret));
        canaries.assert_absent(&freed);
    }
}
