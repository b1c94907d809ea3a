//! The steps about conversations (docs/spec/conversations.md, section 12): the messages that devices send to each
//! other, and pending ones.

#![allow(clippy::wildcard_enum_match_arm)] // Whatever other events there will be.

use std::collections::BTreeMap;

use bisik::conversation::{
    Arrival, Conversation, DeviceAddress, Envelope, Event, IdentityPolicy, MessageId, Needed, Received, SendError,
    Side, Supply,
};
use bisik::device::{AccountKey, DeviceDirectory, DeviceList};
use bisik::hosting::{Decision, Disclosure};
use bisik::{Account, Ciphertext, Identity, IdentityKey, PreKeyBundle, StorageKey, Trust, VerifiedBundle};

use super::runner::{Outcome, now, word};
use super::step::Step;
use bisik_testkit::draws::{Draws, to_hex};

/// All devices and their conversations, by name. A device has one conversation.
#[derive(Default)]
pub(super) struct Talks {
    accounts: BTreeMap<String, Account>,
    talks: BTreeMap<String, Conversation>,
}

/// The identities that a step may use.
type Identities = BTreeMap<String, Identity>;

impl Talks {
    pub(super) fn run(&mut self, identities: &Identities, step: &Step, draws: &mut Draws) -> Outcome {
        let of = step.need("of");
        match step.need("do") {
            "device" => self.device(&identities[of], step, draws),
            "converse" => self.converse(step),
            "take-list" => self.take_list(step),
            "agree" => {
                let (account, talk) = self.both(of);
                talk.consent(account, &disclosure(step), now(step)).map(|_| Vec::new()).map_err(word)
            }
            "countersign" => self.countersign(step),
            "send" => self.send(step, draws),
            "flush" => self.flush(step, draws),
            "receive" => self.receive(step),
            "ask-again" => {
                let asked = self.both(of).1.ask_again(id(step), sender(step));
                if asked { Ok(Vec::new()) } else { Err("given-up".to_owned()) }
            }
            verb => panic!("{verb} is not a verb"),
        }
    }

    fn both(&mut self, of: &str) -> (&mut Account, &mut Conversation) {
        let account = self.accounts.get_mut(of).expect("a device by that name");
        (account, self.talks.get_mut(of).expect("a conversation of that device"))
    }

    fn device(&mut self, identity: &Identity, step: &Step, draws: &mut Draws) -> Outcome {
        // An identity cannot be copied, but it can be stored.
        let key = StorageKey::from_bytes([7; 32]);
        let record = identity.seal(&key, b"", &mut Draws::recorded());
        let identity = Identity::unseal(&key, b"", &record).expect("as it was sealed");
        let list = DeviceList::from_bytes(&step.hex("seen")).map_err(word)?;
        let owner = AccountKey::from_bytes(&step.array("pinned")).map_err(word)?;
        let mut account = Account::join(identity, &owner, &list, now(step), draws).map_err(word)?;
        if step.text("disclosed").is_some() {
            assert!(account.set_disclosure(disclosure(step)), "it is listed under this disclosure");
        }
        let bundle = to_hex(&account.pre_keys().bundle().to_bytes());
        self.accounts.insert(step.need("of").to_owned(), account);
        Ok(vec![("bundle", bundle)])
    }

    fn converse(&mut self, step: &Step) -> Outcome {
        let list = DeviceList::from_bytes(&step.hex("seen")).map_err(word)?;
        let pinned = IdentityKey::from_bytes(&step.array("pinned")).map_err(word)?;
        let directory = DeviceDirectory::trust(&list, Trust::Pinned(&pinned), now(step)).map_err(word)?;
        let disclosures: Vec<_> = step.text("disclosed").map(|_| disclosure(step)).into_iter().collect();
        let account = &self.accounts[step.need("of")];
        let (talk, _event) = Conversation::new(account, directory, &disclosures, IdentityPolicy::Block, now(step));
        let id = to_hex(talk.id().as_bytes());
        self.talks.insert(step.need("of").to_owned(), talk);
        Ok(vec![("conversation", id)])
    }

    fn take_list(&mut self, step: &Step) -> Outcome {
        let list = DeviceList::from_bytes(&step.hex("seen")).map_err(word)?;
        let (account, talk) = self.both(step.need("of"));
        if list.account() == account.key() {
            account.accept_devices(&[list], now(step)).map_err(word)?;
        } else {
            let _events = talk.accept_devices(account, &[list], &[], now(step)).map_err(word)?;
        }
        Ok(Vec::new())
    }

    fn countersign(&mut self, step: &Step) -> Outcome {
        let decision = Decision::from_bytes(&step.hex("decision")).map_err(word)?;
        let (account, talk) = self.both(step.need("of"));
        let verified = disclosure(step).verify(account.key(), None, now(step)).map_err(word)?;
        let receipt = talk.countersign(account, sender(step), &decision, &verified, now(step)).map_err(word)?;
        Ok(vec![("receipt", to_hex(&receipt.to_bytes()))])
    }

