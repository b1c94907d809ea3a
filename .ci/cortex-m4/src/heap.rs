//! A heap of fixed size that records its peak usage.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};
use embedded_alloc::LlffHeap;

/// Size in bytes: memory that firmware could spare for messaging.
pub const SIZE: usize = 64 * 1024;

/// Allocates from [`SIZE`] bytes. A larger request fails, as it would on the device.
pub struct Measured {
    heap: LlffHeap,
    peak: AtomicUsize,
}

impl Measured {
    pub const fn new() -> Self {
        Self { heap: LlffHeap::empty(), peak: AtomicUsize::new(0) }
    }

    /// Must be called once, before the first allocation.
    pub fn init(&self) {
        // SAFETY: called once, and nothing else refers to the memory.
        unsafe { self.heap.init(MEMORY.0.get() as usize, SIZE) }
    }

    /// Peak number of bytes in use, including the allocator's rounding.
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// Number of bytes in use.
    pub fn used(&self) -> usize {
        self.heap.used()
    }
}

// SAFETY: every call is forwarded unchanged.
unsafe impl GlobalAlloc for Measured {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the contract of the same method.
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

// SAFETY: only the allocator accesses it, and the allocator has its own critical section.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new([0; SIZE]));
