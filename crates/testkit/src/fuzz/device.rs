//! `device_list`: arbitrary device lists, and lists of a dishonest account. `link`: linking with an attacker in the
//! middle.
//!
//! Lists are signed without the library, by labels and layout of docs/spec/accounts.md, section 10.

use std::sync::LazyLock;

use bisik::device::link::{Companion, Invitation};
use bisik::device::{
    Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceEntry, DeviceList, DeviceListError, DeviceTerms,
    Primary,
};
use bisik::{DisclosureHash, Identity, Timestamp, Trust};
use ed25519_dalek::{Signer, SigningKey};

use super::fixtures::Repeatable;
use super::input::Input;
use crate::ConstantRng;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
/// The primary's two secrets are 32 times this byte.
const PHONE: u8 = 0x50;

/// An account's history, and the directory of a peer that knows the first part of it.
struct History {
    primary: Primary,
    lists: Vec<DeviceList>,
    /// The lists in bytes, for edits.
    encoded: Vec<Vec<u8>>,
    directory: DeviceDirectory,
    /// Every entry that any device has signed.
    certified: Vec<DeviceEntry>,
}

/// The list that the peer knows.
const KNOWN: usize = 3;

static HISTORY: LazyLock<History> = LazyLock::new(|| {
    let phone = Identity::generate(&mut ConstantRng(PHONE));
    let own = DeviceTerms::own_held(Custody::Person).unwrap();
    let mut primary = Primary::new(&phone, own, NOW);
    let account = *primary.account();
    let hosted = DeviceTerms::disclosed(Custody::Vendor, DisclosureHash::from_bytes([7; 32]).unwrap()).unwrap();
    let moved = DeviceTerms::disclosed(Custody::Platform, DisclosureHash::from_bytes([8; 32]).unwrap()).unwrap();
    let certificate = |device: u8, index, terms| {
        DeviceCertificate::sign(&Identity::generate(&mut ConstantRng(device)), &account, index, terms)
    };
    let said = [certificate(1, 1, own), certificate(2, 2, hosted), certificate(3, 3, own), certificate(2, 2, moved)];
    let changes = [
        DeviceChange::Add(said[0]),
        DeviceChange::Add(said[1]),
        DeviceChange::Remove(1),
        DeviceChange::Add(said[2]),
        DeviceChange::Update(said[3]),
        DeviceChange::Remove(3),
    ];
    let mut lists = vec![primary.list().clone()];
    lists.extend(changes.map(|change| primary.issue(&phone, &[change], NOW).unwrap().clone()));
    let trusted = |list| DeviceDirectory::trust(list, Trust::Pinned(phone.public()), NOW).unwrap();
    let certified = said.iter().map(|said| *said.entry()).chain([trusted(&lists[0]).devices()[0]]).collect();
    let encoded = lists.iter().map(DeviceList::to_bytes).collect();
    History { directory: trusted(&lists[KNOWN]), primary, lists, encoded, certified }
});

/// The first byte selects a raw list or one correctly signed by a dishonest account.
pub fn device_list(data: &[u8]) {
    let mut input = Input::new(data);
    let hostile = input.byte() % 2 == 1;
    let mut bytes = input.edited(&HISTORY.encoded);
    if hostile {
        bytes.truncate(bytes.len().saturating_sub(64));
        bytes = sign(&bytes);
    }
    let Ok(list) = DeviceList::from_bytes(&bytes) else { return };
    assert_eq!(list.to_bytes(), bytes, "decoded values have one encoding");
    let History { lists, directory, .. } = &*HISTORY;
    let mut after = directory.clone();
    let accepted = after.accept(&list, NOW);
    match &accepted {
        Err(_) => assert_eq!(after, *directory, "a refused list changes nothing"),
        Ok(change) => {
            assert!(hostile || lists.contains(&list), "only lists that the account signed");
            let same = change.added.is_empty() && change.removed.is_empty() && change.changed.is_empty();
            assert_eq!(same, after.devices() == directory.devices());
            let skipped = after.sequence() > directory.sequence() + 1;
            let numbers = (directory.sequence() + 1, after.sequence().saturating_sub(1));
            assert_eq!(change.skipped, skipped.then_some(numbers));
            follows(directory, &after);
        }
    }
    if let Some(index) = lists.iter().position(|known| *known == list) {
        let expected = (index < KNOWN).then_some(DeviceListError::RolledBack);
        assert_eq!(accepted.err(), expected, "list {index}");
    }
    recovers(&list, &mut after);
}

