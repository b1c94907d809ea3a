//! Known answers: recorded conversations of Signal's library are repeated byte for byte under its labels.

use std::boxed::Box;
use std::collections::HashMap;
use std::string::String;

use super::*;
use crate::primitives::kdf::Prk;

/// Signal's labels.
static SIGNAL: Labels = Labels {
    epoch: b"Signal_PQCKA_V1_MLKEM768:SCKA Key",
    authenticator: b"Signal_PQCKA_V1_MLKEM768:Authenticator Update",
    header: b"Signal_PQCKA_V1_MLKEM768:ekheader",
    ciphertext: b"Signal_PQCKA_V1_MLKEM768:ciphertext",
    wide: true,
};

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Nothing where the word is left out.
fn unhex_any(word: Option<&&str>) -> Vec<u8> {
    word.into_iter().flat_map(|word| unhex(word)).collect()
}

fn secret<const N: usize>(bytes: &[u8]) -> Box<Secret<N>> {
    Box::new(Secret::new(bytes.try_into().unwrap()))
}

/// One direction of one epoch of Signal's chains of message keys.
struct Chain {
    key: Secret<32>,
    last: u32,
    kept: HashMap<u32, [u8; 32]>,
}

impl Chain {
    fn key(&mut self, index: u32) -> Option<[u8; 32]> {
        while self.last < index {
            self.last += 1;
            let info = &[&self.last.to_be_bytes()[..], b"Signal PQ Ratchet V1 Chain Next"];
            let both = Prk::extract(&[0; 32], &[self.key.expose()]).expand::<64>(info);
            self.key = Secret::new(both.expose()[..32].try_into().unwrap());
            self.kept.insert(self.last, both.expose()[32..].try_into().unwrap());
        }
        self.kept.remove(&index)
    }
}

/// An end: the machine, and the chains that its secrets make.
struct End {
    machine: Braid,
    initiator: bool,
    next_root: Secret<32>,
    chains: Vec<[Chain; 2]>,
}

impl End {
    fn new(initiator: bool, start: &Secret<32>) -> Self {
        let machine = if initiator { Braid::initiator(&SIGNAL, start) } else { Braid::responder(&SIGNAL, start) };
        let mut end = Self { machine, initiator, next_root: start.duplicate(), chains: Vec::new() };
        end.add(&[0; 32], start, b"Signal PQ Ratchet V1 Chain  Start");
        end
    }

    fn add(&mut self, salt: &[u8], secret: &Secret<32>, label: &[u8]) {
        let all = Prk::extract(salt, &[secret.expose()]).expand::<96>(&[label]);
        let [root, a, b] = [0, 32, 64].map(|at| all.expose()[at..at + 32].try_into().unwrap());
        self.next_root = Secret::new(root);
        let (own, theirs) = if self.initiator { (a, b) } else { (b, a) };
        self.chains.push([own, theirs].map(|key| Chain { key: Secret::new(key), last: 0, kept: HashMap::new() }));
    }

    fn take(&mut self, secret: Option<EpochSecret>) {
        if let Some(EpochSecret { epoch, secret }) = secret {
            assert_eq!(self.chains.len(), usize::try_from(epoch).unwrap(), "each once, in order");
            let root = self.next_root.duplicate();
            self.add(root.expose(), &secret, b"Signal PQ Ratchet V1 Chain Add Epoch");
        }
    }

    /// As after a restart, in every other message.
    fn restart(&mut self, message: usize) {
        if message.is_multiple_of(2) {
            let bytes = stored(&self.machine);
            assert!(bytes.len() <= MAX_STORED);
            self.machine = restored(&SIGNAL, self.initiator, &bytes).unwrap();
            assert_eq!(stored(&self.machine), bytes);
        }
    }

    fn send(&mut self, draws: &[u8]) -> (Vec<u8>, [u8; 32]) {
        let draw = match self.machine.wants() {
            Some(Wants::Seed) => Some(Draw::Seed(secret(draws))),
            Some(Wants::Randomness) => Some(Draw::Randomness(secret(draws))),
            None => {
                assert!(draws.is_empty());
                None
            }
        };
        let sent = self.machine.send(draw).unwrap();
        self.machine.apply(sent.change);
        self.take(sent.secret);
        let Part { epoch, kind, number, chunk } = sent.part;
        let chain = &mut self.chains[usize::try_from(epoch - 1).unwrap()][0];
        let index = chain.last + 1;
        let mut message = Vec::from([1]);
        varint(&mut message, epoch);
        varint(&mut message, index);
        message.push(kind.into());
        if kind.has_chunk() {
            varint(&mut message, number.into());
            message.extend(chunk);
        }
        (message, chain.key(index).unwrap())
    }

