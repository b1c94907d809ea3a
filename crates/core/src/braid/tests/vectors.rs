//! Known answers: tests/vectors/braid.txt, which a second implementation made. Parts, secrets and stored forms are the
//! same byte for byte. `BISIK_VECTORS` names another directory.

use std::collections::HashMap;
use std::path::PathBuf;
use std::string::String;
use std::{env, fs, println};

use super::*;

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

fn send(braid: &mut Braid, step: &Step<'_>) {
    let drawn = step.get("draws").map_or_else(Vec::new, |draws| unhex(draws));
    let may_draw = step["steps"] == "1";
    let draw = braid.wants().filter(|_| may_draw).and_then(|wants| match wants {
        Wants::Seed => Some(Draw::Seed(Secret::new(drawn.as_slice().try_into().unwrap()).into())),
        Wants::Randomness if step["waits"] == "1" => None,
        Wants::Randomness => Some(Draw::Randomness(Secret::new(drawn.as_slice().try_into().unwrap()).into())),
    });
    assert_eq!(draw.is_some(), step.contains_key("draws"));
    let sent = braid.send(draw).unwrap();
    assert_eq!(hex(&bytes_of(&sent.part)), step["part"]);
    check_secret(step, sent.secret.as_ref());
    braid.apply(sent.change);
}

/// P-5.6: what is wrong is forgotten.
fn receive(braid: &mut Braid, step: &Step<'_>) -> bool {
    let wrong = match braid.receive(&part_of(&unhex(step["part_read"]))) {
        Ok(received) => {
            check_secret(step, received.secret.as_ref());
            braid.apply(received.change);
            false
        }
        Err(Refused::Faulty(fault)) => {
            check_secret(step, None);
            braid.apply(fault.forget);
            true
        }
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(step["wrong"], if wrong { "1" } else { "0" });
    wrong
}

#[test]
fn braid_vectors_give_the_same_parts_secrets_and_stored_forms() {
    let directory = env::var_os("BISIK_VECTORS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors")), PathBuf::from);
    let text = fs::read_to_string(directory.join("braid.txt")).unwrap();
    let (mut braids, mut wrong, mut secrets, mut phases) = (HashMap::new(), 0, 0, HashMap::new());
    for (number, lines) in text.split("\n\n").enumerate() {
        let step: Step<'_> = lines.lines().filter_map(|line| line.split_once(" = ")).collect();
        let Some(verb) = step.get("do") else { continue };
        println!("step {number}: {verb}");
        if *verb == "start-braids" {
            let seed = Secret::new(unhex(step["secret"]).try_into().unwrap());
            braids.insert("initiator", Braid::initiator(&NATIVE, &seed));
            braids.insert("responder", Braid::responder(&NATIVE, &seed));
            continue;
        }
        let braid = braids.get_mut(step["of"]).unwrap();
        match *verb {
            "braid-send" => send(braid, &step),
            "braid-receive" => wrong += i32::from(receive(braid, &step)),
            "braid-state" => {
                assert_eq!(hex(&stored(braid)), step["state"]);
                *phases.entry(braid.phase()).or_insert(0) += 1;
                *braid = restored(&NATIVE, step["of"] == "initiator", &unhex(step["state"])).unwrap();
            }
            _ => panic!("{verb} is not a verb"),
        }
        secrets += i32::from(step.contains_key("epoch_secret"));
    }
    assert_eq!((wrong, phases.len()), (3, 11), "a header, a vector and a ciphertext; every state");
    assert!(secrets >= 8, "{secrets}");
}
