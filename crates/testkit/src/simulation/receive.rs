//! Receives each message twice, in the model and in the library; the results must agree.
//!
//! A refused message must leave every record unchanged, byte for byte.

use std::rc::Rc;

use bisik::{
    AcceptError, Accepted, Ciphertext, DecryptError, Decrypted, Identity, Plaintext, Session, Standing, Trust,
};

use super::checked_session::{CONTEXT, CheckedSession, Model, SetupState, sealing, storage_key};
use super::device::Device;
use super::event::Crash;
use super::network::Envelope;
use super::prekey_pool::{PreKeyHeader, PreKeyPool};
use super::symbolic::{Ratchet, Refusal};

/// The outcome of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Read,
    NotDecrypted(DecryptError),
    NotAccepted(AcceptError),
}

/// What a message that is read gives.
struct Next {
    model: Model,
    given_up: u32,
}

/// The model's prediction, with the state after it.
enum Expected {
    /// Session `0` reads the message, with this result.
    Read(usize, Next),
    Accepted(Model, PreKeyPool),
    Refused(Outcome),
}

impl Device {
    /// Receives one envelope as it was sent.
    pub fn receive(&mut self, envelope: &Envelope, crash: Option<Crash>) -> Outcome {
        let outcome = match self.expect(envelope) {
            Expected::Read(index, next) => {
                let checked = &mut self.live.sessions[index];
                read(checked, &self.identity, envelope, next, crash);
                Outcome::Read
            }
            Expected::Accepted(model, pool) => self.accept(envelope, model, pool, crash),
            Expected::Refused(expected) => {
                let actual = self.try_all(&envelope.ciphertext);
                assert_eq!(actual, Some(expected), "the model refuses {:?}", envelope.stamp);
                assert!(
                    self.live.sessions.iter_mut().all(CheckedSession::is_stored),
                    "a refused message changes nothing"
                );
                return expected;
            }
        };
        if crash == Some(Crash::BeforeStore) {
            assert!(
                self.live.sessions.iter_mut().all(CheckedSession::is_stored),
                "a message that is not committed changes nothing"
            );
            self.restart();
            return outcome;
        }
        assert!(self.live.read.insert(envelope.id), "a message is read once");
        self.store();
        if crash == Some(Crash::AfterStore) {
            self.restart();
        }
        outcome
    }

    /// Receives bytes that were changed in transit, or belong to another device.
    pub fn refuse(&mut self, bytes: &[u8]) {
        if let Ok(message) = Ciphertext::from_bytes(bytes) {
            assert_eq!(message.as_bytes(), bytes, "a message has one encoding");
            let outcome = self.try_all(&message);
            assert_ne!(outcome, Some(Outcome::Read), "a changed message is read");
        }
        assert!(self.live.sessions.iter_mut().all(CheckedSession::is_stored), "a refused message changes nothing");
    }

    fn accept(&mut self, envelope: &Envelope, model: Model, pool: PreKeyPool, crash: Option<Crash>) -> Outcome {
        let accepted = {
            let trust = Trust::Pinned(&envelope.author);
            Session::accept(&self.identity, &self.live.pre_keys, &envelope.ciphertext, trust, self.now)
        };
        let Accepted { session, plaintext, used } = accepted.expect("the model accepts it");
        assert_eq!(plaintext.show_unconfirmed(), envelope.plaintext);
        assert_eq!(session.standing(), Standing::Unconfirmed);
        assert_eq!(session.peer(), &envelope.author);
        assert!(session.recognizes(&envelope.ciphertext));
        if crash != Some(Crash::BeforeStore) {
            assert_eq!(used.one_time(), envelope.header.is_some_and(|header| header.offer.one_time.is_some()));
            self.live.pre_keys.remove(used);
            self.live.pool = pool;
            self.live.seal_pre_keys();
            self.live.keep(CheckedSession::new(session, model));
        }
        Outcome::Read
    }

    fn expect(&self, envelope: &Envelope) -> Expected {
        let known = |checked: &CheckedSession| match envelope.header {
            Some(header) => checked.model.setup == SetupState::Accepted && checked.model.session == header.session,
            None => true,
        };
        let predicted = expect(&self.live.sessions, known, envelope);
        match (predicted, envelope.header) {
            (Some(Ok((index, next))), _) => Expected::Read(index, next),
            (Some(Err(predicted)), _) => Expected::Refused(Outcome::NotDecrypted(refusal(predicted))),
            (None, Some(header)) => self.expect_accept(&header, envelope),
            (None, None) => Expected::Refused(Outcome::NotAccepted(AcceptError::NotPreKeyMessage)),
        }
    }

    fn expect_accept(&self, header: &PreKeyHeader, envelope: &Envelope) -> Expected {
        let refused = |error| Expected::Refused(Outcome::NotAccepted(error));
        if let Err(error) = self.live.pool.answer(header, self.now) {
            return refused(error);
        }
        let ratchet = match Ratchet::responder(header.session).receive(&envelope.stamp) {
            Ok((ratchet, _)) => ratchet,
            Err(Refusal::Ahead { missing }) => return refused(AcceptError::Ahead { missing }),
            Err(_) => return refused(AcceptError::Rejected),
        };
        let mut pool = self.live.pool.clone();
        pool.remove(header);
        let (session, epoch) = (header.session, header.epoch);
        Expected::Accepted(Model { ratchet, session, epoch, setup: SetupState::Accepted }, pool)
    }

