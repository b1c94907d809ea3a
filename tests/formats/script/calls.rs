//! The steps about calls (docs/spec/calls.md, section 9).

use std::collections::BTreeMap;

use bisik::call::{
    Answer, CallId, CallKeys, Calling, DirectionKeys, EpochKey, FrameSuite, GroupCall, Offer, Participant, Unanswered,
};
use bisik::{Identity, Session, Timestamp};

use super::runner::{Outcome, word};
use super::step::Step;
use crate::draws::{Draws, to_hex};

/// All calls, by name.
#[derive(Default)]
pub(super) struct Calls {
    calling: BTreeMap<String, Calling>,
    groups: BTreeMap<String, GroupCall>,
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

    /// Starts a group call of two. Draws the secrets of two epochs: alone, and with the other participant.
    pub(super) fn group(&mut self, party: &Party<'_>, step: &Step, draws: &mut Draws) -> Outcome {
        let [own, other] = ["participant", "other"].map(|name| Participant(u16::from_be_bytes(step.array(name))));
        let suite = FrameSuite::default();
        let id = CallId::from_bytes(step.array("call"));
        let mut group =
            GroupCall::start(id, suite, own, party.identity.public(), Timestamp::from_unix_seconds(0), draws);
        group.join(other, party.session.peer(), draws).map_err(word)?;
        let key = group.key_for(party.session).map_err(word)?;
        self.groups.insert(party.name.to_owned(), group);
        Ok(vec![("signal", to_hex(&key.to_bytes()))])
    }

    pub(super) fn accept_key(&mut self, party: &Party<'_>, step: &Step) -> Outcome {
        let key = EpochKey::from_bytes(&step.hex("epoch_key")).map_err(word)?;
        let group = self.groups.get_mut(party.name).expect("a group call by that name");
        group.accept_key(key, party.session).map_err(word)?;
        Ok(Vec::new())
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
