//! Accounts and conversations: `Debug` of their types shows no secret.

use bisik::conversation::{Arrival, Conversation, DeviceAddress, IdentityPolicy, Needed, Received, SendError, Supply};
use bisik::device::{Custody, DeviceDirectory, DeviceTerms};
use bisik::{Account, RecoverFirstError, ServerState, StorageKey, Trust, VerifiedBundle};

use super::debug::{Shown, show};
use super::keys::NOW;
use super::recording::Recording;

fn account(rng: &mut Recording) -> Account {
    Account::create(DeviceTerms::own_held(Custody::Person).unwrap(), NOW, rng)
}

fn conversation(of: &Account, with: &Account) -> Conversation {
    let list = with.primary().unwrap().list();
    let directory = DeviceDirectory::trust(list, Trust::OnFirstUse, NOW).unwrap();
    Conversation::new(of, directory, &[], IdentityPolicy::Block, NOW).0
}

fn bundles(of: &Account) -> Vec<(DeviceAddress, VerifiedBundle)> {
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
    let needed: Vec<Needed> = at_alice.plan(&alice);
    show(shown, &needed[0]);
    show(shown, &needed[0].device);
    show(shown, &needed[0].device.side);
    show(shown, &IdentityPolicy::Block);
    show(shown, &SendError::TooLong);

    let bundles = bundles(&bob);
    let supply = Supply { bundles: &bundles, unavailable: &[] };
    show(shown, &supply);
    let outgoing = at_alice.send(&alice, &rng.secret(), &supply, NOW, rng).unwrap();
    show(shown, &outgoing);
    show(shown, &outgoing.id());
    show(shown, &at_alice);
    show(shown, &at_alice.id());
    show(shown, &alice);
    let changes = at_alice.seal(&mut alice, &key, rng).unwrap();
    show(shown, &changes);
    show(shown, &changes.records()[0]);
    show(shown, &changes.records()[0].name);
    let stored = changes.stored();
    show(shown, &stored);
    let envelopes = outgoing.release(&stored).unwrap();
    show(shown, &envelopes[0]);

    let arrival =
        Arrival { id: envelopes[0].id, from: DeviceAddress::peer(0), ciphertext: envelopes[0].ciphertext.clone() };
    show(shown, &arrival);
    let incoming = at_bob.receive(&mut bob, &arrival, NOW).unwrap();
    show(shown, &incoming);
    show(shown, &at_bob.receive(&mut bob, &arrival, NOW).unwrap_err());
    show(shown, &bob.seal(&key, rng).unwrap().unwrap());
    let (received, _) = incoming.release(&at_bob.seal(&mut bob, &key, rng).unwrap().stored()).unwrap();
    assert!(matches!(received, Received::Message { .. }));
    show(shown, &received);
    let events = at_alice.replace_peer(&alice, at_alice.peer().clone(), &[], NOW);
    assert!(events.is_empty());
    let stranger = account(rng);
    let directory = DeviceDirectory::trust(stranger.primary().unwrap().list(), Trust::OnFirstUse, NOW).unwrap();
    show(shown, &at_alice.replace_peer(&alice, directory, &[], NOW)[0]);
}
