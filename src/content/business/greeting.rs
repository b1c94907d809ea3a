//! The automatic messages of a business: the greeting to new customers, and the away message.
//!
//! The application decides when each is sent.

use crate::content::{ContentError, Text, wire};

/// The first reply to a new customer. [`Content::new`](crate::content::Content::new) sets
/// [`ContentMeta::automated`](crate::content::ContentMeta::automated) with it. Requirement P-7.17.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::content::{Content, ContentMeta, Greeting, Kind, SentAt, Text};
///
/// let meta = ContentMeta::new(SentAt::from_unix_milliseconds(1_800_000_000_000)?, rng);
/// let greeting = Content::new(meta, Kind::Greeting(Greeting { text: Text::new("Selamat datang!") }))?;
/// assert!(greeting.meta().automated, "nobody typed this");
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The text.
    pub text: Text,
}

/// A message that nobody is there to answer. [`Content::new`](crate::content::Content::new) sets
/// [`ContentMeta::automated`](crate::content::ContentMeta::automated) with it. Requirement P-7.17.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// The text.
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
