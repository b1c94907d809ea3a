//! A group call over an untrusted relay: three people, of whom one joins late, and one leaves and can hear nothing
//! afterwards.
//!
//! The sound is G.711: 160 bytes for 20 ms, as much as Opus has at 64 kbit/s. To use your own 16-bit recording:
//! `cargo run --release --example call -- speech.wav`.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod caller; // one participant: a call, sessions, a socket
mod relay; //  forwards every packet to all others; loses, duplicates and reorders some
mod sound; //  a recording, or a melody, in frames of 20 ms

use std::process::ExitCode;
use std::sync::atomic::AtomicUsize;
use std::thread;

use bisik::call::{CallId, FrameSuite};

use caller::{Caller, Heard};
use relay::Relay;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Frames that each participant sends in each part of the call: ten seconds.
const FRAMES: usize = 500;

fn main() -> ExitCode {
    call().unwrap_or_else(|error| {
        eprintln!("call: {error}");
        ExitCode::FAILURE
    })
}

fn call() -> Result<ExitCode, Error> {
    let recording = std::env::args().nth(1);
    let relay = Relay::start()?;
    let mut callers = introduce(&relay, recording.as_deref())?;
    let mut report = Report::default();

    // Ana and Budi are in the call. The relay sends every packet to Citra too.
    report.messages.push(join(&mut callers, &[0], 1)?);
    report.part("Ana and Budi talk", &mut callers, &[0, 1])?;

    // Citra joins. The key of each of the others goes on to the next, and only she is sent it: she cannot decrypt what
    // she recorded earlier, and they derive each other's.
    report.messages.push(join(&mut callers, &[0, 1], 2)?);
    report.part("Citra has joined", &mut callers, &[0, 1, 2])?;

    // Budi leaves. The relay still sends him every packet, but his keys decrypt none.
    let budi = *callers[1].identity();
    for at in [0, 2] {
        callers[at].leave(&budi)?;
    }
    report.messages.push(share_keys(&mut callers, &[0, 2])?);
    report.part("Budi has left", &mut callers, &[0, 2])?;

    relay.stop()?;
    report.print(&callers);
    Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Creates three participants. Each pair has a session, as if they had written to each other before.
fn introduce(relay: &Relay, recording: Option<&str>) -> Result<Vec<Caller>, Error> {
    let rng = &mut rand::rng();
    let (id, suite) = (CallId::generate(rng), FrameSuite::default());
    let sound = sound::frames(recording)?;
    let mut callers = Vec::new();
    for (index, name) in (0..).zip(["Ana", "Budi", "Citra"]) {
        callers.push(Caller::new(name, index, id, suite, sound.clone(), relay.register()?)?);
    }
    for one in 0..callers.len() {
        let (before, after) = callers.split_at_mut(one + 1);
        for other in after {
            before[one].meet(other)?;
        }
    }
    Ok(callers)
}

/// Lets the joining participant and those present learn of each other. It sends its key to them, and each answers with
/// its own. Returns the number of messages.
fn join(callers: &mut [Caller], present: &[usize], joining: usize) -> Result<usize, Error> {
    for one in present {
        for (at, who) in [(*one, joining), (joining, *one)] {
            let identity = *callers[who].identity();
            callers[at].join(&identity)?;
        }
    }
    let mut messages = 0;
    for one in present {
        let (mut from, mut to) = (joining, *one);
        while send_key(callers, from, to)? {
            messages += 1;
            (from, to) = (to, from);
        }
        messages += 1;
    }
    Ok(messages)
}

/// Sends the current key of each participant to every other one, in a message of their session.
fn share_keys(callers: &mut [Caller], present: &[usize]) -> Result<usize, Error> {
    let mut messages = 0;
    for from in present {
        for to in present.iter().filter(|to| *to != from) {
            send_key(callers, *from, *to)?;
            messages += 1;
        }
    }
    Ok(messages)
}

/// Sends one key. Returns whether its receiver is asked for its own.
fn send_key(callers: &mut [Caller], from: usize, to: usize) -> Result<bool, Error> {
    let message = callers[from].key_for(to)?;
    callers[to].receive_key(from, &message)
}

/// The results of each part, and the faults.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    /// Messages with keys that went before each part.
    messages: Vec<usize>,
    faults: Vec<String>,
}

impl Report {
    /// Runs one part: everyone listens, and those in the call speak. Each participant has its own thread.
    fn part(&mut self, title: &str, callers: &mut [Caller], present: &[usize]) -> Result<(), Error> {
        let talking = AtomicUsize::new(callers.len());
        let heard: Vec<Heard> = thread::scope(|scope| {
            let threads: Vec<_> = callers
                .iter_mut()
                .enumerate()
                .map(|(index, caller)| (caller, present.contains(&index), &talking))
                .map(|(caller, speaks, talking)| scope.spawn(move || caller.talk(FRAMES, speaks, talking)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().map_err(|_| "a participant's thread panicked")?)
                .collect::<Result<_, Error>>()
        })?;
        self.lines.push(format!("\n{title}"));
        for (index, (caller, heard)) in callers.iter().zip(heard).enumerate() {
            let Heard { arrived, opened, doubled, unknown, wrong } = heard;
            self.lines
                .push(format!("  {:<6} {arrived:>8} {opened:>8} {doubled:>8} {unknown:>8} {wrong:>8}", caller.name));
            let said = present.iter().filter(|other| **other != index).count() * FRAMES;
            let right = if present.contains(&index) {
                // Every packet that arrived was decrypted once. The relay loses one in twenty.
                opened + doubled == arrived && unknown + wrong == 0 && opened * 10 > said * 8
            } else {
                arrived * 10 > said * 8 && unknown == arrived
            };
            if !right {
                self.faults.push(format!("{title}: {}", caller.name));
            }
        }
        Ok(())
    }

    fn print(&self, callers: &[Caller]) {
        println!("         {:>8} {:>8} {:>8} {:>8} {:>8}   packets", "arrived", "heard", "replayed", "no key", "wrong");
        self.lines.iter().for_each(|line| println!("{line}"));
        let sum = |of: fn(&Caller) -> f64| callers.iter().map(of).sum::<f64>();
        let (sealed, opened) = (sum(|caller| caller.cost.sealed), sum(|caller| caller.cost.opened));
        let payload = sum(|caller| caller.cost.payload_bytes) / sealed;
        let overhead = sum(|caller| caller.cost.frame_bytes) / sealed - payload;
        println!("\n{:<28} {:>12?}", "keys sent before each part", self.messages);
        println!("{:<28} {:>12.0}", "frames sealed per second", sealed / sum(|caller| caller.cost.sealing));
        println!("{:<28} {:>12.0}", "frames opened per second", opened / sum(|caller| caller.cost.opening));
        println!("{:<28} {payload:>12.0}", "bytes of sound in a frame");
        println!("{:<28} {overhead:>12.1}", "bytes added by SFrame");
        println!("{:<28} {:>11.1}%", "overhead", overhead / payload * 100.0);
        self.faults.iter().for_each(|fault| eprintln!("WRONG: {fault}"));
    }
}
