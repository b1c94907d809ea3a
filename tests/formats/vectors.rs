//! Known answers: the library gives the results of every script in tests/vectors, which a second implementation made.
//!
//! That implementation is in tests/reference. `BISIK_VECTORS` names another directory to run.

use std::fs;
use std::path::PathBuf;

use super::script::runner::Runner;
use super::script::step::{Step, parse, render};
use rand::seq::SliceRandom;
use rand::{RngExt, rngs::ThreadRng};

fn run(name: &str) {
    let directory = std::env::var_os("BISIK_VECTORS");
    let elsewhere = directory.is_some();
    let directory = directory.map_or_else(|| PathBuf::from("tests/vectors"), PathBuf::from);
    let Ok(text) = fs::read_to_string(directory.join(name)) else {
        assert!(elsewhere, "tests/vectors has no {name}");
        return;
    };
    let mut runner = Runner::default();
    let steps = parse(&text);
    assert!(!steps.is_empty(), "{name} is empty");
    for (index, step) in steps.iter().enumerate() {
        println!("{name}, step {}: {} of {}", index + 1, step.need("do"), step.text("of").unwrap_or("-"));
        runner.check(step);
    }
}

/// P-1.6, P-6.1, P-6.3: ChaCha20-HMAC-SHA256 in its general form, by identities in records.
#[test]
fn sealing() {
    run("aead.txt");
}

/// P-1.1, P-1.2, P-1.3: which 64 bytes are an identity key.
#[test]
fn key_encodings() {
    run("dh.txt");
}

/// P-1.7 is in `bundles`; these are keys and ciphertexts by seed and randomness.
#[test]
fn kem() {
    run("kem.txt");
}

/// P-1.1, P-1.2, P-1.3, P-1.5, P-1.7, P-1.8, P-2.1, P-2.5, P-2.6: bundles, and each reason to refuse one.
#[test]
fn bundles() {
    run("bundle.txt");
}

/// P-2.10, P-3.1, P-3.3, P-3.4, P-3.6, P-3.7, P-3.8: both sides' secrets, and pre-key headers that are refused.
#[test]
fn handshakes() {
    run("handshake.txt");
}

/// P-1.8, P-13.1 to P-13.15: entries, acts and floors in two orders, and each reason to refuse one.
#[test]
fn groups() {
    run("membership.txt");
}

/// P-3.14, P-3.17, P-3.22: sessions bound to older ones, and the standing of a session.
#[test]
fn resumption() {
    run("resumption.txt");
}

/// P-5.1 to P-5.5: a ratchet through four epochs.
#[test]
fn epochs() {
    run("epochs.txt");
}

/// The root chain, by the states after each step.
#[test]
fn root_chain() {
    run("root.txt");
}

/// P-4.9: the symmetric chain, by the states after each step.
#[test]
fn symmetric_chain() {
    run("chain.txt");
}

/// P-4.4, P-4.8, P-4.10, P-4.20, P-4.12: headers, and those that contradict what was received before.
#[test]
fn headers() {
    run("header.txt");
}

/// P-4.5, P-4.6: salt, digest and tags, by whole messages and damaged ones.
#[test]
fn messages() {
    run("message.txt");
}

/// P-4.8, P-4.9, P-4.10, P-4.11, P-4.12, P-4.14, P-4.18: the ratchet alone, in and out of order.
#[test]
fn ratchet() {
    run("ratchet.txt");
}

/// P-3.5, P-3.10, P-4.8, P-4.9, P-4.10: a whole conversation over an unreliable network.
#[test]
fn conversation() {
    run("conversation.txt");
}

/// P-2.4, P-2.7, P-2.8, P-3.5, P-3.7, P-6.1, P-6.2, P-6.4: sealed records of every kind, and the state in them.
#[test]
fn sealed_state() {
    run("state.txt");
}

/// P-1.9, P-12.59, P-12.60, P-12.61: texts of values, and addressed envelopes.
#[test]
fn texts() {
    run("text.txt");
}

/// P-7.1, P-7.2, P-7.4, P-7.5, P-7.7, P-7.12, P-7.13, P-7.14: bodies, and the votes of polls.
#[test]
fn content() {
    run("content.txt");
}

