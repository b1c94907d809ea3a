//! `group_letter`: letters, bodies of messages and histories of a group that somebody without rules writes. `group_room`: a
//! few devices do what members do, while somebody changes, repeats and invents what they send each other.

use std::collections::VecDeque;

use bisik::group::membership::{Role, Setting};
use bisik::group::{
    GroupMessageId, GroupReceived, GroupRecordName, History, MemberDevice, Remembered, SendPlan, SendingChain, View,
};
use bisik::media::{self, MediaType};
use bisik::{IdentityKey, Timestamp};

use super::fixtures::{Repeatable, storage_key};
use super::input::Input;
use super::room::{ALICE, BOB, CAROL, MALLORY, Member, NOW, PEOPLE, SCENE, Sent, device};

/// The first byte says what the others are: a letter to Bob, the body of a message of Alice, or what Alice passes on.
pub fn group_letter(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() {
        0 => {
            let from = device(&SCENE.accounts, usize::from(input.byte()) % PEOPLE);
            let mut bob = Member::new(BOB);
            let body = input.edited(&SCENE.letters);
            let _ = bob.take_letter(&from, &body, NOW);
            let _ = bob.work(bob.account(), NOW.plus_seconds(700));
            bob.reload();
        }
        1 => body(&input.edited(&genuine_bodies())),
        _ => passed_on(&input.edited(&[genuine_history()])),
    }
}

/// Alice writes any body, in the chain that Bob was given.
fn body(body: &[u8]) {
    let mut bob = Member::new(BOB);
    let name = GroupRecordName::Chain(SCENE.id).to_bytes();
    let mut chain = SendingChain::unseal(&storage_key(), &name, &SCENE.stores[ALICE].records[&name]).expect("stored");
    let targets = chain.given().copied().collect();
    let SendPlan::Ready(mut ready) = chain.plan(&targets, NOW) else { return };
    let Ok(message) = ready.encrypt(View::from_bytes([9; 8]), body, &mut Repeatable(5)) else { return };
    let taken = bob.take_message(&device(&SCENE.accounts, ALICE), message.into_bytes(), NOW);
    let content = body.first() == Some(&1);
    assert!(taken || !content || body.len() > (256 << 10) + 1, "any content is taken");
    let shown = bob.group.inbox().find_map(|(_, received)| match received {
        GroupReceived::Message { body, .. } => Some(body.to_vec()),
        _ => None,
    });
    assert_eq!(shown.as_deref(), body.get(1..).filter(|_| taken && content));
    bob.reload();
}

/// What Alice passes on is anything.
fn passed_on(bytes: &[u8]) {
    let mut bob = Member::new(BOB);
    let media_type = MediaType::new(History::MEDIA_TYPE).expect("it is one");
    let (blob, pointer) = media::encrypt(media_type, bytes, &mut Repeatable(6)).expect("it is short");
    let letter = [&[8], SCENE.id.as_bytes().as_slice(), &pointer.to_bytes()].concat();
    assert!(bob.take_letter(&device(&SCENE.accounts, ALICE), &letter, NOW), "the log permits it");
    assert!(!bob.take_letter(&device(&SCENE.accounts, MALLORY), &letter, NOW), "she is out");
    bob.reload();
    let passed = bob.group.inbox().find_map(|(_, received)| match received {
        GroupReceived::History { by, pointer } => Some((*by, pointer.clone())),
        _ => None,
    });
    let (by, pointer) = passed.expect("it waits");
    let Ok(history) = bob.group.open_history(&by, &pointer, &blob) else { return };
    let (again, pointer) = history.seal(&mut Repeatable(7)).expect("it is short");
    assert_eq!(pointer.decrypt(&again).expect("genuine"), bytes, "one encoding");
    assert!((1..=100).contains(&history.messages().len()) && history.by() == SCENE.accounts[ALICE].key());
    let oldest = history.messages().iter().all(|message| history.made() <= message.claimed_at.plus_seconds(14 * DAY));
    assert!(oldest && bytes.len() <= 4 << 20);
}

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// A content, and the bodies of statements: letters have the same items.
fn genuine_bodies() -> Vec<Vec<u8>> {
    let statements = SCENE.letters.iter().filter(|letter| letter[0] == 2);
    let bodies = statements.map(|letter| [&[2], &letter[33..]].concat());
    [b"\x01halo".to_vec()].into_iter().chain(bodies.take(12)).collect()
}

fn genuine_history() -> Vec<u8> {
    let alice = Member::new(ALICE);
    let history = alice.group.history(alice.account(), remembered(NOW), NOW).expect("the log permits it");
    let (blob, pointer) = history.expect("some are permitted").seal(&mut Repeatable(8)).expect("it is short");
    pointer.decrypt(&blob).expect("genuine")
}

