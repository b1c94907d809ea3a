//! What groups are made of, suite by suite; the one file of this module that knows how many there are.
//!
//! Does not know what is inside them. There is one: sender keys (docs/interop.md, section 11). The native suite gets names of
//! its own here, so that the compiler keeps the two apart as it does for sessions.

pub use crate::interop::sender_key::{
    Distribution, DistributionError, Form, GroupDecryptError, GroupEncryptError, GroupHeader, GroupReceiver,
    GroupSender,
};
