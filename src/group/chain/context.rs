//! What tag and signature of a message cover (docs/spec/chains.md, section 14.2).

use alloc::vec::Vec;

use crate::conversation::MemberDevice;
use crate::group::GroupId;
use crate::labels;
use crate::ratchet::SALT;
use bisik_core::primitives::aead::TAG;
use bisik_core::primitives::kdf::digest;

/// What all messages of a chain have in common.
pub(super) struct Context<'a> {
    pub(super) group: &'a GroupId,
    pub(super) origin: &'a [u8; 32],
    pub(super) sender: &'a MemberDevice,
    /// The public key of the chain's signatures.
    pub(super) signing: &'a [u8; 32],
}

impl Context<'_> {
    /// `D`, P-14.4: covers group, origin, sender, chain, number, salt and ciphertext. Hashed once, whatever the length.
    pub(super) fn digest(&self, index: u32, salt: &[u8; SALT], ciphertext: &[u8]) -> [u8; 32] {
        let Self { group, origin, sender: MemberDevice { account, device, identity: _ }, signing } = self;
        digest(&[
            labels::GROUP_MESSAGE,
            group.as_bytes(),
            origin.as_slice(),
            &account.to_bytes(),
            &device.to_be_bytes(),
            signing.as_slice(),
            &index.to_be_bytes(),
            salt,
            ciphertext,
        ])
    }
}

/// The signed text of a message, in one piece.
pub(super) fn signed(digest: &[u8; 32], tag: &[u8; TAG]) -> Vec<u8> {
    [labels::GROUP_SIGNED, digest, tag].concat()
}
