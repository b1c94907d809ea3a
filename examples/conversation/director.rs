//! Starts the relay and the two parties, kills one party halfway, restarts it, and waits until everything is done.
//!
//! It learns only the parties' public identities and what they report about their progress.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::account::Account;
use crate::agenda::{self, Source};
use crate::relay::Relay;
use crate::report::{self, Performance};
use crate::said::{Said, from_hex, to_hex};
use crate::{Outcome, Who, blobs, inbox, memory, outbox};

/// The hidden argument that makes a process one of the parties.
pub(crate) const PARTY: &str = "--party";

/// Runs everything, from the arguments to the table. Returns `false` if a promise was broken.
pub(crate) fn main(mut arguments: Vec<OsString>) -> Outcome<bool> {
    let mut seed = 1;
    if arguments.first().is_some_and(|first| first == "--seed") {
        let text = arguments.get(1).and_then(|text| text.to_str());
        seed = text.and_then(|text| text.parse().ok()).ok_or("--seed needs a number")?;
        arguments.drain(..2);
    }
    let sources = agenda::sources(&arguments)?;
    // Readable only by this user, and removed at the end.
    let scene = tempfile::Builder::new().prefix("bisik-conversation-").tempdir()?;
    let performance = perform(seed, scene.path(), &arguments, &sources)?;
    report::report(&performance, scene.path(), &sources)
}

fn perform(seed: u64, scene: &Path, files: &[OsString], sources: &[Source]) -> Outcome<Performance> {
    let start = Instant::now();
    let bytes = sources.iter().map(|source| source.length).sum::<u64>();
    // The party with the largest file is killed while it sends that file.
    let largest = (0..sources.len()).max_by_key(|index| sources[*index].length).unwrap_or(0);
    let victim = Who::BOTH[largest % 2];
    let before = sources.iter().take(largest).skip(largest % 2).step_by(2).map(|source| source.length).sum::<u64>();
    let share = StdRng::seed_from_u64(seed).random_range(20..=55);
    let moment = before + sources.get(largest).map_or(0, |source| source.length / 100 * share);

    let (relay, port) = Relay::start(scene, seed)?;
    fs::create_dir(blobs::directory(scene))?;
    let (sender, said) = mpsc::channel();
    let bar = ProgressBar::new(2 * bytes).with_style(ProgressStyle::with_template(BAR)?);
    let mut director = Director {
        relay,
        start: [PARTY, "", &port.to_string(), &seed.to_string()].map(OsString::from).to_vec(),
        actors: Who::BOTH.map(|who| Actor::new(scene.join(who.name()))),
        sender,
        said,
        victim,
        moment,
        interrupted: false,
        deadline: start + LIMIT + Duration::from_secs(bytes / SLOWEST),
        bar,
    };
    director.start.push(scene.into());
    director.start.extend_from_slice(files);
    for who in Who::BOTH {
        fs::create_dir(&director.actors[who.index()].directory)?;
        director.start(who)?;
    }
    director.run()?;
    director.stop()?;
    let tallies = director.relay.finish().ok_or("the relay's recording is incomplete")?;
    let accounts = director.actors.each_mut().map(|actor| std::mem::take(&mut actor.account));
    let interrupted = director.interrupted;
    Ok(Performance { seed, victim, interrupted, accounts, tallies, bytes, took: start.elapsed() })
}

struct Director {
    relay: Relay,
    /// The arguments for a party's process.
    start: Vec<OsString>,
    actors: [Actor; 2],
    sender: Sender<(Who, Line)>,
    said: Receiver<(Who, Line)>,
    /// The party to kill, and after how many bytes of its files.
    victim: Who,
    moment: u64,
    /// Whether it was killed during an upload.
    interrupted: bool,
    deadline: Instant,
    bar: ProgressBar,
}

/// A line that a party has reported.
type Line = (Said, u64, String);

/// One party, as the director sees it.
struct Actor {
    directory: PathBuf,
    child: Option<Child>,
    /// Closing this tells the party to stop.
    input: Option<ChildStdin>,
    /// Forwards the party's reports.
    listener: Option<JoinHandle<()>>,
    account: Account,
    /// Whether the party has shown its code and waits for the other's.
    waits_for_code: bool,
}

