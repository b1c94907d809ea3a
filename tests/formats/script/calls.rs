//! The steps about calls (docs/spec/calls.md, section 9).

use std::collections::BTreeMap;

use bisik::call::{
    Answer, CallGroup, CallId, CallKeys, Calling, Commitment, Comparison, DirectionKeys, EpochKey, FrameSuite,
    GroupCall, KeyTaken, Offer, Opening, Standing, Unanswered,
};
use bisik::{Identity, IdentityKey, Session};

use super::runner::{Outcome, word};
use super::step::Step;
use crate::draws::{Draws, to_hex};

/// All calls, by name.
#[derive(Default)]
pub(super) struct Calls {
    calling: BTreeMap<String, Calling>,
    groups: BTreeMap<String, GroupCall>,
    comparisons: BTreeMap<String, Comparison>,
}

/// The party of a step.
pub(super) struct Party<'a> {
    pub(super) name: &'a str,
    pub(super) identity: &'a Identity,
    pub(super) session: &'a Session,
}

impl Calls {
    /// Draws call id, X25519 secret, KEM seed and secret.
    pub(super) fn offer(&mut self, party: &Party<'_>, draws: &mut Draws) -> Outcome {
        let id = CallId::generate(draws);
        let (calling, offer) = Calling::start(id, party.identity.public(), party.session, draws);
        self.calling.insert(party.name.to_owned(), calling);
        Ok(vec![("signal", to_hex(&offer.to_bytes()))])
    }

    /// Draws X25519 secret and encapsulation.
    pub(super) fn accept(party: &Party<'_>, step: &Step, draws: &mut Draws) -> Outcome {
        let offer = Offer::from_bytes(&step.hex("offer")).map_err(word)?;
        let (keys, answer) = offer.accept(party.identity.public(), party.session, draws).map_err(word)?;
        Ok([vec![("signal", to_hex(&answer.to_bytes()))], shown(&keys)].concat())
    }

    /// After a refusal the call keeps waiting.
    pub(super) fn complete(&mut self, party: &Party<'_>, step: &Step) -> Outcome {
        let answer = Answer::from_bytes(&step.hex("answer")).map_err(word)?;
        let calling = self.calling.remove(party.name).expect("a call that waits");
        match calling.complete(&answer, party.session) {
            Ok(keys) => Ok(shown(&keys)),
            Err(Unanswered { calling, error }) => {
                self.calling.insert(party.name.to_owned(), calling);
                Err(word(error))
            }
        }
    }

    /// Begins a stay in a group call, and the peer joins. Draws a number and the secret of the first epoch.
    pub(super) fn group(&mut self, party: &Party<'_>, step: &Step, draws: &mut Draws) -> Outcome {
        let id = CallId::from_bytes(step.array("call"));
        let group = || CallGroup { id: step.array("group"), view: step.array("view") };
        let group = (!step.hex("group").is_empty()).then(group);
        let mut call = GroupCall::start(id, group, FrameSuite::default(), party.identity.public(), draws);
        let _ = call.join(party.session.peer(), everybody, draws).map_err(word)?;
        let key = call.key_for(party.session).map_err(word)?;
        self.groups.insert(party.name.to_owned(), call);
        Ok(vec![("signal", to_hex(&key.to_bytes()))])
    }

    /// Somebody joins, or leaves; or the device begins another stay; or gives its key to the peer.
    pub(super) fn change(
        &mut self,
        party: &Party<'_>,
        who: Option<&Identity>,
        what: &str,
        draws: &mut Draws,
    ) -> Outcome {
        let group = self.groups.get_mut(party.name).expect("a group call by that name");
        match (what, who) {
            ("call-join", Some(who)) => {
                let recipients = group.join(who.public(), everybody, draws).map_err(word)?;
                return Ok(vec![("recipients", word(recipients))]);
            }
            ("call-leave", Some(who)) => group.leave(who.public(), draws).map_err(word)?,
            ("call-stay", None) => group.begin_stay(draws),
            _ => {
                let key = group.key_for(party.session).map_err(word)?;
                return Ok(vec![("signal", to_hex(&key.to_bytes()))]);
            }
        }
        Ok(Vec::new())
    }

