//! The peak memory of a process, on systems with `/proc`.

use std::fs;

/// Returns the peak resident memory in KiB.
pub(crate) fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Limit in KiB for each process, whatever the size of the files.
pub(crate) const MOST: u64 = 32 << 10;
