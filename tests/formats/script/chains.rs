//! The steps about chains of keys (docs/spec/chains.md, section 14).

use std::collections::{BTreeMap, BTreeSet};

use bisik::device::{AccountKey, ListId};
use bisik::group::{
    Distribution, GroupId, GroupMessage, ListsDigest, MemberDevice, Place, ReadyChain, ReceivingChains, Scope,
    SendPlan, SendingChain, View,
};
use bisik::{Identity, IdentityKey, StorageKey, Timestamp};

use super::runner::{Outcome, now, word};
use super::step::Step;
use crate::draws::{Draws, to_hex};

/// Names that only these steps have.
pub(super) const INPUTS: [&str; 12] = [
    "origin", "device", "history", "lists", "lists_of", "epoch", "entry", "acts", "given", "targets", "audience", "via",
];

/// All chains: of those who write, by name, and of those who read, by their name and the writer's.
#[derive(Default)]
pub(super) struct Chains {
    own: BTreeMap<String, (SendingChain, Timestamp)>,
    followed: BTreeMap<(String, String), ReceivingChains>,
}

impl Chains {
    pub(super) fn run(&mut self, identities: &BTreeMap<String, Identity>, step: &Step, draws: &mut Draws) -> Outcome {
        let public = |name: &str| *identities[step.need(name)].public();
        match step.need("do") {
            "begin-chain" => {
                let account = AccountKey::from_identity(public("with"));
                let sender = MemberDevice { account, device: number(step, "device"), identity: public("of") };
                let chain =
                    SendingChain::begin(place(step, group(step)), sender, flag(step, "history"), now(step), draws)
                        .map_err(word)?;
                let id = to_hex(chain.chain().as_bytes());
                self.own.insert(step.need("of").to_owned(), (chain, now(step)));
                Ok(vec![("chain", id)])
            }
            "renew-chain" => {
                let (chain, begun) = self.own(step);
                let place = place(step, *chain.scope().id());
                chain.renew(place, flag(step, "history"), now(step), draws).map_err(word)?;
                *begun = now(step);
                Ok(vec![("chain", to_hex(chain.chain().as_bytes()))])
            }
            "rekey-chain" => {
                self.own(step).0.rekey();
                Ok(Vec::new())
            }
            "restored-chain" => {
                self.own(step).0.restored();
                Ok(Vec::new())
            }
            "plan-chain" => {
                let targets = self.targets(step, None);
                ready(&mut self.own(step).0, &targets, now(step)).map(|_| Vec::new())
            }
            "give-chain" => {
                let (device, targets) = (public("with"), self.targets(step, Some(public("with"))));
                let (chain, begun) = self.own(step);
                let mut ready = ready(chain, &targets, *begun)?;
                let given = ready.distribution_for(&device, view(step), &lists(step)).map_err(word)?;
                Ok(vec![("given", to_hex(&given.to_bytes()))])
            }
            "write-group" => {
                let targets = self.targets(step, None);
                let (chain, begun) = self.own(step);
                let message = ready(chain, &targets, *begun)?.encrypt(view(step), &step.hex("plaintext"), draws);
                Ok(vec![("message", to_hex(message.map_err(word)?.as_bytes()))])
            }
            "follow-sender" => {
                let audience = step.text("audience").is_some_and(|audience| audience == "1");
                let scope = if audience { Scope::Audience(group(step)) } else { Scope::Group(group(step)) };
                let sender = *self.own[step.need("with")].0.sender();
                self.followed.insert(pair(step), ReceivingChains::new(scope, sender));
                Ok(Vec::new())
            }
            "take-chain" => {
                let peer = if step.text("via").is_some() { public("via") } else { public("with") };
                let given = Distribution::from_bytes(&step.hex("given")).map_err(word)?;
                let chains = self.followed(step);
                let taken = chains.take(&given, &peer).map_err(word)?;
                let opens_more = u8::from(taken.opens_more).to_string();
                Ok([vec![("opens_more", opens_more)], counts(chains, taken.given_up)].concat())
            }
            "open-group" => {
                let message = GroupMessage::from_bytes(&step.hex("message")).map_err(word)?;
                let chains = self.followed(step);
                let opened = chains.open(&message).map_err(word)?;
                let results = vec![
                    ("plaintext", to_hex(&opened.body)),
                    ("view", to_hex(opened.view.as_bytes())),
                    ("index", opened.index.to_string()),
                ];
                Ok([results, counts(chains, opened.given_up)].concat())
            }
            "close-chains" => {
                let chains = self.followed(step);
                let given_up = chains.close_at_received().map_err(word)?;
                Ok(counts(chains, given_up))
            }
            "group-view" => {
                let epoch = step.need("epoch").parse().expect("a number");
                let view = View::new(epoch, &step.array("entry"), &step.array("acts"), &lists(step));
                Ok(vec![("view", to_hex(view.as_bytes()))])
            }
            "lists-digest" => {
                let lists = step.hex("lists_of");
                let lists = lists.chunks(104).map(|list| {
                    let (account, list) = list.split_first_chunk::<64>().expect("an account key");
                    let list = ListId::from_bytes(list.try_into().expect("40 bytes"));
                    (AccountKey::from_bytes(account).expect("an account key"), list)
                });
                Ok(vec![("lists", to_hex(ListsDigest::of(&lists.collect()).as_bytes()))])
            }
            "audience-id" => {
                let author = AccountKey::from_identity(public("of"));
                Ok(vec![("group", to_hex(GroupId::audience(&author, draws).as_bytes()))])
            }
            verb => panic!("{verb} is not a verb"),
        }
    }