    /// Tries the message as an application does: the session that recognizes it, any session, a new session. Commits
    /// nothing.
    fn try_all(&mut self, message: &Ciphertext) -> Option<Outcome> {
        let known = |checked: &CheckedSession| !message.is_pre_key_message() || checked.session.recognizes(message);
        let mut outcome = None;
        for checked in self.live.sessions.iter_mut().rev().filter(|checked| known(checked)) {
            match checked.session.stage(&self.identity, message) {
                Ok(_) => return Some(Outcome::Read),
                Err(error) => outcome = Some(worse(outcome, error)),
            }
        }
        outcome.or_else(|| {
            Some(match Session::accept(&self.identity, &self.live.pre_keys, message, Trust::OnFirstUse, self.now) {
                Ok(_) => Outcome::Read,
                Err(error) => Outcome::NotAccepted(error),
            })
        })
    }
}

/// The attacker tries an envelope, and must read exactly what the model predicts. Returns whether it was read.
/// It holds the identity of the device that it copied.
pub fn spy(sessions: &mut [CheckedSession], identity: &Identity, envelope: &Envelope) -> bool {
    let known = |checked: &CheckedSession| {
        envelope
            .header
            .is_none_or(|header| checked.model.setup == SetupState::Accepted && checked.model.session == header.session)
    };
    if let Some(Ok((index, next))) = expect(sessions, known, envelope) {
        read(&mut sessions[index], identity, envelope, next, None);
        return true;
    }
    for checked in sessions {
        assert!(
            checked.session.stage(identity, &envelope.ciphertext).is_err(),
            "the attacker reads what the model says it cannot"
        );
    }
    false
}

/// The first session, newest first, that reads it; otherwise the clearest refusal; otherwise `None`.
fn expect(
    sessions: &[CheckedSession],
    known: impl Fn(&CheckedSession) -> bool,
    envelope: &Envelope,
) -> Option<Result<(usize, Next), Refusal>> {
    let mut refused = None;
    for (index, checked) in sessions.iter().enumerate().rev().filter(|(_, checked)| known(checked)) {
        match checked.model.ratchet.receive(&envelope.stamp) {
            Ok((ratchet, given_up)) => {
                let setup = match checked.model.setup {
                    SetupState::Unanswered(_) | SetupState::Answered => SetupState::Answered,
                    SetupState::Accepted => SetupState::Accepted,
                };
                let model = Model { ratchet, setup, ..checked.model };
                return Some(Ok((index, Next { model, given_up })));
            }
            Err(predicted) => refused = refused.filter(|clear| *clear != Refusal::Rejected).or(Some(predicted)),
        }
    }
    refused.map(Err)
}

/// Stage, store, commit. The stored state must equal the state after the commit.
fn read(checked: &mut CheckedSession, identity: &Identity, envelope: &Envelope, next: Next, crash: Option<Crash>) {
    let (before, standing) = (checked.session.revision(), checked.session.standing());
    assert_eq!(standing, checked.model.ratchet.standing(), "the standing follows from what was received");
    let mut staged = checked.session.stage(identity, &envelope.ciphertext).expect("the model reads it");
    if crash == Some(Crash::BeforeStore) {
        return;
    }
    checked.record = Rc::new(staged.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap().head().to_vec());
    let Decrypted { plaintext, given_up, confirms } = staged.commit();
    checked.model = next.model;
    let after = checked.model.ratchet.standing();
    assert_eq!(checked.session.standing(), after);
    assert_eq!(confirms, standing != Standing::Confirmed && after == Standing::Confirmed, "told once");
    let plaintext = match plaintext {
        Plaintext::Confirmed(plaintext) if after == Standing::Confirmed => plaintext,
        Plaintext::Unconfirmed(plaintext) if after == Standing::Unconfirmed => plaintext.show_unconfirmed(),
        Plaintext::Confirmed(_) | Plaintext::Unconfirmed(_) => panic!("the mark contradicts the standing {after:?}"),
    };
    assert_eq!(plaintext, envelope.plaintext);
    assert_eq!(given_up, next.given_up);
    assert!(checked.is_stored(), "the stored state is the state after the commit");
    assert_eq!(checked.session.revision(), before + 1);
}

fn worse(outcome: Option<Outcome>, error: DecryptError) -> Outcome {
    match outcome {
        Some(clear) if clear != Outcome::NotDecrypted(DecryptError::Rejected) => clear,
        _ => Outcome::NotDecrypted(error),
    }
}

fn refusal(predicted: Refusal) -> DecryptError {
    match predicted {
        Refusal::Duplicate => DecryptError::Duplicate,
        Refusal::Forked { step, number } => DecryptError::Forked { step, number },
        Refusal::Spent => DecryptError::Spent,
        Refusal::Ahead { missing } => DecryptError::Ahead { missing },
        Refusal::Diverged => DecryptError::Diverged,
        Refusal::Rejected => DecryptError::Rejected,
    }
}
