//! [`Secret`]: a byte array that is wiped on drop, compared in constant time and never printed; and a helper that grows
//! a plaintext buffer without leaving copies.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::convert::first;

/// `N` secret bytes, wiped on drop, compared in constant time by `ct_eq`, and absent from `Debug` output.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes `bytes`. The caller must wipe its own copy.
    #[must_use]
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// All zeros, to be filled in.
    #[must_use]
    pub fn zero() -> Self {
        Self([0; N])
    }

    /// Copies `bytes`. The caller must wipe the original.
    #[must_use]
    pub fn copy_of(bytes: &[u8; N]) -> Self {
        Self(*bytes)
    }

    /// Draws `N` bytes from `rng`.
    #[must_use]
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut secret = Self::zero();
        rng.fill_bytes(&mut secret.0);
        secret
    }

    /// Returns the bytes. The caller must wipe copies of them.
    #[must_use]
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// Returns the bytes for changes in place.
    #[must_use]
    pub const fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }

    /// Copies the secret. There is no `Clone`, because every copy is one more place to protect.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0)
    }

    /// Returns the first `M` bytes, which are no longer secret: for tags, nonces and ids, which are truncated hashes.
    /// More than `N` bytes do not compile.
    #[must_use]
    pub fn truncate<const M: usize>(&self) -> [u8; M] {
        first(&self.0)
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

/// Declares a type of `N` secret bytes in a box, so that moving it leaves no copy behind. It is wiped on drop
/// and absent from `Debug` output. The call lists the methods with their documentation; `generate` only if the secret
/// may be drawn at random.
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
    ($(#[$doc:meta])* $vis:vis struct $name:ident([u8; $length:literal]);
     $(#[$from:meta])* $from_vis:vis fn from_bytes(bytes);
     $(#[$expose:meta])* $expose_vis:vis fn expose_bytes();
     $($(#[$generate:meta])* $generate_vis:vis fn generate(rng);)?) => {
        $(#[$doc])*
        $vis struct $name($crate::primitives::secret::BoxedSecret<$length>);

        impl $name {
            $(#[$from])*
            #[must_use]
            $from_vis fn from_bytes(bytes: [u8; $length]) -> Self {
                Self($crate::primitives::secret::Secret::new(bytes).into())
            }

            $(#[$expose])*
            #[must_use]
            $expose_vis fn expose_bytes(&self) -> &[u8; $length] {
                self.0.expose()
            }

            $($(#[$generate])*
            #[must_use]
            $generate_vis fn generate(mut rng: &mut (impl ::rand_core::CryptoRng + ?Sized)) -> Self {
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

/// Reserves capacity for `more` bytes in `plaintext`. If that moves the buffer, the old memory is wiped.
pub fn reserve(plaintext: &mut Vec<u8>, more: usize) {
    let needed = plaintext.len().saturating_add(more);
    if needed > plaintext.capacity() {
        let mut larger = Vec::with_capacity(needed.max(plaintext.capacity().saturating_mul(2)));
        larger.extend_from_slice(plaintext);
        core::mem::swap(plaintext, &mut larger);
        larger.zeroize();
    }
}

/// Wipes and removes the bytes of `plaintext` from `start` on. Does nothing if `start` is past the end.
pub fn wipe_from(plaintext: &mut Vec<u8>, start: usize) {
    if let Some(rest) = plaintext.get_mut(start..) {
        rest.zeroize();
    }
    plaintext.truncate(start);
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
    fn truncation_keeps_the_first_bytes() {
        assert_eq!(Secret::new(*b"halo, dunia").truncate::<4>(), *b"halo");
    }

    #[test]
    fn wiping_removes_the_end_and_keeps_the_rest() {
        let mut plaintext = b"halo, dunia".to_vec();
        wipe_from(&mut plaintext, 20);
        assert_eq!(plaintext, b"halo, dunia");
        wipe_from(&mut plaintext, 4);
        assert_eq!(plaintext, b"halo");
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