/// P-8.1, P-8.2, P-8.3, P-8.4, P-8.5, P-8.6, P-8.7, P-8.8: attachments, their pointers, and each reason to refuse one.
#[test]
fn attachments() {
    run("media.txt");
}

/// P-9.1, P-9.2, P-9.3, P-9.4, P-9.5, P-9.6, P-9.8: calls of two and of many, and each reason to refuse a signal.
#[test]
fn calls() {
    run("call.txt");
}

/// P-10.1, P-10.3, P-10.4, P-10.5, P-10.6, P-10.7, P-10.9, P-10.10, P-10.12, P-10.13, P-10.14, P-10.15, P-10.16,
/// P-10.18: certificates, lists, directories that follow them, and linking.
#[test]
fn devices() {
    run("device.txt");
}

/// P-11.1, P-11.3, P-11.2, P-11.4, P-11.5, P-11.6, P-11.7, P-11.8, P-11.9, P-11.10, P-11.19: disclosures, decisions,
/// receipts.
#[test]
fn hosted_devices() {
    run("endpoint.txt");
}

/// P-7.3, P-7.4, P-7.7, P-7.23, P-7.24, P-7.25, P-7.26, P-7.27: content for groups, answers to events, sealed reactions.
#[test]
fn group_content() {
    run("group-content.txt");
}

/// P-7.3, P-7.4, P-7.7, P-7.17, P-7.18, P-7.19, P-7.20, P-7.21: business content, which two programs encode to the same
/// bytes.
#[test]
fn business_content() {
    run("business.txt");
}

/// P-12.3, P-12.4, P-12.5, P-12.8, P-12.9, P-12.10, P-12.11, P-12.12, P-12.14, P-12.15, P-12.16, P-12.19, P-12.20,
/// P-12.22, P-12.23, P-12.25, P-12.26, P-12.28, P-12.29, P-12.31, P-12.35, P-12.36, P-12.39, P-12.40, P-12.46, P-12.48,
/// P-12.50, P-12.51, P-12.52, P-12.58: first contacts, what is sent again, withdrawn or given up, lost and crossed
/// sessions, lists that differ, decisions.
#[test]
fn frames() {
    run("frame.txt");
}

/// P-14.3 to P-14.8, P-14.11, P-14.12, P-14.14 to P-14.21, P-14.23, P-14.24: chains of keys, their messages, ends and
/// records, and each reason to refuse one.
#[test]
fn group_chains() {
    run("group-chain.txt");
}

#[test]
fn every_file_is_run() {
    let directory = std::env::var_os("BISIK_VECTORS").map_or_else(|| PathBuf::from("tests/vectors"), PathBuf::from);
    let this = include_str!("vectors.rs");
    let mut files = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if !name.ends_with(".txt") || matches!(&*name, "braid.txt" | "frame-format.txt" | "group-letter.txt") {
            continue; // the README, and what tests/interop and the unit tests of the braid and of src run
        }
        assert!(this.contains(&format!("run(\"{name}\");")), "no test runs {name}");
        files += 1;
    }
    assert!(files > 0, "no vectors there");
}

/// Not a test: records a conversation for the independent implementation to verify (tests/reference/run.sh).
#[test]
#[ignore = "writes conversation.txt and media.txt into the directory BISIK_VECTORS_OUT"]
fn write_vectors() {
    let directory = PathBuf::from(std::env::var_os("BISIK_VECTORS_OUT").expect("BISIK_VECTORS_OUT names a directory"));
    let mut recorder = Recorder::default();
    recorder.converse();
    fs::write(directory.join("conversation.txt"), render(&recorder.steps, "Recorded by tests/formats/vectors.rs."))
        .unwrap();
    let mut recorder = Recorder::default();
    recorder.send_files();
    fs::write(directory.join("media.txt"), render(&recorder.steps, "Recorded by tests/formats/vectors.rs.")).unwrap();
}

/// A script in the making: every step is run when it is added.
#[derive(Default)]
struct Recorder {
    runner: Runner,
    steps: Vec<Step>,
    plan: ThreadRng,
}

impl Recorder {
    fn add(&mut self, step: Step) -> Step {
        let step = self.runner.complete(step);
        self.steps.push(step.clone());
        step
    }

