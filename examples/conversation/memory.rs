//! How much memory a process has had at most, where there is a `/proc` to say so.
//!
//! Does not know what for.

use std::fs;

/// KiB that were resident at once.
pub(crate) fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// KiB that no process needs, whatever the size of the files.
pub(crate) const MOST: u64 = 32 << 10;
