//! How much of its stack a thread has touched, in pages of 4 KiB, as the kernel sees it.
//!
//! A page that was never touched is not present. Rust touches every page of a large frame when it enters the function,
//! so the lowest page that is present is the deepest frame.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::mpsc;
use std::thread;

const PAGE: usize = 4096;

/// Runs `work` in a new thread with a stack of `size` bytes. Returns how many KiB it touched, and the result.
///
/// Ends the process if the stack overflows.
pub fn touched<T: Send + 'static>(
    name: &str,
    size: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<(usize, T)> {
    let (done, result) = mpsc::channel();
    thread::Builder::new().name(name.into()).stack_size(size).spawn(move || {
        let here = 0_u8;
        let top = (&raw const here).addr() / PAGE;
        let lowest = top.saturating_sub(size / PAGE - MARGIN);
        let before = present(lowest, top);
        let value = work();
        let after = present(lowest, top);
        let _ = done.send(before.and_then(|before| Ok((before, after?, value))));
        // The thread stays, because the next one would get its stack.
        loop {
            thread::park();
        }
    })?;
    let (before, after, value) = result.recv().map_err(io::Error::other)??;
    if before > 2 {
        return Err(io::Error::other("the stack was used before"));
    }
    Ok((after * PAGE / 1024, value))
}

/// The pages from `top` down to the lowest one that is present.
fn present(lowest: usize, top: usize) -> io::Result<usize> {
    let mut map = File::open("/proc/self/pagemap")?;
    map.seek(SeekFrom::Start((lowest * ENTRY) as u64))?;
    let mut entries = vec![0; (top - lowest + 1) * ENTRY];
    map.read_exact(&mut entries)?;
    // The highest bit of an entry says whether the page is present, the next one whether it was swapped out.
    let first = entries.chunks_exact(ENTRY).position(|entry| entry[ENTRY - 1] & 0xC0 != 0);
    first.map(|first| top - lowest - first + 1).ok_or_else(|| io::Error::other("the page map shows no stack"))
}

/// Bytes of an entry of the page map.
const ENTRY: usize = 8;

/// Pages at the end of the stack that are not looked at, because other things may be there: the guard, and what the
/// system keeps at the top.
const MARGIN: usize = 4;

/// Checks the measure itself: a frame of 200 KiB is seen, and does not count for the next thread.
pub fn check_the_measure() -> io::Result<()> {
    let (small, ()) = touched("control", 1 << 20, small_frame)?;
    let (large, ()) = touched("control", 1 << 20, large_frame)?;
    let (again, ()) = touched("control", 1 << 20, small_frame)?;
    if small > 16 || !(200..=220).contains(&large) || again > 16 {
        return Err(io::Error::other(format!("frames of 1, 200, 1 KiB are seen as {small}, {large}, {again}")));
    }
    Ok(())
}

#[inline(never)]
fn small_frame() {
    let array = [1_u8; 1024];
    black_box(&array);
}

#[inline(never)]
fn large_frame() {
    let array = [1_u8; 200 * 1024];
    black_box(&array);
}
