//! The tables: samples of all cases, interleaved in one process, their ratios, and how they grow with the file.

use crate::cases;
use crate::support::growth::{Growth, Unit};
use crate::support::interleaved::{fastest, median, ratio, sample};
use crate::support::meter::{Case, time};
use crate::support::picture::Picture;
use crate::support::report::{self, Aim, Report, Row, size};

/// A case by name, possibly of another library: it processes a file of so many bytes.
pub(crate) type Peer = (&'static str, fn(u64) -> Case);

/// Runs everything once, to see that it runs.
pub(crate) fn run(peers: &[Peer]) {
    let all = ALONE.iter().chain(peers).chain(&TOGETHER);
    all.for_each(|(_, make)| _ = time(&mut make(cases::BUFFER), 1));
}

/// Measures everything, and prints it.
pub(crate) fn print(peers: &[Peer], report: &mut Report) {
    for (bytes, rounds) in [(1 << 20, 201), (32 << 20, 31)] {
        beside(peers, bytes, rounds, report);
    }
    growth();
}

/// The times of all cases, round by round.
struct Samples {
    names: Vec<&'static str>,
    rounds: Vec<Vec<f64>>,
}

impl Samples {
    fn new(cases: &[Peer], bytes: u64, rounds: usize) -> Self {
        let names = cases.iter().map(|(name, _)| *name).collect();
        let mut cases: Vec<_> = cases.iter().map(|(_, make)| make(bytes)).collect();
        Self { names, rounds: sample(&mut cases.iter_mut().collect::<Vec<_>>(), rounds) }
    }

    fn of(&self, name: &str) -> &[f64] {
        &self.rounds[self.names.iter().position(|known| *known == name).expect("a case by that name")]
    }

    /// How many times as fast as `under` is `over`.
    fn speed(&self, over: &str, under: &str) -> f64 {
        ratio(self.of(under), self.of(over))
    }
}

/// Files of one size.
fn beside(peers: &[Peer], bytes: u64, rounds: usize, report: &mut Report) {
    let samples = Samples::new(&[&ALONE, peers].concat(), bytes, rounds);
    let speed = |nanoseconds: f64| format!("{:.2}", bytes as f64 / nanoseconds);
    let lines = samples.names.iter().map(|name| vec![(*name).to_owned(), speed(median(samples.of(name)))]);
    report::print(
        &format!("Attachments of {}, on one core", size(bytes)),
        &["case", "GB/s"],
        &lines.collect::<Vec<_>>(),
    );

    let mut rows = Vec::new();
    let mut row = |what: &str, ratio: f64, aim: Aim| rows.push(Row::new(what, vec![format!("{ratio:.2}")], aim));
    for (what, case, bare) in [("encrypt", ENCRYPT, RAW), ("decrypt", DECRYPT, RAW_OPEN)] {
        row(&format!("{what}; ChaCha20-Poly1305"), samples.speed(case, bare), Aim::AtLeast(0.65));
        row(&format!("{what}; cipher and HMAC one after the other"), samples.speed(case, BOTH), Aim::AtLeast(0.97));
    }
    row("decrypt parts; ChaCha20-Poly1305", samples.speed(PARTS, RAW_OPEN), Aim::AtLeast(0.97));
    row("encrypt, appended to a vector; ChaCha20-Poly1305", samples.speed(APPEND, RAW), Aim::None);
    row("encrypt; SHA-256 alone", samples.speed(ENCRYPT, SHA), Aim::None);
    row("encrypt; AES-256-CBC and HMAC-SHA256", samples.speed(ENCRYPT, CBC), Aim::AtLeast(1.0));
    row("encrypt; the same with a digest", samples.speed(ENCRYPT, CBC_DIGEST), Aim::AtLeast(1.0));
    for (name, _) in peers {
        row(&format!("encrypt; {name} (no digest)"), samples.speed(ENCRYPT, name), Aim::AtLeast(1.0));
        let both: Vec<_> = samples.of(name).iter().zip(samples.of(SHA)).map(|(peer, sha)| peer + sha).collect();
        row(&format!("encrypt; {name}, then SHA-256"), ratio(&both, samples.of(ENCRYPT)), Aim::AtLeast(1.0));
    }
    together(bytes, rounds, &mut row);
    report.table(&format!("Attachments of {}", size(bytes)), &["of what; in times of", "ratio"], &rows);
}

/// On all cores. What passes on the clock counts here, so that only a machine that does nothing else shows it.
fn together(bytes: u64, rounds: usize, row: &mut impl FnMut(&str, f64, Aim)) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut cases = [cases::raw_encrypt, cases::raw_decrypt, cases::encrypt, cases::decrypt]
        .into_iter()
        .chain(TOGETHER.map(|(_, make)| make))
        .map(|make| make(bytes))
        .collect::<Vec<_>>();
    let [raw, raw_open, encrypt, decrypt, encrypt_all, decrypt_all] =
        fastest(&mut cases.iter_mut().collect::<Vec<_>>(), rounds)[..]
    else {
        return;
    };
    let several = |at_least| if cores > 1 { Aim::AtLeast(at_least) } else { Aim::None };
    for (what, all, bare, one) in [("encrypt", encrypt_all, raw, encrypt), ("decrypt", decrypt_all, raw_open, decrypt)]
    {
        row(&format!("{what} on {cores} cores; ChaCha20-Poly1305 on one"), bare / all, several(1.15));
        row(&format!("{what} on {cores} cores; on one"), one / all, several(1.8));
    }
}