    fn send(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (account, talk) = self.both(step.need("of"));
        let bundles = bundles(step, &talk.plan(account));
        let supply = Supply { bundles: &bundles, unavailable: &[] };
        let outgoing = talk.send(account, &step.hex("plaintext"), &supply, now(step), draws);
        let outgoing = outgoing.map_err(|error| match error {
            SendError::Blocked(_) => "blocked".to_owned(),
            other => word(other),
        })?;
        Ok(letters(outgoing.release(&stored(account, talk)).expect("it was stored")))
    }

    fn flush(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (account, talk) = self.both(step.need("of"));
        let bundles = bundles(step, &talk.due(account, now(step)));
        let supply = Supply { bundles: &bundles, unavailable: &[] };
        let outgoing = talk.flush(account, &supply, now(step), draws).map_err(word)?;
        Ok(letters(outgoing.release(&stored(account, talk)).expect("it was stored")))
    }

    fn receive(&mut self, step: &Step) -> Outcome {
        let (account, talk) = self.both(step.need("of"));
        let ciphertext = Ciphertext::from_bytes(&step.hex("message")).map_err(|_| "rejected")?;
        let arrival = Arrival { id: id(step), from: sender(step), ciphertext };
        let before = (talk.revision(), account.revision());
        let incoming = talk.receive(account, &arrival, now(step)).map_err(|error| {
            assert_eq!((talk.revision(), account.revision()), before, "a refusal changes nothing");
            word(error)
        })?;
        let (received, events) = incoming.release(&stored(account, talk)).expect("it was stored");
        let mut results = vec![("events", events.iter().map(name).collect::<Vec<_>>().join(","))];
        let received = match received {
            Received::Message { body, delete_by, .. } => {
                results.push(("plaintext", to_hex(&body)));
                results.extend(delete_by.map(|at| ("delete_by", at.as_unix_seconds().to_string())));
                "message"
            }
            Received::Sent { body, delete_by, .. } => {
                results.push(("plaintext", to_hex(body.payload())));
                results.extend(delete_by.map(|at| ("delete_by", at.as_unix_seconds().to_string())));
                "sent"
            }
            Received::Decision { decision, .. } => {
                results.push(("decision", to_hex(&decision.to_bytes())));
                "decision"
            }
            Received::DecisionReceipt { receipt, .. } => {
                results.push(("receipt", to_hex(&receipt.to_bytes())));
                "decision-receipt"
            }
            _ => "nothing",
        };
        results.push(("received", received.to_owned()));
        Ok(results)
    }
}

fn stored(account: &mut Account, talk: &mut Conversation) -> bisik::conversation::StoredConversation {
    talk.seal(account, &StorageKey::from_bytes([7; 32]), &mut Draws::recorded()).unwrap().stored()
}

/// In the order of the needed bundles.
fn bundles(step: &Step, needed: &[Needed]) -> Vec<(DeviceAddress, VerifiedBundle)> {
    let (listed, mut bundles) = (step.hex("bundles"), Vec::new());
    let mut rest = listed.as_slice();
    for Needed { device, key } in needed {
        let Some((length, tail)) = rest.split_first_chunk() else { break };
        let (bundle, tail) = tail.split_at(u32::from_be_bytes(*length).try_into().expect("short"));
        let bundle = PreKeyBundle::from_bytes(bundle).expect("a bundle").verify(Trust::Pinned(key), now(step));
        bundles.push((*device, bundle.expect("of the device that it is needed for")));
        rest = tail;
    }
    assert!(rest.is_empty() && bundles.len() == needed.len(), "as many bundles as are needed");
    bundles
}

fn letters(envelopes: Vec<Envelope>) -> Vec<(&'static str, String)> {
    let letter = |Envelope { id, to, ciphertext }: Envelope| {
        let message = ciphertext.as_bytes();
        let length = u32::try_from(message.len()).expect("short").to_be_bytes();
        let own = [u8::from(to.side == Side::Own)];
        [own.as_slice(), &to.index.to_be_bytes(), id.as_bytes(), &length, message].concat()
    };
    vec![("letters", to_hex(&envelopes.into_iter().flat_map(letter).collect::<Vec<_>>()))]
}

fn id(step: &Step) -> MessageId {
    MessageId::from_bytes(step.array("message_id"))
}

fn sender(step: &Step) -> DeviceAddress {
    let [own, index @ ..] = step.array::<5>("sender");
    let index = u32::from_be_bytes(index);
    if own == 0 { DeviceAddress::peer(index) } else { DeviceAddress::own(index) }
}

fn disclosure(step: &Step) -> Disclosure {
    Disclosure::from_bytes(&step.hex("disclosed")).expect("a disclosure")
}

fn name(event: &Event) -> String {
    match event {
        Event::Delivered { .. } => "delivered".to_owned(),
        Event::NotSentAgain { .. } => "not-sent-again".to_owned(),
        Event::SessionReplaced { .. } => "session-replaced".to_owned(),
        Event::ListOutdated { .. } => "list-outdated".to_owned(),
        Event::Label(_) => "label".to_owned(),
        other => word(other),
    }
}
