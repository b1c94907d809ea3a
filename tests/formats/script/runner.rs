//! Runs the steps of a script against the public interface, and keeps each party's keys and sessions by name.
//!
//! Missing results and randomness of a step are filled in; existing ones are compared.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bisik::handshake::{self, DisclosureHash};
use bisik::rand_core::Rng;
use bisik::ratchet::{DoubleRatchet, KeyPair, SharedSecret};
use bisik::{
    Accepted, Ciphertext, Identity, IdentityKey, PreKeyBundle, PreKeys, Session, StorageKey, Timestamp, Trust,
    VerifiedBundle,
};

use super::accounts::Accounts;
use super::attachments;
use super::calls::{Calls, Party};
use super::content::{self, Polls};
use super::hosting;
use super::step::Step;
use super::talks::Talks;
use bisik_testkit::draws::{Draws, to_hex};

/// Results by name, or the reason of the refusal.
pub(super) type Outcome = Result<Vec<(&'static str, String)>, String>;

/// Every name that a step may have besides its results.
const INPUTS: [&str; 57] = [
    "do",
    "of",
    "with",
    "expect",
    "draws",
    "now",
    "pinned",
    "disclosure",
    "key",
    "context",
    "binding",
    "secret",
    "bundle",
    "message",
    "plaintext",
    "record",
    "size",
    "file",
    "media_type",
    "blob",
    "pointer",
    "thumbnail",
    "offer",
    "answer",
    "call",
    "participant",
    "other",
    "epoch_key",
    "metadata",
    "sealed_frame",
    "words",
    "body",
    "sent_ms",
    "question",
    "options",
    "most_choices",
    "author",
    "voter",
    "choices",
    "ballot",
    "terms",
    "index",
    "added",
    "updated",
    "removed",
    "seen",
    "draft",
    "disclosed",
    "operator",
    "known",
    "own",
    "choice",
    "decision",
    "receipt",
    "bundles",
    "sender",
    "message_id",
];

/// Intermediate values that only the reference implementation sees. Here they are tested through the results derived
/// from them.
const INNER: &str = "to dh1 dh2 dh3 dh4 ss ki sealed_identity prk shared shared_of_damaged rk hk_i hk_r agreement next_rk hk \
    nhk ck mk next_ck header encrypted_header header_tag r digest body_tag state \
    chunk_key base_nonce commitment \
    transcript encapsulated definition vote_key frames";

#[derive(Default)]
pub(crate) struct Runner {
    identities: BTreeMap<String, Identity>,
    pre_keys: BTreeMap<String, PreKeys>,
    sessions: BTreeMap<String, Session>,
    ratchets: BTreeMap<String, DoubleRatchet>,
    calls: Calls,
    polls: Polls,
    accounts: Accounts,
    talks: Talks,
}

impl Runner {
    /// Runs a complete step. Panics where anything differs.
    pub(crate) fn check(&mut self, step: &Step) {
        let mut draws = Draws::listed(&step.text("draws").map_or_else(Vec::new, |_| step.hex("draws")));
        let outcome = self.run(step, &mut draws);
        draws.finish();
        let results = match (step.text("expect"), outcome) {
            (None, Ok(results)) => results,
            (expected, Err(word)) => {
                assert_eq!(expected, Some(word.as_str()), "the reason of the refusal");
                Vec::new()
            }
            (Some(expected), Ok(_)) => panic!("it should be refused: {expected}"),
        };
        for (name, value) in &results {
            assert!(OPTIONAL.contains(name) || step.text(name).is_some(), "{name} is missing");
            assert!(step.text(name).is_none_or(|listed| listed == value), "{name} is {value}");
        }
        for name in step.names() {
            let known = INPUTS.contains(&name) || INNER.split_whitespace().any(|inner| inner == name);
            assert!(known || results.iter().any(|(result, _)| *result == name), "{name} does not come of it");
        }
    }

    /// Runs a step with fresh randomness and fills in the results.
    pub(crate) fn complete(&mut self, mut step: Step) -> Step {
        let mut draws = Draws::recorded();
        let outcome = self.run(&step, &mut draws);
        let drawn = draws.finish();
        if !drawn.is_empty() {
            step.set("draws", to_hex(&drawn));
        }
        match outcome {
            Ok(results) => results.into_iter().for_each(|(name, value)| step.set(name, value)),
            Err(word) => step.set("expect", word),
        }
        step
    }

    fn run(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        match step.need("do") {
            "identity" => self.identity(step, draws),
            "identity-key" => IdentityKey::from_bytes(&step.array("key")).map(|_| Vec::new()).map_err(word),
            "generate" => self.generate(step, draws),
            "replenish" => self.replenish(step, draws),
            "rotate" => self.rotate(step, draws),
            "verify" => verify(step).map(|_| Vec::new()),
            "kem" => kem(draws),
            "handshake" => self.handshake(step, draws),
            "initiate" => self.initiate(step, draws),
            "accept" => self.accept(step),
            "start-ratchets" => self.start_ratchets(step, draws),
            "encrypt" => self.encrypt(step, draws),
            "decrypt" => self.decrypt(step),
            "text" => content::text(step, draws),
            "read-body" => content::read_body(step),
            "answers" => content::answers(step),
            "poll" => self.polls.poll(step, draws),
            "vote" => self.polls.vote(step, draws),
            "open-vote" => self.polls.open_vote(step),
            "encrypt-file" => attachments::encrypt_file(step, draws),
            "encrypt-long-file" => attachments::encrypt_long_file(step, draws),
            "add-thumbnail" => attachments::add_thumbnail(step, draws),
            "decrypt-file" => attachments::decrypt_file(step),
            "decrypt-thumbnail" => attachments::decrypt_thumbnail(step),
            "call" | "call-accept" | "call-complete" | "group-call" | "epoch-key" => self.call(step, draws),
            "seal-frame" => self.calls.seal_frame(step),
            "open-frame" => self.calls.open_frame(step),
            "certify" | "found-account" | "issue-list" | "trust-list" | "follow-list" | "link-by-qr-code"
            | "link-by-typed-code" | "link-invite" | "link-answer" | "link-reveal" | "link-finish" => {
                self.accounts.run(&self.identities, step, draws)
            }
            "disclose" | "verify-disclosure" | "decide" | "acknowledge" | "verify-receipt" => {
                hosting::run(&self.identities, step)
            }
            "device" | "converse" | "take-list" | "agree" | "countersign" | "send" | "flush" | "receive"
            | "ask-again" => self.talks.run(&self.identities, step, draws),
            verb => match verb.split_once('-') {
                Some(("seal", kind)) => self.seal(kind, step, draws),
                Some(("unseal", kind)) => self.unseal(kind, step),
                _ => panic!("{verb} is not a verb"),
            },
        }
    }

    fn identity(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let identity = Identity::generate(draws);
        let public = to_hex(&identity.public().to_bytes());
        self.identities.insert(step.need("of").to_owned(), identity);
        Ok(vec![("public", public)])
    }

    fn generate(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let of = step.need("of");
        let keys = PreKeys::generate(&self.identities[of], now(step), draws);
        let bundle = to_hex(&keys.bundle().to_bytes());
        self.pre_keys.insert(of.to_owned(), keys);
        Ok(vec![("bundle", bundle)])
    }

    fn replenish(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (identity, keys) = self.own_keys(step.need("of"));
        let bundles = keys.replenish(identity, 1, draws).map_err(word)?;
        Ok(vec![("bundle", to_hex(&bundles[0].to_bytes()))])
    }

    fn rotate(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (identity, keys) = self.own_keys(step.need("of"));
        keys.rotate(identity, now(step), draws).map_err(word)?;
        Ok(vec![("bundle", to_hex(&keys.bundle().to_bytes()))])
    }

    fn own_keys(&mut self, of: &str) -> (&Identity, &mut PreKeys) {
        (&self.identities[of], self.pre_keys.get_mut(of).expect("pre-keys by that name"))
    }

    fn verified(&self, step: &Step) -> Result<VerifiedBundle, String> {
        let bundle = PreKeyBundle::from_bytes(&step.hex("bundle")).map_err(word)?;
        bundle.verify(Trust::Pinned(self.identities[step.need("with")].public()), now(step)).map_err(word)
    }

    fn handshake(&self, step: &Step, draws: &mut Draws) -> Outcome {
        let (of, with) = (step.need("of"), step.need("with"));
        let (ours, theirs, keys) = (&self.identities[of], &self.identities[with], &self.pre_keys[with]);
        let at_initiator = handshake::initiate(ours, &self.verified(step)?, disclosure(step), draws).map_err(word)?;
        let header = &at_initiator.pre_key_header;
        let at_responder = handshake::respond(theirs, keys, header, disclosure(step)).map_err(word)?;
        let (a, b) = (at_initiator.established, at_responder.established);
        assert_eq!((a.peer, b.peer), (*theirs.public(), *ours.public()));
        assert_eq!(a.secret.expose_bytes(), b.secret.expose_bytes());
        assert_eq!(a.post_quantum_seed.expose_bytes(), b.post_quantum_seed.expose_bytes());
        assert_eq!((a.binding, a.session_id), (b.binding, b.session_id));
        Ok(vec![
            ("first_flight", to_hex(&header.to_bytes())),
            ("secret", to_hex(a.secret.expose_bytes())),
            ("post_quantum_seed", to_hex(a.post_quantum_seed.expose_bytes())),
            ("binding", to_hex(&a.binding)),
            ("session_id", to_hex(&a.session_id)),
        ])
    }

    fn initiate(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let of = step.need("of");
        let bundle = self.verified(step)?;
        let session = Session::initiate_under(&self.identities[of], &bundle, disclosure(step), draws).map_err(word)?;
        let id = to_hex(session.id());
        self.sessions.insert(of.to_owned(), session);
        Ok(vec![("session_id", id)])
    }

    fn accept(&mut self, step: &Step) -> Outcome {
        let of = step.need("of");
        let message = Ciphertext::from_bytes(&step.hex("message")).map_err(|_| "malformed")?;
        let (identity, keys) = self.own_keys(of);
        let accepted = Session::accept_under(identity, keys, &message, Trust::OnFirstUse, disclosure(step));
        let Accepted { session, plaintext, used } = accepted.map_err(word)?;
        keys.remove(used);
        let results = vec![("session_id", to_hex(session.id())), ("plaintext", to_hex(&plaintext))];
        self.sessions.insert(of.to_owned(), session);
        Ok(results)
    }

    fn start_ratchets(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (binding, secret) = (step.array("binding"), SharedSecret::from_bytes(step.array("secret")));
        let pair = KeyPair::generate(draws);
        let initiator = DoubleRatchet::initiator(&secret, &binding, pair.public());
        self.ratchets.insert("initiator".to_owned(), initiator);
        self.ratchets.insert("responder".to_owned(), DoubleRatchet::responder(&secret, &binding, pair));
        Ok(Vec::new())
    }

    fn encrypt(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (of, plaintext) = (step.need("of"), step.hex("plaintext"));
        let message = match self.ratchets.get_mut(of) {
            Some(ratchet) => ratchet.encrypt(&plaintext, draws).map_err(word)?,
            None => self.session(of).encrypt(&plaintext, draws).map_err(word)?.into_bytes(),
        };
        Ok(vec![("message", to_hex(&message))])
    }

    fn decrypt(&mut self, step: &Step) -> Outcome {
        let (of, message) = (step.need("of"), step.hex("message"));
        let (plaintext, kept) = match self.ratchets.get_mut(of) {
            Some(ratchet) => (ratchet.decrypt(&message).map_err(word)?, ratchet.skipped_keys()),
            None => {
                let message = Ciphertext::from_bytes(&message).map_err(|_| "malformed")?;
                let session = self.session(of);
                (session.decrypt(&message).map_err(word)?, session.skipped_keys())
            }
        };
        Ok(vec![("plaintext", to_hex(&plaintext)), ("kept_keys", kept.to_string())])
    }

    fn call(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let name = step.need("of");
        let party = Party { name, identity: &self.identities[name], session: &self.sessions[name] };
        match step.need("do") {
            "call" => self.calls.offer(&party, draws),
            "call-accept" => Calls::accept(&party, step, draws),
            "call-complete" => self.calls.complete(&party, step),
            "group-call" => self.calls.group(&party, step, draws),
            _ => self.calls.accept_key(&party, step),
        }
    }

    fn session(&mut self, of: &str) -> &mut Session {
        self.sessions.get_mut(of).expect("a session by that name")
    }

    fn seal(&self, kind: &str, step: &Step, draws: &mut Draws) -> Outcome {
        let (of, key, context) = (step.need("of"), StorageKey::from_bytes(step.array("key")), step.hex("context"));
        let record = match kind {
            "identity" => self.identities[of].seal(&key, &context, draws),
            "pre-keys" => self.pre_keys[of].seal(&key, &context, draws),
            "ratchet" => self.ratchets[of].seal(&key, &context, draws),
            "session" => {
                let sealed = self.sessions[of].seal(&key, &context, draws);
                let revision = sealed.revision().to_string();
                return Ok(vec![("record", to_hex(sealed.as_bytes())), ("revision", revision)]);
            }
            _ => panic!("{kind} is not a kind"),
        };
        Ok(vec![("record", to_hex(&record))])
    }

    /// Continues with the opened state.
    fn unseal(&mut self, kind: &str, step: &Step) -> Outcome {
        let (of, key, context) = (step.need("of"), StorageKey::from_bytes(step.array("key")), step.hex("context"));
        let (of, record) = (of.to_owned(), step.hex("record"));
        match kind {
            "identity" => drop(self.identities.insert(of, Identity::unseal(&key, &context, &record).map_err(word)?)),
            "pre-keys" => drop(self.pre_keys.insert(of, PreKeys::unseal(&key, &context, &record).map_err(word)?)),
            "session" => drop(self.sessions.insert(of, Session::unseal(&key, &context, &record).map_err(word)?)),
            "ratchet" => drop(self.ratchets.insert(of, DoubleRatchet::unseal(&key, &context, &record).map_err(word)?)),
            _ => panic!("{kind} is not a kind"),
        }
        Ok(Vec::new())
    }
}

/// Results that a step need not list.
const OPTIONAL: [&str; 1] = ["kept_keys"];

/// Bundles are verified alone: without a pinned key, any identity is accepted.
fn verify(step: &Step) -> Result<VerifiedBundle, String> {
    let bundle = PreKeyBundle::from_bytes(&step.hex("bundle")).map_err(word)?;
    let pinned = IdentityKey::from_bytes(&step.array("pinned"));
    bundle.verify(pinned.as_ref().map_or(Trust::OnFirstUse, Trust::Pinned), now(step)).map_err(word)
}

/// The KEM key is read from a bundle, its ciphertext from a pre-key header: the seed is that of a last-resort key.
fn kem(draws: &mut Draws) -> Outcome {
    let (mut seed, mut randomness) = ([0; 64], [0; 32]);
    draws.fill_bytes(&mut seed);
    draws.fill_bytes(&mut randomness);
    let now = Timestamp::from_unix_seconds(0);
    let [alice, bob] = [1, 2].map(|of| Identity::generate(&mut Draws::listed(&[of; 64])));
    let keys = PreKeys::generate(&bob, now, &mut Draws::listed(&[[3; 32].as_slice(), &seed].concat()));
    let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now).map_err(word)?;
    let draws = &mut Draws::listed(&[[4; 32], randomness].concat());
    let header = handshake::initiate(&alice, &bundle, None, draws).map_err(word)?.pre_key_header;
    let (bundle, header) = (keys.bundle().to_bytes(), header.to_bytes());
    Ok(vec![("encapsulation_key", to_hex(&bundle[125..1309])), ("ciphertext", to_hex(&header[40..1128]))])
}

pub(super) fn now(step: &Step) -> Timestamp {
    Timestamp::from_unix_seconds(step.need("now").parse().expect("seconds, in decimal"))
}

fn disclosure(step: &Step) -> Option<DisclosureHash> {
    step.text("disclosure").and_then(|_| DisclosureHash::from_bytes(step.array("disclosure")).ok())
}

/// `TooFarAhead` is `too-far-ahead`; docs/spec/test-vectors.md lists all.
pub(super) fn word(error: impl Debug) -> String {
    let mut word = String::new();
    for letter in format!("{error:?}").chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(letter.to_lowercase());
    }
    // The words of the vectors are the specification's.
    match word.as_str() {
        "other-hosted-device" => "other-endpoint".into(),
        "not-pre-key-message" => "not-first".into(),
        "opens-new-session" => "other-session".into(),
        "protocol-violation" => "misbehaved".into(),
        "session-lost" => "lost".into(),
        _ => word,
    }
}
