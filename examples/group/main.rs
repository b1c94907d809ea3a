//! Three people in a group, with a photo and a story, over a relay that reads nothing: `cargo run --example group`.
//!
//! Each device has a [`Group`], and a [`Conversation`] with each other member, which carries the group's letters. What
//! this leaves out is the database: `docs/persistence.md` says what to write where.
#![allow(clippy::arithmetic_side_effects)]

mod device; // one device, and what it does
mod relay; // mail, device lists and bundles, which nobody believes
mod story; // what one shows to an audience

use std::error::Error;

use bisik::group::membership::Role;

use device::Device;
use relay::Relay;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut relay = Relay::default();
    let mut people =
        [Device::new("Ani", &mut relay)?, Device::new("Budi", &mut relay)?, Device::new("Cici", &mut relay)?];
    let [ani, budi, cici] = people.each_ref().map(|device| *device.account.key());

    println!("Ani founds a group, and invites the others. They are asked, and accept.");
    people[0].found("Perjalanan ke Lombok")?;
    people[0].in_group(|group, account, now, rng| {
        group.invite(account, budi, now, rng)?;
        group.invite(account, cici, now, rng)
    })?;
    relay.run(&mut people)?;
    for device in &mut people[1..] {
        assert!(device.group()?.is_invited());
        device.in_group(|group, account, now, _| group.accept(account, now))?;
    }
    relay.run(&mut people)?;

    println!("Everybody writes: one ciphertext each, for all others.");
    people[0].write("siapa ikut?")?;
    people[1].write("aku!")?;
    people[2].write("aku juga, besok pagi")?;
    relay.run(&mut people)?;
    for device in &people {
        println!("  {} has read: {}", device.name, device.read.join(" · "));
        assert_eq!(device.read.len(), 2);
    }

    println!("Ani sends a photo: one upload, whose key is in the group's message.");
    let photo: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
    people[0].send_photo(&photo, &mut relay)?;
    relay.run(&mut people)?;
    for device in &people[1..] {
        assert_eq!(device.photos, [photo.as_slice()]);
    }
    println!("  Budi and Cici have the same {} bytes", photo.len());

    println!("Ani shows a story to both; then no longer to Budi. Nobody else knows who sees it.");
    people[0].show_to(&[budi, cici])?;
    people[0].post("matahari terbit di Senggigi")?;
    relay.run(&mut people)?;
    people[0].show_to(&[cici])?;
    people[0].post("kejutan untuk Budi")?;
    relay.run(&mut people)?;
    for device in &people[1..] {
        println!("  {} sees: {}", device.name, device.stories.seen.join(" · "));
    }
    let seen: Vec<_> = people.iter().map(|device| device.stories.seen.len()).collect();
    assert_eq!(seen, [0, 1, 2]);

    println!("Cici becomes an admin, and removes Budi. Whoever knows of it writes under keys that he does not get.");
    people[0].in_group(|group, account, now, _| group.set_role(account, &cici, Role::Admin, &[], now))?;
    relay.run(&mut people)?;
    people[2].in_group(|group, account, now, _| group.remove(account, &budi, &[], now))?;
    people[2].write("kita berdua saja")?;
    relay.run(&mut people)?;
    assert_eq!(people[0].read.last().map(String::as_str), Some("Cici: kita berdua saja"));
    assert_eq!((people[1].read.len(), people[1].group()?.role()), (2, None));
    assert!(people[1].write("halo?").is_err());
    let members = people[0].group()?.membership().state();
    assert!(members.is_member(&ani) && members.is_member(&cici) && !members.is_member(&budi));

    let (messages, letters) = relay.seen();
    println!("The relay has seen {messages} messages and {letters} letters, all of them encrypted.");
    for word in ["Lombok", "siapa", "besok", "berdua", "Senggigi", "kejutan"] {
        assert!(!relay.has_seen(word.as_bytes()), "nothing of it in the clear");
    }
    let start = photo.first_chunk::<64>().ok_or("a photo")?;
    assert!(!relay.has_seen(start), "nor any part of the photo");
    let start = relay.some_blob()?.first_chunk::<64>().ok_or("a blob")?;
    assert!(relay.has_seen(start), "the search finds what is there");
    Ok(())
}
