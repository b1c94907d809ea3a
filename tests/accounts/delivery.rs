//! Delivery: shown once or reported lost, whatever the network does.

use bisik::conversation::{Cause, DeviceAddress, Event, Presence, Recipients, SendError, Side};
use bisik_testkit::accounts::{Accounts, At};

const ALICE: At = (0, 0);
const BOB: At = (1, 0);
const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// Two devices whose session is confirmed on both sides.
fn talking(seed: u64) -> Accounts {
    let mut accounts = Accounts::new(seed, [1, 1]);
    for at in [ALICE, BOB, ALICE] {
        accounts.send(at, b"halo").unwrap();
        accounts.settle();
    }
    for at in [ALICE, BOB] {
        accounts.devices.get_mut(&at).unwrap().events.clear();
        accounts.devices.get_mut(&at).unwrap().shown.clear();
    }
    accounts
}

fn shown(accounts: &Accounts, at: At) -> Vec<String> {
    accounts.devices[&at].shown.iter().map(|(_, body)| String::from_utf8(body.clone()).unwrap()).collect()
}

fn kept(accounts: &Accounts, at: At) -> usize {
    accounts.devices[&at].conversation.as_ref().unwrap().unacknowledged_messages()
}

/// Lets days pass: at each moment at which something is due, it is sent and delivered.
fn pass(accounts: &mut Accounts, seconds: u64) {
    let end = accounts.now.plus_seconds(seconds);
    loop {
        accounts.settle();
        match accounts.next_due() {
            Some(at) if at <= end => accounts.now = accounts.now.max(at),
            _ => break,
        }
    }
    accounts.now = accounts.now.max(end);
}

/// P-12.27
#[test]
fn a_message_whose_envelope_was_lost_is_sent_again_by_the_clock() {
    let mut accounts = talking(40);
    accounts.send(ALICE, b"one").unwrap();
    accounts.mail.clear();
    accounts.settle();
    assert_eq!(shown(&accounts, BOB), [""; 0], "not before a quarter of an hour has passed");
    pass(&mut accounts, HOUR);
    assert_eq!(shown(&accounts, BOB), ["one"]);
    assert_eq!(kept(&accounts, ALICE), 0);
}

/// P-12.30: the server had no bundle of the device for as long as the author kept the message.
#[test]
fn a_message_that_was_given_up_before_there_was_a_session_is_reported_lost() {
    let mut accounts = Accounts::new(47, [1, 1]);
    let id = accounts.write(ALICE, b"one", Recipients::All).unwrap();
    for seconds in [0, 15 * DAY, HOUR] {
        accounts.now = accounts.now.plus_seconds(seconds);
        let (now, device) = (accounts.now, accounts.devices.get_mut(&ALICE).unwrap());
        let talk = device.conversation.as_mut().unwrap();
        drop(talk.flush(&device.account, &[], now, &mut accounts.rng).unwrap());
        let _stored = device.store(&mut accounts.rng);
        device.settle();
    }
    let given_up = Event::GivenUp { id, device: DeviceAddress::peer(0), cause: Cause::TooOld };
    assert!(accounts.devices[&ALICE].events.contains(&given_up));
    pass(&mut accounts, DAY);
    let lost =
        accounts.devices[&BOB].events.iter().any(|event| matches!(event, Event::Lost { id: of, .. } if *of == id));
    assert!(lost, "{:?}", accounts.devices[&BOB].events);
    assert!(shown(&accounts, BOB).is_empty());
    pass(&mut accounts, 3 * DAY);
    assert!(accounts.next_due().is_none_or(|at| at > accounts.now.plus_seconds(DAY)), "and then it is silent");
}

#[test]
fn a_clock_that_was_weeks_ahead_delays_a_repeat_by_an_hour_at_most() {
    let mut accounts = talking(46);
    let right = accounts.now;
    accounts.now = right.plus_seconds(20 * DAY);
    accounts.send(ALICE, b"one").unwrap();
    accounts.mail.clear();
    accounts.now = right;
    pass(&mut accounts, HOUR + 1);
    assert_eq!(shown(&accounts, BOB), ["one"]);
}