/// The messages of the scene, as a program would remember them.
fn remembered(at: Timestamp) -> Vec<Remembered<'static>> {
    let authors = [ALICE, BOB, CAROL].map(|who| device(&SCENE.accounts, who));
    let id = |message: &[u8]| GroupMessageId {
        chain: bisik::group::ChainId::from_bytes(message[1..9].try_into().expect("eight bytes")),
        index: u32::from_be_bytes(message[9..13].try_into().expect("four bytes")),
    };
    let chain = |who: usize| {
        let name = GroupRecordName::Chain(SCENE.id).to_bytes();
        SendingChain::unseal(&storage_key(), &name, &SCENE.stores[who].records[&name]).expect("stored").chain()
    };
    let chains = [ALICE, BOB, CAROL].map(chain);
    let known = SCENE.messages.iter().filter_map(|message| {
        let id = id(message);
        let who = chains.iter().position(|chain| *chain == id.chain)?;
        Some(Remembered { from: authors[who], id, at, may_pass_on: true, body: b"halo" })
    });
    known.collect()
}

/// Something on its way: from whom, to whom, and what.
enum Mail {
    Letter(Vec<u8>),
    Message(Vec<u8>),
}

struct Room {
    members: [Member; 3],
    mail: VecDeque<(usize, usize, Mail)>,
    now: Timestamp,
}

impl Room {
    fn post(&mut self, from: usize, Sent { letters, messages }: Sent) {
        let locate = |key: &IdentityKey| SCENE.accounts.iter().position(|account| account.identity().public() == key);
        for (to, body) in letters {
            let to = locate(&to).expect("a person");
            self.mail.push_back((from, to, Mail::Letter(body)));
        }
        for message in messages {
            for to in (0..self.members.len()).filter(|to| *to != from) {
                self.mail.push_back((from, to, Mail::Message(message.clone())));
            }
        }
        // The relay forgets what is too much for it.
        while self.mail.len() > 256 {
            self.mail.pop_front();
        }
    }

    fn deliver(&mut self, from: usize, to: usize, mail: &Mail) {
        let (now, sender) = (self.now, device(&SCENE.accounts, from));
        let Some(member) = self.members.get_mut(to) else { return };
        let _ = match mail {
            Mail::Letter(body) => member.take_letter(&sender, body, now),
            Mail::Message(message) => member.take_message(&sender, message.clone(), now),
        };
    }
}

/// Up to 32 steps of Alice, Bob and Carol, and of whoever is between them or out.
pub fn group_room(data: &[u8]) {
    let mut input = Input::new(data);
    let mut room = Room { members: [ALICE, BOB, CAROL].map(Member::new), mail: VecDeque::new(), now: NOW };
    for _ in 0..32 {
        if input.is_empty() {
            break;
        }
        let [what, who] = input.array();
        let who = usize::from(who);
        let (at, from) = (who % 3, who % PEOPLE);
        match what % 11 {
            step @ 0..=2 => {
                let Some((from, to, mail)) = room.mail.pop_front() else { continue };
                room.deliver(from, to, &mail);
                match step {
                    0 => {}
                    // Twice, or later.
                    1 => room.deliver(from, to, &mail),
                    _ => room.mail.push_back((from, to, mail)),
                }
            }
            3 => {
                let body = input.edited(&SCENE.letters);
                room.deliver(from, usize::from(input.byte()) % 3, &Mail::Letter(body));
            }
            4 => {
                let message = input.edited(&SCENE.messages);
                room.deliver(from, usize::from(input.byte()) % 3, &Mail::Message(message));
            }
            5 => {
                let (member, now) = (&mut room.members[at], room.now);
                let text = vec![b'a'; usize::from(input.byte()) * 1_024];
                let _ = member.group.send(member.account(), &text, &[], now, &mut member.rng);
            }
            6 => act(&mut room.members[at], &mut input, room.now),
            7 => room.now = room.now.plus_seconds([60, 700, HOUR, DAY, 8 * DAY][usize::from(input.byte()) % 5]),
            8 => room.members[at].reload(),
            9 => room.members[at].group.settle(u64::MAX),
            _ => {
                let (member, now) = (&mut room.members[at], room.now);
                member.learn_all(&SCENE.accounts);
                if let Some(sent) = member.work(member.account(), now) {
                    room.post(at, sent);
                }
            }
        }
    }
    for member in &mut room.members {
        member.reload();
        let _ = member.work(member.account(), room.now.plus_seconds(2 * HOUR));
        member.reload();
    }
}