    /// Takes a key. All devices are live members in the views that the step names.
    pub(super) fn accept_key(&mut self, party: &Party<'_>, step: &Step, draws: &mut Draws) -> Outcome {
        let key = EpochKey::from_bytes(&step.hex("epoch_key")).map_err(word)?;
        let group = self.groups.get_mut(party.name).expect("a group call by that name");
        let views = step.hex("views");
        let standing = |view: &[u8; 32], _: &IdentityKey| {
            if views.chunks(32).any(|known| known == view) { Standing::Live } else { Standing::UnknownView }
        };
        let KeyTaken { news, answer, .. } = group.accept_key(&key, party.session, standing, draws).map_err(word)?;
        let recipients = answer.map_or_else(|| "nobody".to_owned(), word);
        Ok(vec![("news", word(news)), ("recipients", recipients)])
    }

    /// Begins, or continues, a spoken comparison with the peer.
    pub(super) fn compare(&mut self, party: &Party<'_>, step: &Step, draws: &mut Draws) -> Outcome {
        if step.need("do") == "compare" {
            let (call, peer) = (CallId::from_bytes(step.array("call")), [party.session.peer()]);
            let started = Comparison::start(call, party.identity.public(), peer, draws);
            let (comparison, commitment) = started.map_err(word)?;
            self.comparisons.insert(party.name.to_owned(), comparison);
            return Ok(vec![("signal", to_hex(&commitment.to_bytes()))]);
        }
        let comparison = self.comparisons.get_mut(party.name).expect("a comparison by that name");
        match step.need("do") {
            "compare-again" => {
                let commitment = comparison.again([party.session.peer()], draws).map_err(word)?;
                Ok(vec![("signal", to_hex(&commitment.to_bytes()))])
            }
            "compare-commitment" => {
                let read = Commitment::from_bytes(&step.hex("commitment_read")).map_err(word)?;
                let ours = comparison.take_commitment(&read, party.session, draws).map_err(word)?;
                let opening = comparison.opening().map(|opening| ("opening", to_hex(&opening.to_bytes())));
                let ours = ours.map(|commitment| ("signal", to_hex(&commitment.to_bytes())));
                Ok(ours.into_iter().chain(opening).collect())
            }
            _ => {
                let read = Opening::from_bytes(&step.hex("opening_read")).map_err(word)?;
                comparison.take_opening(&read, party.session).map_err(word)?;
                let emoji = comparison.emoji().map(|emoji| emoji.map(|emoji| emoji.symbol).concat());
                Ok(emoji.map(|emoji| ("emoji", to_hex(emoji.as_bytes()))).into_iter().collect())
            }
        }
    }

    pub(super) fn seal_frame(&mut self, step: &Step) -> Outcome {
        let group = self.groups.get_mut(step.need("of")).expect("a group call by that name");
        let mut frame = Vec::new();
        group.seal(&step.hex("metadata"), &step.hex("plaintext"), &mut frame).map_err(word)?;
        Ok(vec![("frame", to_hex(&frame))])
    }

    pub(super) fn open_frame(&mut self, step: &Step) -> Outcome {
        let group = self.groups.get_mut(step.need("of")).expect("a group call by that name");
        let mut frame = step.hex("sealed_frame");
        let opened = group.open(&step.hex("metadata"), &mut frame).map_err(word)?;
        Ok(vec![("plaintext", to_hex(opened.plaintext))])
    }
}

fn everybody(_: &[u8; 32], _: &IdentityKey) -> Standing {
    Standing::Live
}

fn shown(keys: &CallKeys) -> Vec<(&'static str, String)> {
    let CallKeys { sending, receiving, .. } = keys;
    let srtp = |keys: &DirectionKeys| to_hex(keys.srtp.expose_key_and_salt());
    let base = |keys: &DirectionKeys| to_hex(keys.base.expose_bytes());
    vec![
        ("srtp_sending", srtp(sending)),
        ("srtp_receiving", srtp(receiving)),
        ("base_sending", base(sending)),
        ("base_receiving", base(receiving)),
    ]
}
