//! Resumption secrets: what binds a later session to this one (docs/spec/session.md, section 3.6).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use super::limits::MAX_ACCEPTS;
use crate::labels;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::kdf::HmacSha256;
use bisik_core::primitives::secret::{BoxedSecret, Secret};

/// `RS`: a secret of an older session that both of its sides hold. A new session that takes it is *bound* to the older
/// one: whoever set it up holds that session's state, and not only the identity.
///
/// [`Session::offer`](crate::Session::offer) and [`Session::accepts`](crate::Session::accepts) give them. Wiped on drop.
pub struct Resumption(BoxedSecret<32>);

impl Resumption {
    /// What a first message names this secret by: only who holds it can make the label, and it fits no other session.
    /// `binding` is that of the new session.
    pub(crate) fn label(&self, binding: &[u8; 32]) -> [u8; 8] {
        self.mac(labels::RESUMPTION_LABEL, binding).truncate()
    }

    /// What enters step 1 of the new session.
    pub(crate) fn input(&self, binding: &[u8; 32]) -> BoxedSecret<32> {
        self.mac(labels::RESUMPTION_INPUT, binding).into()
    }

    /// The name of this secret, by which [`Session::forget_resumption`](crate::Session::forget_resumption) finds it.
    /// Never sent.
    #[must_use]
    pub fn name(&self) -> [u8; 8] {
        self.mac(labels::RESUMPTION_NAME, &[]).truncate()
    }

    pub(crate) fn write(&self, writer: &mut SecretWriter) {
        writer.bytes(self.0.expose());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(Secret::copy_of(reader.array()?).into()))
    }

    fn mac(&self, purpose: &[u8], binding: &[u8]) -> Secret<32> {
        HmacSha256::new(&self.0).hash(&[labels::RESUMPTION, purpose, binding])
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.duplicate().into())
    }
}

impl fmt::Debug for Resumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resumption(..)")
    }
}

/// The resumption secrets of one session. P-3.18: each step gives one; the set-up gives none.
#[derive(Default)]
pub(super) struct Resumptions {
    /// Of the newest step that the peer made, which surely has it.
    pub(super) offer: Option<Box<Resumption>>,
    /// Of the last own steps, newest first: the peer names one of them.
    pub(super) accepts: VecDeque<Box<Resumption>>,
}

impl Resumptions {
    pub(super) fn received(&mut self, secret: BoxedSecret<32>) {
        self.offer = Some(Box::new(Resumption(secret)));
    }

    pub(super) fn made(&mut self, secret: BoxedSecret<32>) {
        self.accepts.push_front(Box::new(Resumption(secret)));
        self.accepts.truncate(MAX_ACCEPTS);
    }

    /// Deletes the secret of that name. Returns whether it was there.
    pub(super) fn forget(&mut self, name: &[u8; 8]) -> bool {
        let before = self.len();
        self.offer = self.offer.take().filter(|offer| offer.name() != *name);
        self.accepts.retain(|accept| accept.name() != *name);
        self.len() != before
    }

    pub(super) fn forget_all(&mut self) -> bool {
        let held = self.len() != 0;
        *self = Self::default();
        held
    }

    fn len(&self) -> usize {
        self.offer.iter().chain(&self.accepts).count()
    }

    pub(super) fn accepted(&self) -> Vec<Resumption> {
        self.accepts.iter().map(|accept| accept.duplicate()).collect()
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { offer, accepts } = self;
        writer.flag(offer.is_some());
        if let Some(offer) = offer {
            offer.write(writer);
        }
        writer.count(accepts.len());
        for accept in accepts {
            accept.write(writer);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let secret = |reader: &mut Reader<'_>| Resumption::read(reader).map(Box::new);
        let offer = if reader.flag()? { Some(secret(reader)?) } else { None };
        let mut accepts = VecDeque::new();
        for _ in 0..reader.count(MAX_ACCEPTS)? {
            accepts.push_back(secret(reader)?);
        }
        Ok(Self { offer, accepts })
    }

    pub(super) fn duplicate(&self) -> Self {
        let Self { offer, accepts } = self;
        let copy = |secret: &Resumption| Box::new(secret.duplicate());
        Self { offer: offer.as_deref().map(copy), accepts: accepts.iter().map(AsRef::as_ref).map(copy).collect() }
    }
}
