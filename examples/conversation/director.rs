//! Starts the relay and the two parties, kills one of them in the middle, starts it again, and sees to it that all ends.
//!
//! Does not know any secret: of the parties it learns their public identities, and what they say about their progress.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::account::Account;
use crate::agenda::{self, Agenda, Source};
use crate::relay::{AtPut, Relay};
use crate::report::{self, Performance};
use crate::said::{Said, to_hex};
use crate::{Outcome, Who};

/// The hidden argument that makes a process one of the parties.
pub(crate) const PARTY: &str = "--party";

/// Everything, from the arguments to the table. `false` says that something is off.
pub(crate) fn main(mut arguments: Vec<OsString>) -> Outcome<bool> {
    let mut seed = 1;
    if arguments.first().is_some_and(|first| first == "--seed") {
        let text = arguments.get(1).and_then(|text| text.to_str());
        seed = text.and_then(|text| text.parse().ok()).ok_or("--seed needs a number")?;
        arguments.drain(..2);
    }
    let sources = agenda::sources(&arguments)?;
    // Readable for this user alone, and removed at the end.
    let scene = tempfile::Builder::new().prefix("bisik-conversation-").tempdir()?;
    let performance = perform(seed, scene.path(), &arguments, &sources)?;
    report::report(&performance, scene.path(), &sources)
}

/// One party, as it is seen from here.
struct Actor {
    directory: PathBuf,
    child: Slot,
    /// Closing it tells the party that it is enough.
    input: Option<ChildStdin>,
    /// Passes on what the party says.
    listener: Option<JoinHandle<()>>,
    account: Account,
    /// It has shown its code, and waits for the other's.
    waits_for_code: bool,
}

/// The process of one party. The relay kills one of them, so it is shared.
type Slot = Arc<Mutex<Option<Child>>>;

struct Director<'a> {
    relay: Relay,
    files: &'a [OsString],
    port: u16,
    actors: [Actor; 2],
    sender: Sender<(Who, Said)>,
    said: Receiver<(Who, Said)>,
    /// Whom the relay kills, and whether it has.
    victim: Who,
    killed: Arc<AtomicBool>,
    deadline: Instant,
    bar: ProgressBar,
}

fn perform(seed: u64, scene: &Path, files: &[OsString], sources: &[Source]) -> Outcome<Performance> {
    let start = Instant::now();
    let agendas = [Agenda::of(Who::Alice, sources)?, Agenda::of(Who::Bob, sources)?];
    let texts: usize = agendas.iter().flat_map(Agenda::texts).map(|(_, text)| text.len()).sum();
    let bytes = sources.iter().map(|source| source.length).sum::<u64>() + u64::try_from(texts)?;

    let slots = [Slot::default(), Slot::default()];
    let mut rng = StdRng::seed_from_u64(seed);
    let victim = Who::BOTH[rng.random_range(0..2)];
    let killed = Arc::new(AtomicBool::new(false));
    let items = u64::from(agendas[0].len() + agendas[1].len());
    let moment = items * rng.random_range(20..=55) / 100;
    let at_put = kill_at(moment, victim, Arc::clone(&slots[victim.index()]), Arc::clone(&killed));
    let (relay, port) = Relay::start(scene, seed, at_put)?;

    let (sender, said) = mpsc::channel();
    let actors = Who::BOTH.map(|who| Actor::new(scene.join(who.name()), Arc::clone(&slots[who.index()])));
    let deadline = start + LIMIT + Duration::from_secs(bytes / SLOWEST);
    let bar = ProgressBar::new(bytes).with_style(ProgressStyle::with_template(BAR)?);
    let mut director = Director { relay, files, port, actors, sender, said, victim, killed, deadline, bar };
    for who in Who::BOTH {
        std::fs::create_dir(&director.actors[who.index()].directory)?;
        director.start(who)?;
    }
    director.run()?;
    director.stop()?;
    let tallies = director.relay.finish().ok_or("not all that the relay saw could be recorded")?;
    let accounts = director.actors.each_mut().map(|actor| std::mem::take(&mut actor.account));
    Ok(Performance { seed, victim, accounts, tallies, agendas, bytes, took: start.elapsed() })
}

/// Kills the victim when `moment` messages have been put, at least two of them by itself, so that there is a session to
/// go on from. The relay stands still while it happens; there are more items than `moment`, so it is never too late.
fn kill_at(moment: u64, victim: Who, slot: Slot, killed: Arc<AtomicBool>) -> AtPut {
    Box::new(move |puts| {
        let due = puts.iter().sum::<u64>() >= moment && puts[victim.index()] >= 2;
        if due && !killed.swap(true, Ordering::Relaxed) {
            // SIGKILL, or TerminateProcess: it can neither notice nor finish anything.
            let _ = lock(&slot).as_mut().map(Child::kill);
        }
    })
}