/// P-12.26
#[test]
fn a_message_that_a_later_one_overtook_is_sent_again_at_once() {
    let mut accounts = talking(41);
    accounts.send(ALICE, b"lost").unwrap();
    accounts.mail.clear();
    accounts.send(ALICE, b"arrives").unwrap();
    let before = accounts.now;
    accounts.settle();
    assert_eq!(shown(&accounts, BOB), ["arrives", "lost"]);
    assert!(
        accounts.now <= before.plus_seconds(1_201),
        "with the acknowledgement of the later one, and one of its own"
    );
}

/// P-12.18: the window of what is remembered is not a number of messages: a copy that comes after a thousand others, or
/// after a year, is no message.
#[test]
fn an_old_envelope_that_a_relay_kept_is_never_shown_again() {
    let mut accounts = talking(42);
    accounts.send(ALICE, b"pay 100 to Carol").unwrap();
    let good = accounts.mail.pop_front().unwrap();
    // It is delivered damaged first, so that its author sends it again.
    let mut damaged = good.2.clone();
    let mut bytes = damaged.ciphertext.as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    damaged.ciphertext = bytes.try_into().unwrap();
    assert!(accounts.deliver(good.0, good.1, &damaged).is_err());
    pass(&mut accounts, DAY);
    assert_eq!(shown(&accounts, BOB), ["pay 100 to Carol"]);
    for number in 0..1_000_u32 {
        accounts.send(ALICE, &number.to_be_bytes()).unwrap();
        if number % 7 == 0 {
            accounts.settle();
        }
    }
    accounts.settle();
    // The session still has the key of the envelope that it never opened.
    let _result = accounts.deliver(good.0, good.1, &good.2);
    accounts.settle();
    assert_eq!(accounts.devices[&BOB].shown.iter().filter(|(_, body)| body == b"pay 100 to Carol").count(), 1);
    assert_eq!(accounts.devices[&BOB].shown.len(), 1_001);
}

#[test]
fn every_envelope_twice_and_in_any_order_is_shown_once() {
    let mut accounts = talking(43);
    for number in 0..40_u8 {
        accounts.send(ALICE, &[b'a', number]).unwrap();
        accounts.send(BOB, &[b'b', number]).unwrap();
    }
    let mut mail: Vec<_> = accounts.mail.drain(..).collect();
    mail.extend(mail.clone());
    mail.reverse();
    for (to, from, envelope) in &mail {
        let _result = accounts.deliver(*to, *from, envelope);
    }
    accounts.settle();
    for at in [ALICE, BOB] {
        let mut shown = accounts.shown(at);
        let count = shown.len();
        shown.dedup();
        assert_eq!((count, shown.len(), kept(&accounts, at)), (40, 40, 0));
    }
}

/// P-12.20, P-12.29: At most 64 are kept: what makes room is told to both sides, by name.
#[test]
fn what_an_author_gives_up_is_reported_to_both_sides() {
    let mut accounts = talking(44);
    let mut ids = Vec::new();
    for number in 0..70_u8 {
        ids.push(accounts.send(ALICE, &[number]).unwrap());
        accounts.mail.clear();
    }
    assert_eq!(kept(&accounts, ALICE), 64);
    pass(&mut accounts, 3 * DAY);
    let lost: Vec<_> = ids[..6].to_vec();
    let of = |at: At, pick: fn(&Event) -> Option<bisik::conversation::MessageId>| -> Vec<_> {
        accounts.devices[&at].events.iter().filter_map(pick).collect()
    };
    let given_up = of(ALICE, |event| match event {
        Event::GivenUp { id, cause: Cause::TooOld, .. } => Some(*id),
        _ => None,
    });
    let told = of(BOB, |event| match event {
        Event::Lost { id, .. } => Some(*id),
        _ => None,
    });
    assert_eq!((&given_up, &told), (&lost, &lost));
    assert_eq!((accounts.devices[&BOB].shown.len(), kept(&accounts, ALICE)), (64, 0));
}

