//! What came of it: the table, and whether all is as it must be.
//!
//! Does not know how it came about, only what each process has said and what lies on the disk.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use crate::account::Account;
use crate::agenda::{Agenda, Source};
use crate::evidence::{Found, IDENTITY_WINDOWS, Secrets};
use crate::mailbox::Tally;
use crate::party;
use crate::received::{file_path, text_path};
use crate::recording::{self, Shelf};
use crate::{Outcome, Who};

/// Everything that is known when the curtain has fallen. Arrays are by party.
pub(crate) struct Performance {
    pub(crate) seed: u64,
    pub(crate) victim: Who,
    pub(crate) accounts: [Account; 2],
    /// What the relay did to the mail *for* each.
    pub(crate) tallies: [Tally; 2],
    pub(crate) agendas: [Agenda; 2],
    /// Bytes of all texts and files.
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
}

/// What lies in the directories of those who received.
struct Arrived {
    files: usize,
    texts: usize,
    /// Nothing else does.
    alone: bool,
}

/// What was found in the recording.
struct Searched {
    windows: usize,
    bundles: Found,
    mail: Found,
    /// The same search finds the texts where they are: it is no blind one.
    finds: bool,
}

/// Prints the table; `true` if all is as it must be.
pub(crate) fn report(performance: &Performance, scene: &Path, sources: &[Source]) -> Outcome<bool> {
    let arrived = arrived(performance, scene, sources)?;
    let searched = searched(performance, scene, sources)?;
    print_traffic(performance);
    print_findings(performance, &arrived, &searched, sources);
    let mut right = true;
    for (promise, _) in promises(performance, &arrived, &searched, sources).iter().filter(|(_, kept)| !kept) {
        println!("BROKEN: {promise}");
        right = false;
    }
    println!("{}", if right { "All is as it must be." } else { "This must not happen." });
    Ok(right)
}

/// What must hold, each on its own.
fn promises(
    performance: &Performance,
    arrived: &Arrived,
    searched: &Searched,
    sources: &[Source],
) -> Vec<(&'static str, bool)> {
    let Performance { victim, accounts, tallies, agendas, .. } = performance;
    let [alice, bob] = accounts;
    let victim = &accounts[victim.index()];
    let texts = agendas.iter().flat_map(Agenda::texts).count();
    let both = || accounts.iter().zip(tallies);
    let bundles = searched.bundles;
    vec![
        ("every file arrives whole", arrived.files == sources.len()),
        ("every text arrives whole", arrived.texts == texts),
        ("nothing else is there", arrived.alone),
        ("nothing is shown twice", Who::BOTH.iter().all(|who| is_shown_once(*who, performance))),
        (
            "damaged messages are refused, all others taken once",
            both().all(|(account, tally)| account.is_right_about(tally)),
        ),
        ("messages were late, doubled and damaged", tallies.iter().all(|t| t.late > 0 && t.twice > 0 && t.damaged > 0)),
        ("one party was killed, once", alice.starts + bob.starts == 3 && victim.end.is_some()),
        ("the killed party went on from its stored session", victim.resumed.iter().any(|revision| *revision > 0)),
        ("both sides went on from stored sessions", accounts.iter().all(|a| a.reloaded + u64::from(a.starts) > 1)),
        ("the search finds what is there", searched.finds && bundles.identity[Who::Bob.index()] > 0),
        ("no plaintext was seen by the relay", searched.mail.plaintext + bundles.plaintext == 0),
        ("alice's identity was not seen by the relay", searched.mail.identity[0] + bundles.identity[0] == 0),
        ("bob's identity was seen in his bundles only", searched.mail.identity[1] == 0),
    ]
}

/// Whether a party has shown as many items as the other had. A process that is killed after showing items and before
/// noting that in its record shows them once more, in the same place: at most a window of them.
fn is_shown_once(who: Who, performance: &Performance) -> bool {
    let Performance { victim, accounts, agendas, .. } = performance;
    let more = accounts[who.index()].shown.checked_sub(agendas[who.other().index()].len().into());
    more.is_some_and(|more| {
        if who == *victim { usize::try_from(more).is_ok_and(|more| more <= party::WINDOW) } else { more == 0 }
    })
}

