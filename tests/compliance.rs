//! Rules about documents: requirements and their citations, paths and links, errors, labels. The modules are in `house/`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    unreachable_pub
)]

#[path = "house/compliance.rs"]
mod compliance;
#[path = "house/documents.rs"]
mod documents;
#[path = "house/errors.rs"]
mod errors;
#[path = "house/files.rs"]
mod files;
#[path = "house/labels.rs"]
mod labels;
