//! What WhatsApp's clients add to the Signal protocol: attachments, app state, message secrets, padding.

mod app_state; //      state shared by the devices of an account
pub mod media; //      attachments
mod message_secret; // votes and other add-ons to a message
mod padding; //        padding of messages, before they are encrypted
mod reporting; //      tokens that prove a reported message

pub use app_state::{AppStateError, AppStateKeys, Collection, LtHash, Operation};
pub use message_secret::{AddOn, AddOnError, MessageSecret, PollVote, SealedPayload, UseCase};
pub use padding::{MAX_PADDING, PaddingError, pad, unpad};
