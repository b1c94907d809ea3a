//! Runs the steps of a script against the public interface, and keeps each party's keys and sessions by name.
//!
//! Missing results and randomness of a step are filled in; existing ones are compared.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bisik::call::{CallId, Calling};
use bisik::handshake::{self, DisclosureHash};
use bisik::rand_core::Rng;
use bisik::ratchet::{DoubleRatchet, SharedSecret};
use bisik::{
    Accepted, Ciphertext, Decrypted, Identity, IdentityKey, InitiateOptions, PreKeyBundle, PreKeys, Session,
    StorageKey, Timestamp, Trust, Unconfirmed, VerifiedBundle,
};

use super::accounts::Accounts;
use super::attachments;
use super::calls::{Calls, Party};
use super::chains::{self, Chains};
use super::content::{self, Polls};
use super::groups::Groups;
use super::hosting;
use super::resuming::{self, Kept};
use super::sealed::Answers;
use super::step::Step;
use super::talks::Talks;
use super::texts;
use crate::draws::{Draws, to_hex};
use sha2::{Digest, Sha256};

/// Results by name, or the reason of the refusal.
pub(super) type Outcome = Result<Vec<(&'static str, String)>, String>;

/// Every name that a step may have besides its results.
const INPUTS: [&str; 78] = [
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
    "group",
    "view",
    "views",
    "epoch_key",
    "commitment_read",
    "opening_read",
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
    "verified",
    "offering",
    "labels_read",
    "forget",
    "turns",
    "steps",
    "waits",
    "part_read",
    "named",
    "given_up",
    "form",
    "value",
    "written",
    "envelope_read",
    "person",
    "attendance",
    "guests",
    "sealed_answer",
    "statement",
];

/// Intermediate values that only the reference implementation sees. Here they are tested through the results derived
/// from them.
const INNER: &str = "to dh0 dh1 dh2 dh3 dh4 ss ki sealed_identity prk secrets shared shared_of_damaged rk ck0 hk0 hk1 pq0 \
    agreement next_rk next_hk rs hk ck mk next_ck header encrypted_header header_tag r digest body_tag state \
    chunk_key mac_key commitment \
    transcript encapsulated definition vote_key frames";

#[derive(Default)]
pub(crate) struct Runner {
    identities: BTreeMap<String, Identity>,
    pre_keys: BTreeMap<String, PreKeys>,
    sessions: BTreeMap<String, Session>,
    kept: Kept,
    ratchets: BTreeMap<String, DoubleRatchet>,
    calls: Calls,
    chains: Chains,
    polls: Polls,
    answers: Answers,
    accounts: Accounts,
    talks: Talks,
    groups: Groups,
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
            let known = INPUTS.contains(&name)
                || chains::INPUTS.contains(&name)
                || INNER.split_whitespace().any(|inner| inner == name);
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
            "standing" => resuming::standing(&self.sessions[step.need("of")]),
            "remember" => self.kept.remember(step.need("of"), &self.sessions[step.need("of")]),
            "resume" => {
                let of = step.need("of");
                self.kept.resume(step, self.sessions.get_mut(of).expect("a session by that name"))
            }
            "forget" => resuming::forget(step, self.session(step.need("of"))),
            "exchange" => self.exchange(step, draws),
            "start-ratchets" => self.start_ratchets(step, draws),
            "encrypt" => self.encrypt(step, draws),
            "decrypt" => self.decrypt(step, false),
            "decrypt-giving-up" => self.decrypt(step, true),
            "text" => content::text(step, draws),
            "read-body" => content::read_body(step),
            "answers" => content::answers(step),
            "poll" => self.polls.poll(step, draws),
            "vote" => self.polls.vote(step, draws),
            "open-vote" => self.polls.open_vote(step),
            "rsvp" => self.answers.rsvp(step, draws),
            "open-rsvp" => Answers::open_rsvp(step),
            "react" => self.answers.react(step, draws),
            "open-reaction" => Answers::open_reaction(step),
            "encrypt-file" => attachments::encrypt_file(step, draws),
            "encrypt-long-file" => attachments::encrypt_long_file(step, draws),
            "add-thumbnail" => attachments::add_thumbnail(step, draws),
            "decrypt-file" => attachments::decrypt_file(step),
            "decrypt-thumbnail" => attachments::decrypt_thumbnail(step),
            "call" | "call-accept" | "call-complete" | "group-call" | "epoch-key" => self.call(step, draws),
            "call-join" | "call-leave" | "call-stay" | "call-key" => self.call(step, draws),
            "compare" | "compare-again" | "compare-commitment" | "compare-opening" => self.call(step, draws),
            "seal-frame" => self.calls.seal_frame(step),
            "open-frame" => self.calls.open_frame(step),
            "certify" | "found-account" | "issue-list" | "recover-list" | "trust-list" | "follow-list"
            | "link-by-qr-code" | "link-by-typed-code" | "link-invite" | "link-answer" | "link-reveal"
            | "link-finish" => self.accounts.run(&self.identities, step, draws),
            "show" | "read-text" | "read-envelope" => texts::run(step),
            "disclose" | "operator-number" | "verify-disclosure" | "decide" | "acknowledge" | "verify-receipt" => {
                hosting::run(&self.identities, step)
            }
            "device" | "converse" | "take-list" | "agree" | "accept-contact" | "withdraw-message" | "countersign"
            | "send" | "flush" | "receive" => self.talks.run(&self.identities, step, draws),
            "know-list" | "follow-group" | "offer-entry" | "offer-act" | "offer-floor" => {
                self.groups.run(&self.identities, step)
            }
            "begin-chain" | "renew-chain" | "rekey-chain" | "restored-chain" | "plan-chain" | "give-chain"
            | "write-group" | "follow-sender" | "take-chain" | "open-group" | "close-chains" | "group-view"
            | "lists-digest" | "audience-id" => self.chains.run(&self.identities, step, draws),
            "seal-chain" | "seal-chains" => self.chains.seal(step.need("do").trim_start_matches("seal-"), step, draws),
            "unseal-chain" | "unseal-chains" => self.chains.unseal(step.need("do").trim_start_matches("unseal-"), step),
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
        let _replaced = keys.rotate(identity, now(step), draws).map_err(word)?;
        Ok(vec![("bundle", to_hex(&keys.bundle().to_bytes()))])
    }

    fn own_keys(&mut self, of: &str) -> (&Identity, &mut PreKeys) {
        (&self.identities[of], self.pre_keys.get_mut(of).expect("pre-keys by that name"))
    }

    fn verified(&self, step: &Step) -> Result<VerifiedBundle, String> {
        let bundle = PreKeyBundle::from_bytes(&step.hex("bundle")).map_err(word)?;
        let at = step.text("verified").map_or_else(|| now(step), |_| seconds(step, "verified"));
        bundle.verify(Trust::Pinned(self.identities[step.need("with")].public()), at).map_err(word)
    }

    fn handshake(&self, step: &Step, draws: &mut Draws) -> Outcome {
        let (of, with) = (step.need("of"), step.need("with"));
        let (ours, theirs, keys) = (&self.identities[of], &self.identities[with], &self.pre_keys[with]);
        let at_initiator = handshake::initiate(ours, &self.verified(step)?, disclosure(step), now(step), draws);
        let at_initiator = at_initiator.map_err(word)?;
        let header = &at_initiator.pre_key_header;
        let trust = Trust::Pinned(ours.public());
        let responded = handshake::respond(theirs, keys, header, disclosure(step), trust, now(step)).map_err(word)?;
        let (a, b) = (&at_initiator.established, &responded.established);
        assert_eq!((a.peer, b.peer), (*theirs.public(), *ours.public()));
        assert_eq!((a.binding, a.session_id), (b.binding, b.session_id));
        Ok(vec![
            ("first_flight", to_hex(&header.to_bytes())),
            ("ratchet_key", to_hex(at_initiator.ratchet_key.public().as_bytes())),
            ("random_labels", to_hex(&at_initiator.labels.concat())),
            ("binding", to_hex(&a.binding)),
            ("session_id", to_hex(&a.session_id)),
        ])
    }

    fn initiate(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let of = step.need("of");
        let bundle = self.verified(step)?;
        let options = InitiateOptions { disclosure: disclosure(step), offers: self.kept.offers(step) };
        let session = Session::initiate_with(&self.identities[of], &bundle, options, now(step), draws);
        let session = session.map_err(word)?;
        let labels = session.labels().expect("nobody has answered").concat();
        let results = vec![("session_id", to_hex(session.id())), ("labels", to_hex(&labels))];
        self.sessions.insert(of.to_owned(), session);
        Ok(results)
    }

    fn accept(&mut self, step: &Step) -> Outcome {
        let of = step.need("of");
        let message = Ciphertext::from_bytes(&step.hex("message")).map_err(|_| "malformed")?;
        let known: Vec<_> = self.identities.values().map(|identity| *identity.public()).collect();
        let (identity, keys) = self.own_keys(of);
        // The sender is one of the script's identities. Whoever is not the sender is refused by P-3.9, which comes last.
        let stranger = step.text("known") == Some("00");
        let trusts = known.iter().filter(|_| !stranger).map(Trust::Pinned).chain([Trust::OnFirstUse]);
        let mut outcome = Err("rejected".to_owned());
        for trust in trusts {
            outcome = Session::accept_under(identity, keys, &message, trust, disclosure(step), now(step)).map_err(word);
            if !matches!(&outcome, Err(word) if word == "identity-mismatch") {
                break;
            }
        }
        let Accepted { session, plaintext, used } = outcome?;
        keys.remove(used);
        let results = vec![
            ("session_id", to_hex(session.id())),
            ("plaintext", to_hex(&plaintext.show_unconfirmed())),
            ("standing", word(session.standing())),
        ];
        self.sessions.insert(of.to_owned(), session);
        Ok(results)
    }

    fn start_ratchets(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (binding, secret) = (step.array("binding"), SharedSecret::from_bytes(step.array("secret")));
        let initiator = DoubleRatchet::initiator(&secret, &binding, draws);
        self.ratchets.insert("initiator".to_owned(), initiator);
        self.ratchets.insert("responder".to_owned(), DoubleRatchet::responder(&secret, &binding));
        Ok(Vec::new())
    }

    fn encrypt(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let message = self.write(step.need("of"), &step.hex("plaintext"), draws)?;
        Ok(vec![("message", to_hex(&message))])
    }

    fn write(&mut self, of: &str, plaintext: &[u8], draws: &mut Draws) -> Result<Vec<u8>, String> {
        match self.ratchets.get_mut(of) {
            Some(ratchet) => ratchet.encrypt(plaintext, draws).map_err(word),
            None => Ok(self.session(of).encrypt(plaintext, draws).map_err(word)?.into_bytes()),
        }
    }

    fn decrypt(&mut self, step: &Step, giving_up: bool) -> Outcome {
        let of = step.need("of");
        let identity = step.text("with").unwrap_or(of);
        self.read(of, identity, &step.hex("message"), giving_up)
    }

    fn read(&mut self, of: &str, identity: &str, message: &[u8], giving_up: bool) -> Outcome {
        if let Some(ratchet) = self.ratchets.get_mut(of) {
            let (plaintext, given_up) = if giving_up {
                let (plaintext, given_up) = ratchet.decrypt_giving_up(message).map_err(word)?;
                (plaintext, vec![("given_up", given_up.to_string())])
            } else {
                (ratchet.decrypt(message).map_err(word)?, Vec::new())
            };
            let kept = ratchet.skipped_keys().to_string();
            return Ok([vec![("plaintext", to_hex(&plaintext)), ("kept_keys", kept)], given_up].concat());
        }
        let message = Ciphertext::from_bytes(message).map_err(|_| "malformed")?;
        let identity = &self.identities[identity];
        let session = self.sessions.get_mut(of).expect("a session by that name");
        let decrypted = match giving_up {
            false => session.decrypt(identity, &message),
            true => session.decrypt_giving_up(identity, &message),
        };
        let Decrypted { plaintext, given_up, .. } = decrypted.map_err(word)?;
        let plaintext = plaintext.confirmed().unwrap_or_else(Unconfirmed::show_unconfirmed);
        Ok(vec![
            ("plaintext", to_hex(&plaintext)),
            ("standing", word(session.standing())),
            ("given_up", given_up.to_string()),
            ("kept_keys", session.skipped_keys().to_string()),
        ])
    }

    /// Empty messages in turn, each read at once.
    fn exchange(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (mut of, mut at, mut sent) = (step.need("of"), step.need("with"), Vec::new());
        for _ in 0..step.need("turns").parse::<u32>().expect("a number") {
            let message = self.write(of, b"", draws)?;
            let _read = self.read(at, at, &message, false)?;
            sent.extend(message);
            (of, at) = (at, of);
        }
        Ok(vec![("messages", to_hex(&Sha256::digest(&sent)))])
    }

    fn call(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let name = step.need("of");
        let party = Party { name, identity: &self.identities[name], session: &self.sessions[name] };
        match step.need("do") {
            "call" => self.calls.offer(&party, draws),
            "call-accept" => Calls::accept(&party, step, draws),
            "call-complete" => self.calls.complete(&party, step),
            "group-call" => self.calls.group(&party, step, draws),
            "epoch-key" => self.calls.accept_key(&party, step, draws),
            what if what.starts_with("compare") => self.calls.compare(&party, step, draws),
            what => self.calls.change(&party, step.text("with").map(|who| &self.identities[who]), what, draws),
        }
    }

    fn session(&mut self, of: &str) -> &mut Session {
        self.sessions.get_mut(of).expect("a session by that name")
    }

    fn seal(&mut self, kind: &str, step: &Step, draws: &mut Draws) -> Outcome {
        let (of, key, context) = (step.need("of"), StorageKey::from_bytes(step.array("key")), step.hex("context"));
        let record = match kind {
            "identity" => self.identities[of].seal(&key, &context, draws),
            "pre-keys" => self.pre_keys[of].seal(&key, &context, draws),
            "ratchet" => self.ratchets[of].seal(&key, &context, draws),
            "session" => {
                let sealed = self.session(of).seal(&key, &context, draws).unwrap();
                let revision = sealed.revision().to_string();
                return Ok(vec![("record", to_hex(sealed.head())), ("revision", revision)]);
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
            "session" => {
                drop(self.sessions.insert(of, Session::unseal(&key, &context, &record, |_| None).map_err(word)?))
            }
            "ratchet" => drop(self.ratchets.insert(of, DoubleRatchet::unseal(&key, &context, &record).map_err(word)?)),
            _ => panic!("{kind} is not a kind"),
        }
        Ok(Vec::new())
    }
}

/// Results that a step need not list.
const OPTIONAL: [&str; 4] = ["kept_keys", "given_up", "standing", "labels"];

/// Bundles are verified alone: without a pinned key, any identity is accepted.
fn verify(step: &Step) -> Result<VerifiedBundle, String> {
    let bundle = PreKeyBundle::from_bytes(&step.hex("bundle")).map_err(word)?;
    let pinned = IdentityKey::from_bytes(&step.array("pinned"));
    bundle.verify(pinned.as_ref().map_or(Trust::OnFirstUse, Trust::Pinned), now(step)).map_err(word)
}

/// The KEM key is read from the offer of a call, its ciphertext from the answer: they draw seed and randomness bare.
fn kem(draws: &mut Draws) -> Outcome {
    let (mut seed, mut randomness) = ([0; 64], [0; 32]);
    draws.fill_bytes(&mut seed);
    draws.fill_bytes(&mut randomness);
    let now = Timestamp::from_unix_seconds(0);
    let [alice, bob] = [1, 2].map(|of| Identity::generate(&mut Draws::listed(&[of; 64])));
    let keys = PreKeys::generate(&bob, now, &mut Draws::listed(&[3; 32]));
    let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now).map_err(word)?;
    let session = Session::initiate(&alice, &bundle, now, &mut Draws::listed(&[4; 32])).map_err(word)?;
    let (id, drawn) = (CallId::from_bytes([5; 16]), [[6; 32].as_slice(), &seed, &[7; 32]].concat());
    let (_, offer) = Calling::start(id, alice.public(), &session, &mut Draws::listed(&drawn));
    let drawn = [[8; 32], randomness].concat();
    let offered = offer.to_bytes();
    let (_, answer) = offer.accept(bob.public(), &session, &mut Draws::listed(&drawn)).map_err(word)?;
    let (offer, answer) = (offered, answer.to_bytes());
    Ok(vec![("encapsulation_key", to_hex(&offer[49..1233])), ("ciphertext", to_hex(&answer[49..1137]))])
}

pub(super) fn now(step: &Step) -> Timestamp {
    seconds(step, "now")
}

fn seconds(step: &Step, name: &str) -> Timestamp {
    Timestamp::from_unix_seconds(step.need(name).parse().expect("seconds, in decimal"))
}

fn disclosure(step: &Step) -> Option<DisclosureHash> {
    step.text("disclosure").and_then(|_| DisclosureHash::from_bytes(step.array("disclosure")).ok())
}

/// `TooFar` is `too-far`, `Forked { .. }` is `forked`; docs/spec/test-vectors.md lists all.
pub(super) fn word(error: impl Debug) -> String {
    let mut word = String::new();
    let error = format!("{error:?}");
    let name = error.split([' ', '(']).next().unwrap_or_default();
    for letter in name.chars() {
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
        "protocol-violation" | "another-conversation" => "misbehaved".into(),
        _ => word,
    }
}
