//! Statuses ([section 16](crate::manual::spec::statuses)): what one account shows to an audience for a day, with one
//! ciphertext for all who read it.
//!
//! The author has an [`Audience`]: accounts that it alone knows. Each of them has a [`Feed`] of the author. Nobody of them
//! learns who else reads.
//!
//! ```text
//!   include, exclude ─┐                               letters, in conversations ─▶ Feed::receive_letter ─┐
//!   post, delete ─────┴─▶ Audience::flush ─▶ seal ─▶  one message for all ───────▶ Feed::receive ────────┴─▶ seal ─▶ inbox
//! ```
//!
//! Answers to a status, reactions and "seen" are contents of the [conversation](crate::Conversation) with its author, and
//! name the status as any content ([`Reference`](crate::content::Reference)). They never go to the audience.
//!
//! ```
//! # let rng = &mut rand::rng();
//! use bisik::device::DeviceTerms;
//! use bisik::group::status::{Audience, Contacts};
//! use bisik::{Account, StorageKey, Timestamp};
//!
//! let now = Timestamp::from_unix_seconds(1_800_000_000);
//! let [alice, bob] = [(); 2].map(|()| Account::create(DeviceTerms::person(), now, rng));
//! # let devices_of_bob = bob.devices().clone();
//! # let key = StorageKey::generate(rng);
//! let mut friends = Audience::create(&alice, rng)?;
//! friends.include(*bob.key())?;
//! // What the conversation with Bob knows of his devices: `Conversation::peer`.
//! let contacts = Contacts { devices: &[&devices_of_bob], labels: &[] };
//! friends.post(&alice, "pagi dari Bandung".as_bytes(), 24 * 60 * 60, contacts, now, rng)?;
//!
//! let outgoing = friends.flush(&alice, contacts, now)?;
//! let record = friends.seal(&key, rng)?; // store before you send
//! // ... write `record.as_bytes()` into the database, and then:
//! let (sent, handover) = outgoing.release(&record.stored()).map_err(|_| "another record")?;
//! // The letter goes to the conversation with Bob, and the message to the devices of `sent.to`.
//! assert_eq!((sent.letters.len(), sent.messages.len(), sent.to.len()), (1, 1, 1));
//! friends.handed(handover);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod audience; //        16.1 who may read
mod audience_record; // 16.5 the same, sealed
mod error; //                why not
mod feed; //            16.3 the statuses of one author
mod feed_record; //     16.5 the same, sealed
mod limits; //          16.4 bounds
mod post; //            16.2 writing
mod readers; //         16.1 which devices read
mod received; //             what a feed gives
mod wire; //            16.2 bodies and letters

pub use audience::{Audience, AudienceEntry};
pub use error::StatusError;
pub use feed::{Author, Feed};
pub use post::StatusOutgoing;
pub use readers::Contacts;
pub use received::StatusReceived;
pub use wire::StatusLetter;