/// Compares what was sent with what was shown.
fn arrived(performance: &Performance, scene: &Path, sources: &[Source]) -> Outcome<Arrived> {
    let mut arrived = Arrived { files: 0, texts: 0, alone: true };
    for sender in Who::BOTH {
        let directory = scene.join(sender.other().name()).join("received");
        let mut expected = BTreeSet::new();
        for (number, text) in performance.agendas[sender.index()].texts() {
            let path = text_path(&directory, number);
            arrived.texts += usize::from(fs::read(&path).is_ok_and(|shown| shown == text.as_bytes()));
            expected.extend(path.file_name().map(OsString::from));
        }
        for source in sources.iter().filter(|source| source.sender == sender) {
            let path = file_path(&directory, source.number, &source.name);
            let sent = sha256(&source.path)?;
            arrived.files += usize::from(sha256(&path).is_ok_and(|shown| shown == sent));
            expected.extend(path.file_name().map(OsString::from));
        }
        let names =
            fs::read_dir(&directory)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<BTreeSet<_>>>()?;
        arrived.alone &= names == expected;
    }
    Ok(arrived)
}

fn sha256(path: &Path) -> io::Result<[u8; 32]> {
    let mut digest = Sha256::new();
    let mut file = File::open(path)?;
    let mut block = vec![0; 1 << 20];
    loop {
        match io::Read::read(&mut file, &mut block)? {
            0 => return Ok(digest.finalize().into()),
            length => digest.update(&block[..length]),
        }
    }
}

/// Searches all that the relay has recorded.
fn searched(performance: &Performance, scene: &Path, sources: &[Source]) -> Outcome<Searched> {
    let mut secrets = Secrets::new();
    let texts: Vec<&str> = performance.agendas.iter().flat_map(Agenda::texts).map(|(_, text)| text).collect();
    texts.iter().for_each(|text| secrets.add_text(text));
    let of_texts = secrets.plaintext_windows();
    sources.iter().try_for_each(|source| secrets.add_file(source))?;
    for who in Who::BOTH {
        secrets.add_identity(who, &performance.accounts[who.index()].identity);
    }
    let finds = secrets.search(&mut texts.concat().as_bytes(), |_| ())?.plaintext >= of_texts.try_into()?;

    let paths = [Shelf::Bundles, Shelf::Mail].map(|shelf| recording::path(scene, shelf));
    let lengths = paths.iter().map(|path| Ok(fs::metadata(path)?.len())).sum::<io::Result<u64>>()?;
    let style = ProgressStyle::with_template("searching {wide_bar} {bytes} of {total_bytes}")?;
    let bar = ProgressBar::new(lengths).with_style(style);
    let search = |path: &Path| secrets.search(&mut File::open(path)?, |bytes| bar.inc(bytes));
    let [bundles, mail] = [search(&paths[0])?, search(&paths[1])?];
    bar.finish_and_clear();
    Ok(Searched { windows: secrets.plaintext_windows(), bundles, mail, finds })
}

