//! Accounts and conversations: `Debug` of their types shows no secret.

use bisik::conversation::{
    Arrival, Bound, Cause, Change, Conversation, DeviceAddress, EnvelopeHeader, Event, Found, IdentityPolicy, Presence,
    Received, Recipients, SendError,
};
use bisik::device::{Custody, DeviceDirectory, DeviceTerms};
use bisik::{Account, RecoverFirstError, ServerState, StorageKey, Trust, VerifiedBundle};

use super::debug::{Shown, show};
use super::keys::NOW;
use super::recording::Recording;

pub fn account(rng: &mut Recording) -> Account {
    Account::create(DeviceTerms::own_held(Custody::Person).unwrap(), NOW, rng)
}

pub fn conversation(of: &Account, with: &Account) -> Conversation {
    let list = with.primary().unwrap().list();
    let directory = DeviceDirectory::trust(list, Trust::OnFirstUse, NOW).unwrap();
    Conversation::new(of, directory, &[], IdentityPolicy::Block, NOW).0
}

pub fn bundles(of: &Account) -> Vec<(DeviceAddress, VerifiedBundle)> {
    vec![(DeviceAddress::peer(0), of.pre_keys().bundle().verify(Trust::OnFirstUse, NOW).unwrap())]
}

pub fn debug(shown: &mut Shown, rng: &mut Recording) {
    let key = StorageKey::from_bytes(rng.secret());
    let (mut alice, mut bob) = (account(rng), account(rng));
    show(shown, &ServerState::default());
    show(shown, &bob.maintain(None, NOW, rng).unwrap());
    assert!(bob.claimed_list(2, NOW));
    show(shown, bob.events().next().unwrap().1);
    show(shown, &RecoverFirstError);
    let (mut at_alice, mut at_bob) = (conversation(&alice, &bob), conversation(&bob, &alice));
    show(shown, &DeviceAddress::peer(0));
    show(shown, &DeviceAddress::peer(0).side);
    show(shown, &IdentityPolicy::Block);
    show(shown, &SendError::TooLong);

    let id = at_alice.send(&alice, &rng.secret(), Recipients::All, NOW, rng).unwrap();
    show(shown, &id);
    show(shown, &id.tag());
    show(shown, &Recipients::All);
    show(shown, &Presence::Typing);
    let due = at_alice.due(&alice, NOW);
    show(shown, &due);
    show(shown, &due.bundles[0]);
    let outgoing = at_alice.flush(&alice, &bundles(&bob), NOW, rng).unwrap();
    show(shown, &outgoing);
    show(shown, &at_alice);
    show(shown, &at_alice.id());
    show(shown, &alice);
    let changes = at_alice.seal(&mut alice, &key, rng).unwrap();
    show(shown, &changes);
    let record =
        changes.writes().find_map(|change| if let Change::Record(record) = change { Some(record) } else { None });
    show(shown, record.unwrap());
    show(shown, &record.unwrap().name);
    show(shown, &changes.writes().next().unwrap());
    let stored = changes.stored();
    show(shown, &stored);
    let (envelopes, handover) = outgoing.release(&stored).unwrap();
    show(shown, &handover);
    show(shown, &envelopes[0]);
    show(shown, &envelopes[0].header());
    show(shown, &EnvelopeHeader::from_bytes(&[]).unwrap_err());

    let arrivals = [Arrival { from: DeviceAddress::peer(0), ciphertext: envelopes[0].ciphertext.clone() }];
    show(shown, &arrivals[0]);
    assert_eq!(at_bob.receive(&mut bob, &arrivals, NOW), [Ok(())]);
    show(shown, &at_bob.receive(&mut bob, &arrivals, NOW)[0].unwrap_err());
    show(shown, &bob.seal(&key, rng).unwrap().unwrap());
    let sealed = at_bob.seal(&mut bob, &key, rng).unwrap();
    assert!(at_bob.stored(&sealed.stored()));
    let inbox: Vec<&Received> = at_bob.inbox().map(|(_, received)| received).collect();
    let [.., Received::Event(Event::Request), message @ Received::Message { .. }] = inbox[..] else {
        panic!("{inbox:?}")
    };
    show(shown, message);
    show(shown, &Event::GivenUp { id, device: DeviceAddress::own(3), cause: Cause::TooOld });
    show(shown, &Cause::TooOld);
    show(shown, &Bound::Live);
    show(shown, &Found { conversation: at_bob.id(), peer: *bob.key() });
    assert!(at_alice.replace_peer(&alice, at_alice.peer().clone(), &[], NOW).is_none());
    let stranger = account(rng);
    let directory = DeviceDirectory::trust(stranger.primary().unwrap().list(), Trust::OnFirstUse, NOW).unwrap();
    assert!(at_alice.replace_peer(&alice, directory, &[], NOW).is_some());
}