    fn encrypt(&mut self, of: &str) -> Vec<u8> {
        let mut plaintext = vec![0; self.plan.random_range(0..200)];
        self.plan.fill(plaintext.as_mut_slice());
        self.add(Step::new("encrypt", of).bytes("plaintext", &plaintext)).hex("message")
    }

    fn set_up(&mut self) -> Vec<Vec<u8>> {
        self.add(Step::new("identity", "alice"));
        self.add(Step::new("identity", "bob"));
        let now = 1_800_000_000.to_string();
        let last_resort = self.add(Step::new("generate", "bob").word("now", &now));
        let one_time = self.add(Step::new("replenish", "bob"));
        let bundle = if self.plan.random() { one_time } else { last_resort }.hex("bundle");
        self.add(Step::new("initiate", "alice").word("with", "bob").bytes("bundle", &bundle).word("now", &now));
        let mut first: Vec<_> = (0..3).map(|_| self.encrypt("alice")).collect();
        first.shuffle(&mut self.plan);
        let opening = first.pop().unwrap();
        self.add(Step::new("accept", "bob").bytes("message", &opening).word("now", &now));
        self.add(Step::new("accept", "bob").bytes("message", &opening).word("now", &now));
        first
    }

    /// Random turns; messages arrive in any order, some damaged, duplicated or lost.
    fn converse(&mut self) {
        let mut under_way = [Vec::new(), self.set_up()];
        for _ in 0..40 {
            let to = usize::from(self.plan.random::<bool>());
            let (of, at) = if to == 0 { ("bob", "alice") } else { ("alice", "bob") };
            for _ in 0..self.plan.random_range(0..3) {
                under_way[to].push(self.encrypt(of));
            }
            under_way[to].shuffle(&mut self.plan);
            for _ in 0..self.plan.random_range(0..=under_way[to].len()) {
                let message = under_way[to].pop().unwrap();
                self.deliver(at, &message);
            }
            self.restart(at);
        }
    }

    fn deliver(&mut self, at: &str, message: &[u8]) {
        let decrypt = |message: &[u8]| Step::new("decrypt", at).bytes("message", message);
        let fate = self.plan.random_range(0..20);
        if fate < 3 {
            let damaged = self.damaged(message);
            self.add(decrypt(&damaged));
        }
        if fate > 1 {
            self.add(decrypt(message));
        }
        if fate > 16 {
            self.add(decrypt(message));
        }
    }

    /// Files of any size, which arrive unchanged and changed.
    fn send_files(&mut self) {
        let verb = |verb: &str| Step::default().word("do", verb);
        for _ in 0..20 {
            let mut file = vec![0; self.plan.random_range(0..2_000)];
            self.plan.fill(file.as_mut_slice());
            let sent = self.add(verb("encrypt-file").bytes("file", &file).word("media_type", "application/pdf"));
            let (mut pointer, blob) = (sent.hex("pointer"), sent.hex("blob"));
            let add = verb("add-thumbnail").bytes("pointer", &pointer).bytes("thumbnail", &file[..file.len() / 2]);
            let added = self.add(add);
            if added.text("with_thumbnail").is_some() {
                pointer = added.hex("with_thumbnail");
                self.add(verb("decrypt-thumbnail").bytes("pointer", &pointer));
            }
            let decrypt =
                |pointer: &[u8], blob: &[u8]| verb("decrypt-file").bytes("pointer", pointer).bytes("blob", blob);
            self.add(decrypt(&pointer, &blob));
            let damaged = [self.damaged(&pointer[..90]), pointer[90..].to_vec()].concat();
            self.add(decrypt(&damaged, &blob));
            let damaged = self.damaged(&blob);
            self.add(decrypt(&pointer, &damaged));
            let size = self.plan.random_range(0..300_000).to_string();
            self.add(verb("encrypt-long-file").word("size", &size).word("media_type", "video/mp4"));
        }
    }

    fn damaged(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut damaged = bytes.to_vec();
        let byte = self.plan.random_range(0..bytes.len());
        damaged[byte] ^= 1 << self.plan.random_range(0..8);
        damaged
    }

    fn restart(&mut self, of: &str) {
        let [seal, unseal] = ["seal-session", "unseal-session"]
            .map(|verb| Step::new(verb, of).bytes("key", &[7; 32]).bytes("context", of.as_bytes()));
        let record = self.add(seal).hex("record");
        self.add(unseal.bytes("record", &record));
    }
}
