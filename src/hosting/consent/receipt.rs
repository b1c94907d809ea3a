//! [`DecisionReceipt`]: the hosted device's signature over a decision that it received (docs/spec/hosting.md, section
//! 11.5).

use alloc::vec::Vec;
use core::fmt;

use super::decision::Decision;
use super::error::DecisionError;
use crate::device::DeviceDirectory;
use crate::hosting::disclosure::VerifiedDisclosure;
use crate::hosting::encoding::{append_signature, read_key, split_signature};
use crate::keys::{Identity, IdentityKey};
use crate::labels;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::primitives::ed25519::SIGNATURE;
use bisik_core::time::Timestamp;

impl Decision {
    /// [Verifies](Self::verify) a decision and makes the receipt for it, as the disclosed hosted device. `user` is the
    /// verified device list of the account that decided. P-11.19.
    ///
    /// # Errors
    ///
    /// [`DecisionError::OtherHostedDevice`] if `device` is not the disclosed one, and the errors of [`Decision::verify`].
    pub fn acknowledge(
        self,
        user: &DeviceDirectory,
        disclosure: &VerifiedDisclosure,
        device: &Identity,
        now: Timestamp,
    ) -> Result<DecisionReceipt, DecisionError> {
        if device.public() != disclosure.disclosure().device() {
            return Err(DecisionError::OtherHostedDevice);
        }
        self.verify(user, disclosure, now)?;
        let mut receipt =
            DecisionReceipt { decision: self, device: *device.public(), received: now, signature: [0; SIGNATURE] };
        receipt.signature = device.sign_labelled(labels::DECISION_RECEIPT, &receipt.text());
        Ok(receipt)
    }
}

/// A decision with the hosted device's signature over it: 438 bytes. Together with the disclosure and with the user's device
/// list it proves to third parties that the user decided and that the operator knew. Without the list it proves nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct DecisionReceipt {
    decision: Decision,
    device: IdentityKey,
    received: Timestamp,
    signature: [u8; SIGNATURE],
}

impl DecisionReceipt {
    /// Bytes of every receipt.
    pub const LENGTH: usize = 438;

    fn text(&self) -> Vec<u8> {
        let Self { decision, device, received, signature: _ } = self;
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.bytes(&decision.to_bytes()).bytes(&device.to_bytes()).u64(received.as_unix_seconds());
        writer.finish()
    }

    /// The bytes to keep and to export.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        append_signature(&self.text(), &self.signature)
    }

    /// Reads a receipt without checking its signatures: see [`DecisionReceipt::verify`].
    ///
    /// # Errors
    ///
    /// [`DecisionError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecisionError> {
        let (text, signature) = split_signature(bytes)?;
        let (decision, rest) = text.split_at_checked(Decision::LENGTH).ok_or(Malformed)?;
        let decision = Decision::from_bytes(decision)?;
        let mut reader = Reader::new(rest);
        let device = read_key(&mut reader)?;
        let received = Timestamp::from_unix_seconds(reader.u64()?);
        reader.finish()?;
        Ok(Self { decision, device, received, signature: *signature })
    }

    /// The decision.
    #[must_use]
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// When the hosted device received the decision, by its own clock.
    #[must_use]
    pub const fn received(&self) -> Timestamp {
        self.received
    }

    /// Checks both signatures, and that a device of the user's own made the decision. To check an old receipt, take the list
    /// of that time, and verify it and the disclosure as of [`Decision::decided`].
    ///
    /// # Errors
    ///
    /// [`DecisionError::OtherHostedDevice`], and the errors of [`Decision::verify`].
    pub fn verify(&self, user: &DeviceDirectory, disclosure: &VerifiedDisclosure) -> Result<(), DecisionError> {
        self.decision.verify(user, disclosure, self.received)?;
        if self.device != *disclosure.disclosure().device() {
            return Err(DecisionError::OtherHostedDevice);
        }
        if !self.device.verify_labelled(labels::DECISION_RECEIPT, &self.text(), &self.signature) {
            return Err(DecisionError::BadSignature);
        }
        Ok(())
    }
}

impl fmt::Debug for DecisionReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { decision, device, received, signature: _ } = self;
        f.debug_struct("DecisionReceipt")
            .field("decision", decision)
            .field("device", device)
            .field("received", received)
            .finish_non_exhaustive()
    }
}