    fn receive(&mut self, message: &[u8]) -> [u8; 32] {
        let (part, index) = parse(message);
        let key = self.chains[usize::try_from(part.epoch - 1).unwrap()][1].key(index).unwrap();
        let received = self.machine.receive(&part).unwrap();
        self.machine.apply(received.change);
        self.take(received.secret);
        key
    }
}

fn varint(to: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        to.push(u8::try_from(value & 0x7F).unwrap() | 0x80);
        value >>= 7;
    }
    to.push(value.try_into().unwrap());
}

fn parse(message: &[u8]) -> (Part, u32) {
    let mut bytes = message[1..].iter().copied();
    let mut number = || {
        let (mut value, mut shift) = (0_u32, 0);
        loop {
            let byte = bytes.next().unwrap();
            value |= u32::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    };
    let (epoch, index) = (number(), number());
    let kind = Kind::try_from(u8::try_from(number()).unwrap()).unwrap();
    let (mut chunk, mut at) = ([0; 32], 0);
    if kind.has_chunk() {
        at = number();
        chunk = bytes.collect::<Vec<u8>>().try_into().unwrap();
    }
    (Part { epoch, kind, number: at.try_into().unwrap(), chunk }, index)
}

/// Both ends, every message, every message key, four epochs.
#[test]
fn a_recorded_conversation_is_repeated_byte_for_byte() {
    let lines: Vec<Vec<&str>> = include_str!("../../../vectors/braid.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(' ').collect())
        .collect();
    let start = secret(&unhex(lines[0][1]));
    let mut ends = [End::new(true, &start), End::new(false, &start)];
    let mut sent: Vec<(usize, Vec<u8>, [u8; 32])> = Vec::new();
    for line in &lines[1..] {
        match line[0] {
            "send" => {
                let from = usize::from(line[1] == "B");
                ends[from].restart(sent.len() / 3);
                let draws = unhex_any(line.get(4));
                let (message, key) = ends[from].send(&draws);
                assert_eq!((message.clone(), key.to_vec()), (unhex(line[2]), unhex(line[3])), "{}", sent.len());
                sent.push((from, message, key));
            }
            "recv" => {
                let (from, message, key) = &sent[line[1].parse::<usize>().unwrap()];
                let to = &mut ends[1 - from];
                to.restart(message[2].into());
                assert_eq!(to.receive(message), *key);
            }
            other => panic!("{}", String::from(other)),
        }
    }
    assert_eq!(ends.map(|end| end.chains.len() - 1), [4, 4]);
}

/// Each of four conversations from one end. The tags that it writes show that it has the right secrets; those that it
/// reads, that the other end has them.
#[test]
fn recorded_conversations_with_the_live_library_are_repeated_byte_for_byte() {
    let mut ends: Vec<(End, usize)> = Vec::new();
    for (at, line) in include_str!("../../../vectors/braid-live.txt").lines().enumerate() {
        let words: Vec<&str> = line.split(' ').collect();
        if let Some((end, _)) = ends.last_mut() {
            end.restart(at / 5);
        }
        match words[0] {
            "#" => {}
            "end" => {
                let end = End::new(words[1] == "initiator", &secret(&unhex(words[2])));
                ends.push((end, words[3].parse().unwrap()));
            }
            "write" => {
                let draws = unhex_any(words.get(2));
                assert_eq!(ends.last_mut().unwrap().0.send(&draws).0, unhex(words[1]), "line {}", at + 1);
            }
            "read" => {
                ends.last_mut().unwrap().0.receive(&unhex(words[1]));
            }
            other => panic!("{}", String::from(other)),
        }
    }
    assert_eq!(ends.len(), 4);
    for (end, epochs) in ends {
        assert_eq!(end.chains.len() - 1, epochs);
    }
}
