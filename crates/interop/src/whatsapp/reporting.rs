//! Reporting tokens: what lets a user prove to the server which message a report is about (docs/interop.md, section
//! 10).
//!
//! Which fields of a message enter a token, in which encoding, is defined by the application's protocol.

use super::message_secret::{AddOn, MessageSecret, UseCase};
use bisik_core::primitives::kdf::HmacSha256;

impl MessageSecret {
    /// The 16-byte token over `fields`, the encoded fields of a message that a report would show. The reporter can
    /// prove these fields to the server, which reads nothing else. The use case is always [`UseCase::ReportToken`],
    /// whatever `context` names. S-10.4.
    #[must_use]
    pub fn reporting_token(&self, context: &AddOn<'_>, fields: &[u8]) -> [u8; 16] {
        let context = AddOn { use_case: UseCase::ReportToken, ..*context };
        let mac = HmacSha256::new(&self.key(&context)).hash(&[fields]);
        mac.truncate()
    }
}
