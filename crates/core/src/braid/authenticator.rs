//! The authenticator: a root and a MAC key that every epoch's secret renews. Both ends of a session start from one secret.

use alloc::boxed::Box;

use super::labels::Labels;
use crate::codec::{Malformed, Reader, SecretWriter};
use crate::primitives::kdf::{HmacSha256, Prk};
use crate::primitives::secret::{BoxedSecret, Secret};

/// Length of a tag in bytes.
pub(super) const TAG: usize = 32;

/// Root (32 bytes), then MAC key (32 bytes).
pub(super) struct Authenticator(BoxedSecret<64>);

impl Authenticator {
    /// Starts from the secret that the set-up gave: an update of a root of zeros, for epoch 1.
    pub(super) fn start(labels: &Labels, seed: &Secret<32>) -> Self {
        Self(Box::new(Secret::zero())).updated(labels, 1, seed)
    }

    /// Returns the authenticator after `epoch` has given `secret`.
    pub(super) fn updated(&self, labels: &Labels, epoch: u32, secret: &Secret<32>) -> Self {
        let (root, number) = (&self.halves().0, &mut [0; 8]);
        let prk = Prk::extract(&[0; 32], &[root.expose(), secret.expose()]);
        Self(Box::new(prk.expand(&[labels.authenticator, labels.number(epoch, number)])))
    }

    /// The tag of a header: what the owner of a key says first.
    pub(super) fn header_tag(&self, labels: &Labels, epoch: u32, header: &[u8]) -> Secret<TAG> {
        self.tag(labels.header, labels.number(epoch, &mut [0; 8]), header, &[])
    }

    /// The tag of a ciphertext, under the key that its own secret has renewed.
    pub(super) fn ciphertext_tag(&self, labels: &Labels, epoch: u32, ct1: &[u8], ct2: &[u8]) -> Secret<TAG> {
        self.tag(labels.ciphertext, labels.number(epoch, &mut [0; 8]), ct1, ct2)
    }

    fn tag(&self, label: &[u8], epoch: &[u8], first: &[u8], second: &[u8]) -> Secret<TAG> {
        HmacSha256::new(&self.halves().1).hash(&[label, epoch, first, second])
    }

    /// Root and MAC key.
    fn halves(&self) -> (Secret<32>, Secret<32>) {
        let (mut root, mut key) = (Secret::zero(), Secret::zero());
        let both = self.0.expose().iter();
        let places = root.expose_mut().iter_mut().chain(key.expose_mut());
        places.zip(both).for_each(|(to, from)| *to = *from);
        (root, key)
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(Box::new(self.0.duplicate()))
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        writer.bytes(self.0.expose());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(Box::new(Secret::copy_of(reader.array()?))))
    }
}
