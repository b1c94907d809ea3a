//! Requests to valgrind's memcheck: taint, untaint, and is it tainted.
//! It knows nothing of cryptography. The numbers are those of `valgrind.h` and `memcheck.h`.

use std::hint::black_box;
use std::ptr::from_ref;

const RUNNING_ON_VALGRIND: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
const MEMCHECK: usize = 0x4d43_0000; // "MC"
const MAKE_MEM_UNDEFINED: usize = MEMCHECK + 1;
const MAKE_MEM_DEFINED: usize = MEMCHECK + 2;
const GET_VBITS: usize = MEMCHECK + 8;

/// Is there a valgrind at all?
pub fn running() -> bool {
    request([RUNNING_ON_VALGRIND, 0, 0, 0, 0, 0]) != 0
}

/// How many dependences have been reported so far.
pub fn reports() -> usize {
    request([COUNT_ERRORS, 0, 0, 0, 0, 0])
}

/// From here on these bytes, and all that is computed from them, are secret.
pub fn secret<T: ?Sized>(value: &T) {
    request([MAKE_MEM_UNDEFINED, address(value), size_of_val(value), 0, 0, 0]);
    // The compiler must forget what it knew of the value: a copy in a register would not be tainted.
    black_box(value);
}

/// These bytes may be known to anyone, as a public key or a sent message may.
pub fn public<T: ?Sized>(value: &T) {
    request([MAKE_MEM_DEFINED, address(value), size_of_val(value), 0, 0, 0]);
}

/// Declassifies a result after making sure that the secret reached it; a check that loses its taint checks nothing.
pub fn reveal<T: ?Sized>(result: &T) {
    let mut taint = vec![0u8; size_of_val(result)];
    let known = request([GET_VBITS, address(result), taint.as_mut_ptr().addr(), taint.len(), 0, 0]);
    assert_eq!(known, 1, "valgrind does not know this memory");
    assert!(taint.iter().any(|&bits| bits != 0), "the secret never reached the result");
    public(result);
}

fn address<T: ?Sized>(value: &T) -> usize {
    from_ref(value).cast::<u8>().expose_provenance()
}

/// Outside valgrind the four rotations (128 bits in all) and the exchange do nothing; inside they are recognised.
#[cfg(target_arch = "x86_64")]
fn request(arguments: [usize; 6]) -> usize {
    let mut result = 0;
    // SAFETY: the registers named are the only ones changed, and memory is touched by valgrind alone, which writes
    // only to the buffer given to GET_VBITS. No `nomem`: the compiler must not move stores across.
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
