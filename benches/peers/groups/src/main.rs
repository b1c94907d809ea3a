//! Groups beside Megolm, and beside MLS as OpenMLS and mls-rs implement it:
//! `cargo run --release --manifest-path benches/peers/groups/Cargo.toml`.
//!
//! A member is one device. Both MLS libraries have X-Wing, which is ML-KEM-768 with X25519, and take their cryptography
//! from AWS-LC; bisik has ML-KEM-768 and X25519 in its sessions, and pure Rust. Trees are full, as they are once every
//! member has committed, unless a row says otherwise. Handshake messages of MLS are signed and not encrypted, and its
//! messages are not padded. Timings are for reading.

// The paths lead out of this package: the cases must be those of the benchmark.
#[path = "../../../group/cases.rs"]
mod cases;
mod mls_rs_peer; //  mls-rs
mod openmls_peer; // OpenMLS
mod ours; //         bisik
mod provider; //     the cryptography that OpenMLS asks for
#[allow(dead_code)] // what other benchmarks use
#[path = "../../../support/mod.rs"]
mod support;
mod world; //        members of bisik's

use support::interleaved::{median, sample};
use support::machine;
use support::meter::{Case, time};
use support::report::{self, count, duration};

/// The plaintext of each message: 32 bytes.
const BODY: [u8; 32] = [7; 32];
const MEMBERS: [usize; 2] = [10, 100];
const ROUNDS: usize = 41;

/// Messages of 32 bytes: encrypted, decrypted, and their bytes.
struct Messages {
    times: [Case; 2],
    bytes: usize,
}

/// One member is added or removed. The numbers are those of the group before.
struct Change {
    /// The work of who makes the change, of each other member, and of who joins.
    times: Vec<Case>,
    /// Bytes that everybody gets; that who joins gets; that are sent, if who makes the change writes next, and if all
    /// do; for a removal the last also where the tree of MLS is bare: nobody but who removes has committed.
    bytes: Vec<usize>,
}

fn main() {
    // What OpenMLS gives to other threads counts as well: there is one, and this program runs on it.
    let pool = rayon_pool::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| match std::env::args().any(|argument| argument == "--test") {
        true => run(),
        false => measure(),
    });
}

/// Runs everything once, to see that it runs.
fn run() {
    let members = MEMBERS[0];
    let messages = messages(members).into_iter().flat_map(|(_, messages)| messages.times);
    let changes = [adding(members), removing(members)].into_iter().flatten().flat_map(|(_, change)| change.times);
    messages.chain(changes).for_each(|mut case| _ = time(&mut case, 1));
}

fn measure() {
    machine::print();
    for members in MEMBERS {
        let (names, all): (Vec<_>, Vec<_>) = messages(members).into_iter().unzip();
        let bytes = all.iter().map(|messages| count(messages.bytes as u64)).collect();
        let times = by_operation(all.into_iter().map(|messages| Vec::from(messages.times)).collect());
        let title = format!("Messages of 32 bytes in a group of {members}");
        let mut lines = named(&["encrypt", "decrypt"], times);
        lines.push([vec![String::from("bytes of the message")], bytes].concat());
        report::print(&title, &[&["operation"], &names[..]].concat(), &lines);
    }
    for members in MEMBERS {
        let title = format!("Adding one to a group of {members}");
        let works = ["who adds", "each other member", "who joins"];
        let weights = ["bytes for everybody", "bytes for who joins", "bytes sent, if who adds writes", "if all write"];
        change(&title, &works, &weights, adding(members));
    }
    for members in MEMBERS {
        let title = format!("Removing one of a group of {members}");
        let works = ["who removes", "each other member"];
        let weights = [
            "bytes for everybody",
            "bytes sent, if who removes writes",
            "if all write",
            "if all write, in a bare tree",
        ];
        change(&title, &works, &weights, removing(members));
    }
    println!("\na key package of OpenMLS: {} B", openmls_peer::key_package_bytes());
    println!("a key package of mls-rs: {} B", mls_rs_peer::key_package_bytes());
    println!("a bundle of bisik: {} B", ours::bundle_bytes());
}

fn messages(members: usize) -> [(&'static str, Messages); 4] {
    let (ours, megolm) = cases::bytes(BODY.len());
    let pair = |encrypt, decrypt, bytes| Messages { times: [encrypt, decrypt], bytes };
    [
        ("bisik", pair(cases::encrypt(BODY.len()), cases::decrypt(BODY.len()), ours)),
        ("Megolm", pair(cases::their_encrypt(BODY.len()), cases::their_decrypt(BODY.len()), megolm)),
        ("OpenMLS", openmls_peer::messages(members)),
        ("mls-rs", mls_rs_peer::messages(members)),
    ]
}

fn adding(members: usize) -> [(&'static str, Change); 3] {
    [("bisik", ours::add(members)), ("OpenMLS", openmls_peer::add(members)), ("mls-rs", mls_rs_peer::add(members))]
}

fn removing(members: usize) -> [(&'static str, Change); 3] {
    [
        ("bisik", ours::remove(members)),
        ("OpenMLS", openmls_peer::remove(members)),
        ("mls-rs", mls_rs_peer::remove(members)),
    ]
}

fn change(title: &str, works: &[&str], weights: &[&str], changes: [(&'static str, Change); 3]) {
    let names = changes.each_ref().map(|(name, _)| *name);
    let mut bytes = vec![Vec::new(); weights.len()];
    let mut times = Vec::new();
    for (_, change) in changes {
        bytes.iter_mut().zip(&change.bytes).for_each(|(row, number)| row.push(count(*number as u64)));
        times.push(change.times);
    }
    let mut lines = named(works, by_operation(times));
    lines.extend(named(weights, bytes));
    report::print(title, &[&[""], &names[..]].concat(), &lines);
}

/// Measures the cases of several libraries, of which each has one for each operation.
fn by_operation(libraries: Vec<Vec<Case>>) -> Vec<Vec<String>> {
    let operations = libraries.first().map_or(0, Vec::len);
    let mut all: Vec<_> = libraries.into_iter().map(Vec::into_iter).collect();
    let mut next = || all.iter_mut().map(|cases| cases.next().expect("a case of each")).collect::<Vec<_>>();
    let measured = (0..operations).map(|_| {
        let mut cases = next();
        let samples = sample(&mut cases.iter_mut().collect::<Vec<_>>(), ROUNDS);
        samples.iter().map(|samples| duration(median(samples))).collect()
    });
    measured.collect()
}

fn named(names: &[&str], rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    names.iter().zip(rows).map(|(name, row)| [vec![(*name).to_owned()], row].concat()).collect()
}
