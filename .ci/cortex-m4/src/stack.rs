//! Measures the stack's depth: paint the stack, run, and count how much paint is left.

use core::ptr::{read_volatile, write_volatile};
use cortex_m::register::msp;

/// An unlikely word, written over all unused words of the stack.
const PAINT: u32 = 0xc0de_5afe;
/// Bytes below the stack pointer that are left for the painting function itself.
const MARGIN: usize = 256;

unsafe extern "C" {
    /// The first address after all statics, and the lowest that the stack may reach.
    static __sheap: u32;
    /// The stack's start; it grows downwards.
    static _stack_start: u32;
}

/// Paints everything below the stack pointer.
pub fn paint() {
    for address in (bottom()..msp::read() as usize - MARGIN).step_by(4) {
        // SAFETY: nothing uses the RAM between the last static and the stack pointer.
        unsafe { write_volatile(address as *mut u32, PAINT) }
    }
}

/// Largest number of bytes on the stack since it was painted.
pub fn deepest() -> usize {
    let untouched = (bottom()..top())
        .step_by(4)
        // SAFETY: the address is aligned and in readable RAM.
        .take_while(|&address| unsafe { read_volatile(address as *const u32) } == PAINT)
        .count();
    size() - untouched * 4
}

/// Number of bytes that the statics leave for the stack.
pub fn size() -> usize {
    top() - bottom()
}

fn bottom() -> usize {
    (&raw const __sheap).addr()
}

fn top() -> usize {
    (&raw const _stack_start).addr()
}