/// Nothing could be sent yet: there was no bundle. The other device hears of what was given up with the first that can.
#[test]
fn what_was_given_up_before_there_was_a_session_is_reported_to_both_sides() {
    let mut accounts = Accounts::new(47, [1, 1]);
    let ids: Vec<_> = (0..70_u8).map(|number| accounts.write(ALICE, &[number], Recipients::All).unwrap()).collect();
    pass(&mut accounts, 3 * DAY);
    let told = accounts.devices[&BOB].events.iter().filter_map(|event| match event {
        Event::Lost { id, .. } => Some(*id),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), ids[..6]);
    assert_eq!((accounts.devices[&BOB].shown.len(), kept(&accounts, ALICE)), (64, 0));
}

/// P-12.29
#[test]
fn a_message_is_given_up_after_fourteen_days_and_its_text_with_it() {
    let mut accounts = talking(45);
    let id = accounts.send(ALICE, b"rahasia").unwrap();
    accounts.mail.clear();
    for _ in 0..15 * 24 {
        accounts.now = accounts.now.plus_seconds(HOUR);
        accounts.flush(ALICE);
        accounts.mail.clear();
    }
    accounts.devices.get_mut(&ALICE).unwrap().settle();
    assert_eq!(kept(&accounts, ALICE), 0);
    let given_up = Event::GivenUp { id, device: DeviceAddress::peer(0), cause: Cause::TooOld };
    assert!(accounts.devices[&ALICE].events.contains(&given_up));
}

/// P-12.31
#[test]
fn a_withdrawn_message_is_not_sent_again_and_its_name_is_settled() {
    let mut accounts = talking(46);
    let once = accounts.send(ALICE, b"seen once").unwrap();
    accounts.mail.clear();
    let never = accounts.write(ALICE, b"second thoughts", Recipients::All).unwrap();
    let alice = accounts.devices.get_mut(&ALICE).unwrap().conversation.as_mut().unwrap();
    assert!(alice.withdraw_message(once) && alice.withdraw_message(never) && !alice.withdraw_message(never));
    pass(&mut accounts, 2 * DAY);
    assert_eq!((shown(&accounts, BOB).len(), kept(&accounts, ALICE)), (0, 0));
    assert_eq!(accounts.devices[&BOB].events, [], "and nobody is told of a loss");
}

/// P-12.32: Typing and receipts do not push messages out.
#[test]
fn what_is_not_kept_takes_the_room_of_nothing_and_is_shown_once() {
    let mut accounts = talking(47);
    accounts.send(ALICE, b"the address is Jalan Kopi 7").unwrap();
    accounts.mail.clear();
    for _ in 0..100 {
        let alice = accounts.devices.get_mut(&ALICE).unwrap();
        let conversation = alice.conversation.as_mut().unwrap();
        conversation.send_ephemeral(&alice.account, b"typing", Recipients::All, accounts.now).unwrap();
        accounts.flush(ALICE);
    }
    assert_eq!(kept(&accounts, ALICE), 1);
    pass(&mut accounts, DAY);
    let shown = shown(&accounts, BOB);
    assert_eq!(shown.iter().filter(|text| *text == "typing").count(), 100);
    assert_eq!(shown.iter().filter(|text| text.starts_with("the address")).count(), 1);
}

