//! [`Secret`]: a byte array that wipes itself, compares in constant time and never prints; and how plaintext grows.
//!
//! Does not know what it holds.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    pub fn zero() -> Self {
        Self([0; N])
    }

    pub fn copy_of(bytes: &[u8; N]) -> Self {
        Self(*bytes)
    }

    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut secret = Self::zero();
        rng.fill_bytes(&mut secret.0);
        secret
    }

    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    pub const fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }

    /// A second copy, asked for by name because every copy is one more place to protect.
    pub fn duplicate(&self) -> Self {
        Self(self.0)
    }
}

impl<const N: usize> ConstantTimeEq for Secret<N> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A secret that can move without leaving a copy behind.
pub type BoxedSecret<const N: usize> = Box<Secret<N>>;

/// Declares a public type of `N` secret bytes in a box, so that moving it leaves no copy behind. It is wiped on drop, and
/// absent from `Debug`. The call lists the methods, each with its documentation; `generate` only if the secret may be drawn at
/// random.
///
/// ```
/// bisik_core::boxed_secret! {
///     /// The key of one file.
///     pub struct FileKey([u8; 32]);
///     /// The key that a message carried.
///     pub fn from_bytes(bytes);
///     /// The 32 secret bytes, for the message. Copies of them are the caller's to wipe.
///     pub fn expose_bytes();
///     /// A new key from 32 bytes of `rng`.
///     pub fn generate(rng);
/// }
///
/// let key = FileKey::generate(&mut rand::rng());
/// assert_eq!(FileKey::from_bytes(*key.expose_bytes()).expose_bytes(), key.expose_bytes());
/// assert_eq!(format!("{key:?}"), "FileKey(..)");
/// ```
#[macro_export]
macro_rules! boxed_secret {
    ($(#[$doc:meta])* pub struct $name:ident([u8; $length:literal]);
     $(#[$from:meta])* pub fn from_bytes(bytes);
     $(#[$expose:meta])* pub fn expose_bytes();
     $($(#[$generate:meta])* pub fn generate(rng);)?) => {
        $(#[$doc])*
        pub struct $name($crate::primitives::secret::BoxedSecret<$length>);

        impl $name {
            $(#[$from])*
            #[must_use]
            pub fn from_bytes(bytes: [u8; $length]) -> Self {
                Self($crate::primitives::secret::Secret::new(bytes).into())
            }

            $(#[$expose])*
            #[must_use]
            pub fn expose_bytes(&self) -> &[u8; $length] {
                self.0.expose()
            }

            $($(#[$generate])*
            #[must_use]
            pub fn generate(mut rng: &mut (impl ::rand_core::CryptoRng + ?Sized)) -> Self {
                Self($crate::primitives::secret::Secret::random(&mut rng).into())
            })?
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

/// Makes room for `more` bytes; the memory that plaintext moves out of is wiped.
pub fn reserve(plaintext: &mut Vec<u8>, more: usize) {
    let needed = plaintext.len().saturating_add(more);
    if needed > plaintext.capacity() {
        let mut larger = Vec::with_capacity(needed.max(plaintext.capacity().saturating_mul(2)));
        larger.extend_from_slice(plaintext);
        core::mem::swap(plaintext, &mut larger);
        larger.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new([0xA5; 32])), "[secret]");
    }

    #[test]
    fn equality_is_of_the_whole_array() {
        let a = Secret::new([1; 32]);
        let mut b = a.duplicate();
        assert!(bool::from(a.ct_eq(&b)));
        b.expose_mut()[31] ^= 1;
        assert!(!bool::from(a.ct_eq(&b)));
    }
}
