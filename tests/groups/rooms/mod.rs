//! Everything that a device has of a group, in real conversations.

mod crashing; // crashes, losses, and backups
mod history; //  earlier messages, passed on to newcomers
mod hosted; //   a business whose endpoint somebody else runs
mod hostile; //  strangers and removed members
mod random; //   histories
mod talking; //  members come, write, and go
pub mod world; // devices, their conversations, and a relay
