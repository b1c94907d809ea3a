//! The table: samples of all cases, interleaved in one process, and their ratios.

use std::time::Instant;

use cpu_time::ThreadTime;

use crate::cases::{self, Work};

/// A case by name, possibly of another library.
pub(crate) type Peer = (&'static str, fn() -> Work);

/// Seconds of one sample: processor time of this thread, and elapsed time.
#[derive(Clone, Copy)]
struct Sample {
    thread: f64,
    clock: f64,
}

/// The times of all cases, round by round.
struct Samples<'a> {
    names: &'a [&'static str],
    rounds: Vec<Vec<Sample>>,
}

impl Samples<'_> {
    fn all(&self, name: &str) -> impl Iterator<Item = &Sample> {
        let case = self.names.iter().position(|known| *known == name).expect("a case by that name");
        self.rounds.iter().map(move |round| &round[case])
    }

    /// Returns the median, over the rounds, of `of` applied to the named samples.
    fn median<const N: usize>(&self, names: [&str; N], of: impl Fn([&Sample; N]) -> f64) -> f64 {
        let mut columns = names.map(|name| self.all(name));
        let mut values: Vec<f64> = (0..self.rounds.len())
            .map(|_| of(std::array::from_fn(|at| columns[at].next().expect("as many as rounds"))))
            .collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }
}

pub(crate) fn main(peers: &[Peer]) {
    let ours: [Peer; 12] = [
        (RAW, cases::raw_encrypt),
        (RAW_OPEN, cases::raw_decrypt),
        (SHA, cases::sha256),
        (BOTH, cases::cipher_then_mac),
        (ENCRYPT, cases::encrypt),
        (APPEND, cases::encrypt_appending),
        (DECRYPT, cases::decrypt),
        (PARTS, cases::decrypt_parts),
        (ENCRYPT_ALL, cases::encrypt_parallel),
        (DECRYPT_ALL, cases::decrypt_parallel),
        (CBC, || cases::cbc_hmac(false)),
        (CBC_DIGEST, || cases::cbc_hmac(true)),
    ];
    let all: Vec<Peer> = ours.iter().chain(peers).copied().collect();
    let names: Vec<&'static str> = all.iter().map(|(name, _)| *name).collect();
    let mut works: Vec<Work> = all.iter().map(|(_, make)| make()).collect();
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        works.iter_mut().for_each(|work| work(cases::BUFFER as u64));
        return;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for (title, bytes, rounds) in [
        ("1 MiB", 1 << 20, 201),
        ("32 MiB, through a buffer of 1 MiB (8 MiB with all cores)", 32 << 20, 41),
        ("1 GiB, the same way", 1 << 30, 5),
    ] {
        let samples =
            Samples { names: &names, rounds: (0..rounds).map(|round| sample(&mut works, bytes, round)).collect() };
        print(title, bytes, &samples, peers, cores);
    }
}

/// Takes one sample of each case, starting with another case each time.
fn sample(works: &mut [Work], bytes: u64, round: usize) -> Vec<Sample> {
    let mut samples = vec![Sample { thread: 0.0, clock: 0.0 }; works.len()];
    for offset in 0..works.len() {
        let index = (round + offset) % works.len();
        let (thread, clock) = (ThreadTime::now(), Instant::now());
        works[index](bytes);
        samples[index] = Sample { thread: thread.elapsed().as_secs_f64(), clock: clock.elapsed().as_secs_f64() };
    }
    samples
}

