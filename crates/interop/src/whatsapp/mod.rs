//! What WhatsApp's clients add to the Signal protocol: attachments, app state, message secrets, padding.

mod app_state; //      what the devices of an account share
pub mod media; //      attachments
mod message_secret; // votes, and whatever else is added to a message
mod padding; //        of messages, before they are encrypted

pub use app_state::{AppStateError, AppStateKeys, Collection, LtHash, Operation};
pub use message_secret::{AddOn, AddOnError, MessageSecret, PollVote, SealedPayload, UseCase};
pub use padding::{MAX_PADDING, PaddingError, pad, unpad};
