//! Shared by the benchmarks: measuring pieces of work in time, in instructions and in allocations, and telling of it in
//! tables and pictures.

pub(crate) mod callgrind;
pub(crate) mod growth;
pub(crate) mod interleaved;
pub(crate) mod machine;
pub(crate) mod meter;
pub(crate) mod picture;
pub(crate) mod report;

/// What a benchmark is asked for by its arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To list its cases, of which the harness sees none.
    List,
    /// To run once, to see that it runs: `cargo test --benches`, `cargo bench -- --test`.
    Run,
    /// To measure: `cargo bench`.
    Measure,
}

pub(crate) fn asked() -> Asked {
    let given = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    match () {
        () if given("--list") => Asked::List,
        () if given("--bench") && !given("--test") => Asked::Measure,
        () => {
            println!("run once, not measured: figures mean nothing");
            Asked::Run
        }
    }
}
