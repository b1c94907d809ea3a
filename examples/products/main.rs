//! Three conversations of one customer: with a friend, with a coffee stall, and with a company that lets another one answer.
//!
//! Does not know any cryptography. All of it goes through one relay, which records every byte, and is searched at the end:
//! `cargo run --release --example products`. Whatever the program claims on the way it checks; where a claim does not hold, it
//! ends with an error.
#![allow(clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm)]

mod company; // a mobile operator whose device a vendor hosts, until it moves home
mod paper; //   how it is printed
mod relay; //   what the network sees
mod stall; //   a coffee stall that answers from the business app
mod town; //    accounts, devices, a clock

use std::process::ExitCode;

use bisik::Timestamp;
use bisik::content::{Content, Kind, PersonId, Text};
use bisik::device::Custody;
use bisik::hosting::Label;

use paper::{Paper, says, scene, show_notice, tell};
use relay::Said;
use town::{At, Town};

type Error = Box<dyn std::error::Error>;

/// The customer's telephone, and her laptop.
const SARI: At = ("sari", 0);
const LAPTOP: At = ("sari", 1);
const BUDI: At = ("budi", 0);

fn main() -> Result<ExitCode, Error> {
    let mut paper = Paper::default();
    let mut town = Town::new(Timestamp::from_unix_seconds(1_800_000_000));
    town.found("sari", Custody::Person)?;
    town.join("sari", Custody::Person)?;

    friend(&mut town, &mut paper)?;
    stall::visit(&mut town, &mut paper)?;
    company::call(&mut town, &mut paper)?;
    search(&town, &mut paper);

    if paper.broken.is_empty() {
        println!("\nAll {} claims held.", paper.held);
        return Ok(ExitCode::SUCCESS);
    }
    println!("\nNot so: {:#?}", paper.broken);
    Ok(ExitCode::FAILURE)
}

fn friend(town: &mut Town, paper: &mut Paper) -> Result<(), Error> {
    scene("1. A friend");
    town.found("budi", Custody::Person)?;
    introduce(town, "budi", &[BUDI])?;
    show_last(town, SARI, "Sari's telephone")?;
    paper.claim("the label says end-to-end", label(town, SARI, "budi")? == Label::EndToEnd);
    exchange(town, (SARI, "Sari"), (BUDI, "budi"), text("Bud, jadi ke Bandung hari Sabtu? Kereta jam 06.30."))?;
    exchange(town, (BUDI, "Budi"), (SARI, "sari"), text("Jadi! Aku tunggu di peron 3."))?;
    paper.claim("Sari's laptop has Budi's answer, too", told(town, LAPTOP, "Aku tunggu di peron 3"));
    Ok(())
}

/// Every byte that the relay was ever given.
fn search(town: &Town, paper: &mut Paper) {
    scene("4. What the relay has");
    let (record, said): (_, &Said) = (town.relay.record(), &town.said);
    tell(&format!(
        "It was given {} bytes: {} letters, bundles, lists, disclosures, a picture.",
        record.len(),
        town.relay.carried()
    ));
    tell(&format!(
        "Said, or tried to say, were {} contents, {} bytes of plaintext, {} different pieces of 8.",
        said.contents,
        said.bytes,
        said.pieces()
    ));
    paper.claim("no 8 bytes in a row of anything that was said are in its record", said.found_in(record).is_empty());

    let planted = "Aku tunggu di peron 3".as_bytes();
    let (before, after) = record.split_at(record.len() / 2);
    let found = said.found_in(&[before, planted, after].concat());
    let places: Vec<_> = (0..=planted.len() - 8).map(|at| before.len() + at).collect();
    paper.claim(
        "the search works: in a copy with one sentence planted it finds that, there, and nothing else",
        found == places,
    );
}

// ---- what the scenes share -----------------------------------------------------------------------------------------

fn text(words: &str) -> Kind {
    Kind::Text(Text::new(words))
}

/// By the application's own names; a program that has no better ones takes the account's key.
fn person(name: &str) -> Result<PersonId, Error> {
    Ok(PersonId::new(name.as_bytes())?)
}

/// Sari's devices and those of another account learn of each other.
fn introduce(town: &mut Town, other: &'static str, devices: &[At]) -> Result<(), Error> {
    for at in [SARI, LAPTOP] {
        town.meet(at, other)?;
    }
    devices.iter().try_for_each(|at| town.meet(*at, "sari"))
}

/// Says something, delivers it, and prints it as the other side reads it.
fn exchange(town: &mut Town, from: (At, &str), to: (At, &'static str), kind: Kind) -> Result<(), Error> {
    let sent = town.say(from.0, to.1, kind)??;
    deliver(town, from.1, to.0, &sent)
}

fn deliver(town: &mut Town, from: &str, to: At, sent: &Content) -> Result<(), Error> {
    town.settle()?;
    let heard = town.at(to)?.last()?;
    if heard != sent {
        return Err("something else arrived".into());
    }
    says(from, heard.envelope().automated, heard.kind());
    Ok(())
}

fn show_last(town: &Town, at: At, on: &str) -> Result<(), Error> {
    show_notice(on, town.at(at)?.events.last().ok_or("nothing was shown")?);
    Ok(())
}

fn label(town: &Town, at: At, peer: &str) -> Result<Label, Error> {
    Ok(town.at(at)?.conversations.get(peer).ok_or("no conversation")?.label().label())
}

/// Whether a device has shown a text with these words.
fn told(town: &Town, at: At, words: &str) -> bool {
    let texts = town.devices.get(&at).into_iter().flat_map(|device| &device.heard);
    texts
        .filter_map(|heard| if let Kind::Text(text) = heard.content.kind() { Some(text) } else { None })
        .any(|text| text.body.contains(words))
}
