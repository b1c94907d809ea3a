//! The second back end of some primitives, which the feature `graviola` adds: the same bytes, in less time.
//!
//! Graviola is assembly for x86-64 and AArch64, much of it proved correct, and needs instructions that not every
//! processor has. What is here is therefore chosen at run time: every function returns `None`, and no value of a type can
//! be made, where the processor lacks them, on other targets, and without the feature. Callers then run their default
//! code.
//!
//! Routed here is what is faster (docs/performance.md): X25519, signatures of Ed25519, ML-KEM-768 but for encapsulations
//! in pieces, and the AES-GCM of frames, whose keys are kept. Signatures are verified by the default code alone, so that
//! one rule accepts them everywhere.

#[cfg_attr(
    all(feature = "graviola", any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little"))),
    path = "assembly.rs"
)]
#[cfg_attr(
    not(all(
        feature = "graviola",
        any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little"))
    )),
    path = "none.rs"
)]
mod back_end;

#[cfg(feature = "sframe")]
pub(crate) use back_end::FrameCipher;
pub(crate) use back_end::{DecapsulationKey, Signer, agree, encapsulate, public_key, supported};

#[cfg(all(test, feature = "sframe"))]
mod tests;
