//! The results: the table, and whether every promise was kept.
//!
//! It uses only what the processes have reported and the files on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bisik::content::{Content, Kind};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use crate::account::Account;
use crate::agenda::{Item, Source, agenda};
use crate::evidence::{Found, IDENTITY_WINDOWS, Kind as Secret, Secrets};
use crate::mailbox::Tally;
use crate::relay::{Shelf, recording};
use crate::{Outcome, PIECE, Who, blobs, inbox, memory, outbox, store};

/// The results of a run. Arrays are indexed by party.
pub(crate) struct Performance {
    pub(crate) seed: u64,
    pub(crate) victim: Who,
    /// Whether the victim was killed during an upload.
    pub(crate) interrupted: bool,
    pub(crate) accounts: [Account; 2],
    /// What the relay did to the mail *for* each party.
    pub(crate) tallies: [Tally; 2],
    /// Bytes of all files.
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
}

/// How much was sent, and how much of it has arrived.
#[derive(Default)]
struct Arrived {
    texts: [usize; 2],
    files: [usize; 2],
    /// Contents that were shown but not sent, or shown twice.
    more: usize,
}

/// The results of the search.
struct Searched {
    /// Windows of plaintext and of keys.
    windows: [usize; 2],
    bundles: Found,
    mail: Found,
    blobs: Found,
    /// Whether the same search finds texts and keys in data that contains them.
    finds: bool,
}

/// Prints the table. Returns `true` if every promise was kept.
pub(crate) fn report(performance: &Performance, scene: &Path, sources: &[Source]) -> Outcome<bool> {
    let arrived = arrived(scene, sources)?;
    let searched = searched(performance, scene, sources)?;
    let peaks = [performance.accounts[0].peak, performance.accounts[1].peak, memory::peak(std::process::id())];
    print_traffic(performance);
    print_findings(performance, &arrived, &searched, peaks);
    let mut right = true;
    for (promise, _) in promises(performance, &arrived, &searched, peaks).iter().filter(|(_, kept)| !kept) {
        println!("BROKEN: {promise}");
        right = false;
    }
    println!("{}", if right { "Every promise was kept." } else { "A promise was broken." });
    Ok(right)
}

/// Returns each promise and whether it was kept.
fn promises(
    performance: &Performance,
    arrived: &Arrived,
    searched: &Searched,
    peaks: [Option<u64>; 3],
) -> Vec<(&'static str, bool)> {
    let Performance { victim, interrupted, accounts, tallies, .. } = performance;
    let [alice, bob] = accounts;
    let victim = &accounts[victim.index()];
    let mut both = accounts.iter().zip(tallies);
    let Searched { bundles, mail, blobs, finds, .. } = searched;
    let anywhere = |count: fn(&Found) -> u64| [bundles, mail, blobs].map(count).iter().sum::<u64>();
    vec![
        ("every file arrives whole", arrived.files[0] == arrived.files[1]),
        ("every text arrives whole", arrived.texts[0] == arrived.texts[1]),
        ("nothing else is shown, and nothing is shown twice", arrived.more == 0),
        (
            "damaged messages are refused, all others are accepted once",
            both.all(|(account, tally)| account.is_right_about(tally)),
        ),
        (
            "messages were late, duplicated and damaged",
            tallies.iter().all(|t| t.late > 0 && t.twice > 0 && t.damaged > 0),
        ),
        ("altered blobs are refused, all others are accepted", accounts.iter().all(Account::is_right_about_blobs)),
        (
            "altered blobs were delivered",
            arrived.files[0] == 0 || alice.fetched("damaged") + bob.fetched("damaged") > 0,
        ),
        ("one party was killed once", alice.starts + bob.starts == 3 && victim.end.is_some()),
        ("the killed party continued from its stored session", victim.resumed.iter().any(|revision| *revision > 0)),
        ("an interrupted upload was resumed", !interrupted || victim.taken_up.is_some()),
        ("both sides continued from stored sessions", accounts.iter().all(|a| a.reloaded + u64::from(a.starts) > 1)),
        ("no process needed much memory", peaks.iter().flatten().all(|peak| *peak < memory::MOST)),
        ("the search finds secrets that are there", *finds && bundles.identity[Who::Bob.index()] > 0),
        ("relay and blob store saw no plaintext", anywhere(|found| found.plaintext) == 0),
        ("relay and blob store saw no key", anywhere(|found| found.keys) == 0),
        ("relay and blob store did not see alice's identity", anywhere(|found| found.identity[0]) == 0),
        ("bob's identity was seen only in his bundles", mail.identity[1] + blobs.identity[1] == 0),
    ]
}

