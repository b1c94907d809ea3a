//! This library against vodozemac 0.11, an implementation of Olm: `cargo bench --bench versus`, with
//! `--features interop` for the Signal protocol and groups.
//!
//! Only ratios within one run mean something. Timings are for reading and fail no test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

mod olm;
#[allow(dead_code)] // what other benchmarks use
mod support;

use olm::table::Operation;
#[cfg(feature = "interop")]
use olm::{groups, interop};
use olm::{ours, table, theirs};
use support::meter::time;
use support::report::{Aim, Report};
use support::{Asked, callgrind};

/// Messages or stores that a case prepares at a time.
const PREPARED: u64 = 64;

/// What setting up may cost beside vodozemac's, which has no signature and no post-quantum part.
const SET_UP: f64 = if cfg!(feature = "graviola") { 1.1 } else { 1.3 };

/// One-time pre-keys that a device stores beside the one that is used.
const STOCK: usize = 49;

/// Messages that arrive in reverse order.
const REVERSED: u64 = 1_000;

fn main() {
    if callgrind::is_child() {
        table::count_instructions(&mut operations());
        return;
    }
    match support::asked() {
        Asked::List => {}
        Asked::Run => operations().iter_mut().for_each(|Operation { ours, base, .. }| {
            _ = (time(ours, 1), time(base, 1));
        }),
        Asked::Measure => {
            let mut report = Report::start();
            table::print(&mut operations(), &mut report);
            report.end();
        }
    }
}

/// Returns the rows of the table. On both sides, messages are bytes as on the wire.
fn operations() -> Vec<Operation> {
    #[cfg(feature = "interop")]
    return native().into_iter().chain(interop::operations()).chain(groups::operations()).collect();
    #[cfg(not(feature = "interop"))]
    native()
}

fn native() -> Vec<Operation> {
    let against = Operation::against;
    vec![
        against("encrypt 32 B", Aim::AtMost(0.20), ours::encrypt(32), theirs::encrypt(32)),
        against("encrypt 1 KiB", Aim::AtMost(0.22), ours::encrypt(1024), theirs::encrypt(1024)),
        against("decrypt 32 B", Aim::AtMost(1.0), ours::decrypt(32), theirs::decrypt(32)),
        against("decrypt 1 KiB", Aim::AtMost(1.2), ours::decrypt(1024), theirs::decrypt(1024)),
        against("there and back, a DH step each", Aim::AtMost(0.7), ours::turn(), theirs::turn()),
        against("initiate, first encrypt", Aim::AtMost(SET_UP), ours::initiate(), theirs::initiate()),
        against("accept, first decrypt", Aim::AtMost(SET_UP), ours::accept(), theirs::accept()),
        against("seal, fresh", Aim::AtMost(0.3), ours::seal(ours::fresh()), theirs::seal(theirs::fresh())),
        against("unseal, fresh", Aim::AtMost(0.25), ours::unseal(ours::fresh()), theirs::unseal(theirs::fresh())),
        against("seal, waiting for an answer", Aim::None, ours::seal(ours::waiting()), theirs::seal(theirs::waiting())),
        against(
            "unseal, waiting for an answer",
            Aim::None,
            ours::unseal(ours::waiting()),
            theirs::unseal(theirs::waiting()),
        ),
        // What an application does for one message: nothing may leave or be shown before the state is stored.
        against("send 1 KiB: encrypt, seal", Aim::AtMost(1.0), ours::send(1024), theirs::send(1024)),
        against("receive 1 KiB: decrypt, seal", Aim::AtMost(1.0), ours::receive(1024), theirs::receive(1024)),
        against(
            "the same there and back, a DH step each",
            Aim::AtMost(1.0),
            ours::exchange(1024),
            theirs::exchange(1024),
        ),
        against("first contact: initiate, encrypt, seal", Aim::AtMost(SET_UP), ours::contact(), theirs::contact()),
        against(
            "contacted: accept, seal it and 50 pre-keys",
            Aim::AtMost(SET_UP),
            ours::contacted(),
            theirs::contacted(),
        ),
        Operation {
            messages: REVERSED,
            ..against("1,000 in reverse order; decrypt in order", Aim::AtMost(2.0), ours::reversed(), ours::decrypt(32))
        },
    ]
}
