//! Counts the instructions of receiving, and bounds what a malicious peer can make one message cost.
//! Run with `-icount shift=0`: each instruction then takes one nanosecond of the board's clock, on every machine.
#![no_std]
#![no_main]

use core::ptr::{read_volatile, write_volatile};
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use embedded_alloc::LlffHeap;
use selftest::{Costs, GAP, costs};

/// In the board's external memory: the skipped message keys of the worst peer, and a copy of them for a moment.
const HEAP: (usize, usize) = (0x2100_0000, 1 << 20);
/// The worst message may cost this many times what an honest step costs.
const MOST_STEPS: u64 = 25;
/// A forgery may cost this many times what an honest message costs.
const MOST_MESSAGES: u64 = 2;

#[global_allocator]
static ALLOCATOR: LlffHeap = LlffHeap::empty();

#[entry]
fn main() -> ! {
    // SAFETY: called once, and nothing else uses this memory.
    unsafe { ALLOCATOR.init(HEAP.0, HEAP.1) }
    start();
    match costs(&mut instructions) {
        Ok(costs) => report(&costs),
        Err(step) => {
            hprintln!("step: {}", step);
            finish(debug::EXIT_FAILURE)
        }
    }
}

fn report(&Costs { next, step, forgery, worst }: &Costs) -> ! {
    hprintln!("instructions to receive one message:");
    hprintln!("{:>12}  honest, next in its chain", next);
    hprintln!("{:>12}  honest, with a DH step", step);
    hprintln!("{:>12}  forged without a key", forgery);
    hprintln!("{:>12}  worst peer: step, and {} missing messages of two chains", worst, GAP);
    hprintln!("worst peer: {} honest steps, of {}", worst.div_ceil(step), MOST_STEPS);
    let holds = worst <= step * MOST_STEPS && forgery <= next * MOST_MESSAGES;
    finish(if holds { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE })
}

/// Timer 0 of the board: 32 bits, counts down at 25 MHz.
const TIMER: usize = 0x4000_0000;
/// Nanoseconds, so instructions, of one tick.
const TICK: u64 = 40;

fn start() {
    // SAFETY: the registers RELOAD, VALUE and CTRL of a timer that nothing else uses.
    unsafe {
        write_volatile((TIMER + 8) as *mut u32, u32::MAX);
        write_volatile((TIMER + 4) as *mut u32, u32::MAX);
        write_volatile(TIMER as *mut u32, 1);
    }
}

fn instructions() -> u64 {
    // SAFETY: the register VALUE.
    let left = unsafe { read_volatile((TIMER + 4) as *const u32) };
    u64::from(u32::MAX - left) * TICK
}

#[panic_handler]
fn panic(information: &core::panic::PanicInfo) -> ! {
    hprintln!("{}", information);
    finish(debug::EXIT_FAILURE)
}

fn finish(status: debug::ExitStatus) -> ! {
    loop {
        debug::exit(status);
    }
}