/// Compares what was sent with what was shown, by name and SHA-256.
fn arrived(scene: &Path, sources: &[Source]) -> Outcome<Arrived> {
    let mut arrived = Arrived::default();
    for sender in Who::BOTH {
        let mut shown: BTreeMap<(String, [u8; 32]), usize> = BTreeMap::new();
        for entry in fs::read_dir(inbox::received(&scene.join(sender.other().name())))? {
            let (path, name) = (entry.as_ref().map(fs::DirEntry::path), entry.as_ref().map(fs::DirEntry::file_name));
            let (Ok(path), Ok(name)) = (path, name) else { continue };
            // The content's id precedes the name.
            let name = name.to_string_lossy().split_once('-').map_or_else(String::new, |(_, name)| name.to_owned());
            *shown.entry((name, sha256(&path)?)).or_default() += 1;
        }
        let mut expect = |counts: &mut [usize; 2], name: &str, digest| {
            let count = shown.entry((inbox::harmless(name), digest)).or_default();
            *counts = [counts[0] + 1, counts[1] + usize::from(*count > 0)];
            *count = count.saturating_sub(1);
        };
        for item in agenda(sender, sources) {
            match item {
                Item::Text(text) => expect(&mut arrived.texts, "text", Sha256::digest(text).into()),
                Item::File(source) => expect(&mut arrived.files, &source.name, sha256(&source.path)?),
            }
        }
        arrived.more += shown.values().sum::<usize>();
    }
    Ok(arrived)
}

fn sha256(path: &Path) -> io::Result<[u8; 32]> {
    let mut digest = Sha256::new();
    let mut file = File::open(path)?;
    let mut block = Vec::new();
    while Read::take(&mut file, PIECE).read_to_end(&mut block)? > 0 {
        digest.update(&block);
        block.clear();
    }
    Ok(digest.finalize().into())
}

/// Searches everything that the relay has recorded, and the blob store.
fn searched(performance: &Performance, scene: &Path, sources: &[Source]) -> Outcome<Searched> {
    let mut secrets = Secrets::new();
    let mut open = Vec::new();
    for who in Who::BOTH {
        let directory = scene.join(who.name());
        let key = fs::read(store::key_store(&directory))?;
        secrets.add_key(&key);
        open.extend(key);
        secrets.add_identity(who, &performance.accounts[who.index()].identity);
        for entry in fs::read_dir(outbox::sent(&directory))? {
            match Content::from_body(&fs::read(entry?.path())?)?.kind() {
                Kind::Text(text) => {
                    secrets.add_text(&text.body);
                    open.extend_from_slice(text.body.as_bytes());
                }
                // The key follows the format's number at the beginning of the pointer.
                Kind::Document(document) => {
                    let key = &document.blob.pointer.to_bytes()[1..33];
                    secrets.add_key(key);
                    open.extend_from_slice(key);
                }
                _ => {}
            }
        }
    }
    let [texts, keys] = [Secret::Plaintext, Secret::Key].map(|kind| secrets.windows(kind));
    let found = secrets.search(&mut open.as_slice(), |_| ())?;
    let finds = found.plaintext >= texts.try_into()? && found.keys >= keys.try_into()?;
    let samples = SAMPLES / u64::try_from(sources.len().max(1))?;
    sources.iter().try_for_each(|source| secrets.add_file(source, samples.clamp(4, SAMPLES / 4)))?;

    let [bundles, mail] = [Shelf::Bundles, Shelf::Mail].map(|shelf| vec![recording(scene, shelf)]);
    let entries = fs::read_dir(blobs::directory(scene))?;
    let blobs = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let names: String = blobs.iter().map(|path| path.display().to_string() + "\n").collect();
    let paths = || [&bundles, &mail, &blobs].into_iter().flatten();
    let lengths = paths().map(|path| Ok(fs::metadata(path)?.len())).sum::<io::Result<u64>>()?;
    let style = ProgressStyle::with_template("searching {wide_bar} {bytes} of {total_bytes}")?;
    let bar = ProgressBar::new(lengths).with_style(style);
    let search = |paths: &[PathBuf], names: &str| {
        let mut found = secrets.search(&mut names.as_bytes(), |_| ())?;
        for path in paths {
            found += secrets.search(&mut File::open(path)?, |bytes| bar.inc(bytes))?;
        }
        Outcome::Ok(found)
    };
    let windows = [Secret::Plaintext, Secret::Key].map(|kind| secrets.windows(kind));
    let [bundles, mail, blobs] = [search(&bundles, "")?, search(&mail, "")?, search(&blobs, &names)?];
    bar.finish_and_clear();
    Ok(Searched { windows, bundles, mail, blobs, finds })
}