/// How the speed depends on the size of the file.
fn growth() {
    let cases = [ENCRYPT, DECRYPT, RAW, CBC, CBC_DIGEST]
        .map(|wanted| *ALONE.iter().find(|(name, _)| *name == wanted).expect("a case"));
    let mut picture = Picture::new("Attachments on one core");
    let growth = Growth {
        title: "Speed by the size of the file",
        across: "file",
        number: size,
        names: &cases.map(|(name, _)| name),
        unit: Unit::Speed,
        from_zero: true,
    };
    let sizes: Vec<_> = (12..=28).step_by(2).map(|power| 1 << power).collect();
    let rounds = |bytes: u64| ((256 << 20) / bytes).clamp(5, 51) as usize;
    growth.measure(&mut picture, &sizes, rounds, |bytes| cases.iter().map(|(_, make)| (make(bytes), 1)).collect());
    picture.write("media");
}

/// What one core does.
const ALONE: [Peer; 10] = [
    (ENCRYPT, cases::encrypt),
    (DECRYPT, cases::decrypt),
    (PARTS, cases::decrypt_parts),
    (APPEND, cases::encrypt_appending),
    (RAW, cases::raw_encrypt),
    (RAW_OPEN, cases::raw_decrypt),
    (SHA, cases::sha256),
    (BOTH, cases::cipher_then_mac),
    (CBC, |bytes| cases::cbc_hmac(bytes, false)),
    (CBC_DIGEST, |bytes| cases::cbc_hmac(bytes, true)),
];

/// What all cores do.
const TOGETHER: [Peer; 2] =
    [("encrypt, all cores", cases::encrypt_parallel), ("decrypt, all cores", cases::decrypt_parallel)];

const RAW: &str = "ChaCha20-Poly1305";
const RAW_OPEN: &str = "ChaCha20-Poly1305, decrypting";
const SHA: &str = "SHA-256";
const BOTH: &str = "ChaCha20, HMAC-SHA256";
const ENCRYPT: &str = "encrypt";
const APPEND: &str = "encrypt, appended";
const DECRYPT: &str = "decrypt";
const PARTS: &str = "decrypt parts";
const CBC: &str = "AES-256-CBC, HMAC-SHA256";
const CBC_DIGEST: &str = "the same and a digest";
