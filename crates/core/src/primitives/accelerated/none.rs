//! Without the back end: nothing is supported, and no value of these types exists.

use alloc::boxed::Box;

use crate::primitives::mlkem768::{CIPHERTEXT, ENCAPSULATION_KEY, SEED};
use crate::primitives::secret::{BoxedSecret, Secret};

pub(crate) const fn supported() -> bool {
    false
}

pub(crate) const fn public_key(_: &Secret<32>) -> Option<[u8; 32]> {
    None
}

pub(crate) const fn agree(_: &Secret<32>, _: &[u8; 32]) -> Option<[u8; 32]> {
    None
}

pub(crate) const fn encapsulate(
    _: &[u8; ENCAPSULATION_KEY],
    _: &Secret<32>,
) -> Option<(Box<[u8; CIPHERTEXT]>, Secret<32>)> {
    None
}

pub(crate) enum Signer {}

impl Signer {
    pub(crate) const fn new(_: &Secret<32>) -> Option<Self> {
        None
    }

    pub(crate) const fn public(&self) -> [u8; 32] {
        match *self {}
    }

    pub(crate) const fn sign(&self, _: &[u8]) -> [u8; 64] {
        match *self {}
    }
}

pub(crate) enum DecapsulationKey {}

impl DecapsulationKey {
    pub(crate) const fn new(_: &Secret<SEED>) -> Option<Self> {
        None
    }

    pub(crate) const fn public(&self) -> [u8; ENCAPSULATION_KEY] {
        match *self {}
    }

    pub(crate) const fn expanded(&self) -> BoxedSecret<2400> {
        match *self {}
    }

    pub(crate) const fn decapsulate(&self, _: &[u8; CIPHERTEXT]) -> Secret<32> {
        match *self {}
    }
}

#[cfg(feature = "sframe")]
pub(crate) enum FrameCipher {}

#[cfg(feature = "sframe")]
impl FrameCipher {
    pub(crate) const fn new<const N: usize>(_: &Secret<N>) -> Option<Self> {
        None
    }

    pub(crate) const fn seal_append(
        &self,
        _: &[u8; 12],
        _: &[u8],
        _: &[u8],
        _: &mut alloc::vec::Vec<u8>,
    ) -> Result<(), crate::internal::InternalError> {
        match *self {}
    }

    pub(crate) const fn open(
        &self,
        _: &[u8; 12],
        _: &[u8],
        _: &mut [u8],
        _: &[u8],
    ) -> Result<(), crate::primitives::aead::Forged> {
        match *self {}
    }
}
