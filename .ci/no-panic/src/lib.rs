//! What `.ci/no-panic/check` links one by one. `free_*` must reach no panic, `bound_*` must, `known_*` is reported.
//! The arguments come from outside, so the compiler knows nothing about them.
#![no_std]
#![feature(alloc_error_handler)]

use bisik::handshake::PreKeyHeader;
use bisik::ratchet::DoubleRatchet;
use bisik::{
    Ciphertext, Identity, IdentityKey, PreKeyBundle, PreKeys, Session, StorageKey, Timestamp, Trust, VerifiedBundle,
};
use core::alloc::{GlobalAlloc, Layout};
use core::convert::Infallible;
use rand_core::{TryCryptoRng, TryRng};

/// Decoders of bytes from the network.
#[unsafe(no_mangle)]
extern "C" fn free_ciphertext(bytes: &Bytes) -> bool {
    Ciphertext::from_bytes(bytes.get()).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn free_pre_key_header(bytes: &Bytes) -> bool {
    PreKeyHeader::from_bytes(bytes.get()).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn free_bundle(bytes: &Bytes) -> bool {
    PreKeyBundle::from_bytes(bytes.get()).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn free_identity_key(bytes: &[u8; IdentityKey::LENGTH]) -> bool {
    IdentityKey::from_bytes(bytes).is_ok()
}

/// Receiving.
#[unsafe(no_mangle)]
extern "C" fn known_ratchet_stage(ratchet: &mut DoubleRatchet, bytes: &Bytes) -> bool {
    ratchet.stage(bytes.get()).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn known_ratchet_decrypt(ratchet: &mut DoubleRatchet, bytes: &Bytes) -> bool {
    ratchet.decrypt(bytes.get()).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn known_session_stage(session: &mut Session, identity: &Identity, message: &Ciphertext) -> bool {
    session.stage(identity, message).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn known_session_decrypt(session: &mut Session, identity: &Identity, message: &Ciphertext) -> bool {
    session.decrypt(identity, message).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn known_session_accept(identity: &Identity, keys: &PreKeys, message: &Ciphertext, now: u64) -> bool {
    Session::accept(identity, keys, message, Trust::OnFirstUse, Timestamp::from_unix_seconds(now)).is_ok()
}

/// Records.
#[unsafe(no_mangle)]
extern "C" fn known_session_unseal(key: &StorageKey, record: &Bytes) -> bool {
    Session::unseal(key, b"name", record.get(), |_| None).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn known_pre_keys_unseal(key: &StorageKey, record: &Bytes) -> bool {
    PreKeys::unseal(key, b"name", record.get()).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn known_identity_unseal(key: &StorageKey, record: &Bytes) -> bool {
    Identity::unseal(key, b"name", record.get()).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn known_session_seal(session: &mut Session, key: &StorageKey) -> bool {
    session.seal(key, b"name", &mut Random).is_ok()
}

/// Sending.
#[unsafe(no_mangle)]
extern "C" fn known_session_encrypt(session: &mut Session, plaintext: &Bytes) -> bool {
    session.encrypt(plaintext.get(), &mut Random).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn known_session_initiate(identity: &Identity, bundle: &VerifiedBundle, now: u64) -> bool {
    Session::initiate(identity, bundle, Timestamp::from_unix_seconds(now), &mut Random).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn known_bundle_verify(bundle: &PreKeyBundle, now: u64) -> bool {
    bundle.clone().verify(Trust::OnFirstUse, Timestamp::from_unix_seconds(now)).is_ok()
}

/// Each can panic, in a way of its own. If the check does not find the panic, it proves nothing.
#[unsafe(no_mangle)]
extern "C" fn bound_index(bytes: &Bytes) -> u8 {
    bytes.get()[7]
}

#[unsafe(no_mangle)]
extern "C" fn bound_unwrap(bytes: &Bytes) -> bool {
    Ciphertext::from_bytes(bytes.get()).unwrap().is_pre_key_message()
}

/// Behind a decoder that has no panic itself.
#[unsafe(no_mangle)]
extern "C" fn bound_behind_a_decoder(bytes: &Bytes) -> u8 {
    Ciphertext::from_bytes(bytes.get()).map_or(0, |message| message.as_bytes()[1_000])
}

/// Bytes that the caller has.
#[repr(C)]
struct Bytes {
    start: *const u8,
    length: usize,
}

impl Bytes {
    fn get(&self) -> &[u8] {
        // SAFETY: nothing here is ever run.
        unsafe { core::slice::from_raw_parts(self.start, self.length) }
    }
}

/// The only way to a panic message. The check looks for its symbol, and for the places in the source that come here: they
/// are handed on, so that the compiler keeps them.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    reached_a_panic(info.location().map_or(core::ptr::null(), |place| core::ptr::from_ref(place).cast()))
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn reached_a_panic(place: *const u8) -> ! {
    // SAFETY: nothing here is ever run.
    unsafe { core::ptr::write_volatile(1 as *mut usize, place as usize) };
    loop {}
}

/// Lack of memory ends the program too, but it is not a panic, and a program can set its own handler.
#[alloc_error_handler]
fn out_of_memory(_: Layout) -> ! {
    loop {}
}

/// Randomness that the compiler knows nothing about.
struct Random;

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(random())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(random()))
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        destination.iter_mut().for_each(|byte| *byte = random() as u8);
        Ok(())
    }
}

impl TryCryptoRng for Random {}

struct Outside;

unsafe extern "C" {
    safe fn random() -> u32;
    safe fn take(size: usize, align: usize) -> *mut u8;
    safe fn give_back(block: *mut u8);
}

// SAFETY: nothing here is ever run.
unsafe impl GlobalAlloc for Outside {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size(), layout.align())
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        give_back(block)
    }
}

#[global_allocator]
static ALLOCATOR: Outside = Outside;
