//! Three conversations of one customer: with a friend, with a coffee stall, and with a company for which a vendor
//! answers.
//!
//! All messages go through one relay, which records every byte. At the end the record is searched for plaintext. The
//! program checks each of its claims and fails if one does not hold: `cargo run --release --example products`.
#![allow(clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm)]

mod accounts; // accounts, devices, a clock
mod company; //  a mobile operator; a vendor hosts its device until the service moves home
mod relay; //    what the network sees
mod report; //   the output
mod stall; //    a coffee stall that answers from the business app

use std::process::ExitCode;

use bisik::Timestamp;
use bisik::content::{Content, Kind, PersonId, Text};
use bisik::device::Custody;
use bisik::hosting::Label;

use accounts::{Accounts, At};
use relay::Said;
use report::{Report, says, scene, show_notice, tell};

type Error = Box<dyn std::error::Error>;

/// The customer's telephone.
const SARI: At = ("sari", 0);
const LAPTOP: At = ("sari", 1);
const BUDI: At = ("budi", 0);

fn main() -> ExitCode {
    conversations().unwrap_or_else(|error| {
        eprintln!("products: {error}");
        ExitCode::FAILURE
    })
}

fn conversations() -> Result<ExitCode, Error> {
    let mut report = Report::default();
    let mut accounts = Accounts::new(Timestamp::from_unix_seconds(1_800_000_000));
    accounts.found("sari", Custody::Person)?;
    accounts.join("sari", Custody::Person)?;

    friend(&mut accounts, &mut report)?;
    stall::visit(&mut accounts, &mut report)?;
    company::call(&mut accounts, &mut report)?;
    search(&accounts, &mut report);

    if report.broken.is_empty() {
        println!("\nAll {} claims held.", report.held);
        return Ok(ExitCode::SUCCESS);
    }
    println!("\nFailed: {:#?}", report.broken);
    Ok(ExitCode::FAILURE)
}

fn friend(accounts: &mut Accounts, report: &mut Report) -> Result<(), Error> {
    scene("1. A friend");
    accounts.found("budi", Custody::Person)?;
    introduce(accounts, "budi", &[BUDI])?;
    show_last(accounts, SARI, "Sari's telephone", "Budi")?;
    report.claim("the label says end-to-end", label(accounts, SARI, "budi")?.is_end_to_end());
    exchange(accounts, (SARI, "Sari"), (BUDI, "budi"), text("Bud, jadi ke Bandung hari Sabtu? Kereta jam 06.30."))?;
    let asked = accounts.at(BUDI)?.requests == ["sari"];
    report.claim("Budi is asked whether he wants to hear from her", asked);
    report.claim("before he answers, his telephone sends nothing at all", accounts.relay.carried_from(BUDI) == 0);
    exchange(accounts, (BUDI, "Budi"), (SARI, "sari"), text("Jadi! Aku tunggu di peron 3."))?;
    let copied = told(accounts, LAPTOP, "Aku tunggu di peron 3");
    report.claim("Sari's laptop, which was introduced to nobody, has Budi's answer too", copied);
    Ok(())
}

/// Searches every byte that the relay was ever given.
fn search(accounts: &Accounts, report: &mut Report) {
    scene("4. What the relay has");
    let (record, said): (_, &Said) = (accounts.relay.record(), &accounts.said);
    tell(&format!(
        "It was given {} bytes: {} letters, and bundles, lists, disclosures and a picture.",
        record.len(),
        accounts.relay.carried()
    ));
    tell(&format!(
        "{} contents were sent or refused: {} bytes of plaintext, {} distinct sequences of 8 bytes.",
        said.contents,
        said.bytes,
        said.pieces()
    ));
    report.claim("its record contains no 8 consecutive bytes of any plaintext", said.found_in(record).is_empty());

    let planted = "Aku tunggu di peron 3".as_bytes();
    let (before, after) = record.split_at(record.len() / 2);
    let found = said.found_in(&[before, planted, after].concat());
    let places: Vec<_> = (0..=planted.len() - 8).map(|at| before.len() + at).collect();
    report.claim(
        "the search works: in a copy of the record with one sentence inserted, it finds exactly that",
        found == places,
    );
}

// ---- shared by the scenes ------------------------------------------------------------------------------------------

fn text(words: &str) -> Kind {
    Kind::Text(Text::new(words))
}

/// Returns a person by the application's own identifier. A program without such identifiers uses the account key.
fn person(name: &str) -> Result<PersonId, Error> {
    Ok(PersonId::new(name.as_bytes())?)
}

/// Introduces Sari's telephone and the devices of another account to each other. Her laptop learns of the account when she
/// writes to it.
fn introduce(accounts: &mut Accounts, other: &'static str, devices: &[At]) -> Result<(), Error> {
    accounts.meet(SARI, other)?;
    devices.iter().try_for_each(|at| accounts.meet(*at, "sari"))
}

/// Sends a content, lets every device take its turn, and prints it as the other side reads it.
fn exchange(accounts: &mut Accounts, from: (At, &str), to: (At, &'static str), kind: Kind) -> Result<(), Error> {
    let sent = accounts.say(from.0, to.1, kind)??;
    deliver(accounts, from.1, to.0, &sent)
}

fn deliver(accounts: &mut Accounts, from: &str, to: At, sent: &Content) -> Result<(), Error> {
    accounts.settle()?;
    let heard = accounts.at(to)?.last()?;
    if heard != sent {
        return Err("another content arrived".into());
    }
    says(from, heard.meta().automated, heard.kind());
    Ok(())
}

fn show_last(accounts: &Accounts, at: At, on: &str, chat: &str) -> Result<(), Error> {
    show_notice(on, chat, accounts.at(at)?.events.last().ok_or("nothing was shown")?);
    Ok(())
}

fn label(accounts: &Accounts, at: At, peer: &str) -> Result<Label, Error> {
    Ok(accounts.at(at)?.conversations.get(peer).ok_or("no conversation")?.label().label(accounts.now))
}

/// Returns whether a device has shown a text that contains `words`.
fn told(accounts: &Accounts, at: At, words: &str) -> bool {
    let texts = accounts.devices.get(&at).into_iter().flat_map(|device| &device.heard);
    texts
        .filter_map(|heard| if let Kind::Text(text) = heard.content.kind() { Some(text) } else { None })
        .any(|text| text.body.contains(words))
}
