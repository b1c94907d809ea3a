//! Two processes talk, are killed with SIGKILL in the middle of it, and go on; one of them is installed anew.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::iter::repeat_with;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;

/// One side: its database, and the process that has it, if one is running.
struct Side {
    database: PathBuf,
    role: &'static str,
    address: String,
    running: Option<(Child, ChildStdin)>,
    /// What the present process has printed.
    screen: Arc<Mutex<Vec<String>>>,
    said: u32,
}

impl Side {
    fn pair(folder: &Path) -> [Self; 2] {
        // Below the ports that the system gives to whoever dials; each is tried by one test alone.
        static PORT: AtomicU32 = AtomicU32::new(0);
        let first = 20_000 + std::process::id() % 9_000;
        let address = repeat_with(|| format!("127.0.0.1:{}", first + PORT.fetch_add(1, Ordering::Relaxed)))
            .take(100)
            .find(|address| TcpListener::bind(address).is_ok());
        let side = |name: &str, role| Self {
            database: folder.join(name).with_extension("db"),
            role,
            address: address.clone().unwrap(),
            running: None,
            screen: Arc::default(),
            said: 0,
        };
        [side("bob", "listen"), side("alice", "dial")]
    }

    fn start(&mut self, options: &[&str]) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chat"))
            .arg(&self.database)
            .args([self.role, &self.address])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (output, screen) = (child.stdout.take().unwrap(), Arc::default());
        self.screen = Arc::clone(&screen);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                screen.lock().unwrap().push(line);
            }
        });
        let input = child.stdin.take().unwrap();
        self.running = Some((child, input));
        let end = Instant::now() + Duration::from_secs(60);
        while self.screen().is_empty() {
            assert!(Instant::now() < end, "{} does not start", self.role);
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// `kill -9`. What the process showed is checked against what its database has.
    fn kill(&mut self) {
        let Some((mut child, input)) = self.running.take() else { return };
        assert!(child.try_wait().unwrap().is_none(), "{} has ended by itself: {:?}", self.role, self.screen());
        child.kill().unwrap();
        child.wait().unwrap();
        drop(input);
        let screen = self.screen();
        let shown: Vec<_> = screen.iter().filter(|line| line.starts_with(['<', '>'])).collect();
        assert_eq!(shown.len(), shown.iter().collect::<BTreeSet<_>>().len(), "shown twice: {screen:?}");
        let stored = [self.texts(true), self.texts(false)];
        for line in shown {
            let (mark, text) = line.split_at(2);
            assert!(stored[usize::from(mark == "< ")].iter().any(|stored| stored == text), "shown, not stored: {line}");
        }
    }

    fn say(&mut self) {
        self.said += 1;
        let line = format!("{} {}\n", self.role, self.said);
        self.running.as_mut().unwrap().1.write_all(line.as_bytes()).unwrap();
    }

    fn screen(&self) -> Vec<String> {
        self.screen.lock().unwrap().clone()
    }

    fn database(&self) -> Connection {
        Connection::open(&self.database).unwrap()
    }

    fn count(&self, what: &str) -> u32 {
        self.database().query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0)).unwrap()
    }

    /// The texts in the database, in order: those that this side wrote, or those that it got.
    fn texts(&self, mine: bool) -> Vec<String> {
        let database = self.database();
        let mut rows = database.prepare("SELECT text FROM message WHERE mine = ?1 ORDER BY number").unwrap();
        rows.query_map([mine], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// The key that its screen shows.
    fn key(&self) -> String {
        self.screen().iter().find_map(|line| line.strip_prefix("you are ")).unwrap().to_owned()
    }

    /// The database, what SQLite has beside it, and the storage key.
    fn each_file(&self, act: impl Fn(&Path)) {
        let beside = ["-wal", "-shm"].map(|ending| PathBuf::from(format!("{}{ending}", self.database.display())));
        let files = [self.database.clone(), self.database.with_extension("key")];
        files.iter().chain(&beside).filter(|file| file.exists()).for_each(|file| act(file));
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        if let Some((child, _)) = &mut self.running {
            let _already_ended = child.kill();
        }
    }
}

fn name(file: &Path) -> &str {
    file.file_name().unwrap().to_str().unwrap()
}

fn eventually(what: &str, sides: &[Side], mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(
            Instant::now() < end,
            "not within a minute: {what}: {:?}",
            sides.iter().map(Side::screen).collect::<Vec<_>>()
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the last line of each side was read, and everything is acknowledged.
fn everything_arrives(sides: &[Side; 2]) {
    eventually("everything is acknowledged", sides, || {
        let read = |side: &Side| side.screen().contains(&format!("> {} {}", side.role, side.said));
        sides.iter().all(|side| read(side) && side.count("message WHERE mine AND NOT done") == 0)
    });
}

/// Both databases have the same.
fn everything_arrives_once(sides: &[Side; 2]) {
    everything_arrives(sides);
    let [bob, alice] = sides;
    assert_eq!(bob.texts(true), alice.texts(false), "from bob, in order and once");
    assert_eq!(alice.texts(true), bob.texts(false), "from alice, in order and once");
}

#[test]
fn two_processes_killed_at_any_moment_lose_no_message_and_have_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut sides = Side::pair(folder.path());
    let rng = &mut StdRng::seed_from_u64(12);
    sides.iter_mut().for_each(|side| side.start(&[]));
    let (mut unfinished, rounds) = (0, 40);
    for _ in 0..rounds {
        for side in &mut sides {
            (0..rng.random_range(1..6)).for_each(|_| side.say());
        }
        thread::sleep(Duration::from_millis(rng.random_range(0..150)));
        let killed = match rng.random_range(0..3) {
            0 => 0..1,
            1 => 1..2,
            _ => 0..2,
        };
        sides[killed.clone()].iter_mut().for_each(Side::kill);
        unfinished += u32::from(sides.iter().any(|side| side.count("message WHERE mine AND NOT done") > 0));
        sides[killed].iter_mut().for_each(|side| side.start(&[]));
    }
    assert!(unfinished > rounds / 4, "only {unfinished} of {rounds} kills came while something was on its way");
    sides.iter_mut().for_each(Side::say);
    everything_arrives_once(&sides);
    sides.iter_mut().for_each(Side::kill);
    for side in &sides {
        let (kept, said) = (side.texts(true), side.said);
        // A line that a process had not read when it was killed is in no database.
        assert!(kept.len() > 60, "{}: {} of {said} lines were read", side.role, kept.len());
        assert!(side.count("session") <= 6);
    }
}

/// The database is gone, with the identity in it.
#[test]
fn a_reinstalled_peer_gets_in_once_its_key_is_given_and_gets_nothing_that_was_written_for_the_former() {
    let folder = tempfile::tempdir().unwrap();
    let mut sides = Side::pair(folder.path());
    for side in &mut sides {
        side.start(&[]);
        side.say();
    }
    everything_arrives_once(&sides);
    sides[1].kill();
    let former = sides[1].key();
    sides[0].say(); // for the former identity
    eventually("bob's second line is read", &sides, || sides[0].texts(true).len() == 2);
    sides[1].each_file(|file| std::fs::rename(file, file.with_file_name(format!("former {}", name(file)))).unwrap());

    sides[1].start(&[]);
    sides[1].say();
    eventually("bob is warned", &sides, || sides[0].screen().iter().any(|line| line.contains("--new-peer")));
    // With another key than the one that the peer has, nobody gets in.
    let key = sides[1].key();
    let other = [&key[..64], &former[64..]].concat();
    for given in [&other, &former] {
        sides[0].kill();
        sides[0].start(&["--new-peer", given]);
        eventually("bob is warned", &sides, || sides[0].screen().iter().any(|line| line.contains("not the peer")));
    }
    assert_eq!(sides[0].texts(false), ["dial 1"], "nothing of a stranger");
    assert_eq!(sides[1].texts(false), Vec::<String>::new(), "nothing for a stranger");

    sides[0].kill();
    sides[0].start(&["--new-peer", &key]);
    sides.iter_mut().for_each(Side::say);
    let talked_on = |sides: &[Side; 2]| {
        sides[0].texts(false) == ["dial 1", "dial 2", "dial 3"] && sides[1].texts(false) == ["listen 3"]
    };
    eventually("both talk on", &sides, || talked_on(&sides));
    // The key is stored, and what the former identity was to get is shown as such.
    sides[0].kill();
    sides[0].start(&[]);
    sides[0].say();
    eventually("both talk on", &sides, || sides[1].texts(false) == ["listen 3", "listen 4"]);
    assert!(sides[0].screen().iter().any(|line| line == "x listen 2"), "{:?}", sides[0].screen());
    sides.iter_mut().for_each(Side::kill);

    // The former identity comes back, from a backup: what was written for it is still there.
    let at = sides[1].database.with_file_name(format!("former {}", name(&sides[1].database)));
    sides[1].database = at;
    sides[0].start(&["--new-peer", &former]);
    sides[1].start(&[]);
    eventually("it has its message", &sides, || sides[1].texts(false) == ["listen 1", "listen 2"]);
    sides.iter_mut().for_each(Side::kill);
}

#[test]
fn arguments_that_are_not_understood_end_the_program_and_touch_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bob.db");
    let run = |options: &[&str]| {
        let mut chat = Command::new(env!("CARGO_BIN_EXE_chat"));
        chat.arg(&file).args(["dial", "127.0.0.1:9"]).args(options).stdin(Stdio::null()).output().unwrap()
    };
    for options in [["--newpeer"].as_slice(), &["--new-peer"], &["--new-peer", "0123456789abcdef"], &["x", "y"]] {
        let ended = run(options);
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success() && (said.contains("usage") || said.contains("all digits")), "{said}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "{options:?}");
    }
    assert!(run(&[]).status.success(), "the end of the input is a way to end");
}

#[test]
fn an_error_names_the_file_or_the_address_that_it_is_about() {
    let folder = tempfile::tempdir().unwrap();
    let run = |file: &str, role: &str, address: &str| {
        let mut chat = Command::new(env!("CARGO_BIN_EXE_chat"));
        let ended = chat.arg(folder.path().join(file)).args([role, address]).stdin(Stdio::null()).output().unwrap();
        (ended.status.success(), String::from_utf8(ended.stderr).unwrap())
    };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let fails = |file: &str, address: &str, expected: &[&str]| {
        let (success, said) = run(file, "listen", address);
        assert!(!success && expected.iter().all(|part| said.contains(part)), "{said}");
        assert!(!said.contains("Os {"), "{said}");
    };
    fails("bob.db", &address, &[&address, "in use"]);
    fails("no/bob.db", &address, &["no/bob.db"]);
    std::fs::write(folder.path().join("bob.key"), [7; 32]).unwrap();
    fails("bob.db", &address, &["bob.db: identity does not open", "examples/explain"]);
    std::fs::remove_file(folder.path().join("bob.key")).unwrap();
    fails("bob.db", &address, &["bob.key: No such file"]);
}

/// The sessions are gone, and the identity is still there: it was in a backup, or in the system's key store.
#[test]
fn a_peer_that_lost_its_sessions_gets_in_beside_the_session_that_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let mut sides = Side::pair(folder.path());
    for reinstalled in [1, 0] {
        for side in &mut sides {
            side.start(&[]);
            side.say();
        }
        everything_arrives(&sides);
        sides.iter_mut().for_each(Side::kill);
        let before = sides.each_ref().map(|side| side.texts(false).len());
        sides[reinstalled].database().execute_batch("DELETE FROM session; DELETE FROM block").unwrap();
        for side in &mut sides {
            side.start(&[]);
            side.say();
        }
        everything_arrives_once(&sides);
        sides.iter_mut().for_each(Side::kill);
        for (side, before) in sides.iter().zip(before) {
            assert_eq!(side.texts(false).len(), before + 1);
        }
        assert_eq!(sides[1 - reinstalled].count("session WHERE confirmed"), 2, "the former session beside the new one");
        assert_eq!(sides[reinstalled].count("session WHERE confirmed"), 1);
    }
}
