//! Known answers: vectors/braid-steps.txt, which a second implementation made; tests/vectors of the repository has it as
//! braid.txt. Parts, secrets and stored forms are the same byte for byte. `BISIK_VECTORS` names another directory.

use std::collections::HashMap;
use std::path::PathBuf;
use std::string::{String, ToString};
use std::{env, fs, println};

use super::*;
use crate::primitives::kdf::digest;

/// The lines `name = value` of a step.
type Step<'a> = HashMap<&'a str, &'a str>;

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| std::format!("{byte:02x}")).collect()
}

/// `u8(kind) ‖ u32(epoch) ‖ u16(number) ‖ chunk`.
fn part_of(bytes: &[u8]) -> Part {
    Part {
        kind: Kind::try_from(bytes[0]).unwrap(),
        epoch: u32::from_be_bytes(bytes[1..5].try_into().unwrap()),
        number: u16::from_be_bytes(bytes[5..7].try_into().unwrap()),
        chunk: bytes[7..].try_into().unwrap(),
    }
}

fn bytes_of(part: &Part) -> Vec<u8> {
    let mut bytes = Vec::from([u8::from(part.kind)]);
    bytes.extend(part.epoch.to_be_bytes());
    bytes.extend(part.number.to_be_bytes());
    bytes.extend(part.chunk);
    bytes
}

fn check_secret(step: &Step<'_>, secret: Option<&EpochSecret>) {
    assert_eq!(secret.map(|secret| hex(secret.secret.expose())).as_deref(), step.get("epoch_secret").copied());
}

/// Sends a part. What it draws is taken from the front of `drawn`.
fn sent(braid: &mut Braid, may_draw: bool, waits: bool, drawn: &mut &[u8]) -> (Part, Option<EpochSecret>) {
    let draw = braid.wants().filter(|_| may_draw).and_then(|wants| match wants {
        Wants::Seed => Some(Draw::Seed(Secret::new(*drawn.split_off(..64)?.first_chunk()?).into())),
        Wants::Randomness if waits => None,
        Wants::Randomness => Some(Draw::Randomness(Secret::new(*drawn.split_off(..32)?.first_chunk()?).into())),
    });
    let sent = braid.send(draw).unwrap();
    braid.apply(sent.change);
    (sent.part, sent.secret)
}

/// P-5.6: what is wrong is forgotten. Returns whether something was.
fn received(braid: &mut Braid, part: &Part) -> (bool, Option<EpochSecret>) {
    match braid.receive(part) {
        Ok(received) => {
            braid.apply(received.change);
            (false, received.secret)
        }
        Err(Refused::Faulty(fault)) => {
            braid.apply(fault.forget);
            (true, None)
        }
        Err(other) => panic!("{other:?}"),
    }
}

fn draws(step: &Step<'_>) -> Vec<u8> {
    step.get("draws").map_or_else(Vec::new, |draws| unhex(draws))
}

fn send(braid: &mut Braid, step: &Step<'_>) {
    let drawn = draws(step);
    let mut rest = drawn.as_slice();
    let (part, secret) = sent(braid, step["steps"] == "1", step["waits"] == "1", &mut rest);
    assert!(rest.is_empty(), "all is drawn");
    assert_eq!(hex(&bytes_of(&part)), step["part"]);
    check_secret(step, secret.as_ref());
}

fn receive(braid: &mut Braid, step: &Step<'_>) -> i32 {
    let (wrong, secret) = received(braid, &part_of(&unhex(step["part_read"])));
    assert_eq!(step["wrong"], if wrong { "1" } else { "0" });
    check_secret(step, secret.as_ref());
    i32::from(wrong)
}

/// Parts in turn, of which some are lost, by the digests of parts and states. Returns how many were wrong, and how many
/// secrets there were.
fn exchange(braids: &mut HashMap<&str, Braid>, step: &Step<'_>) -> (i32, usize) {
    let (drawn, lost) = (draws(step), unhex(step["lost"]));
    assert_eq!(lost.len(), step["turns"].parse::<usize>().unwrap());
    let mut rest = drawn.as_slice();
    let (mut parts, mut states, mut secrets, mut wrong) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut names = [step["of"], step["with"]];
    for lost in lost {
        let (part, secret) = sent(braids.get_mut(names[0]).unwrap(), true, false, &mut rest);
        parts.extend(bytes_of(&part));
        secrets.extend(secret);
        if lost == 0 {
            let (is_wrong, secret) = received(braids.get_mut(names[1]).unwrap(), &part);
            wrong += i32::from(is_wrong);
            secrets.extend(secret);
        }
        names.iter().for_each(|name| states.extend(stored(&braids[name])));
        names.reverse();
    }
    assert!(rest.is_empty(), "all is drawn");
    assert_eq!(step["wrong"], wrong.to_string());
    let bytes: Vec<u8> = secrets.iter().flat_map(|secret| *secret.secret.expose()).collect();
    assert_eq!(step["epoch_secrets"], hex(&bytes));
    assert_eq!((step["parts"], step["states"]), (&*hex(&digest(&[&parts])), &*hex(&digest(&[&states]))));
    (wrong, secrets.len())
}

#[test]
fn braid_vectors_give_the_same_parts_secrets_and_stored_forms() {
    let path = env::var_os("BISIK_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/braid-steps.txt")),
        |directory| PathBuf::from(directory).join("braid.txt"),
    );
    let text = fs::read_to_string(path).unwrap();
    let (mut braids, mut wrong, mut secrets, mut phases) = (HashMap::new(), 0, 0, HashMap::new());
    for (number, lines) in text.split("\n\n").enumerate() {
        let step: Step<'_> =
            lines.lines().filter_map(|line| line.split_once(" =")).map(|(name, value)| (name, value.trim())).collect();
        let Some(verb) = step.get("do") else { continue };
        println!("step {number}: {verb}");
        if *verb == "start-braids" {
            let seed = Secret::new(unhex(step["secret"]).try_into().unwrap());
            braids.insert("initiator", Braid::initiator(&NATIVE, &seed));
            braids.insert("responder", Braid::responder(&NATIVE, &seed));
            continue;
        }
        if *verb == "braid-exchange" {
            let (more_wrong, more_secrets) = exchange(&mut braids, &step);
            (wrong, secrets) = (wrong + more_wrong, secrets + more_secrets);
            continue;
        }
        let braid = braids.get_mut(step["of"]).unwrap();
        match *verb {
            "braid-send" => send(braid, &step),
            "braid-receive" => wrong += receive(braid, &step),
            "braid-state" => {
                assert_eq!(hex(&stored(braid)), step["state"]);
                *phases.entry(braid.phase()).or_insert(0) += 1;
                *braid = restored(&NATIVE, step["of"] == "initiator", &unhex(step["state"])).unwrap();
            }
            _ => panic!("{verb} is not a verb"),
        }
        secrets += usize::from(step.contains_key("epoch_secret"));
    }
    assert_eq!((wrong, phases.len()), (3, 11), "a header, a vector and a ciphertext; every state");
    assert!(secrets >= 8, "{secrets}");
}