    pub(super) fn seal(&mut self, kind: &str, step: &Step, draws: &mut Draws) -> Outcome {
        let (key, context) = (StorageKey::from_bytes(step.array("key")), step.hex("context"));
        let record = match kind {
            "chain" => self.own(step).0.seal(&key, &context, draws),
            _ => self.followed(step).seal(&key, &context, draws),
        };
        Ok(vec![("record", to_hex(record.expect("the key of all records").as_bytes()))])
    }

    /// Continues with the opened state.
    pub(super) fn unseal(&mut self, kind: &str, step: &Step) -> Outcome {
        let (key, context) = (StorageKey::from_bytes(step.array("key")), step.hex("context"));
        let record = step.hex("record");
        if kind == "chain" {
            self.own(step).0 = SendingChain::unseal(&key, &context, &record).map_err(word)?;
        } else {
            *self.followed(step) = ReceivingChains::unseal(&key, &context, &record).map_err(word)?;
        }
        Ok(Vec::new())
    }

    fn own(&mut self, step: &Step) -> &mut (SendingChain, Timestamp) {
        self.own.get_mut(step.need("of")).expect("a chain by that name")
    }

    fn followed(&mut self, step: &Step) -> &mut ReceivingChains {
        self.followed.get_mut(&pair(step)).expect("chains by these names")
    }

    /// Those that the step names, or else everybody who was given the chain, and `device`.
    fn targets(&mut self, step: &Step, device: Option<IdentityKey>) -> BTreeSet<IdentityKey> {
        if step.text("targets").is_some() {
            let keys = step.hex("targets");
            return keys.chunks(64).map(|key| key.try_into().expect("identity keys")).collect();
        }
        self.own(step).0.given().copied().chain(device).collect()
    }
}

fn ready<'a>(
    chain: &'a mut SendingChain,
    targets: &'a BTreeSet<IdentityKey>,
    now: Timestamp,
) -> Result<ReadyChain<'a>, String> {
    match chain.plan(targets, now) {
        SendPlan::Ready(ready) => Ok(ready),
        SendPlan::Renew(why) => Err(word(why)),
    }
}

fn counts(chains: &ReceivingChains, given_up: u32) -> Vec<(&'static str, String)> {
    vec![("given_up", given_up.to_string()), ("kept_keys", chains.kept_keys().to_string())]
}

fn pair(step: &Step) -> (String, String) {
    (step.need("of").to_owned(), step.need("with").to_owned())
}

/// In a group if there is an origin.
fn place(step: &Step, id: GroupId) -> Place {
    match step.text("origin") {
        Some(_) => Place::Group { id, origin: step.array("origin") },
        None => Place::Audience { id },
    }
}

fn group(step: &Step) -> GroupId {
    GroupId::from_bytes(step.array("group"))
}

fn view(step: &Step) -> View {
    View::from_bytes(step.array("view"))
}

fn lists(step: &Step) -> ListsDigest {
    ListsDigest::from_bytes(step.array("lists"))
}

fn flag(step: &Step, name: &str) -> bool {
    step.need(name) == "1"
}

fn number(step: &Step, name: &str) -> u32 {
    step.need(name).parse().expect("a number")
}
