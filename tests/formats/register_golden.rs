//! A record of registers, of released formats: it still opens, and is sealed to the same bytes again.

use bisik::Account;
use bisik::device::DeviceTerms;
use bisik::registers::{Mark, RegisterKey, Registers};

use super::state_golden::{CREATED, Golden, golden, key, nonce};

/// P-6.4, P-17.10: registers of format 1, of which one has no value, and of which none was sent.
#[test]
fn golden_registers_open_and_reseal_to_the_same_bytes() {
    let account = Account::unseal(&key(), &golden("register-account")).unwrap();
    let record = golden("register");
    let mut registers = Registers::unseal(&key(), *account.key(), &record).unwrap();
    assert_eq!(registers.seal(&key(), &mut nonce()).unwrap().as_bytes(), record);
    let setting = |name| RegisterKey::setting(name).unwrap();
    assert_eq!(registers.get(&setting("theme")), Some(&b"dark"[..]));
    assert_eq!(registers.get(&setting("gone")), None);
    let mark = registers.get(&RegisterKey::verified(account.key())).unwrap();
    assert_eq!(Mark::read(mark), Some(Mark::Verified { what: [7; 32] }));
    assert_eq!(registers.iter().count(), 3);
    // What was deleted is remembered.
    assert_eq!(registers.set(&account, &setting("gone"), None, CREATED), Ok(false));
}

/// Writes the files of the test above.
pub(super) fn write(golden: &Golden) {
    let mut account = Account::create(DeviceTerms::person(), CREATED, &mut rand::rng());
    let mut registers = Registers::new(&account).unwrap();
    let mut set = |key, value: Option<&[u8]>| assert_eq!(registers.set(&account, &key, value, CREATED), Ok(true));
    set(RegisterKey::setting("theme").unwrap(), Some(b"dark"));
    set(RegisterKey::setting("gone").unwrap(), Some(b"x"));
    set(RegisterKey::setting("gone").unwrap(), None);
    set(RegisterKey::verified(account.key()), Some(&Mark::Verified { what: [7; 32] }.to_bytes()));
    set(RegisterKey::read_mark(&[3; 16]).unwrap(), Some(&RegisterKey::position(41)));
    golden.write("register", registers.seal(&key(), &mut nonce()).unwrap().as_bytes());
    golden.write("register-account", &account.seal(&key(), &mut rand::rng()).unwrap().unwrap().bytes);
}