/// The primary sees the list, and continues after it: whoever has accepted that list, or the primary's own, accepts the
/// next.
fn recovers(list: &DeviceList, follower: &mut DeviceDirectory) {
    let phone = Identity::generate(&mut ConstantRng(PHONE));
    let mut primary = HISTORY.primary.clone();
    let seen = primary.see(std::slice::from_ref(list));
    assert!(seen.is_ok() || primary == HISTORY.primary, "what the account did not sign changes nothing");
    assert_eq!(primary.must_recover(), seen.is_ok_and(|alarms| !alarms.is_empty()) && list.sequence() >= 7);
    let before = primary.clone();
    match primary.recover(&phone, std::slice::from_ref(list), NOW) {
        Err(_) => assert_eq!(primary, before),
        Ok(_) => {
            assert!(!primary.must_recover() && primary.list().sequence() > list.sequence().max(7));
            assert!(follower.accept(primary.list(), NOW).is_ok(), "{:?}", primary.list());
            assert!(before.directory().accept(primary.list(), NOW).is_ok(), "{:?}", primary.list());
            assert!(DeviceDirectory::trust(primary.list(), Trust::OnFirstUse, NOW).is_ok());
        }
    }
}

/// Checks the rules that even a dishonest account cannot break.
fn follows(before: &DeviceDirectory, after: &DeviceDirectory) {
    let History { certified, lists, .. } = &*HISTORY;
    assert!(after.account() == before.account());
    assert!(after.sequence() > before.sequence() || after == before);
    assert!(after.devices()[0].is_primary() && after.devices()[0].identity() == before.account().identity());
    for entry in after.devices() {
        assert!(certified.contains(entry), "a device that did not sign its entry");
        assert!(entry.custody().is_own_held() == (entry.terms().disclosure().is_none()));
        let known = before.at(entry.index()).map(DeviceEntry::identity);
        assert!(known == Some(entry.identity()) || entry.index() == 3, "an index that came back");
    }
    let mut again = after.clone();
    let replayed = again.accept(&lists[KNOWN], NOW);
    assert!(replayed.is_err() == (after.sequence() != before.sequence()), "it never goes back");
}

/// The account's signature over any `content`.
fn sign(content: &[u8]) -> Vec<u8> {
    let phone = Identity::generate(&mut ConstantRng(PHONE)).public().to_bytes();
    let signed = [b"bisik-1 device list\0".as_slice(), &phone, content].concat();
    [content, &SigningKey::from_bytes(&[PHONE; 32]).sign(&signed).to_bytes()].concat()
}

/// The first byte is the method; then the relay edits hello, answer and reveal, or forwards them unchanged. If the user
/// sees equal strings, nobody has tampered with the linking.
pub fn link(data: &[u8]) {
    let mut input = Input::new(data);
    let qr_code = input.byte().is_multiple_of(2);
    let [one, other] = [1, 2].map(|seed| begin(qr_code, seed));
    let terms = DeviceTerms::own_held(Custody::Person).unwrap();
    // A camera reads the code from the screen, so a relay can change nothing there.
    let seen = if qr_code { one.1.clone() } else { input.edited(&[&one.1, &other.1]) };
    let Some(invitation) = read(qr_code, &seen) else { return };
    let (answered, answer) = invitation.answer(&HISTORY.primary, terms, &mut Repeatable(3));
    let elsewhere = read(qr_code, &other.1).unwrap().answer(&HISTORY.primary, terms, &mut Repeatable(4));
    let arrived = input.edited(&[&answer, &elsewhere.1]);
    let elsewhere = other.0.answer(&elsewhere.1).unwrap().1;
    let Ok((companion, reveal)) = one.0.answer(&arrived) else {
        assert!(arrived != answer || seen != one.1, "an honest answer is refused");
        return;
    };
    assert!(!qr_code || arrived == answer, "only a primary that has seen the code can answer");
    let revealed = input.edited(&[&reveal, &elsewhere]);
    let honest = seen == one.1 && arrived == answer && revealed == reveal;
    match answered.reveal(&revealed) {
        Ok(primary) => {
            let same = primary.sas() == companion.sas();
            assert!(same == honest, "the strings are equal only if nothing was changed");
            assert!(!qr_code || honest);
        }
        Err(_) => assert!(!honest, "an honest linking fails"),
    }
}

