//! Cryptographic primitives: thin, typed wrappers of existing crates (docs/spec/conventions.md, section 1).
//!
//! Nothing here implements a primitive.

mod accelerated; //      the second back end, of the feature `graviola`
pub mod aead; //   1.3  ChaCha20-HMAC-SHA256, RFC 8439 and RFC 2104; XChaCha20-Poly1305
#[cfg(feature = "aes")]
pub mod aes_cbc; //         AES-256-CBC with PKCS#7, SP 800-38A and RFC 5652
#[cfg(feature = "aes")]
pub mod aes_cbc_stream; //      AES-256-CBC in pieces, SP 800-38A
#[cfg(feature = "aes")]
pub mod aes_gcm; //         AES-256-GCM, SP 800-38D
#[cfg(any(feature = "aes", feature = "sframe"))]
mod append; //      encryption into new capacity at the end of an output
pub mod chunks; //  8.1  ChaCha20 with HMAC-SHA256 over the chunks of a file, RFC 8439 and RFC 2104
pub mod ed25519; //   1.1  Ed25519, RFC 8032
pub mod kdf; //    1.2  HKDF-SHA256, RFC 5869
#[cfg(feature = "kyber")]
pub mod kyber1024; //        Kyber-1024, third round of the NIST competition
pub mod mlkem768; //    1.4  ML-KEM-768, FIPS 203
pub mod mlkem768_pieces; //      the same, with keys and ciphertexts in pieces
pub mod secret; //      a byte array that is wiped on drop
#[cfg(feature = "sframe")]
pub mod sframe; //  9.4  SFrame's ciphers, SP 800-38D and RFC 9605
pub mod sha256; //   1.2  SHA-256 in pieces, FIPS 180-4
pub mod sha512; //        SHA-512, FIPS 180-4, and HMAC with it, RFC 2104
#[cfg(test)]
mod wycheproof; //      every vector of Project Wycheproof for these primitives
pub mod x25519; //     1.1  X25519, RFC 7748
