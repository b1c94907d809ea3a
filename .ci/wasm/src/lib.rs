//! The self-test as a WebAssembly module with an allocator, one export and no imports.
#![no_std]

#[global_allocator]
static HEAP: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Returns 0 on success. Otherwise returns the position of the failed step's name: address in the high half, length in
/// the low.
#[unsafe(no_mangle)]
pub extern "C" fn selftest() -> u64 {
    match selftest::run() {
        Ok(()) => 0,
        Err(step) => (step.as_ptr().addr() as u64) << 32 | step.len() as u64,
    }
}

/// A panic becomes a trap, which the host reports as a failure.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