fn print_traffic(performance: &Performance) {
    let Performance { accounts, tallies, .. } = performance;
    println!("{:<44}{:>16}{:>16}{:>16}", "", "alice to bob", "bob to alice", "both");
    let row = |label: &str, values: [u64; 2]| {
        let [there, back] = values;
        println!("{label:<44}{:>16}{:>16}{:>16}", grouped(there), grouped(back), grouped(there + back));
    };
    // The figures of the senders, then of the receivers.
    let sent = |value: fn(&Account) -> u64| Who::BOTH.map(|who| value(&accounts[who.index()]));
    let received = |value: &dyn Fn(&Account) -> u64| Who::BOTH.map(|who| value(&accounts[who.other().index()]));
    let relayed = |value: fn(&Tally) -> u64| Who::BOTH.map(|who| value(&tallies[who.other().index()]));
    row("messages encrypted", sent(|account| account.messages));
    row("  lost with the killed process", {
        let [there, back] = relayed(|tally| tally.messages);
        [accounts[0].messages.saturating_sub(there), accounts[1].messages.saturating_sub(back)]
    });
    row("plaintext, bytes", sent(|account| account.plaintext));
    row("ciphertext, bytes", sent(|account| account.ciphertext));
    print_overhead(accounts);
    row("delivered late", relayed(|tally| tally.late));
    row("delivered twice", relayed(|tally| tally.twice));
    row("delivered damaged", relayed(|tally| tally.damaged));
    row("delivered again after a broken connection", relayed(|tally| tally.again()));
    row("blobs fetched", received(&|account| account.fetches.len().try_into().unwrap_or(0)));
    for how in ["damaged", "truncated", "swapped"] {
        row(&format!("  {how} by the store"), received(&|account| account.fetched(how)));
    }
    let refusals = accounts.each_ref().map(Account::refusals);
    let reasons: BTreeSet<&str> = refusals.iter().flat_map(BTreeMap::keys).copied().collect();
    for reason in reasons {
        row(&format!("refused: {reason}"), {
            let [alice, bob] = refusals.each_ref().map(|refusals| refusals.get(reason).copied().unwrap_or(0));
            [bob, alice]
        });
    }
    row("contents encrypted again after silence", sent(|account| account.again));
    row("repeated contents, recognised", received(&|account| account.recognised));
    row("contents accepted", received(&|account| account.taken));
    println!("A message is 133 bytes longer than its plaintext, and another 1,208 bytes until the peer has answered.");
}

