//! `conversation_record`: arbitrary bytes as an account, or as the head and the blocks of a conversation, under valid
//! tags.

use std::collections::BTreeMap;

use bisik::conversation::Conversation;
use bisik::{Account, BlockId};

use super::fixtures::{Repeatable, storage_key};
use super::input::Input;
use super::party::{
    ACCOUNT, BLOCKS, CONVERSATION, Contents, Database, NAMES, NOW, PREFIX, Party, SCENE, contents, count,
};
use super::record;

/// The first byte selects the kind. The rest is the content of an account's record; or the number of blocks, each with
/// its kind and length, and after them the head.
pub fn conversation_record(data: &[u8]) {
    let mut input = Input::new(data);
    if input.byte().is_multiple_of(2) {
        account(input.rest());
    } else {
        conversation(input);
    }
}

fn account(content: &[u8]) {
    let rng = &mut Repeatable(4);
    let record = record::seal_named(ACCOUNT, b"", content);
    let Ok(mut account) = Account::unseal(&storage_key(), &record) else { return };
    let _ = (account.pre_key_count(NOW), account.maintain(None, NOW, rng));
    if let Some(changed) = account.seal(&storage_key(), rng).expect("the key that opened it") {
        drop(Account::unseal(&storage_key(), &changed.bytes).expect("every reachable state can be stored"));
    }
}

fn conversation(mut input: Input<'_>) {
    let mut blocks = BTreeMap::new();
    for number in 0..u64::from(input.byte()) {
        let [kind, high, low] = input.array();
        let content = input.bytes(usize::from(u16::from_be_bytes([high, low])));
        let mut nonce = [0; record::NONCE];
        nonce[..PREFIX].copy_from_slice(&name(number));
        let prefix = &SCENE.id.as_bytes()[..PREFIX];
        let id = [prefix, name(number).as_slice()].concat().try_into().expect("two halves of an id");
        blocks.insert(BlockId::from_bytes(id), record::seal_with(nonce, kind, prefix, content));
    }
    let head = record::seal_named(CONVERSATION, SCENE.id.as_bytes(), input.rest());
    let named = Conversation::named_blocks(&storage_key(), SCENE.id, &head).unwrap_or_default();
    // What the head does not name is not the library's to delete.
    blocks.retain(|id, _| named.contains(id));
    let database = Database { account: SCENE.us.account.clone(), head, blocks };
    let Ok(mut us) = Party::load(database, SCENE.id, Repeatable(4)) else { return };
    let _ = (us.talk.label().label(NOW), us.talk.unacknowledged_messages(), us.settle());
    for genuine in &SCENE.genuine {
        let _ = us.receive(genuine.author, &genuine.ciphertext);
    }
    let _ = us.try_send(b"lagi");
    for later in [0, 1_000, 100_000, 10_000_000] {
        us.flush_at(NOW.plus_seconds(later));
    }
    us = us.reload();
    let _ = SCENE.written.map(|id| us.talk.withdraw_message(id));
    us.talk.restored();
    drop(us.reload());
}

/// The name of a block in the head.
fn name(number: u64) -> [u8; PREFIX] {
    number.to_be_bytes()
}

pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let account = record::open_named(ACCOUNT, b"", &SCENE.us.account);
    let mut us = Party::us();
    for genuine in &SCENE.genuine[2..4] {
        us.receive(genuine.author, &genuine.ciphertext).expect("it arrives for the first time");
    }
    drop(us.store());
    let given = contents(SCENE.id, &us.database);
    let settled = || contents(SCENE.id, &SCENE.us);
    let edited = |edit: fn(&mut Contents)| {
        let mut contents = settled();
        edit(&mut contents);
        written(&contents)
    };
    let whole = written(&settled());
    vec![
        ("account", [&[0], account.as_slice()].concat()),
        ("account_truncated", [&[0], &account[..account.len() - 1]].concat()),
        ("conversation_truncated", whole[..whole.len() / 2].to_vec()),
        ("conversation", whole),
        ("conversation_with_an_inbox", written(&given)),
        ("block_that_is_missing", edited(|contents| drop(contents.blocks.pop()))),
        ("block_too_many", edited(|contents| contents.blocks.push((BLOCKS[2], b"halo".to_vec())))),
        ("block_of_another_kind", edited(|contents| contents.blocks[1].0 = BLOCKS[2])),
        ("links_in_another_order", edited(|contents| contents.blocks.swap(1, 2))),
        ("link_truncated", edited(|contents| contents.blocks[1].1.truncate(90))),
        // The greatest number so far is three fields before the names, and a message that is kept has a greater one.
        ("message_above_every_number", edited(|contents| contents.head[LAST..][..8].fill(0))),
    ]
}

/// An input that has these contents, and in whose head each block has its name.
fn written(Contents { head, blocks }: &Contents) -> Vec<u8> {
    let mut input = vec![1, u8::try_from(blocks.len()).expect("few blocks")];
    for (kind, content) in blocks {
        let length = u16::try_from(content.len()).expect("small blocks");
        input.extend([&[*kind], length.to_be_bytes().as_slice(), content].concat());
    }
    let (mut head, names) = (head.clone(), count(head));
    for (number, place) in head[NAMES..].chunks_mut(PREFIX).take(names).enumerate() {
        place.copy_from_slice(&name(number as u64));
    }
    [input, head].concat()
}

/// Where a head has the greatest number so far.
const LAST: usize = 13;