/// P-12.62
#[test]
fn presence_is_shown_once_is_not_kept_and_only_the_newest_is_sent() {
    let mut accounts = talking(53);
    let say = |accounts: &mut Accounts, states: &[Presence]| {
        let alice = accounts.devices.get_mut(&ALICE).unwrap();
        let conversation = alice.conversation.as_mut().unwrap();
        for state in states {
            conversation.send_presence(&alice.account, *state, Recipients::All, accounts.now).unwrap();
        }
    };
    let seen = |accounts: &Accounts| {
        let bodies = accounts.devices[&BOB].shown.iter().map(|(_, body)| Presence::from_body(body));
        bodies.flatten().collect::<Vec<_>>()
    };
    say(&mut accounts, &[Presence::Online, Presence::Typing, Presence::Recording]);
    accounts.flush(ALICE);
    assert_eq!(accounts.mail.len(), 1, "one frame");
    accounts.settle();
    assert_eq!(seen(&accounts), [Presence::Recording]);
    assert_eq!(kept(&accounts, ALICE), 0);
    // What is lost is not sent again, and what waits does not outlive a crash.
    say(&mut accounts, &[Presence::Typing]);
    accounts.flush(ALICE);
    accounts.mail.clear();
    pass(&mut accounts, DAY);
    say(&mut accounts, &[Presence::Typing]);
    let stored = accounts.devices[&ALICE].database.clone();
    accounts.restore(ALICE, &stored);
    pass(&mut accounts, DAY);
    assert_eq!(seen(&accounts), [Presence::Recording]);
    // Something else of the program's own stays beside it.
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    let conversation = alice.conversation.as_mut().unwrap();
    conversation.send_ephemeral(&alice.account, b"read until here", Recipients::All, accounts.now).unwrap();
    say(&mut accounts, &[Presence::Typing, Presence::Online]);
    accounts.flush(ALICE);
    accounts.settle();
    assert_eq!(seen(&accounts), [Presence::Recording, Presence::Online]);
    assert!(accounts.devices[&BOB].shown.iter().any(|(_, body)| body == b"read until here"));
    // What goes to others is not replaced.
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    let conversation = alice.conversation.as_mut().unwrap();
    for (to, state) in
        [(Recipients::All, Presence::Typing), (Recipients::Device(DeviceAddress::peer(0)), Presence::Offline)]
    {
        conversation.send_presence(&alice.account, state, to, accounts.now).unwrap();
    }
    let nobody = Recipients::Device(DeviceAddress::peer(9));
    let refused = conversation.send_presence(&alice.account, Presence::Online, nobody, accounts.now);
    assert_eq!(refused, Err(SendError::UnknownDevice));
    accounts.flush(ALICE);
    accounts.settle();
    assert_eq!(seen(&accounts)[2..], [Presence::Typing, Presence::Offline]);
}

/// P-12.62: it takes the place of the one that waits, and so the room of nothing else.
#[test]
fn presence_that_takes_the_place_of_another_pushes_no_receipt_out() {
    let mut accounts = talking(55);
    for (waiting, first) in [(31, 0), (32, 1)] {
        let alice = accounts.devices.get_mut(&ALICE).unwrap();
        let conversation = alice.conversation.as_mut().unwrap();
        let receipts: Vec<_> = (0..waiting).map(|number| format!("read {number} of {waiting}")).collect();
        for receipt in &receipts[..waiting.min(31)] {
            conversation.send_ephemeral(&alice.account, receipt.as_bytes(), Recipients::All, accounts.now).unwrap();
        }
        conversation.send_presence(&alice.account, Presence::Typing, Recipients::All, accounts.now).unwrap();
        for receipt in &receipts[waiting.min(31)..] {
            conversation.send_ephemeral(&alice.account, receipt.as_bytes(), Recipients::All, accounts.now).unwrap();
        }
        conversation.send_presence(&alice.account, Presence::Online, Recipients::All, accounts.now).unwrap();
        accounts.flush(ALICE);
        accounts.settle();
        let shown = core::mem::take(&mut accounts.devices.get_mut(&BOB).unwrap().shown);
        let bodies: Vec<_> = shown.into_iter().map(|(_, body)| body).collect();
        let (said, read): (Vec<_>, Vec<_>) = bodies.iter().partition(|body| Presence::from_body(body).is_some());
        assert_eq!(said, [&Presence::Online.to_body().to_vec()]);
        // With 32 others there is no room for all of them: the oldest goes.
        let read: Vec<_> = read.into_iter().map(|body| String::from_utf8(body.clone()).unwrap()).collect();
        assert_eq!(read, receipts[first..]);
    }
}

