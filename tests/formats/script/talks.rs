//! The steps about conversations (docs/spec/conversations.md, section 12): what devices send to each other.

#![allow(clippy::wildcard_enum_match_arm)] // Whatever else there will be to receive.

use std::collections::BTreeMap;

use bisik::conversation::{
    Arrival, Conversation, DeviceAddress, Envelope, IdentityPolicy, MessageId, Needed, Outgoing, ReceiveError,
    Received, Recipients, SendError, Side, StoredConversation,
};
use bisik::device::{AccountKey, DeviceDirectory, DeviceList};
use bisik::hosting::{Decision, Disclosure};
use bisik::{Account, Ciphertext, Identity, IdentityKey, Plaintext, PreKeyBundle, StorageKey, Trust, VerifiedBundle};

use super::runner::{Outcome, now, word};
use super::step::Step;
use crate::draws::{Draws, to_hex};

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
                talk.consent(account, &disclosure(step), now(step), draws).map(|_| Vec::new()).map_err(word)
            }
            "accept-contact" => {
                self.both(of).1.accept();
                Ok(Vec::new())
            }
            "withdraw-message" => {
                let id = MessageId::from_bytes(step.array("named"));
                if self.both(of).1.withdraw_message(id) { Ok(Vec::new()) } else { Err("not-kept".into()) }
            }
            "countersign" => self.countersign(step, draws),
            "send" => self.send(step, draws),
            "flush" => self.flush(step, draws),
            "receive" => self.receive(step),
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
            let _label = talk.accept_devices(account, &[list], &[], now(step)).map_err(word)?;
        }
        Ok(Vec::new())
    }

    fn countersign(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let decision = Decision::from_bytes(&step.hex("decision")).map_err(word)?;
        let (account, talk) = self.both(step.need("of"));
        let verified = disclosure(step).verify(account.key(), None, now(step)).map_err(word)?;
        let receipt = talk.countersign(account, sender(step), &decision, &verified, now(step), draws).map_err(word)?;
        Ok(vec![("receipt", to_hex(&receipt.to_bytes()))])
    }

    /// Keeps a message, and makes everything that is due.
    fn send(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (account, talk) = self.both(step.need("of"));
        let sent = talk.send(account, &step.hex("plaintext"), Recipients::All, now(step), draws);
        let id = sent.map_err(|error| match error {
            SendError::Blocked(_) => "blocked".to_owned(),
            other => word(other),
        })?;
        let results = self.flush(step, draws)?;
        Ok([results, vec![("message_id", to_hex(&id.to_bytes()))]].concat())
    }

    fn flush(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (account, talk) = self.both(step.need("of"));
        let bundles = bundles(step, &talk.due(account, now(step)).bundles);
        let outgoing = talk.flush(account, &bundles, now(step), draws).map_err(word)?;
        Ok(letters(handed(account, talk, outgoing)))
    }

    fn receive(&mut self, step: &Step) -> Outcome {
        let (account, talk) = self.both(step.need("of"));
        let ciphertext = Ciphertext::from_bytes(&step.hex("message")).map_err(|_| "rejected")?;
        let before = (talk.revision(), account.revision());
        let received = talk.receive(account, &[Arrival { from: sender(step), ciphertext }], now(step)).remove(0);
        received.map_err(|error| {
            let doubts = error == ReceiveError::Unreadable;
            assert!(doubts || (talk.revision(), account.revision()) == before, "a refusal changes nothing");
            word(error)
        })?;
        let _stored = store(account, talk);
        let (mut events, mut results, mut kind, mut last) = (Vec::new(), Vec::new(), "nothing", 0);
        for (number, received) in talk.inbox() {
            last = number;
            kind = match received {
                Received::Message { id, body, delete_by, .. } => {
                    let (body, kind) = match body {
                        Plaintext::Confirmed(body) => (body, "message"),
                        Plaintext::Unconfirmed(body) => (body.peek_unconfirmed(), "unconfirmed-message"),
                    };
                    results.extend([("plaintext", to_hex(body)), ("message_id", to_hex(&id.to_bytes()))]);
                    results.extend(delete_by.map(|at| ("delete_by", at.as_unix_seconds().to_string())));
                    kind
                }
                Received::Sent { id, body, delete_by, .. } => {
                    results.extend([("plaintext", to_hex(body.payload())), ("message_id", to_hex(&id.to_bytes()))]);
                    results.extend(delete_by.map(|at| ("delete_by", at.as_unix_seconds().to_string())));
                    "sent"
                }
                Received::Letter { id, .. } => {
                    results.push(("message_id", to_hex(&id.to_bytes())));
                    "letter"
                }
                Received::Decision { decision, .. } => {
                    results.push(("decision", to_hex(&decision.to_bytes())));
                    "decision"
                }
                Received::DecisionReceipt { receipt, .. } => {
                    results.push(("receipt", to_hex(&receipt.to_bytes())));
                    "decision-receipt"
                }
                Received::Event(event) => {
                    events.push(word(event));
                    kind
                }
                _ => kind,
            };
        }
        talk.settle(last);
        results.extend([("events", events.join(",")), ("received", kind.to_owned())]);
        Ok(results)
    }
}

fn store(account: &mut Account, talk: &mut Conversation) -> StoredConversation {
    let stored = talk.seal(account, &StorageKey::from_bytes([7; 32]), &mut Draws::recorded()).unwrap().stored();
    assert!(talk.stored(&stored));
    stored
}

fn handed(account: &mut Account, talk: &mut Conversation, outgoing: Outgoing) -> Vec<Envelope> {
    let (envelopes, handover) = outgoing.release(&store(account, talk)).expect("it was stored");
    talk.handed(handover);
    envelopes
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
    let letter = |Envelope { to, ciphertext, .. }: Envelope| {
        let message = ciphertext.as_bytes();
        let length = u32::try_from(message.len()).expect("short").to_be_bytes();
        let own = [u8::from(to.side == Side::Own)];
        [own.as_slice(), &to.index.to_be_bytes(), &length, message].concat()
    };
    vec![("letters", to_hex(&envelopes.into_iter().flat_map(letter).collect::<Vec<_>>()))]
}

fn sender(step: &Step) -> DeviceAddress {
    let [own, index @ ..] = step.array::<5>("sender");
    let index = u32::from_be_bytes(index);
    if own == 0 { DeviceAddress::peer(index) } else { DeviceAddress::own(index) }
}

fn disclosure(step: &Step) -> Disclosure {
    Disclosure::from_bytes(&step.hex("disclosed")).expect("a disclosure")
}
