//! Kopi Pojok, a coffee stall that answers from the business app on its owner's telephone: end-to-end encrypted, like a
//! friend.
//!
//! It needs no server: the messages contain the items for sale and the orders.

use bisik::content::{
    Action, Availability, Away, Blob, Button, Buttons, Cart, CartLine, CatalogueItem, Greeting, Kind, OpeningHours,
    Origin, Price, Profile, Referral, Selection, Text,
};
use bisik::device::Custody;
use bisik::media::{self, Decryptor, MediaType};

use super::accounts::{Accounts, At};
use super::report::{Report, money, scene, tell};
use super::{Error, SARI, deliver, exchange, introduce, label, person, show_last, text};

const STALL: At = ("kopi pojok", 0);

pub(crate) fn visit(accounts: &mut Accounts, report: &mut Report) -> Result<(), Error> {
    scene("2. A coffee stall, from the business app");
    accounts.found("kopi pojok", Custody::Business)?;
    introduce(accounts, "kopi pojok", &[STALL])?;
    show_last(accounts, SARI, "Sari's telephone", "Kopi Pojok")?;
    report.claim("the label says end-to-end, as with a friend", label(accounts, SARI, "kopi pojok")?.is_end_to_end());

    let mut poster = Referral::new(Origin::CODE, "meja-4", "https://kopipojok.example/meja/4");
    poster.headline = "Pesan dari meja, tanpa antre".into();
    tell("(Sari has scanned the code on her table. Her telephone tells the stall.)");
    exchange(accounts, (SARI, "Sari"), (STALL, "kopi pojok"), Kind::Referral(poster))?;
    exchange(accounts, (SARI, "Sari"), (STALL, "kopi pojok"), text("Halo, ada kopi apa saja?"))?;
    let before = accounts.at(SARI)?.heard.len();

    let welcome = Greeting { text: Text::new("Selamat datang di Kopi Pojok! Ini yang kami punya.") };
    answer(accounts, Kind::Greeting(welcome))?;
    answer(accounts, Kind::Profile(profile()))?;
    let menu = catalogue(accounts)?;
    for item in &menu {
        answer(accounts, Kind::CatalogueItem(item.clone()))?;
    }
    report.claim("Sari's telephone has decrypted the picture", seen_picture(accounts)? == picture());
    order(accounts, report, &menu)?;
    choose(accounts, report)?;
    let away = Away { text: Text::new("Kami tutup pukul 21.00. Pesan Anda dibaca besok pagi.") };
    answer(accounts, Kind::Away(away))?;
    let mut answers = accounts.at(SARI)?.heard.iter().skip(before).map(|heard| heard.content.meta());
    let honest = answers.all(|meta| meta.automated && meta.reply_to.is_some());
    report.claim("every answer is marked as automated and states what it replies to", honest);
    Ok(())
}

/// Sends an answer of the stall's program, and prints it as Sari reads it.
fn answer(accounts: &mut Accounts, kind: Kind) -> Result<(), Error> {
    let sent = accounts.say_by_itself(STALL, "sari", kind)?;
    deliver(accounts, "Kopi Pojok", SARI, &sent)
}

/// Sends the cart in one message with all its data. Both sides compute the total.
fn order(accounts: &mut Accounts, report: &mut Report, menu: &[CatalogueItem]) -> Result<(), Error> {
    let lines = menu.iter().zip([2, 1]).map(|(item, quantity)| CartLine::of(item, quantity));
    let mut cart = Cart::new(lines.collect::<Result<Vec<_>, _>>()?);
    cart.note = Some(Text::new("Gulanya sedikit saja, ya."));
    let expected = cart.total()?;
    exchange(accounts, (SARI, "Sari"), (STALL, "kopi pojok"), Kind::Cart(cart))?;
    let Kind::Cart(arrived) = accounts.at(STALL)?.last()?.kind().clone() else { return Err("no cart".into()) };
    let total = arrived.total()?;
    tell(&format!("(The stall computes the total: {}.)", money(&total)));
    report.claim(
        "both sides compute the same total, and none was sent",
        total == expected && money(&total) == "Rp54.000",
    );
    let honest = arrived.lines.iter().all(|line| menu.iter().any(|item| line.agrees_with(item)));
    report.claim("the cart has the stall's own prices", honest);
    let mut cheaper = arrived;
    for line in &mut cheaper.lines {
        line.price = Price::new(100, "IDR")?;
    }
    let honest = cheaper.lines.iter().any(|line| menu.iter().any(|item| line.agrees_with(item)));
    report.claim("a cart with other prices would be noticed", !honest);
    Ok(())
}