/// P-12.62: by the receiver's clock, whatever that does.
#[test]
fn presence_is_forgotten_30_seconds_after_it_arrived() {
    let arrived = bisik::Timestamp::from_unix_seconds(1_800_000_000);
    for state in [Presence::Offline, Presence::Online, Presence::Typing, Presence::Recording] {
        for (age, expected) in [(0, Some(state)), (29, Some(state)), (30, None), (DAY, None), (u64::MAX, None)] {
            assert_eq!(state.still(arrived, arrived.plus_seconds(age)), expected, "{age}");
        }
        // A clock that was a year ahead, and is set right: nobody types for a year.
        assert_eq!(state.still(arrived.plus_seconds(365 * DAY), arrived), None);
        assert_eq!(state.still(arrived.plus_seconds(1), arrived), None);
    }
    assert_eq!(Presence::LASTS, 30);
}

/// P-12.62
#[test]
fn presence_is_as_long_as_a_short_text_and_is_no_content() {
    let mut accounts = talking(54);
    accounts.now = accounts.now.plus_seconds(60);
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    let conversation = alice.conversation.as_mut().unwrap();
    conversation.send_presence(&alice.account, Presence::Typing, Recipients::All, accounts.now).unwrap();
    accounts.flush(ALICE);
    let presence = accounts.mail.pop_front().unwrap().2.ciphertext;
    accounts.send(ALICE, &[0; 32]).unwrap();
    let text = accounts.mail.pop_front().unwrap().2.ciphertext;
    assert_eq!(presence.as_bytes().len(), text.as_bytes().len(), "in their envelopes");

    let states = [Presence::Offline, Presence::Online, Presence::Typing, Presence::Recording];
    for (number, state) in (0..).zip(states) {
        let body = state.to_body();
        assert_eq!((body.len(), body[0], body[1]), (49, 1, number));
        assert_eq!(Presence::from_body(&body), Some(state));
        for at in 0..49 {
            let mut changed = body;
            changed[at] ^= 0x80;
            assert_eq!(Presence::from_body(&changed), None, "byte {at}");
        }
        assert_eq!(Presence::from_body(&body[..48]), None);
        assert_eq!(Presence::from_body(&[body.as_slice(), &[0]].concat()), None);
        // Nor is there a receipt for it: receipts are made of contents that are shown.
        #[cfg(feature = "content")]
        assert!(bisik::content::Content::from_body(&body).is_err());
    }
    let later = [&[1, 4], [0; 47].as_slice()].concat();
    assert_eq!(Presence::from_body(&later), None, "a state from a later version");
}

/// P-12.33
#[test]
fn something_can_go_to_one_device_or_to_ones_own_only() {
    let mut accounts = Accounts::new(48, [2, 2]);
    accounts.send(ALICE, b"halo").unwrap();
    accounts.settle();
    for (to, text) in [
        (Recipients::OwnDevices, "read until here"),
        (Recipients::Device(DeviceAddress::peer(1)), "offer of a call"),
        (Recipients::Device(DeviceAddress::own(1)), "pinned keys"),
    ] {
        accounts.write(ALICE, text.as_bytes(), to).unwrap();
    }
    accounts.settle();
    assert_eq!(shown(&accounts, BOB), ["halo"]);
    assert_eq!(shown(&accounts, (1, 1)), ["halo", "offer of a call"]);
    assert_eq!(shown(&accounts, (0, 1)), ["halo", "read until here", "pinned keys"]);
    let nobody = Recipients::Device(DeviceAddress { side: Side::Peer, index: 9 });
    assert_eq!(accounts.write(ALICE, b"x", nobody), Err(SendError::UnknownDevice));
}