/// A companion, and the message that the primary receives.
fn begin(qr_code: bool, seed: u64) -> (Companion, Vec<u8>) {
    let rng = &mut Repeatable(seed);
    if qr_code {
        let (companion, code) = Companion::with_qr_code(rng);
        (companion, code.as_bytes().to_vec())
    } else {
        let (companion, _) = Companion::with_typed_code(rng);
        let hello = companion.hello().to_vec();
        (companion, hello)
    }
}

fn read(qr_code: bool, seen: &[u8]) -> Option<Invitation> {
    if qr_code { Invitation::scan(seen) } else { Invitation::fetch(seen) }.ok()
}

/// Mode, genuine list, number of edits; then edits: kind, operand, place.
pub fn device_list_seeds() -> Vec<(&'static str, Vec<u8>)> {
    const FLIP: u8 = 0;
    const TRUNCATE: u8 = 1;
    const INSERT: u8 = 2;
    const SPLICE: u8 = 4;
    let known = KNOWN as u8;
    vec![
        ("known", vec![0, known, 0]),
        ("next", vec![0, known + 1, 0]),
        ("older", vec![0, 0, 0]),
        ("gap", vec![0, known + 2, 0]),
        ("flipped_sequence", vec![0, known + 1, 1, FLIP, 1, 0, 72]),
        ("flipped_signature", vec![0, known + 1, 1, FLIP, 1, 0x02, 0]),
        ("truncated", vec![0, known + 1, 1, TRUNCATE, 0, 0, 200]),
        ("trailing_byte", vec![0, known, 1, INSERT, 0, 0x02, 0x0d]),
        ("hostile_next", vec![1, known + 1, 0]),
        ("hostile_sequence", vec![1, known + 1, 1, FLIP, 1, 0, 72]),
        ("hostile_previous", vec![1, known + 1, 1, FLIP, 1, 0, 80]),
        ("hostile_expiry", vec![1, known + 1, 1, FLIP, 0xff, 0, 120]),
        ("hostile_custody", vec![1, known + 1, 1, FLIP, 4, 0x01, 0x67]),
        ("hostile_automated", vec![1, known + 1, 1, FLIP, 1, 0x01, 0x68]),
        ("hostile_index", vec![1, known + 1, 1, FLIP, 3, 0x01, 0x26]),
        ("hostile_identity", vec![1, known + 1, 1, FLIP, 1, 0x01, 0x30]),
        ("hostile_possession", vec![1, known + 1, 1, FLIP, 1, 0x01, 0x90]),
        ("recovering_with_a_spoiled_possession", vec![1, 6, 1, FLIP, 1, 0x01, 0x8a]),
        ("hostile_splice", vec![1, known + 1, 1, SPLICE, known + 2, 0, 121]),
    ]
}

/// Method; then for hello (typed codes only), answer and reveal: which genuine message, number of edits, edits.
pub fn link_seeds() -> Vec<(&'static str, Vec<u8>)> {
    const FLIP: u8 = 0;
    const TRUNCATE: u8 = 1;
    vec![
        ("qr_code", vec![0, 0, 0, 0, 0]),
        ("qr_code_flipped_answer", vec![0, 0, 1, FLIP, 1, 0, 140]),
        ("qr_code_flipped_tag", vec![0, 0, 1, FLIP, 1, 0, 180]),
        ("qr_code_answer_to_another", vec![0, 1, 0]),
        ("qr_code_flipped_reveal", vec![0, 0, 0, 0, 1, FLIP, 1, 0, 20]),
        ("qr_code_reveal_of_another", vec![0, 0, 0, 1, 0]),
        ("typed_code", vec![1, 0, 0, 0, 0, 0, 0]),
        ("typed_code_other_companion", vec![1, 1, 0, 0, 0, 0, 0]),
        ("typed_code_flipped_commitment", vec![1, 0, 1, FLIP, 1, 0, 80, 0, 0, 0, 0]),
        ("typed_code_flipped_account", vec![1, 0, 0, 0, 1, FLIP, 1, 0, 40, 0, 0]),
        ("typed_code_flipped_nonce", vec![1, 0, 0, 0, 1, FLIP, 1, 0, 140, 0, 0]),
        ("typed_code_flipped_possession", vec![1, 0, 0, 0, 0, 0, 1, FLIP, 1, 0, 60]),
        ("typed_code_truncated", vec![1, 0, 0, 0, 1, TRUNCATE, 0, 0, 100]),
    ]
}
