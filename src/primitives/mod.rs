//! Named cryptography: thin, typed covers over the field's own crates (docs/spec/conventions.md, section 1).
//!
//! Does not know any protocol. Nothing here is an implementation of a primitive.

pub(crate) mod aead; //   1.3  ChaCha20-HMAC-SHA256, RFC 8439 and RFC 2104; XChaCha20-Poly1305
#[cfg(feature = "interop")]
pub(crate) mod blocks; //      AES-256-CBC in pieces, SP 800-38A
#[cfg(feature = "interop")]
pub(crate) mod cbc; //         AES-256-CBC with PKCS#7, SP 800-38A and RFC 5652
pub(crate) mod chunk; //  8.1  ChaCha20-Poly1305, RFC 8439
pub(crate) mod dh; //     1.1  X25519, RFC 7748
#[cfg(feature = "call")]
pub(crate) mod frame; //  9.4  SFrame's ciphers, SP 800-38D and RFC 9605
#[cfg(feature = "interop")]
pub(crate) mod gcm; //         AES-256-GCM, SP 800-38D
pub(crate) mod hash; //   1.2  SHA-256 in pieces, FIPS 180-4
pub(crate) mod kdf; //    1.2  HKDF-SHA256, RFC 5869
pub(crate) mod kem; //    1.4  ML-KEM-768, FIPS 203
pub(crate) mod secret; //      a byte array that wipes itself
pub(crate) mod sign; //   1.1  Ed25519, RFC 8032
#[cfg(feature = "interop")]
pub(crate) mod wide; //        SHA-512, FIPS 180-4, and HMAC with it, RFC 2104
#[cfg(test)]
mod wycheproof; //             every vector of Project Wycheproof for the above
