//! How deep the stack went: paint it, run, look how much paint is left.
//! It knows the symbols of the linker script and nothing else.

use core::ptr::{read_volatile, write_volatile};
use cortex_m::register::msp;

/// An unlikely word, written over all of the stack not yet in use.
const PAINT: u32 = 0xc0de_5afe;
/// Left alone below the stack pointer, for the painting function itself.
const MARGIN: usize = 256;

unsafe extern "C" {
    /// The first address after all statics: the lowest the stack may reach.
    static __sheap: u32;
    /// Where the stack begins; it grows downwards.
    static _stack_start: u32;
}

/// Paints everything below the stack pointer.
pub fn paint() {
    for address in (bottom()..msp::read() as usize - MARGIN).step_by(4) {
        // SAFETY: RAM between the last static and the stack pointer belongs to nobody.
        unsafe { write_volatile(address as *mut u32, PAINT) }
    }
}

/// The most bytes the stack ever took since it was painted.
pub fn deepest() -> usize {
    let untouched = (bottom()..top())
        .step_by(4)
        // SAFETY: readable RAM, aligned.
        .take_while(|&address| unsafe { read_volatile(address as *const u32) } == PAINT)
        .count();
    size() - untouched * 4
}

/// What the statics leave for the stack.
pub fn size() -> usize {
    top() - bottom()
}

fn bottom() -> usize {
    (&raw const __sheap).addr()
}

fn top() -> usize {
    (&raw const _stack_start).addr()
}