/// P-12.25: a number alone confirms nothing: the author is restored to before what it wrote, and writes under the same
/// numbers.
#[test]
fn a_restored_author_is_told_delivered_only_of_what_arrived() {
    let mut accounts = talking(49);
    let backup = accounts.devices[&ALICE].database.clone();
    for text in ["five", "six", "seven"] {
        accounts.send(ALICE, text.as_bytes()).unwrap();
    }
    accounts.settle();
    accounts.restore(ALICE, &backup);
    accounts.devices.get_mut(&ALICE).unwrap().events.clear();
    // The clock stands, so the numbers are the same again.
    let ids: Vec<_> =
        ["new five", "new six"].map(|text| accounts.write(ALICE, text.as_bytes(), Recipients::All)).into();
    pass(&mut accounts, 2 * DAY);
    let ids: Vec<_> = ids.into_iter().map(Result::unwrap).collect();
    for id in ids.iter().copied() {
        let outcomes = accounts.devices[&ALICE].events.iter().filter(
            |event| matches!(event, Event::Delivered { id: of, .. } | Event::GivenUp { id: of, .. } if *of == id),
        );
        assert_eq!(outcomes.count(), 1, "each of them is shown or reported");
    }
    let of_these = |event: &&Event| matches!(event, Event::Delivered { id, .. } if ids.contains(id));
    let delivered = accounts.devices[&ALICE].events.iter().filter(of_these).count();
    let read = shown(&accounts, BOB).iter().filter(|text| text.starts_with("new")).count();
    assert_eq!(delivered, read);
}

/// P-12.34
#[test]
fn a_quiet_network_costs_one_frame_a_message_and_falls_silent() {
    let mut accounts = talking(50);
    let mut frames = 0;
    for number in 0..200_u8 {
        let from = if number % 2 == 0 { ALICE } else { BOB };
        accounts.send(from, &[number]).unwrap();
        accounts.now = accounts.now.plus_seconds(20);
        while let Some((to, from, envelope)) = accounts.mail.pop_front() {
            frames += 1;
            accounts.deliver(to, from, &envelope).unwrap();
            accounts.flush(to);
        }
    }
    assert!(frames <= 202, "{frames} frames for 200 messages");
    accounts.settle();
    assert_eq!(accounts.next_due(), None);
}

/// P-12.15: of one batch, what is too far ahead is read after what it waits for, and nothing is given up for it.
#[test]
fn arrivals_may_come_in_any_order_however_far_apart_they_are() {
    let mut accounts = talking(52);
    let mut mail = Vec::new();
    for number in 0..2_110_u32 {
        let alice = accounts.devices.get_mut(&ALICE).unwrap();
        let conversation = alice.conversation.as_mut().unwrap();
        let text = number.to_be_bytes();
        conversation.send_ephemeral(&alice.account, &text, Recipients::All, accounts.now).unwrap();
        accounts.flush(ALICE);
        mail.push(accounts.mail.pop_front().unwrap().2.ciphertext);
    }
    let arrival =
        |number: usize| bisik::conversation::Arrival { from: DeviceAddress::peer(0), ciphertext: mail[number].clone() };
    let batch = [arrival(2_105), arrival(2_000), arrival(150)];
    let bob = accounts.devices.get_mut(&BOB).unwrap();
    let conversation = bob.conversation.as_mut().unwrap();
    assert_eq!(conversation.receive(&mut bob.account, &batch, accounts.now), [Ok(()); 3]);
    // And what was missing in between is read, should it come after all.
    let late: Vec<_> = (200..300).map(arrival).collect();
    let results = conversation.receive(&mut bob.account, &late, accounts.now);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}