fn choose(accounts: &mut Accounts, report: &mut Report) -> Result<(), Error> {
    let button = |title: &str, id: &str| Button { title: title.into(), action: Action::Answer(id.into()) };
    let buttons = vec![button("Panas", "panas"), button("Dingin", "dingin")];
    let asked = Buttons { text: Text::new("Kopinya panas atau dingin?"), footer: "Meja 4".into(), buttons };
    let asked = accounts.say_by_itself(STALL, "sari", Kind::Buttons(asked))?;
    deliver(accounts, "Kopi Pojok", SARI, &asked)?;
    let stall = person("kopi pojok")?;
    let chosen = Selection::new(accounts.at(SARI)?.last()?, &stall, "dingin").ok_or("it was offered")?;
    exchange(accounts, (SARI, "Sari"), (STALL, "kopi pojok"), Kind::Selection(chosen))?;
    let Kind::Selection(chosen) = accounts.at(STALL)?.last()?.kind() else { return Err("no answer".into()) };
    report.claim("the stall offered this answer, in that message", chosen.answers(&asked, &stall));
    Ok(())
}

fn profile() -> Profile {
    let mut profile = Profile::new("Kopi Pojok");
    profile.about = "kopi, teh, roti bakar".into();
    profile.address = "Jl. Kemang Raya 12, Jakarta Selatan".into();
    profile.sites = vec!["https://kopipojok.example".into()];
    profile.hours = (1..=6).map(|day| OpeningHours { day, from: 7 * 60, to: 21 * 60 }).collect();
    profile.time_zone = "Asia/Jakarta".into();
    profile
}

/// Returns the catalogue. The picture is stored at the relay as a blob, and its key is in the item.
fn catalogue(accounts: &mut Accounts) -> Result<Vec<CatalogueItem>, Error> {
    let (blob, pointer) = media::encrypt(MediaType::new("image/x-portable-pixmap")?, &picture(), &mut rand::rng())?;
    accounts.said.add(&picture());
    let mut coffee = CatalogueItem::new("kopi-susu", "Kopi susu gula aren");
    coffee.description = "Espreso, susu segar, gula aren dari Lebak.".into();
    coffee.price = Some(Price::new(1_800_000, "IDR")?);
    coffee.picture = Some(Blob { pointer, location: accounts.relay.keep_blob(blob).into() });
    coffee.availability = Availability::IN_STOCK;
    let mut toast = CatalogueItem::new("roti-bakar", "Roti bakar srikaya");
    toast.price = Some(Price::new(1_800_000, "IDR")?);
    toast.availability = Availability::TO_ORDER;
    Ok(vec![coffee, toast])
}

fn seen_picture(accounts: &Accounts) -> Result<Vec<u8>, Error> {
    let mut items = accounts.at(SARI)?.heard.iter().filter_map(|heard| match heard.content.kind() {
        Kind::CatalogueItem(item) => item.picture.as_ref(),
        _ => None,
    });
    let Blob { pointer, location } = items.next_back().ok_or("no picture")?;
    let mut seen = Vec::new();
    let mut decryptor = Decryptor::new(pointer);
    decryptor.push(accounts.relay.blob(location).ok_or("no blob")?, &mut seen)?;
    decryptor.finish()?;
    Ok(seen)
}

/// Draws a cup seen from above, 48 pixels wide.
fn picture() -> Vec<u8> {
    let distance = |x: i32, y: i32| (x - 24).pow(2) + (y - 24).pow(2);
    let colour = |x, y| match distance(x, y) {
        0..=323 => [111, 78, u8::try_from(55 + (x * y) % 40).unwrap_or(0)],
        324..=480 => [250, 250, 245],
        _ => [168, 120, u8::try_from(80 + (x + y) % 30).unwrap_or(0)],
    };
    let pixels = (0..48).flat_map(|y| (0..48).flat_map(move |x| colour(x, y)));
    b"P6 48 48 255\n".iter().copied().chain(pixels).collect()
}
