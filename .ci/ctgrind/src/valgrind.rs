//! Requests to valgrind's memcheck: taint a value, untaint it, and check for a taint.
//! The numbers are from `valgrind.h` and `memcheck.h`.

use std::hint::black_box;
use std::ptr::from_ref;

const RUNNING_ON_VALGRIND: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
const MEMCHECK: usize = 0x4d43_0000; // "MC"
const MAKE_MEM_UNDEFINED: usize = MEMCHECK + 1;
const MAKE_MEM_DEFINED: usize = MEMCHECK + 2;
const GET_VBITS: usize = MEMCHECK + 8;

/// Returns whether the program runs under valgrind.
pub fn running() -> bool {
    request([RUNNING_ON_VALGRIND, 0, 0, 0, 0, 0]) != 0
}

/// Returns how many dependences on secrets valgrind has reported so far.
pub fn reports() -> usize {
    request([COUNT_ERRORS, 0, 0, 0, 0, 0])
}

/// Taints a value: it, and everything computed from it, is secret from here on.
pub fn secret<T: ?Sized>(value: &T) {
    request([MAKE_MEM_UNDEFINED, address(value), size_of_val(value), 0, 0, 0]);
    // Make the compiler forget the value: a copy in a register would not be tainted.
    black_box(value);
}

/// Removes the taint from a value that anyone may know, such as a public key or a sent message.
pub fn public<T: ?Sized>(value: &T) {
    request([MAKE_MEM_DEFINED, address(value), size_of_val(value), 0, 0, 0]);
}

/// Declassifies a result, and asserts that it was tainted: a check whose taint got lost proves nothing.
///
/// Takes the bytes themselves. A vector or a box does not compile: its pointer is never tainted.
pub fn reveal<T: ?Sized>(result: &T) {
    const { assert!(!std::mem::needs_drop::<T>(), "reveal what it points to") }
    let mut taint = vec![0u8; size_of_val(result)];
    let known = request([GET_VBITS, address(result), taint.as_mut_ptr().addr(), taint.len(), 0, 0]);
    assert_eq!(known, 1, "valgrind does not know this memory");
    assert!(taint.iter().any(|&bits| bits != 0), "the secret never reached the result");
    public(result);
}

fn address<T: ?Sized>(value: &T) -> usize {
    from_ref(value).cast::<u8>().expose_provenance()
}

/// Valgrind recognises this sequence. Outside valgrind, the four rotations (128 bits in all) and the exchange do
/// nothing.
#[cfg(target_arch = "x86_64")]
fn request(arguments: [usize; 6]) -> usize {
    let mut result = 0;
    // SAFETY: only the named registers change. Only valgrind accesses memory, and it writes only to the buffer given to
    // GET_VBITS. `nomem` is absent, so the compiler does not move stores across.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            inout("rdx") result,
            in("rax") arguments.as_ptr(),
            options(nostack),
        );
    }
    result
}
