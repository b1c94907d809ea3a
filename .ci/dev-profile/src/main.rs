//! What an application's development build takes. CI builds it twice, with the default profile and with two lines more:
//!
//! ```text
//! cargo run -- share                              our share of each operation's stack is bounded
//! cargo run --config lines.toml -- total 256      with the two lines of the README, every operation fits in 256 KiB
//! cargo run [--config lines.toml] -- speed        the figures of the documentation; checks nothing
//! ```

mod operations;
mod primitives;
mod speed;
mod stack;

use std::error::Error;
use std::process::ExitCode;

use operations::Operation;
use primitives::Primitive;

type Failure = Box<dyn Error + Send + Sync>;

/// What an operation may take above the primitive in it that takes most, in KiB.
const OWN_SHARE: usize = 48;

/// The stack of a thread in which an operation of unknown need is measured: more than any takes.
const AMPLE: usize = 4 << 20;

fn main() -> Result<ExitCode, Failure> {
    stack::check_the_measure()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let kept = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["share"] => share()?,
        ["total", kib] => total(kib.parse()?)?,
        ["speed"] => speed::print()?,
        _ => return Err("say share, total KIB or speed".into()),
    };
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures each operation, and compares it with the primitives in it.
fn share() -> Result<bool, Failure> {
    println!("{:34} {:>7} {:>9} {:>9}", "KiB of stack", "takes", "primitive", "our share");
    let mut of_primitives = Vec::new();
    for primitive in Primitive::ALL {
        let name = format!("{primitive:?}");
        let (takes, done) = stack::touched(&name, AMPLE, primitive.prepare()?)?;
        done?;
        println!("  {name:32} {takes:7}");
        of_primitives.push((primitive, takes));
    }
    let mut kept = true;
    for Operation { name, primitives, prepare } in operations::all() {
        let work = prepare()?;
        let (takes, done) = stack::touched(name, AMPLE, work)?;
        done.map_err(|error| format!("{name}: {error}"))?;
        let largest =
            of_primitives.iter().filter(|(primitive, _)| primitives.contains(primitive)).map(|(_, takes)| *takes);
        let largest = largest.max().unwrap_or(0);
        let own = takes.saturating_sub(largest);
        let verdict = if own > OWN_SHARE { "  TOO MUCH" } else { "" };
        println!("{name:34} {takes:7} {largest:9} {own:9}{verdict}");
        kept &= own <= OWN_SHARE;
    }
    Ok(kept)
}

/// Runs each operation on a stack of `kib`. One that needs more ends the process.
fn total(kib: usize) -> Result<bool, Failure> {
    println!("{:34} {:>7}", format!("KiB of {kib} KiB of stack"), "takes");
    for Operation { name, prepare, .. } in operations::all() {
        let work = prepare()?;
        let (takes, done) = stack::touched(name, kib << 10, work)?;
        done.map_err(|error| format!("{name}: {error}"))?;
        println!("{name:34} {takes:7}");
    }
    Ok(true)
}
