//! The steps about resumption secrets and the standing of a session (docs/spec/session.md, section 3).

use std::collections::BTreeMap;

use bisik::{Resumption, Session};

use super::runner::{Outcome, word};
use super::step::Step;

/// What each party keeps of its older sessions, newest first.
#[derive(Default)]
pub(super) struct Kept {
    offers: BTreeMap<String, Vec<Resumption>>,
    accepts: BTreeMap<String, Vec<Resumption>>,
}

impl Kept {
    pub(super) fn remember(&mut self, of: &str, session: &Session) -> Outcome {
        let offers = self.offers.entry(of.to_owned()).or_default();
        offers.splice(0..0, session.offer());
        let accepts = self.accepts.entry(of.to_owned()).or_default();
        accepts.splice(0..0, session.accepts());
        Ok(Vec::new())
    }

    /// Those that a step offers.
    pub(super) fn offers(&self, step: &Step) -> &[Resumption] {
        let count = step.text("offering").map_or(0, |count| count.parse().expect("a number"));
        self.offers.get(step.need("of")).map_or(&[], |offers| &offers[..count])
    }

    pub(super) fn resume(&self, step: &Step, session: &mut Session) -> Outcome {
        let labels: [u8; 32] = step.array("labels_read");
        let labels = labels.as_chunks().0.try_into().expect("four labels");
        let held = self.accepts.get(step.need("of")).map_or(&[][..], Vec::as_slice);
        let Some(resumed) = session.resume(labels, held).map_err(word)? else {
            return Ok(vec![("place", "0".to_owned())]);
        };
        Ok(vec![("place", resumed.place.to_string()), ("index", resumed.index.to_string())])
    }
}

pub(super) fn standing(session: &Session) -> Outcome {
    let results =
        vec![("standing", word(session.standing())), ("chains_received", session.chains_received().to_string())];
    Ok([results, session.bound().map(|bound| ("bound", bound.to_string())).into_iter().collect()].concat())
}

/// The secret that bound the session, or all.
pub(super) fn forget(step: &Step, session: &mut Session) -> Outcome {
    match session.bound_by().copied().filter(|_| step.need("forget") == "1") {
        Some(name) => {
            session.forget_resumption(&name).unwrap();
        }
        None => session.forget_all_resumption().unwrap(),
    }
    Ok(Vec::new())
}
