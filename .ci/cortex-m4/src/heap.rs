//! A heap of fixed size that remembers the most it ever held.
//! It knows nothing of its users.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};
use embedded_alloc::LlffHeap;

/// What a firmware could spare for messaging.
pub const SIZE: usize = 64 * 1024;

/// Allocates in [`SIZE`] bytes; a request beyond them fails as it would on the device.
pub struct Measured {
    heap: LlffHeap,
    peak: AtomicUsize,
}

impl Measured {
    pub const fn new() -> Self {
        Self { heap: LlffHeap::empty(), peak: AtomicUsize::new(0) }
    }

    /// To be called once, before the first allocation.
    pub fn init(&self) {
        // SAFETY: called once, and nothing else names the memory.
        unsafe { self.heap.init(MEMORY.0.get() as usize, SIZE) }
    }

    /// The most bytes ever taken at once, the allocator's own rounding included.
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// The bytes taken now.
    pub fn used(&self) -> usize {
        self.heap.used()
    }
}

// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Measured {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the one asked for.
        let block = unsafe { self.heap.alloc(layout) };
        self.peak.fetch_max(self.heap.used(), Ordering::Relaxed);
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { self.heap.dealloc(block, layout) }
    }
}

#[repr(align(8))]
struct Memory(UnsafeCell<[u8; SIZE]>);

// SAFETY: only the allocator, which has its own critical section, touches it.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new([0; SIZE]));
