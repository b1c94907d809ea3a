//! The self-test on bare metal: no operating system, a heap and a stack of fixed size.
//! Measures heap and stack, and reports the outcome to the host.
#![no_std]
#![no_main]

mod heap;
mod stack;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};

#[global_allocator]
static HEAP: heap::Measured = heap::Measured::new();

#[entry]
fn main() -> ! {
    HEAP.init();
    stack::paint();
    let outcome = selftest::run();
    hprintln!("heap: {} of {} bytes at the peak, {} left in use", HEAP.peak(), heap::SIZE, HEAP.used());
    hprintln!("stack: {} of {} bytes at the deepest", stack::deepest(), stack::size());
    if let Err(step) = outcome {
        hprintln!("step: {}", step);
        finish("self-test failed", debug::EXIT_FAILURE)
    }
    if HEAP.used() != 0 {
        finish("self-test failed: memory was never freed", debug::EXIT_FAILURE)
    }
    // A stack that reached its last byte may have overwritten statics, so the result proves nothing.
    if stack::deepest() == stack::size() {
        finish("self-test failed: stack exhausted", debug::EXIT_FAILURE)
    }
    finish("self-test passed", debug::EXIT_SUCCESS)
}

#[panic_handler]
fn panic(information: &core::panic::PanicInfo) -> ! {
    hprintln!("{}", information);
    finish("self-test panicked", debug::EXIT_FAILURE)
}

#[cortex_m_rt::exception]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    finish("self-test faulted", debug::EXIT_FAILURE)
}

fn finish(verdict: &str, status: debug::ExitStatus) -> ! {
    hprintln!("{}", verdict);
    loop {
        debug::exit(status);
    }
}