fn print(title: &str, bytes: u64, samples: &Samples<'_>, peers: &[Peer], cores: usize) {
    println!("\n### {title}\n\n| case | GB/s per core | GB/s elapsed, fastest round |\n|---|---:|---:|");
    for name in samples.names {
        let speed = |time: fn(&Sample) -> f64| bytes as f64 / 1e9 / samples.median([name], |[sample]| time(sample));
        // This thread's time does not include the work of the other cores.
        let alone = if [ENCRYPT_ALL, DECRYPT_ALL].contains(name) {
            String::from("-")
        } else {
            format!("{:.2}", speed(|sample| sample.thread))
        };
        let fastest = samples.all(name).map(|sample| sample.clock).fold(f64::INFINITY, f64::min);
        println!("| {name} | {alone} | {:.2} |", bytes as f64 / 1e9 / fastest);
    }
    println!("\n| relative speed | measured | at least | met |\n|---|---:|---:|---|");
    let row = |what: &str, ratio: f64, at_least: Option<f64>| {
        let (bound, met) = at_least.map_or((String::from("-"), "-"), |bound| {
            (format!("{bound:.2}"), if ratio >= bound { "yes" } else { "NO" })
        });
        println!("| {what} | {ratio:.2} | {bound} | {met} |");
    };
    let thread = |over: &str, under: &str| samples.median([over, under], |[over, under]| over.thread / under.thread);
    // Other programs use the cores too, so only the fastest round is meaningful for elapsed time.
    let fastest = |name: &str| samples.all(name).map(|sample| sample.clock).fold(f64::INFINITY, f64::min);
    let clock = |over: &str, under: &str| fastest(over) / fastest(under);
    row("encrypt, everything included, relative to ChaCha20-Poly1305", thread(RAW, ENCRYPT), Some(0.65));
    row("decrypt, everything included, relative to ChaCha20-Poly1305", thread(RAW_OPEN, DECRYPT), Some(0.65));
    row("decrypt parts, relative to ChaCha20-Poly1305", thread(RAW_OPEN, PARTS), Some(0.97));
    row("encrypt appended to a vector, relative to ChaCha20-Poly1305", thread(RAW, APPEND), None);
    row("encrypt, relative to cipher and HMAC one after the other", thread(BOTH, ENCRYPT), Some(0.97));
    row("decrypt, relative to cipher and HMAC one after the other", thread(BOTH, DECRYPT), Some(0.97));
    row("SHA-256's time, relative to that of encrypt", thread(SHA, ENCRYPT), None);
    let several = |at_least| (cores > 1).then_some(at_least);
    let more = format!("on {cores} cores, relative to");
    row(&format!("encrypt {more} ChaCha20-Poly1305 on one"), clock(RAW, ENCRYPT_ALL), several(1.15));
    row(&format!("decrypt {more} ChaCha20-Poly1305 on one"), clock(RAW_OPEN, DECRYPT_ALL), several(1.15));
    row(&format!("encrypt {more} one"), clock(ENCRYPT, ENCRYPT_ALL), several(1.8));
    row(&format!("decrypt {more} one"), clock(DECRYPT, DECRYPT_ALL), several(1.8));
    row("encrypt, relative to AES-256-CBC and HMAC-SHA256", thread(CBC, ENCRYPT), Some(1.0));
    row("encrypt, relative to the same with a digest", thread(CBC_DIGEST, ENCRYPT), Some(1.0));
    for (name, _) in peers {
        row(&format!("encrypt, relative to {name} (no digest)"), thread(name, ENCRYPT), Some(1.0));
        let with = samples.median([name, SHA, ENCRYPT], |[peer, sha, all]| (peer.thread + sha.thread) / all.thread);
        row(&format!("encrypt, relative to {name} followed by SHA-256"), with, Some(1.0));
    }
    println!(
        "\nMedians of {} rounds. A ratio is the median of the rounds' own ratios; with several cores, it is that of the \
         fastest rounds.",
        samples.rounds.len()
    );
}

const RAW: &str = "ChaCha20-Poly1305, in place";
const RAW_OPEN: &str = "ChaCha20-Poly1305, decrypting";
const SHA: &str = "SHA-256";
const BOTH: &str = "ChaCha20, HMAC-SHA256, in place";
const ENCRYPT: &str = "encrypt";
const APPEND: &str = "encrypt, appended to a vector";
const DECRYPT: &str = "decrypt";
const PARTS: &str = "decrypt parts";
const ENCRYPT_ALL: &str = "encrypt, all cores";
const DECRYPT_ALL: &str = "decrypt, all cores";
const CBC: &str = "AES-256-CBC, HMAC-SHA256";
const CBC_DIGEST: &str = "AES-256-CBC, HMAC-SHA256, SHA-256";
