//! What a business's program says by itself: to who writes for the first time, and while nobody is there.
//!
//! Does not know when either is due.

use crate::content::{ContentError, Text, wire};

/// P-7.17. The first answer to a new customer. [`Envelope::automated`](crate::content::Envelope::automated) is set with it.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::content::{Content, Envelope, Greeting, Kind, SentAt, Text};
///
/// let envelope = Envelope::new(SentAt::from_unix_milliseconds(1_800_000_000_000)?, rng);
/// let greeting = Content::new(envelope, Kind::Greeting(Greeting { text: Text::new("Selamat datang!") }))?;
/// assert!(greeting.envelope().automated, "nobody typed this");
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// What it says.
    pub text: Text,
}

/// P-7.17. Nobody is there to answer now. [`Envelope::automated`](crate::content::Envelope::automated) is set with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// What it says.
    pub text: Text,
}

impl Greeting {
    pub(in crate::content) fn to_wire(&self) -> wire::Greeting {
        wire::Greeting { text: Some(self.text.to_wire()) }
    }

    pub(in crate::content) fn from_wire(wire: &mut wire::Greeting) -> Result<Self, ContentError> {
        let wire::Greeting { text } = wire;
        Ok(Self { text: Text::from_wire(text.as_mut().ok_or(ContentError::Malformed)?)? })
    }
}

impl Away {
    pub(in crate::content) fn to_wire(&self) -> wire::Away {
        wire::Away { text: Some(self.text.to_wire()) }
    }

    pub(in crate::content) fn from_wire(wire: &mut wire::Away) -> Result<Self, ContentError> {
        let wire::Away { text } = wire;
        Ok(Self { text: Text::from_wire(text.as_mut().ok_or(ContentError::Malformed)?)? })
    }
}
