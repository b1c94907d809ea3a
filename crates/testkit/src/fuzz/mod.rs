//! The fuzz targets: one function of bytes for each, which panics if a promise is broken.
//!
//! libFuzzer (fuzz/fuzz_targets) and `cargo test` (tests/house/corpus.rs) run the same functions. `seeds` makes the files of
//! fuzz/corpus.

mod accept; //         a pre-key message against fixed pre-keys
#[cfg(feature = "call")]
mod call; //           signals and frames of calls
#[cfg(feature = "call")]
mod call_group; //     two devices in a group call
#[cfg(feature = "call")]
mod call_link; //      links with which people ask to be let into a call
#[cfg(feature = "content")]
mod content; //        message contents, and sealed votes
mod conversation_record; // the records of accounts and conversations, behind the tag
mod decoders; //       the decoders of all public data
mod decrypt; //        edited messages against a session or a ratchet in mid-conversation
mod device; //         device lists, and linking with an attacker in the middle
mod dishonest_peer; // messages with valid tags and arbitrary headers, against a model
mod envelope; //       messages of a conversation between accounts
mod fixtures; //       the parties and conversations that the targets start from
pub mod forge; //          a message under known keys
pub mod forged_chain; //   a chain of a group, with all of its secrets
#[path = "../../../../src/conversation/frame/tests/second.rs"]
pub mod frame; //          frames of a conversation, written and read
mod group; //          chains of groups, and a sender without rules
mod group_letter; //   letters, bodies and histories of groups, and devices that talk
mod group_model; //    what its chains must do
mod hosting; //        disclosures, decisions, and a user who decides
mod input; //          how a target reads its bytes
#[cfg(feature = "interop")]
mod interop; //        interop: messages, sessions, bundles, records
#[cfg(feature = "interop")]
mod interop_parts; //  interop: groups, attachments, codes, add-ons, app state
#[cfg(feature = "interop")]
mod interop_v4; //     interop: messages, pre-key messages and records of version 4
mod listed; //         a listed device that writes frames of its own, against a model
mod listed_model; //   what they must give
mod media; //          pointers and blobs of attachments
mod membership; //     who is a member of a group: signed statements, and what members do
mod model; //          the outcome that a header must have
pub mod overheard; //      a message read under known keys
mod party; //          a device in a conversation, and what can be sent to it
pub mod ratchet_state; //  the fields of a ratchet's state
pub mod record; //         sealed records, opened and made with the storage key
mod registers; //      what own devices share, in a record
mod room; //           a group of three, and letters that nobody wrote
#[cfg(feature = "content")]
mod sealed; //         answers to events, and sealed reactions
mod seeds; //          the seeds of the fuzzer
mod status; //         statuses, and records of audiences and feeds
mod text; //           texts of public values and QR codes
mod transport; //      addressed envelopes
mod unseal; //         sealed records, from the outside and behind the tag

use bisik::device::AccountKey;

pub use accept::accept;
#[cfg(feature = "call")]
pub use call::{call_frame, call_signal};
#[cfg(feature = "call")]
pub use call_group::call_group;
#[cfg(feature = "call")]
pub use call_link::call_link;
#[cfg(feature = "content")]
pub use content::{content, poll_vote};
pub use conversation_record::conversation_record;
pub use decoders::{bundle, ciphertext, first_flight, identity_key};
pub use decrypt::{decrypt, ratchet_decrypt};
pub use device::{device_list, link};
pub use dishonest_peer::dishonest_peer;
pub use envelope::envelope;
pub use group::{group_chain, group_distribution, group_message};
pub use group_letter::{group_letter, group_room};
pub use hosting::{consent, disclosure};
#[cfg(feature = "interop")]
pub use interop::{interop_accept, interop_bundle, interop_decrypt, interop_message, interop_state};
#[cfg(feature = "interop")]
pub use interop_parts::{interop_group, interop_group_state, interop_media, interop_parts};
#[cfg(feature = "interop")]
pub use interop_v4::interop_v4;
pub use media::{media_decrypt, media_pointer};
pub use membership::{group_statement, membership};
pub use registers::registers;
#[cfg(feature = "content")]
pub use sealed::sealed_answer;
pub use seeds::seeds;
pub use status::status;
pub use text::text;
pub use transport::transport;
pub use unseal::{state, unseal};

/// `conversation`: any sequence of events between two devices and the network.
pub fn conversation(data: &[u8]) {
    crate::Simulation::replay(data);
}

/// A function of the fuzzer's bytes.
pub type Target = fn(&[u8]);

/// Every target by the name that its file in `fuzz_targets` and its folder in `corpus` have.
pub const TARGETS: &[(&str, Target)] = &[
    ("accept", accept),
    ("bundle", bundle),
    #[cfg(feature = "call")]
    ("call_frame", call_frame),
    #[cfg(feature = "call")]
    ("call_group", call_group),
    #[cfg(feature = "call")]
    ("call_link", call_link),
    #[cfg(feature = "call")]
    ("call_signal", call_signal),
    ("ciphertext", ciphertext),
    ("consent", consent),
    #[cfg(feature = "content")]
    ("content", content),
    ("conversation", conversation),
    ("conversation_record", conversation_record),
    ("decrypt", decrypt),
    ("device_list", device_list),
    ("disclosure", disclosure),
    ("dishonest_peer", dishonest_peer),
    ("envelope", envelope),
    ("first_flight", first_flight),
    ("group_chain", group_chain),
    ("group_distribution", group_distribution),
    ("group_letter", group_letter),
    ("group_message", group_message),
    ("group_room", group_room),
    ("group_statement", group_statement),
    ("identity_key", identity_key),
    #[cfg(feature = "interop")]
    ("interop_accept", interop_accept),
    #[cfg(feature = "interop")]
    ("interop_bundle", interop_bundle),
    #[cfg(feature = "interop")]
    ("interop_decrypt", interop_decrypt),
    #[cfg(feature = "interop")]
    ("interop_group", interop_group),
    #[cfg(feature = "interop")]
    ("interop_group_state", interop_group_state),
    #[cfg(feature = "interop")]
    ("interop_media", interop_media),
    #[cfg(feature = "interop")]
    ("interop_message", interop_message),
    #[cfg(feature = "interop")]
    ("interop_parts", interop_parts),
    #[cfg(feature = "interop")]
    ("interop_state", interop_state),
    #[cfg(feature = "interop")]
    ("interop_v4", interop_v4),
    ("link", link),
    ("media_decrypt", media_decrypt),
    ("media_pointer", media_pointer),
    ("membership", membership),
    #[cfg(feature = "content")]
    ("poll_vote", poll_vote),
    ("ratchet_decrypt", ratchet_decrypt),
    ("registers", registers),
    #[cfg(feature = "content")]
    ("sealed_answer", sealed_answer),
    ("state", state),
    ("status", status),
    ("text", text),
    ("transport", transport),
    ("unseal", unseal),
];