impl Director<'_> {
    /// Starts the process of a party, for the first time or again: it finds out from its records.
    fn start(&mut self, who: Who) -> Outcome<()> {
        let actor = &mut self.actors[who.index()];
        let mut child = Command::new(std::env::current_exe()?)
            .args([PARTY, who.name(), &self.port.to_string()])
            .arg(&actor.directory)
            .args(self.files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        actor.input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        *lock(&actor.child) = Some(child);
        actor.account.starts += 1;
        let sender = self.sender.clone();
        actor.listener = Some(std::thread::spawn(move || {
            for said in output.lines().map_while(Result::ok).filter_map(|line| Said::parse(&line)) {
                let _ = sender.send((who, said));
            }
        }));
        Ok(())
    }

    /// Until both say that everything has arrived, and the relay has got rid of its last copies.
    fn run(&mut self) -> Outcome<()> {
        while !self.actors.iter().all(|actor| actor.account.complete) || !self.relay.is_empty() {
            match self.said.recv_timeout(TICK) {
                Ok((who, said)) => self.hear(who, said)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if Instant::now() > self.deadline {
                let [alice, bob] = self.actors.each_ref().map(|actor| actor.account.shown);
                return Err(format!("it takes too long: alice has {alice} items, bob has {bob}").into());
            }
            for who in Who::BOTH {
                self.look_after(who)?;
            }
        }
        self.bar.finish_and_clear();
        Ok(())
    }

    fn hear(&mut self, who: Who, said: Said) -> Outcome<()> {
        let actor = &mut self.actors[who.index()];
        if let Said::Identity(key) = said {
            actor.waits_for_code = true;
            actor.account.note_identity(key)?;
            Who::BOTH.into_iter().for_each(|who| self.show_code_to(who));
            return Ok(());
        }
        if let Said::Shown(bytes) = said {
            self.bar.inc(bytes);
        }
        actor.account.note(said);
        Ok(())
    }

    /// Gives a party the other's public identity, once there is one: what scanning a code does among people.
    fn show_code_to(&mut self, who: Who) {
        let code = to_hex(&self.actors[who.other().index()].account.identity);
        let actor = &mut self.actors[who.index()];
        if actor.waits_for_code && !code.is_empty() {
            actor.waits_for_code = false;
            // A party that cannot be written to has ended, which is noticed elsewhere.
            let _ = actor.input.as_mut().map(|input| writeln!(input, "{code}"));
        }
    }

    /// Starts a party again if the relay has killed it. No other end is expected.
    fn look_after(&mut self, who: Who) -> Outcome<()> {
        let status = match lock(&self.actors[who.index()].child).as_mut() {
            Some(child) => child.try_wait()?,
            None => None,
        };
        let Some(status) = status else { return Ok(()) };
        let actor = &mut self.actors[who.index()];
        if who != self.victim || !self.killed.load(Ordering::Relaxed) || actor.account.starts > 1 {
            return Err(format!("{} ended early: {status}", who.name()).into());
        }
        actor.account.end = Some(status.to_string());
        actor.join();
        // The mail piles up.
        std::thread::sleep(ABSENCE);
        self.start(who)
    }

    /// Tells both that it is enough, and hears them out.
    fn stop(&mut self) -> Outcome<()> {
        for actor in &mut self.actors {
            actor.input = None;
        }
        for who in Who::BOTH {
            let status = self.actors[who.index()].wait(LIMIT)?;
            if !status.success() {
                return Err(format!("{} failed: {status}", who.name()).into());
            }
            self.actors[who.index()].join();
        }
        while let Ok((who, said)) = self.said.try_recv() {
            self.hear(who, said)?;
        }
        Ok(())
    }
}

impl Actor {
    fn new(directory: PathBuf, child: Slot) -> Self {
        Self { directory, child, input: None, listener: None, account: Account::default(), waits_for_code: false }
    }

    /// Hears all that the process has said before it ended.
    fn join(&mut self) {
        let _ = self.listener.take().map(JoinHandle::join);
    }

    fn wait(&self, limit: Duration) -> Outcome<std::process::ExitStatus> {
        let start = Instant::now();
        while start.elapsed() < limit {
            if let Some(status) = lock(&self.child).as_mut().ok_or("not started")?.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(TICK);
        }
        Err("a party does not end".into())
    }
}

impl Drop for Actor {
    /// Whatever happens, no process stays behind.
    fn drop(&mut self) {
        if let Some(mut child) = lock(&self.child).take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a conversation may take that has hardly anything to say.
const LIMIT: Duration = Duration::from_secs(120);
/// Bytes a second below which something is wrong, even in a debug build on a slow machine.
const SLOWEST: u64 = 1 << 16;
/// How often the processes are looked after.
const TICK: Duration = Duration::from_millis(20);
/// How long the killed party is away.
const ABSENCE: Duration = Duration::from_millis(100);

const BAR: &str = "{elapsed_precise} {wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}";
