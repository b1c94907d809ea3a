//! [`Choice`]: what a user can decide about a disclosure.

use bisik_core::codec::Malformed;

/// What a user can decide about a disclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// The operator may read the conversation.
    Consent,
    /// The operator may not read it.
    Refusal,
    /// An earlier consent is withdrawn.
    Withdrawal,
}

impl Choice {
    pub(in crate::hosting) const fn byte(self) -> u8 {
        match self {
            Self::Consent => 1,
            Self::Refusal => 2,
            Self::Withdrawal => 3,
        }
    }

    pub(in crate::hosting) const fn from_byte(byte: u8) -> Result<Self, Malformed> {
        match byte {
            1 => Ok(Self::Consent),
            2 => Ok(Self::Refusal),
            3 => Ok(Self::Withdrawal),
            0 | 4.. => Err(Malformed),
        }
    }

    /// Whether this choice forbids sending.
    pub(in crate::hosting) const fn is_strict(self) -> bool {
        match self {
            Self::Consent => false,
            Self::Refusal | Self::Withdrawal => true,
        }
    }
}
