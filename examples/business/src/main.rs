//! Many workers answer for one business account, and are killed while they do.
//!
//! Run it without arguments, or see `README.md`. The code that uses sessions is in `desk.rs`.
//!
//! ```text
//! cargo run --release -p business
//! cargo run --release -p business -- --engine nats --customers 10000 --workers 4 --kill-every 400
//! ```

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use bisik::StorageKey;
use bisik::device::AccountKey;
use business::cluster::{Cluster, SERVERS};
use business::customers::Customers;
use business::director::{self, Play};
use business::place::Place;
use business::worker::Worker;
use business::{Outcome, from_hex, hex};
use rand::RngExt;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match *arguments {
        ["worker", place, key] => worker(place, key).map(|()| true),
        ["customers", place, business, count, questions] => customers(place, business, count, questions).map(|()| true),
        _ => direct(&arguments),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("business: {error}");
            ExitCode::FAILURE
        }
    }
}

fn worker(place: &str, key: &str) -> Outcome<()> {
    let key: [u8; 32] = std::fs::read(key)?.try_into().map_err(|_| "not a key")?;
    let place = Place::from_argument(place)?;
    let engine = place.open(place.lease())?;
    let mut worker = Worker::new(engine, StorageKey::from_bytes(key));
    say("ready")?;
    std::io::stdin().read_line(&mut String::new())?;
    worker.run()
}

fn customers(place: &str, business: &str, count: &str, questions: &str) -> Outcome<()> {
    let business = from_hex(business).and_then(|bytes| bytes.try_into().ok()).ok_or("not a key")?;
    let place = Place::from_argument(place)?;
    let post = place.open(place.lease())?;
    let mut customers = Customers::new(post, AccountKey::from_bytes(&business)?, count.parse()?, questions.parse()?)?;
    say("0")?;
    for line in std::io::stdin().lock().lines() {
        match line?.as_str() {
            "round" => customers.ask_all().and_then(|()| say("0"))?,
            "run" => say(&customers.run()?.to_string())?,
            _ => {
                let tally = customers.finish(QUIET)?;
                say(&format!("{} {} {} {}", tally.once, tally.twice, tally.again, tally.unreadable))?;
            }
        }
    }
    Ok(())
}

/// Writes a line to the director.
fn say(line: &str) -> Outcome<()> {
    let mut output = std::io::stdout();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

fn direct(arguments: &[&str]) -> Outcome<bool> {
    let mut play =
        Play { customers: 2_000, questions: 3, workers: 4, kill_every: Duration::from_millis(400), measured: 1_500 };
    let mut nats = false;
    let mut arguments = arguments.iter();
    while let Some(name) = arguments.next() {
        let value = *arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match (*name, value) {
            ("--engine", "sqlite") => nats = false,
            ("--engine", "nats") => nats = true,
            ("--customers", _) => play.customers = value.parse()?,
            ("--questions", _) => play.questions = value.parse()?,
            ("--workers", _) => play.workers = value.parse()?,
            ("--kill-every", _) => play.kill_every = Duration::from_millis(value.parse()?),
            ("--measure", _) => play.measured = value.parse()?,
            _ => return Err(format!("unknown option: {name} {value}").into()),
        }
    }
    // Readable only by this user, and removed at the end.
    let scene = tempfile::Builder::new().prefix("bisik-business-").tempdir()?;
    if !nats {
        return perform(scene.path(), &play, None, None);
    }
    match std::env::var("NATS_URL") {
        Ok(url) => perform(scene.path(), &play, Some(&url), None),
        Err(_) => {
            let cluster = Cluster::start(scene.path())?;
            perform(scene.path(), &play, Some(&cluster.url()), Some(cluster))
        }
    }
}

fn perform(scene: &Path, play: &Play, url: Option<&str>, mut cluster: Option<Cluster>) -> Outcome<bool> {
    let engine = if url.is_some() { "NATS JetStream, three replicas" } else { "SQLite" };
    println!("many workers, one account: {engine}, {} processors", std::thread::available_parallelism()?);
    let place = |directory: &Path| match url {
        None => Place::Sqlite(directory.join("business.db")),
        Some(url) => Place::Nats { url: url.into(), prefix: format!("business-{}", hex(&rand::random::<[u8; 4]>())) },
    };
    if play.measured > 0 {
        println!();
        println!("  workers   first questions/s   later questions/s   processor/question");
        for workers in [1, 2, 4] {
            let directory = scene.join(format!("measure-{workers}"));
            std::fs::create_dir(&directory)?;
            let place = place(&directory);
            let rate = director::measure(&place, &directory, play.measured, workers)?;
            place.clear()?;
            let count = f64::from(u32::try_from(play.measured)?);
            println!(
                "  {workers:>7}   {:>17.0}   {:>17.0}   {:>15.2} ms",
                count / rate.first,
                count / rate.later,
                rate.processor / count * 1_000.0
            );
        }
    }
    let directory = scene.join("storm");
    std::fs::create_dir(&directory)?;
    let place = place(&directory);
    let mut lost = None;
    let result =
        director::storm(&place, &directory, play, |elapsed| lose_a_server(cluster.as_mut(), &mut lost, elapsed))?;
    place.clear()?;
    // If no server was lost and came back, the run with three servers has shown nothing.
    let kept = result.kept() && (cluster.is_none() || matches!(lost, Some((_, true))));
    report(play, &result, lost, kept);
    Ok(kept)
}

/// Kills one server a second after the beginning, and restarts it four seconds later.
fn lose_a_server(cluster: Option<&mut Cluster>, lost: &mut Option<(usize, bool)>, elapsed: Duration) -> Outcome<()> {
    let Some(cluster) = cluster else { return Ok(()) };
    match *lost {
        None if elapsed > Duration::from_secs(1) => {
            let index = rand::rng().random_range(0..SERVERS);
            cluster.kill(index)?;
            *lost = Some((index, false));
        }
        Some((index, false)) if elapsed > Duration::from_secs(5) => {
            cluster.restart(index)?;
            *lost = Some((index, true));
        }
        _ => {}
    }
    Ok(())
}

fn report(play: &Play, result: &director::Result, lost: Option<(usize, bool)>, kept: bool) {
    let director::Result { promises, tally, hopeless, buried, left, kills, once: _, took } = result;
    let seconds = took.as_secs_f64();
    println!();
    println!(
        "  {} customers asked {} questions, {} workers, {kills} of them killed, {seconds:.1} s",
        play.customers, promises.asked, play.workers
    );
    println!(
        "  questions stored exactly once        {:>8}   duplicates {}   not asked {}",
        promises.once, promises.twice, promises.strange
    );
    println!(
        "  answers shown exactly once           {:>8}   duplicates {}   unreadable {}",
        tally.once, tally.twice, tally.unreadable
    );
    println!(
        "  messages sent to customers           {:>8}   distinct salts {}   refused as replayed {}",
        promises.sent, promises.salts, tally.again
    );
    println!("  revisions that sent a message        {:>8}   computed twice {}", promises.revisions, promises.forked);
    println!("  damaged or invented in transit       {hopeless:>8}   given up {buried}   left in the queue {left}");
    if let Some((index, back)) = lost {
        println!("  server {index} of three was killed{}", if back { " and came back" } else { "" });
    }
    println!();
    println!("{}", if kept { "every promise was kept" } else { "A PROMISE WAS BROKEN" });
}

/// How long to wait for duplicates after the last answer.
const QUIET: Duration = Duration::from_secs(1);