impl Director {
    /// Starts the process of a party, the first time or again. The process can tell which from its records.
    fn start(&mut self, who: Who) -> Outcome<()> {
        let actor = &mut self.actors[who.index()];
        self.start[1] = who.name().into();
        let mut child = Command::new(std::env::current_exe()?)
            .args(&self.start)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        actor.input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        actor.child = Some(child);
        actor.account.starts += 1;
        let sender = self.sender.clone();
        actor.listener = Some(std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok).filter_map(|line| Said::parse(&line)) {
                let _ = sender.send((who, line));
            }
        }));
        Ok(())
    }

    /// Runs until one party was killed, both report that the other has everything, all files have arrived, and the
    /// relay is empty.
    fn run(&mut self) -> Outcome<()> {
        while !self.is_over()? {
            if let Ok((who, line)) = self.said.recv_timeout(TICK) {
                self.hear(who, line)?;
            }
            if Instant::now() > self.deadline {
                return Err("the time limit has passed".into());
            }
            for who in Who::BOTH {
                if let Some(status) = self.actors[who.index()].status()? {
                    return Err(format!("{} ended early: {status}", who.name()).into());
                }
            }
            let Account { uploaded, messages, starts, .. } = self.actors[self.victim.index()].account;
            if starts == 1 && uploaded >= self.moment && messages >= 2 {
                self.kill()?;
            }
        }
        self.bar.finish_and_clear();
        Ok(())
    }

    fn is_over(&self) -> Outcome<bool> {
        let accounts = || self.actors.iter().map(|actor| &actor.account);
        if !accounts().all(|account| account.complete) || accounts().all(|account| account.starts == 1) {
            return Ok(false);
        }
        for actor in &self.actors {
            if fs::read_dir(inbox::waiting(&actor.directory))?.next().is_some() {
                return Ok(false);
            }
        }
        Ok(self.relay.is_empty())
    }

    fn hear(&mut self, who: Who, (said, number, word): Line) -> Outcome<()> {
        let actor = &mut self.actors[who.index()];
        if said == Said::Identity {
            actor.waits_for_code = true;
            actor.account.note_identity(from_hex(&word).ok_or("not an identity")?)?;
            Who::BOTH.into_iter().for_each(|who| self.show_code_to(who));
            return Ok(());
        }
        actor.account.note(said, number, word);
        let moved = self.actors.iter().map(|actor| actor.account.uploaded + actor.account.downloaded).sum::<u64>();
        // Bytes that were refused or lost are transferred twice.
        self.bar.set_position(moved.min(self.bar.length().unwrap_or(0)));
        Ok(())
    }

    /// Gives a party the other's public identity, once that is known. Real users scan each other's code instead.
    fn show_code_to(&mut self, who: Who) {
        let code = to_hex(&self.actors[who.other().index()].account.identity);
        let actor = &mut self.actors[who.index()];
        if actor.waits_for_code && !code.is_empty() {
            actor.waits_for_code = false;
            // If the party cannot be written to, it has exited; that is noticed elsewhere.
            let _ = actor.input.as_mut().map(|input| writeln!(input, "{code}"));
        }
    }

    /// Kills with SIGKILL (or TerminateProcess), so that the process can neither notice nor finish anything. Then
    /// restarts it.
    fn kill(&mut self) -> Outcome<()> {
        let actor = &mut self.actors[self.victim.index()];
        actor.note_peak();
        let child = actor.child.as_mut().ok_or("not started")?;
        child.kill()?;
        actor.account.end = Some(child.wait()?.to_string());
        actor.join();
        self.interrupted = outbox::is_interrupted(&actor.directory)?;
        // Meanwhile mail accumulates.
        std::thread::sleep(ABSENCE);
        self.start(self.victim)
    }

    /// Tells both parties to stop, and reads their last reports.
    fn stop(&mut self) -> Outcome<()> {
        for who in Who::BOTH {
            let actor = &mut self.actors[who.index()];
            actor.note_peak();
            actor.input = None;
            let status = loop {
                match actor.status()? {
                    Some(status) => break status,
                    None if Instant::now() > self.deadline => return Err("a party did not stop in time".into()),
                    None => std::thread::sleep(TICK),
                }
            };
            if !status.success() {
                return Err(format!("{} failed: {status}", who.name()).into());
            }
            actor.join();
        }
        while let Ok((who, line)) = self.said.try_recv() {
            self.hear(who, line)?;
        }
        Ok(())
    }
}

impl Actor {
    fn new(directory: PathBuf) -> Self {
        let account = Account::default();
        Self { directory, child: None, input: None, listener: None, account, waits_for_code: false }
    }

    /// Returns how the process has ended, if it has.
    fn status(&mut self) -> Outcome<Option<ExitStatus>> {
        Ok(self.child.as_mut().ok_or("not started")?.try_wait()?)
    }

    /// Reads everything that the process reported before it ended.
    fn join(&mut self) {
        let _ = self.listener.take().map(JoinHandle::join);
    }

    fn note_peak(&mut self) {
        let peak = self.child.as_ref().and_then(|child| memory::peak(child.id()));
        self.account.peak = self.account.peak.max(peak);
    }
}

impl Drop for Actor {
    /// Kills the process if it is still running.
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Time limit for a conversation with almost nothing to send.
const LIMIT: Duration = Duration::from_secs(120);
/// Bytes per second below which something is wrong, even in a debug build on a slow machine.
const SLOWEST: u64 = 1 << 16;
/// How often to check the processes.
const TICK: Duration = Duration::from_millis(20);
/// How long the killed party is away.
const ABSENCE: Duration = Duration::from_millis(100);

const BAR: &str = "{elapsed_precise} {wide_bar} {bytes} of {total_bytes} transferred, {bytes_per_sec}";
