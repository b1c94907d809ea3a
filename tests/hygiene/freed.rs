//! A global allocator that keeps what is freed, so that a test can look for secrets in it afterwards.
#![allow(unsafe_code)] // `GlobalAlloc` is an unsafe trait.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use curve25519_dalek::edwards::EdwardsPoint;

/// What was in each block of memory that this thread has freed.
pub type Freed = Vec<Box<[u8]>>;

/// Everything that this thread frees while `work` runs.
pub fn freed_by<T>(work: impl FnOnce() -> T) -> (T, Freed) {
    assert!(!KEEPING.replace(true), "not within itself");
    let result = work();
    KEEPING.set(false);
    (result, FREED.with_borrow_mut(|freed| std::mem::take(&mut **freed)))
}

/// A point as it is in memory.
pub fn bytes_of(point: &EdwardsPoint) -> &[u8] {
    // SAFETY: a point is four coordinates of machine words, all of them initialized, with nothing between.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(point).cast(), size_of::<EdwardsPoint>()) }
}

struct KeepFreed;

#[global_allocator]
static ALLOCATOR: KeepFreed = KeepFreed;

thread_local! {
    // Constant and without a destructor: reading them never allocates.
    static KEEPING: Cell<bool> = const { Cell::new(false) };
    static FREED: RefCell<ManuallyDrop<Freed>> = const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

// SAFETY: memory comes from the system's allocator and goes back to it. `realloc` is the trait's own: allocate, copy, free;
// so the old block is always seen.
unsafe impl GlobalAlloc for KeepFreed {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout` is passed on.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            // SAFETY: the block is that long. Filled, so that what was freed before is not found again in unused capacity.
            unsafe { block.write_bytes(0xA5, layout.size()) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if KEEPING.get() {
            // What keeping itself frees is copies: not kept again.
            KEEPING.set(false);
            // SAFETY: the block is that long, initialized by `alloc`, and still the caller's.
            let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            FREED.with_borrow_mut(|freed| freed.push(bytes.into()));
            KEEPING.set(true);
        }
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Without these the silence of every other test would mean nothing.
#[test]
fn the_allocator_sees_memory_that_was_not_wiped() {
    let secret: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap().wrapping_mul(37) ^ 0x5C);
    let sees = |work: &dyn Fn()| freed_by(work).1.iter().any(|block| block.windows(32).any(|window| window == secret));
    assert!(sees(&|| drop(secret.to_vec())), "a vector");
    assert!(sees(&|| drop(Box::new(secret))), "a value dropped in place");
    assert!(
        sees(&|| {
            let mut growing = secret.to_vec();
            growing.push(0);
            growing.fill(0);
        }),
        "the block that a vector grew out of"
    );
    assert!(!sees(&|| drop(zeroize::Zeroizing::new(secret.to_vec()))), "wiped memory");
    assert!(!sees(&|| std::mem::forget(secret.to_vec())), "memory that was not freed");
}