/// What a member does. What is refused changes nothing.
fn act(member: &mut Member, input: &mut Input<'_>, now: Timestamp) {
    let [what, whom] = input.array();
    let account = member.account();
    let whom: MemberDevice = device(&SCENE.accounts, usize::from(whom) % PEOPLE);
    let before = member.image();
    let Member { group, rng, .. } = &mut *member;
    let refused = match what % 10 {
        0 => group.invite(account, whom.account, now, rng).is_err(),
        1 => group.remove(account, &whom.account, &[], now).is_err(),
        2 => group.set(account, Setting::HISTORY, &[what % 4], now).is_err(),
        3 => group.set(account, Setting::WHO_WRITES, &[1 + what % 2], now).is_err(),
        4 => group.set_role(account, &whom.account, Role::Reader, &[], now).is_err(),
        5 => group.leave(account, &[], now).is_err(),
        6 => group.accept(account, now).is_err(),
        7 => group.rekey(account, now).is_err(),
        8 => {
            group.restored();
            false
        }
        _ => {
            let selected = group.history(account, remembered(now), now);
            let passed = selected.ok().flatten().map(|history| history.seal(rng).expect("it is short").1);
            passed.is_none_or(|pointer| group.pass_on(account, &whom.account, &pointer, now).is_err())
        }
    };
    assert!(!refused || member.image() == before, "what is refused changes nothing");
}

pub fn letter_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let place = |kind: u8| SCENE.letters.iter().position(|letter| letter[0] == kind).map(|at| at as u8);
    let letter = |kind: u8| vec![0, 0, place(kind).unwrap_or(0), 0];
    let raw = |mode: &[u8], bytes: &[u8]| [mode, &[0xff], &(bytes.len() as u16).to_be_bytes(), bytes].concat();
    let id = SCENE.id.as_bytes().as_slice();
    let history = genuine_history();
    vec![
        ("chain", letter(1)),
        ("statements", letter(2)),
        ("question", raw(&[0, 0], &[&[3], id, &[0; 336]].concat())),
        ("lacking_chain", raw(&[0, 2], &[&[4], id, &SCENE.messages[0][1..9]].concat())),
        ("knock", raw(&[0, 3], &[&[5], id, &[7; 96]].concat())),
        ("lacking_messages", raw(&[0, 2], &[&[6], id, &SCENE.messages[0][1..13]].concat())),
        ("again", raw(&[0, 2], &[&[7], id, &SCENE.messages[0][1..13], &[0; 8], b"halo"].concat())),
        ("of_no_kind", raw(&[0, 0], &[&[200], id].concat())),
        ("content", vec![1, 0, 0]),
        ("statements_again", vec![1, 1, 0]),
        ("no_body", raw(&[1], &[])),
        ("history", vec![2, 0, 0]),
        ("history_of_nothing", raw(&[2], &[])),
        ("history_without_messages", raw(&[2], &[&history[..105], &[0; 4]].concat())),
        ("history_twice", raw(&[2], &history.repeat(2))),
    ]
}

pub fn room_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let deliver = |count: usize| [0, 0].repeat(count);
    let (work, send) = (|who: u8| vec![10, who], |who: u8| vec![5, who, 1]);
    let said = |parts: &[Vec<u8>]| parts.concat();
    let acts = |who: u8, what: u8, whom: u8| vec![6, who, what, whom];
    vec![
        ("talking", said(&[send(0), work(0), deliver(2), send(1), work(1), deliver(4), send(2), work(2), deliver(4)])),
        ("removing", said(&[acts(0, 1, 1), send(0), work(0), send(1), work(1), deliver(12)])),
        ("inviting", said(&[acts(0, 0, 3), work(0), deliver(6), vec![7, 0, 2], work(1), work(2), deliver(6)])),
        ("history", said(&[acts(0, 9, 1), work(0), deliver(3), acts(0, 2, 0), work(0), deliver(3), acts(1, 9, 2)])),
        ("leaving", said(&[acts(2, 5, 0), work(2), deliver(4), send(0), work(0), deliver(4)])),
        ("restored", said(&[acts(1, 8, 0), send(1), work(1), deliver(4), vec![8, 1], send(1), work(1), deliver(4)])),
        ("readers", said(&[acts(0, 4, 1), work(0), deliver(3), send(1), acts(0, 3, 0), work(0), deliver(3), send(2)])),
        ("stranger", said(&[vec![3, 3, 0, 0, 1], vec![4, 3, 0, 0, 1], vec![4, 3, 2, 0, 2], vec![3, 3, 4, 0, 0]])),
        ("repeated", said(&[send(0), work(0), [1, 0].repeat(2), vec![4, 0, 0, 0, 1], vec![2, 0], vec![0, 0]])),
        (
            "weeks",
            said(&[send(0), work(0), vec![7, 0, 4], work(1), send(1), work(1), vec![7, 0, 4], deliver(6), vec![9, 1]]),
        ),
    ]
}
