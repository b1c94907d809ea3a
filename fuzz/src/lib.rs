//! The fuzz targets: one function of bytes for each, which panics where a promise is broken.
//!
//! Does not know who calls: libFuzzer (fuzz_targets/) and `cargo test` (tests/corpus.rs) run the same functions.

mod accept; //         a first message against fixed pre-keys
mod call; //           signals and frames of calls
mod content; //        what people send, and sealed votes
mod decoders; //       the decoders of everything public
mod decrypt; //        messages with edits against a session or a ratchet in mid-conversation
mod device; //         device lists, and linking with a relay in the middle
mod dishonest_peer; // messages that the holder of the keys makes up, against a model of the rules
mod endpoint; //       disclosures, decisions, and a user who decides
mod envelope; //       what arrives in a conversation of accounts, and its records
mod fixtures; //       the parties and conversations that the targets start from
mod forge; //          a message under known keys
mod input; //          how a target reads its bytes
#[cfg(feature = "interop")]
mod interop; //        the Signal protocol: messages, sessions, bundles, records
#[cfg(feature = "interop")]
mod interop_parts; //  the same of groups, attachments and what is small
mod media; //          pointers and blobs of attachments
mod model; //          what a receiver must do with a header
mod ratchet_state; //  the fields of a ratchet's state
mod record; //         sealed records, opened and made with the storage key
mod seeds; //          what the fuzzer starts from
mod unseal; //         sealed records, from the outside and behind the tag

#[path = "../../tests/support/mod.rs"]
mod support; //        two devices, a network, an attacker and a model: shared with the simulation

pub use accept::accept;
pub use call::{call_frame, call_signal};
pub use content::{content, poll_vote};
pub use decoders::{bundle, ciphertext, first_flight, identity_key};
pub use decrypt::{decrypt, ratchet_decrypt};
pub use device::{device_list, link};
pub use dishonest_peer::dishonest_peer;
pub use endpoint::{consent, disclosure};
pub use envelope::{conversation_record, envelope};
#[cfg(feature = "interop")]
pub use interop::{interop_accept, interop_bundle, interop_decrypt, interop_message, interop_state};
#[cfg(feature = "interop")]
pub use interop_parts::{interop_group, interop_group_state, interop_media, interop_parts};
pub use media::{media_decrypt, media_pointer};
pub use seeds::seeds;
pub use unseal::{state, unseal};

/// `conversation`: whatever happens to two devices and the network between them, event by event.
pub fn conversation(data: &[u8]) {
    support::World::replay(data);
}

/// A function of whatever bytes the fuzzer finds.
pub type Target = fn(&[u8]);

/// Every target by the name that its file in `fuzz_targets` and its folder in `corpus` have.
pub const TARGETS: &[(&str, Target)] = &[
    ("accept", accept),
    ("bundle", bundle),
    ("call_frame", call_frame),
    ("call_signal", call_signal),
    ("ciphertext", ciphertext),
    ("consent", consent),
    ("content", content),
    ("conversation", conversation),
    ("conversation_record", conversation_record),
    ("decrypt", decrypt),
    ("device_list", device_list),
    ("disclosure", disclosure),
    ("dishonest_peer", dishonest_peer),
    ("envelope", envelope),
    ("first_flight", first_flight),
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
    ("link", link),
    ("media_decrypt", media_decrypt),
    ("media_pointer", media_pointer),
    ("poll_vote", poll_vote),
    ("ratchet_decrypt", ratchet_decrypt),
    ("state", state),
    ("unseal", unseal),
];