fn print_traffic(performance: &Performance) {
    let Performance { accounts, tallies, .. } = performance;
    println!("{:<44}{:>16}{:>16}{:>16}", "", "alice to bob", "bob to alice", "both");
    let row = |label: &str, values: [u64; 2]| {
        let [there, back] = values;
        println!("{label:<44}{:>16}{:>16}{:>16}", grouped(there), grouped(back), grouped(there + back));
    };
    // The sender's figures, and the receiver's.
    let sent = |value: fn(&Account) -> u64| Who::BOTH.map(|who| value(&accounts[who.index()]));
    let received = |value: fn(&Account) -> u64| Who::BOTH.map(|who| value(&accounts[who.other().index()]));
    let relayed = |value: fn(&Tally) -> u64| Who::BOTH.map(|who| value(&tallies[who.other().index()]));
    row("messages encrypted", sent(|account| account.messages));
    row("  of these lost with the killed process", {
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
    let [alice, bob] = accounts.each_ref().map(Account::refusals);
    let reasons: BTreeSet<&str> = alice.keys().chain(bob.keys()).copied().collect();
    for reason in reasons {
        row(&format!("refused: {reason}"), [&bob, &alice].map(|refusals| refusals.get(reason).copied().unwrap_or(0)));
    }
    row("items encrypted again after silence", sent(|account| account.again));
    row("items that came again, recognised", received(|account| account.recognised));
    row("items shown", received(|account| account.shown));
    println!("A message is 133 bytes longer than its plaintext, and 1,208 more until its sender has had an answer.");
}

fn print_overhead(accounts: &[Account; 2]) {
    let overhead = |messages: u64, plaintext: u64, ciphertext: u64| {
        let bytes = ciphertext.saturating_sub(plaintext);
        // In tenths and in hundredths of a per cent, rounded down.
        let (each, share) = (bytes * 10 / messages.max(1), u128::from(bytes) * 10_000 / u128::from(plaintext.max(1)));
        (format!("{}.{}", each / 10, each % 10), format!("{}.{:02} %", share / 100, share % 100))
    };
    let [alice, bob] = accounts;
    let columns = [
        overhead(alice.messages, alice.plaintext, alice.ciphertext),
        overhead(bob.messages, bob.plaintext, bob.ciphertext),
        overhead(alice.messages + bob.messages, alice.plaintext + bob.plaintext, alice.ciphertext + bob.ciphertext),
    ];
    let [a, b, both] = &columns;
    println!("{:<44}{:>16}{:>16}{:>16}", "overhead, bytes a message", a.0, b.0, both.0);
    println!("{:<44}{:>16}{:>16}{:>16}", "overhead, of the plaintext", a.1, b.1, both.1);
}

fn print_findings(performance: &Performance, arrived: &Arrived, searched: &Searched, sources: &[Source]) {
    let Performance { seed, victim, accounts, agendas, bytes, took, .. } = performance;
    let row = |label: &str, value: String| println!("{label:<44}{value}");
    let killed = &accounts[victim.index()];
    println!();
    row("killed", format!("{}, {} (seed {seed})", victim.name(), killed.end.as_deref().unwrap_or("not at all")));
    let revision =
        killed.resumed.first().map_or_else(|| "nothing".to_owned(), |r| format!("its session of revision {r}"));
    row("restarts", format!("{}, from {revision}", accounts[0].starts + accounts[1].starts - 2));
    row("sessions reloaded while running", format!("{} and {}", accounts[0].reloaded, accounts[1].reloaded));
    row("files whose SHA-256 agrees", format!("{} of {}", arrived.files, sources.len()));
    let texts = agendas.iter().flat_map(Agenda::texts).count();
    row("texts that agree", format!("{} of {texts}", arrived.texts));
    let Searched { windows, bundles, mail, .. } = searched;
    row("recorded by the relay", format!("{} bytes", grouped(bundles.bytes + mail.bytes)));
    row(
        "  plaintext found there",
        format!("{} of {} windows", bundles.plaintext + mail.plaintext, grouped(u64::try_from(*windows).unwrap_or(0))),
    );
    row("  alice's identity key found there", format!("{} times", bundles.identity[0] + mail.identity[0]));
    let [in_bundles, elsewhere] = [bundles, mail].map(|found| found.identity[Who::Bob.index()]);
    row(
        "  bob's identity key found there",
        format!("{elsewhere} times outside his bundles, {} times inside", in_bundles / IDENTITY_WINDOWS),
    );
    let rate = u128::from(*bytes) * 1_000 / took.as_millis().max(1) / 1024 / 1024;
    row("took", format!("{:.2} s, {rate} MiB/s of texts and files", took.as_secs_f64()));
    println!();
}

/// A number with its thousands set apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(String::from_utf8_lossy);
    let parts: Vec<_> = Some(head.into()).filter(|_| first > 0).into_iter().chain(groups).collect();
    parts.join(",")
}