fn print_overhead(accounts: &[Account; 2]) {
    let overhead = |messages: u64, plaintext: u64, ciphertext: u64| {
        let bytes = ciphertext.saturating_sub(plaintext);
        // In tenths, rounded down.
        let (each, share) = (bytes * 10 / messages.max(1), bytes * 1_000 / plaintext.max(1));
        (format!("{}.{}", each / 10, each % 10), format!("{}.{} %", share / 10, share % 10))
    };
    let [alice, bob] = accounts;
    let columns = [
        overhead(alice.messages, alice.plaintext, alice.ciphertext),
        overhead(bob.messages, bob.plaintext, bob.ciphertext),
        overhead(alice.messages + bob.messages, alice.plaintext + bob.plaintext, alice.ciphertext + bob.ciphertext),
    ];
    let [a, b, both] = &columns;
    println!("{:<44}{:>16}{:>16}{:>16}", "overhead, bytes per message", a.0, b.0, both.0);
    println!("{:<44}{:>16}{:>16}{:>16}", "overhead, relative to the plaintext", a.1, b.1, both.1);
}

fn print_findings(performance: &Performance, arrived: &Arrived, searched: &Searched, peaks: [Option<u64>; 3]) {
    let Performance { seed, victim, accounts, bytes, took, .. } = performance;
    let row = |label: &str, value: String| println!("{label:<44}{value}");
    let killed = &accounts[victim.index()];
    println!();
    row("killed", format!("{}, {} (seed {seed})", victim.name(), killed.end.as_deref().unwrap_or("no")));
    let revision =
        killed.resumed.first().map_or_else(|| "nothing".to_owned(), |r| format!("its session of revision {r}"));
    row("restarts", format!("{}, from {revision}", accounts[0].starts + accounts[1].starts - 2));
    let upload =
        killed.taken_up.map_or_else(|| "none".to_owned(), |at| format!("one, at byte {} of the blob", grouped(at)));
    row("uploads resumed after that", upload);
    row("sessions reloaded while running", format!("{} and {}", accounts[0].reloaded, accounts[1].reloaded));
    row("files with equal SHA-256", format!("{} of {}", arrived.files[1], arrived.files[0]));
    row("equal texts", format!("{} of {}", arrived.texts[1], arrived.texts[0]));
    let Searched { windows, bundles, mail, blobs, .. } = searched;
    row("recorded by the relay", format!("{} bytes", grouped(bundles.bytes + mail.bytes)));
    row("in the blob store", format!("{} bytes, for {} bytes of files", grouped(blobs.bytes), grouped(*bytes)));
    let all = [bundles, mail, blobs];
    let of = |found: u64, windows: usize| format!("{found} of {} windows", grouped(windows.try_into().unwrap_or(0)));
    row("  plaintext and file names found there", of(all.iter().map(|found| found.plaintext).sum(), windows[0]));
    row("  keys found there", of(all.iter().map(|found| found.keys).sum(), windows[1]));
    let alice = all.iter().map(|found| found.identity[0]).sum::<u64>();
    row("  alice's identity key found there", format!("{alice} times"));
    let inside = bundles.identity[1] / IDENTITY_WINDOWS;
    let elsewhere = mail.identity[1] + blobs.identity[1];
    row("  bob's identity key found there", format!("{elsewhere} times outside his bundles, {inside} times inside"));
    let peaks = peaks.map(|peak| {
        peak.map_or_else(
            || "?".to_owned(),
            |kib| format!("{:.1}", f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0),
        )
    });
    row("peak memory, MiB", format!("alice {}, bob {}, relay and report {}", peaks[0], peaks[1], peaks[2]));
    let rate = match u128::from(*bytes) * 1_000 / took.as_millis().max(1) / 1024 {
        kib @ ..1024 => format!("{kib} KiB/s"),
        kib => format!("{} MiB/s", kib / 1024),
    };
    row("time", format!("{:.2} s, {rate} of files", took.as_secs_f64()));
    println!();
}

/// Formats a number with thousands separators.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

/// Approximate number of windows over all files.
const SAMPLES: u64 = 1 << 16;
