//! `envelope`: what a relay delivers to a conversation, and what a dishonest device writes (`listed.rs`).

use bisik::Ciphertext;
use bisik::conversation::{Arrival, Conversation, DeviceAddress, Found, ReceiveError, Side};

use super::input::Input;
use super::listed;
use super::party::{Genuine, NOW, Party, SCENE, Shown};

/// The first byte selects a relay that delivers genuine messages with edits, or a listed device that writes frames of
/// its own.
pub fn envelope(data: &[u8]) {
    let mut input = Input::new(data);
    let is_device = input.byte() % 2 == 1;
    let mut us = Party::us();
    if is_device {
        let from = listed::write_frames(&mut us, input);
        goes_on(us, &vec![false; SCENE.genuine.len()], from == DeviceAddress::peer(0));
    } else {
        let arrived = harmful_relay(&mut us, input);
        goes_on(us, &arrived, false);
    }
}

fn harmful_relay(us: &mut Party, mut input: Input<'_>) -> Vec<bool> {
    let ciphertexts: Vec<_> = SCENE.genuine.iter().map(|genuine| genuine.ciphertext.as_bytes()).collect();
    let mut arrived: Vec<_> = SCENE.genuine.iter().map(|genuine| genuine.arrived).collect();
    let mut shown = Vec::new();
    let (mut before, _) = us.state();
    for _ in 0..6 {
        let from = SENDERS[usize::from(input.byte()) % SENDERS.len()];
        let Ok(ciphertext) = Ciphertext::try_from(input.edited(&ciphertexts)) else { continue };
        let is = |genuine: &Genuine| genuine.author == from && genuine.ciphertext == ciphertext;
        let genuine = SCENE.genuine.iter().position(is);
        let arrival = Arrival { from, ciphertext: ciphertext.clone() };
        let reads = us.talk.reads(&us.account, &arrival);
        assert!(genuine.is_some() || !reads, "a session reads what was written in it");
        if let Ok(Found { conversation, peer }) = Conversation::find(&us.account, &arrival, NOW) {
            assert!(genuine.is_some_and(|at| SCENE.genuine[at].author.side == Side::Own));
            assert_eq!((conversation, peer.to_bytes()), (SCENE.id, SCENE.peer_key));
        }
        let result = us.receive(from, &ciphertext);
        let (after, account_changed) = us.state();
        match result {
            Ok(()) => {
                let at = genuine.expect("only what was written arrives, from its author");
                assert!(!std::mem::replace(&mut arrived[at], true), "and once");
                shown.extend(SCENE.genuine[at].shown);
            }
            Err(error) => {
                let again = |at: usize| arrived[at] && error == ReceiveError::Duplicate;
                assert!(genuine.is_none_or(again), "a genuine message is refused only the second time: {error:?}");
                assert!(!account_changed);
                let remembers = error == ReceiveError::Unreadable && differ_in_one_flag(&before, &after);
                assert!(before == after || remembers, "nothing changed but the doubt: {error:?}");
            }
        }
        before = after;
    }
    let expected = shown.into_iter().map(|(Shown::Text(body) | Shown::Ephemeral(body))| text_of(body));
    assert_eq!(us.settle(), expected.collect::<Vec<_>>(), "what arrived is shown, once, and nothing else");
    arrived
}

fn text_of(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

/// One flag was set.
fn differ_in_one_flag(before: &[u8], after: &[u8]) -> bool {
    let changed: Vec<_> = before.iter().zip(after).filter(|(before, after)| before != after).collect();
    before.len() == after.len() && changed == [(&0, &1)]
}

/// After every outcome the state can be stored, and the conversation with the peer's primary device goes on: everything
/// that it wrote arrives, and everything that was written to it. Not everything is shown, if that device itself
/// (`is_dishonest`) has said otherwise of it.
fn goes_on(mut us: Party, arrived: &[bool], is_dishonest: bool) {
    drop(us.settle());
    us = us.reload();
    let (mut shown, mut expected) = (Vec::new(), Vec::new());
    for (genuine, arrived) in SCENE.genuine.iter().zip(arrived).filter(|(genuine, _)| genuine.shown.is_some()) {
        if !arrived {
            us.receive(genuine.author, &genuine.ciphertext).unwrap();
            expected.extend(genuine.shown.map(|(Shown::Text(body) | Shown::Ephemeral(body))| text_of(body)));
        }
    }
    shown.extend(us.settle());
    us.send(b"lagi");
    let mut peer = Party::stored(&SCENE.peer, 5);
    let mut theirs = Vec::new();
    for round in 0..4 {
        for ciphertext in us.flush(&SCENE.bundles) {
            let result = peer.receive(DeviceAddress::peer(0), &ciphertext);
            assert!(is_dishonest || result.is_ok(), "{result:?}");
        }
        theirs.extend(peer.settle());
        if round == 0 {
            peer.send(b"akhir");
            expected.push("akhir".into());
        }
        for ciphertext in peer.flush(&SCENE.bundles) {
            let result = us.receive(DeviceAddress::peer(0), &ciphertext);
            assert!(is_dishonest || result.is_ok(), "{result:?}");
        }
        shown.extend(us.settle());
        us = us.reload();
    }
    theirs.sort();
    if !is_dishonest {
        assert_eq!(shown, expected, "everything is shown once");
        assert_eq!(theirs, ["hilang", "lagi"], "and what was lost was sent again");
    }
}

pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    // Each delivery: the sender, and a message unchanged or with an edit.
    let deliver = |deliveries: &[[u8; 2]]| {
        let all = deliveries.iter().flat_map(|[from, message]| [*from, *message, 0]);
        [0].into_iter().chain(all).collect::<Vec<_>>()
    };
    let edit =
        |from: u8, message: u8, edit: [u8; 4]| [&[0, from, message, 1], edit.as_slice(), &[from, message, 0]].concat();
    [
        ("all_in_reverse", deliver(&[[1, 6], [0, 5], [0, 4], [0, 3], [0, 2], [0, 1]])),
        ("copy_as_if_of_the_peer", deliver(&[[0, 6], [1, 6], [1, 6]])),
        ("first_flight_again", deliver(&[[0, 0], [0, 1], [1, 0], [2, 0]])),
        ("of_another_device", deliver(&[[1, 2], [2, 2], [3, 2], [4, 2], [0, 2]])),
        ("twice", deliver(&[[0, 2], [0, 2], [0, 5], [0, 5]])),
        ("flipped", edit(0, 2, [0, 1, 0, 60])),
        ("flipped_body", edit(0, 2, [0, 1, 0, 200])),
        ("flipped_first_flight", edit(1, 6, [0, 1, 0, 9])),
        ("spliced", edit(0, 2, [4, 3, 0, 120])),
        ("truncated", edit(0, 2, [1, 0, 0, 140])),
    ]
    .into_iter()
    .chain(listed::seeds())
    .collect()
}

/// Who may be said to have sent something: three listed devices, this one, and one that is in no list.
const SENDERS: [DeviceAddress; 5] = [
    DeviceAddress::peer(0),
    DeviceAddress::own(1),
    DeviceAddress::peer(1),
    DeviceAddress::own(0),
    DeviceAddress::peer(9),
];
