//! What figures were measured on: they are worth nothing without it. Says less where there is no `/proc`.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// Prints everything that is known of the machine, the compiler and the build.
pub(crate) fn print() {
    let flags = field(&["flags", "Features"]);
    let has = |(name, flag): &(&str, &str)| match &flags {
        Some(flags) => format!("{name} {}", if flags.split(' ').any(|known| known == *flag) { "yes" } else { "no" }),
        None => format!("{name} not known"),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load = load.as_deref().and_then(|load| load.split(' ').next()).unwrap_or("not known");
    println!("processor:    {}, cores: {cores}, load before: {load}", processor());
    println!("instructions: {}", INSTRUCTIONS.iter().map(has).collect::<Vec<_>>().join(", "));
    println!("system:       {} on {}", std::env::consts::OS, std::env::consts::ARCH);
    println!("compiler:     {}", compiler());
    println!("features:     {}", features());
    println!("date:         {}", date());
}

/// The same in one line, for pictures.
pub(crate) fn line() -> String {
    let compiler = compiler();
    let compiler = compiler.split(" (").next().unwrap_or_default();
    format!("{}, {compiler}, features {}, {}", processor(), features(), date())
}

fn processor() -> String {
    field(&["model name", "Model", "CPU part"]).unwrap_or_else(|| String::from("not known"))
}

/// The first field of `/proc/cpuinfo` that has one of these names.
fn field(names: &[&str]) -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let find = |name: &&str| {
        let mut fields = text.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.trim() == *name).map(|(_, value)| value.trim().to_owned())
    };
    names.iter().find_map(find)
}

/// The compiler that Cargo called, unless somebody has changed it since.
fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().ok();
    let version = output.and_then(|output| String::from_utf8(output.stdout).ok());
    version.map_or_else(|| String::from("rustc, not known which"), |version| version.trim().to_owned())
}

fn features() -> String {
    let on: Vec<_> = FEATURES.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    if on.is_empty() { String::from("none") } else { on.join(" ") }
}

/// Today's date in UTC. The days since 1970 are counted from a first of March, so that the odd day ends a year.
fn date() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    format!("{}-{month:02}-{day:02}", era * 400 + year + u64::from(month <= 2))
}

/// Names of instructions that decide about these figures, and the kernel's words for them.
const INSTRUCTIONS: &[(&str, &str)] = if cfg!(target_arch = "aarch64") {
    &[("NEON", "asimd"), ("SHA-2", "sha2"), ("AES", "aes")]
} else {
    &[("AVX2", "avx2"), ("AVX-512", "avx512f"), ("SHA-NI", "sha_ni"), ("AES-NI", "aes"), ("VAES", "vaes")]
};

/// The features of the library, and which are on.
const FEATURES: [(&str, bool); 7] = [
    ("call", cfg!(feature = "call")),
    ("content", cfg!(feature = "content")),
    ("interop", cfg!(feature = "interop")),
    ("std", cfg!(feature = "std")),
    ("serde", cfg!(feature = "serde")),
    ("rayon", cfg!(feature = "rayon")),
    ("graviola", cfg!(feature = "graviola")),
];
