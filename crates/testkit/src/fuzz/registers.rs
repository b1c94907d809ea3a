//! `registers`: the state in a record, which has writes as letters have them.

use std::sync::LazyLock;

use bisik::device::DeviceTerms;
use bisik::registers::{Mark, Pin, RegisterKey, Registers};
use bisik::{Account, Timestamp};

use super::fixtures::{Repeatable, storage_key};
use super::input::Input;
use super::record;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const DAY: u64 = 24 * 60 * 60;
/// Kind of the record.
const OF_REGISTERS: u8 = 30;

/// An account, and registers of each kind.
struct Scene {
    account: Account,
    state: Vec<u8>,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let account = Account::create(DeviceTerms::person(), NOW, &mut Repeatable(70));
    let mut registers = Registers::new(&account).expect("the device is listed");
    for (key, value) in keys(&account) {
        registers.set(&account, &key, Some(&value), NOW).expect("there is room");
    }
    let theme = RegisterKey::setting("gone").expect("it is short");
    registers.set(&account, &theme, Some(b"x"), NOW).expect("there is room");
    registers.set(&account, &theme, None, NOW).expect("there is room");
    let state = record::open_named(OF_REGISTERS, &account.key().to_bytes(), &image(&mut registers));
    Scene { account, state }
});

fn keys(account: &Account) -> Vec<(RegisterKey, Vec<u8>)> {
    let audience = bisik::group::GroupId::from_bytes([0x61; 32]);
    vec![
        (RegisterKey::setting("theme").expect("it is short"), b"dark".to_vec()),
        (RegisterKey::read_mark(&[3; 16]).expect("it is short"), RegisterKey::position(41).to_vec()),
        (RegisterKey::verified(account.key()), Mark::Verified { what: [7; 32] }.to_bytes().to_vec()),
        (RegisterKey::pinned("budi").expect("it is short"), Pin::Changed(*account.key()).to_bytes().to_vec()),
        (RegisterKey::blocked(account.key()), vec![1]),
        (RegisterKey::audience(&audience), b"friends".to_vec()),
        (RegisterKey::audience_member(&audience, account.key()), RegisterKey::member(2, true).to_vec()),
        (RegisterKey::of_program(200, b"own").expect("it is short"), vec![0; 300]),
    ]
}

fn image(registers: &mut Registers) -> Vec<u8> {
    registers.seal(&storage_key(), &mut Repeatable(1)).expect("no other key was used").into_bytes()
}

/// The bytes edit the genuine state, which is sealed again.
pub fn registers(data: &[u8]) {
    let Scene { account, state } = &*SCENE;
    let state = Input::new(data).edited(core::slice::from_ref(state));
    let name = account.key().to_bytes();
    let record = record::seal_named(OF_REGISTERS, &name, &state);
    let Ok(mut registers) = Registers::unseal(&storage_key(), *account.key(), &record) else { return };
    assert_eq!(record::open_named(OF_REGISTERS, &name, &image(&mut registers)), state, "one encoding");
    assert!(registers.iter().count() <= Registers::MOST);
    for (key, value) in keys(account) {
        let before = registers.get(&key).map(<[u8]>::to_vec);
        match registers.set(account, &key, Some(&value), NOW.plus_seconds(1)) {
            Ok(true) => assert_eq!(registers.get(&key), Some(&value[..])),
            Ok(false) | Err(_) => assert_eq!(registers.get(&key), before.as_deref()),
        }
    }
    let place = RegisterKey::read_mark(&[3; 16]).expect("it is short");
    if registers.set_back(account, &place, 7, NOW.plus_seconds(2)) == Ok(true) {
        assert_eq!(registers.read_to(&[3; 16]), Some(7));
    }
    for later in [0, 29 * DAY] {
        if let Ok(outgoing) = registers.flush(account, NOW.plus_seconds(later)) {
            let stored = registers.seal(&storage_key(), &mut Repeatable(1)).expect("no other key was used").stored();
            assert!(registers.stored(&stored));
            let (letters, handover) = outgoing.release(&stored).expect("it was stored");
            assert!(letters.is_empty(), "there is no other device");
            registers.handed(handover);
        }
    }
    let keys: Vec<_> = registers.changes().cloned().collect();
    keys.iter().for_each(|key| registers.settle(key));
    let record = image(&mut registers);
    let again = Registers::unseal(&storage_key(), *account.key(), &record).map(|mut again| image(&mut again));
    assert_eq!(again, Ok(record), "every reachable state can be stored");
}

pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    vec![("genuine", vec![0, 0]), ("flipped", vec![0, 1, 0, 1, 0, 120]), ("shorter", vec![0, 1, 1, 1, 0, 9])]
}
