//! Rules of the repository that a machine checks: layers, requirements, documents, labels, and the seeds of the fuzz targets.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "a test panics where a promise is broken"
)]

mod architecture; // layers, file sizes, first lines, raw secrets
mod circles; //      no imports in a circle
mod compliance; //   every requirement is enforced and tested, and none changes unnoticed
mod corpus; //       every fuzz seed is replayed
mod documents; //    paths and links resolve
mod errors; //       docs/errors.md names every error and its code
mod fail_closed; //  no default stands in for a length, a tag, a key or a revision
mod files; //        reads the repository's files
mod labels; //       labels are distinct and prefix-free
mod models; //       each model has a twin that fails, and results that were accepted
mod package; //      the published packages are whole, and their pages true
mod pictures; //     pictures are small and plain, and the manual has them
mod public; //       what has a text and the traits of serde
mod threads; //      which values move between threads
