//! Nothing fails open: no default replaces a missing value, no check is passed by one, and nothing is encrypted in
//! place, unless it is listed.
//!
//! The lints forbid panics, so a mistake in an offset or a length must become an error. A default would hide it: an
//! empty slice is encrypted in place and the plaintext is sent; a saturated counter no longer distinguishes two states.

use super::files;

/// Places where a default or a saturating number is right: file, number of occurrences, and why nothing is lost.
const DEFAULTS: &[(&str, usize, &str)] = &[
    (
        "crates/core/src/braid/erasure.rs",
        2,
        "the format: after the last chunk number comes 0; a count of chunks, of which there are 35 at most",
    ),
    ("crates/core/src/braid/field.rs", 1, "a mask of all bits, from one"),
    ("crates/core/src/braid/kem.rs", 2, "lengths that are constants, of which the sum is below 2,000"),
    (
        "crates/core/src/braid/sender.rs",
        5,
        "the format: after the last chunk number comes 0, and chunks ahead go up to a multiple of eight; a length that is a constant; a count of chunks, of which there are seven at most",
    ),
    ("crates/core/src/codec/padme.rs", 2, "bits of a length, which has 63 at most"),
    (
        "crates/core/src/codec/writer.rs",
        3,
        "room for a copy; and counts: one that does not fit is one that every reader refuses",
    ),
    ("crates/core/src/disclosure.rs", 1, "no disclosure is written as zeros"),
    (
        "crates/core/src/primitives/accelerated/assembly.rs",
        1,
        "zeros are what a point of small order agrees on, which every caller refuses",
    ),
    ("crates/core/src/primitives/aes_cbc.rs", 2, "room for the ciphertext, whose length comes from its blocks"),
    ("crates/core/src/primitives/chunks.rs", 1, "one more than the number of a chunk in memory"),
    ("crates/core/src/primitives/kdf.rs", 1, "a key of 32 bytes is never refused; what stands in for it opens nothing"),
    ("crates/core/src/primitives/secret.rs", 1, "room for a copy"),
    ("crates/core/src/blocks.rs", 1, "the id of what is too short for a block, and opens as none"),
    (
        "crates/core/src/held.rs",
        2,
        "the number that no record confirms, after all others; how often the key was changed, of which only differences count",
    ),
    ("crates/core/src/revision.rs", 1, "the revision after one that was checked when it was read"),
    (
        "crates/core/src/text/base64url.rs",
        1,
        "a bound on a text, which is the greatest where the bound on its bytes is",
    ),
    (
        "crates/core/src/time.rs",
        3,
        "documented: the greatest moment stays the greatest; a clock before 1970 is in 1970; no moment is written as 0",
    ),
    ("crates/interop/src/fields.rs", 5, "lengths of messages, which are refused above 64 MiB before they are written"),
    ("crates/interop/src/signal/chain.rs", 2, "how many skipped keys to keep, within a skip that was checked"),
    ("crates/interop/src/signal/key.rs", 1, "a remainder below 16,380"),
    (
        "crates/interop/src/signal/prekeys.rs",
        4,
        "ids that begin again after the greatest; room that a check bounds; the id before the first; the oldest, where none is full",
    ),
    (
        "crates/interop/src/signal/ratchet/receiving.rs",
        2,
        "how many skipped keys there are, which other bounds hold below a million",
    ),
    ("crates/interop/src/signal/ratchet/sending.rs", 1, "the format: a chain that has sent nothing is written as 0"),
    ("crates/interop/src/signal/sender_key/persist.rs", 3, "room for the record"),
    (
        "crates/interop/src/signal/sender_key/state.rs",
        4,
        "room for skipped keys, below 2,001, and the first number of those that fit; the number after one that has a successor",
    ),
    ("crates/interop/src/signal/sender_key/wire.rs", 4, "room for the message; numbers of fields below six"),
    (
        "crates/interop/src/signal/session/mod.rs",
        4,
        "how many states and skipped keys there are, which other bounds hold below a million; the registration id of a session without a state, which does not exist",
    ),
    (
        "crates/interop/src/signal/session/open.rs",
        3,
        "work that was spent: at the greatest number it is above the bound, and refused",
    ),
    (
        "crates/interop/src/signal/session/persist.rs",
        3,
        "room for the record; 0 after a flag that says that there is no id",
    ),
    (
        "crates/interop/src/signal/v4/chains.rs",
        15,
        "numbers of messages and of epochs within a gap that was checked; counts for the caller; epochs that are not there have no messages and no steps",
    ),
    ("crates/interop/src/signal/v4/part.rs", 1, "an epoch that was checked to be 1 at least"),
    ("crates/interop/src/signal/v4/prekeys.rs", 1, "room that a check bounds"),
    (
        "crates/interop/src/signal/v4/session/mod.rs",
        9,
        "room for the message; how many states and skipped keys there are; what a session without a state would say, which does not exist",
    ),
    (
        "crates/interop/src/signal/v4/session/open.rs",
        4,
        "work that was spent: at the greatest number it is above the bound, and refused",
    ),
    ("crates/interop/src/signal/v4/session/persist.rs", 3, "room for the record"),
    ("crates/interop/src/signal/v4/spqr.rs", 1, "an epoch that is 1 at least"),
    ("crates/interop/src/signal/persist.rs", 1, "room for the record"),
    ("crates/interop/src/signal/wire.rs", 2, "room for the message; a body is a part of what is authenticated"),
    (
        "crates/interop/src/whatsapp/app_state.rs",
        4,
        "room for the value; one more than the length of an id; sums of 16 bits modulo 2^16 are the format",
    ),
    ("crates/interop/src/whatsapp/media/encrypt.rs", 1, "bytes of an unfinished block, which the block bounds"),
    ("crates/interop/src/whatsapp/media/keys.rs", 2, "sizes of files, which are refused above 4 GiB"),
    ("crates/interop/src/whatsapp/media/range.rs", 11, "places in a file, which are refused above 4 GiB"),
    (
        "crates/interop/src/whatsapp/media/verify.rs",
        5,
        "bytes that were counted: at the greatest number they are too many, and refused",
    ),
    ("crates/interop/src/whatsapp/media/windows.rs", 3, "bytes of a window, which its size bounds"),
    ("crates/interop/src/whatsapp/padding.rs", 2, "1 to 16, and room for so much padding"),
    ("src/account/inbox.rs", 2, "events that went, counted for display; a number that is never reached"),
    (
        "src/account/tokens.rs",
        2,
        "tokens that were used: past the table the wait is the longest; a number that is never reached",
    ),
    (
        "src/account/upkeep.rs",
        3,
        "pre-keys that could not be rotated or made are the next time; messages need no new ones",
    ),
    ("src/call/group.rs", 3, "the format: a call without a group is bound to zeros; one more below eight"),
    ("src/call/receiving.rs", 1, "frames that an older key still opens: none after none"),
    ("src/call/schedule.rs", 1, "the format: the number after all others stands for no stay"),
    ("src/call/sealer.rs", 1, "counters that are left: none past the limit"),
    ("src/call/stay.rs", 1, "a difference modulo 16, which is what ids of keys have"),
    ("src/call/stays.rs", 2, "a number that is never reached; counts of what is remembered, of which there are 256"),
    (
        "src/call/window.rs",
        2,
        "the counter after one that is below another; a distance, read only if the counter is the greater one",
    ),
    ("src/content/attachment.rs", 3, "a part that is not there needs no check"),
    ("src/content/business/cart.rs", 1, "a part that is not there needs no check"),
    ("src/content/business/catalogue.rs", 1, "a part that is not there needs no check"),
    ("src/content/business/mod.rs", 1, "a split text has a first part; an empty one is no authority"),
    ("src/content/business/price.rs", 1, "three letters that were checked, for display"),
    ("src/content/file_name.rs", 2, "an ending of 32 bytes at most within 254; a name that no cut leaves becomes `_`"),
    ("src/content/group/event.rs", 2, "a part that is absent is written as nothing after a length of 0"),
    ("src/content/group/pin.rs", 2, "no moment is for ever, and is written as 0"),
    ("src/content/policy.rs", 2, "a window past the last moment has no end"),
    ("src/content/group/tally.rs", 1, "an index past the last is refused, whatever it was written as"),
    ("src/content/location.rs", 2, "the end of a time span, which has a greatest value"),
    ("src/content/poll.rs", 1, "a number of options above the bound is refused"),
    ("src/content/sealed.rs", 3, "a length of what is bounded far below; the sum of constants"),
    ("src/content/shape.rs", 1, "how many fields there are: more than can be counted are too many"),
    ("src/content/text.rs", 1, "a place past the end of a text, which the check refuses"),
    ("src/content/wire.rs", 1, "the encoding of a number that is absent, which this function is for"),
    (
        "src/conversation/apply.rs",
        2,
        "no highest number is below every number; nothing that waits is written as the number after the last",
    ),
    (
        "src/conversation/author.rs",
        5,
        "counts that never come near the greatest number; a list within its bound; no moment yet is now",
    ),
    ("src/conversation/checked.rs", 3, "what does not decode is not understood, which the program is told"),
    ("src/conversation/doubt.rs", 3, "no reaction yet counts as now; a count that only makes waits longer"),
    ("src/conversation/envelope.rs", 1, "room for the envelope"),
    ("src/conversation/flush.rs", 2, "the earliest of several moments; a count of flushes"),
    (
        "src/conversation/frame/encode.rs",
        10,
        "room for a frame, which is a hint; a distance between numbers in the wrong order, and zeros for a missing key: every receiver refuses both",
    ),
    ("src/conversation/inbox.rs", 2, "bytes against a bound; a count of things that were given"),
    ("src/conversation/kept.rs", 2, "the earlier of two moments"),
    ("src/conversation/limits.rs", 3, "the last wait of a table holds for all further ones"),
    (
        "src/conversation/link.rs",
        4,
        "no session is written as 0; counts of sessions and of frames; all sessions but the newest",
    ),
    (
        "src/conversation/link/replacing.rs",
        4,
        "a count of frames; the place before the second; chains after which a bound is passed; nothing to forget",
    ),
    ("src/conversation/name.rs", 2, "documented: a clock is not believed beyond a bound; numbers stay below 2^60"),
    ("src/conversation/names.rs", 2, "a count that only makes an acknowledgement due; the number after one below 2^60"),
    ("src/conversation/plan.rs", 1, "the earliest of several moments"),
    (
        "src/conversation/receive.rs",
        1,
        "labels that nothing fits, in place of an opening, which a first flight always has",
    ),
    ("src/conversation/write.rs", 1, "a count that only ends the use of a session"),
    (
        "src/device/directory.rs",
        3,
        "numbers of lists between two that are at least two apart, for an event; the first of several gaps",
    ),
    ("src/device/link/code.rs", 1, "five bits choose one of 32 letters"),
    ("src/device/list.rs", 1, "room for the list"),
    ("src/emoji.rs", 1, "six bits choose one of 64 emoji"),
    (
        "src/group/chain/apply.rs",
        7,
        "counts of messages that cannot be read any more, for the caller; the number of messages received, which the format stops at the greatest",
    ),
    (
        "src/group/chain/kept.rs",
        3,
        "an age of no keys; a count of keys, of which there are 1,000 at most; the number after one that is at most 999",
    ),
    ("src/group/chain/backlog.rs", 1, "the results of the only backlog, which are there"),
    ("src/group/chain/message.rs", 2, "parts of a message that were checked when it was read"),
    ("src/group/chain/receiving.rs", 1, "a count of keys, of which there are 4,000 at most"),
    ("src/group/chain/take.rs", 2, "counts of messages that cannot be read any more, for the caller"),
    ("src/group/membership/aside.rs", 1, "bytes in memory: at the greatest number the oldest go"),
    ("src/group/membership/encoding.rs", 1, "a count that does not fit is one that every reader refuses"),
    ("src/group/membership/history.rs", 1, "the format: whom the log has not named is a member"),
    (
        "src/group/membership/load.rs",
        8,
        "bytes and numbers of acts in memory: at the greatest number there is no room, and more is refused",
    ),
    (
        "src/group/membership/log.rs",
        4,
        "bytes of entries in memory: at the greatest number there is no room; a log has a first entry",
    ),
    ("src/group/membership/known.rs", 1, "a stay that no act adds may have written from the first entry on"),
    ("src/group/membership/mod.rs", 1, "the format: the epoch of no floor is 0, before all entries"),
    ("src/group/membership/owner.rs", 1, "the epoch after one of at most 4,096"),
    (
        "src/group/membership/pages.rs",
        7,
        "sizes and numbers of what is in memory, which decide only when a page is full; all entries are on pages",
    ),
    ("src/group/membership/persist.rs", 1, "the format: the epoch of no floor is 0"),
    (
        "src/group/membership/rights.rs",
        2,
        "the format: no floor is zeros; bytes of settings, of which too many are refused",
    ),
    ("src/group/membership/settle.rs", 1, "a count of what is carried, which ends at a bound"),
    ("src/group/membership/signers.rs", 1, "a device that is not listed signs nothing"),
    (
        "src/group/room/ask.rs",
        6,
        "counts of answers and tries below their bounds; no entry follows the greatest number; a turn; what was not missed before is missed now",
    ),
    ("src/call_link/link.rs", 1, "fails closed: what is too short has no signature before it"),
    ("src/registers/merge.rs", 6, "the first counter; versions and bytes of what has no value, which compare as least"),
    ("src/registers/write.rs", 5, "counts and bytes against a bound; what is not there has none"),
    ("src/registers/record.rs", 1, "bytes against a bound"),
    (
        "src/registers/share.rs",
        6,
        "counts for the program, and of answers; a device that nothing is known of; which letter is first",
    ),
    ("src/registers/wire.rs", 3, "counts and bytes by which letters are divided; a name has 80 bytes at most"),
    ("src/group/inbox.rs", 3, "a count and bytes against bounds; a count of things that were given"),
    ("src/group/outbox.rs", 3, "a count and bytes against bounds; a count of flushes"),
    ("src/group/status/audience.rs", 1, "an account of which nothing is known has version 0"),
    (
        "src/group/status/feed.rs",
        4,
        "the greatest length of a message; counts of what was heard and of what is told; the earlier of two ends",
    ),
    ("src/group/status/post.rs", 1, "bytes against a bound"),
    (
        "src/group/room/hear.rs",
        3,
        "lists are counted from 1, so that any is newer than none; the list after one that is known",
    ),
    ("src/group/room/kept.rs", 3, "a count of things that were written; who is new reads from the next on"),
    ("src/group/room/receive.rs", 1, "the greatest length of a message"),
    ("src/group/room/send.rs", 1, "bytes against a bound"),
    ("src/group/room/history.rs", 1, "bytes of a message, against the room"),
    ("src/group/room/items.rs", 2, "bytes of an item, and the room beside it, by which items are divided"),
    ("src/group/membership/state.rs", 1, "the format: whom the log has not named is a member"),
    (
        "src/group/membership/take.rs",
        3,
        "without a floor, an empty one; counts of stays and links against their bounds, and what gives up its place",
    ),
    ("src/group/membership/wanted.rs", 2, "which part of what is asked for comes first at this turn"),
    (
        "src/hosting/decide.rs",
        3,
        "the first round is 0; the first decision is made now, also where hosting never ended",
    ),
    ("src/hosting/disclosure/kind.rs", 1, "a time above every bound is without limit"),
    ("src/hosting/disclosure/operator.rs", 2, "five digits of a digest, for display: five bytes have room in eight"),
    ("src/hosting/disclosure/retention.rs", 2, "a region that was checked, for display; no region has the length 0"),
    ("src/hosting/label/asking.rs", 1, "it has not asked again yet: the refusal counts"),
    ("src/hosting/label/gather.rs", 2, "nothing was presented for the device, which is then missing"),
    ("src/hosting/label/seen.rs", 1, "no own-held devices: hosted ones decide the label"),
    ("src/hosting/label/state.rs", 1, "nothing agreed: nothing is worse"),
    ("src/hosting/notice/regions.rs", 1, "a region without a hyphen is a code alone"),
    ("src/hosting/notice/times.rs", 2, "a duration in words, for display: one of the units is always right"),
    ("src/hosting/promises.rs", 1, "nothing is forgotten yet: the first that is counts"),
    ("src/hosting/retention.rs", 1, "no time is left of a deadline that has passed"),
    ("src/keys/prekey.rs", 1, "ids that begin again after the greatest"),
    ("src/keys/rotation.rs", 1, "the oldest generation where none is full"),
    ("src/keys/stored.rs", 1, "a generation that was replaced when the clock stood at 0"),
    ("src/keys/prekeys.rs", 1, "room that a check bounds"),
    (
        "src/media/decrypt.rs",
        9,
        "places in a file, which is refused above 8 PiB; room for plaintext; how many chunks to open at once; to wipe too much",
    ),
    (
        "src/media/encrypt.rs",
        6,
        "places in a file, which is refused above 8 PiB; room that is checked before it is used",
    ),
    ("src/media/format.rs", 11, "places in a file, which is refused above 8 PiB"),
    ("src/media/io/decrypting.rs", 2, "what is left of a buffer: nothing past its end"),
    ("src/media/io/encrypting.rs", 2, "what is left of a buffer: nothing past its end"),
    ("src/media/io/random_access.rs", 3, "what is left of a buffer: nothing past its end"),
    ("src/media/parallel.rs", 4, "numbers of chunks within memory; none verified, without a number"),
    ("src/media/pointer.rs", 5, "room for the pointer; lengths that the media type and the thumbnail bound"),
    ("src/media/range.rs", 6, "places in a file, which is refused above 8 PiB"),
    ("src/media/upload.rs", 1, "a media type has 127 bytes at most"),
    ("src/ratchet/mod.rs", 1, "how many keys are kept, for the caller's information"),
    ("src/ratchet/open.rs", 4, "counts of missing messages: the greatest is refused; and of messages received"),
    (
        "src/ratchet/post_quantum.rs",
        4,
        "counters for the caller's information; an epoch past the last one, which no peer reaches, is permitted and ignored",
    ),
    (
        "src/ratchet/group.rs",
        14,
        "places and counts within a group of 24 keys, where the key was found before; room for the content of a block",
    ),
    (
        "src/ratchet/receiving.rs",
        5,
        "counts of keys that ended, for the caller; no surplus; an index among five; keys kept after four billion messages",
    ),
    (
        "src/ratchet/skipped.rs",
        10,
        "how many skipped keys to keep, within a skip that was checked; counts of them and of groups, which are bounded; a new group is empty",
    ),
    (
        "src/ratchet/state.rs",
        4,
        "the capacity of a buffer that grows; more steps than an address could count; the format: no ratchet key yet is zeros",
    ),
    ("src/session/ciphertext.rs", 1, "a message without a ratchet message is empty, and refused"),
    ("src/session/mod.rs", 2, "room for the message; a count of chains, below half of the greatest number"),
    ("src/session/persist.rs", 1, "the format: a session that is not bound has a zero name"),
];

/// Conditions that hold where a value is absent: file, number of occurrences, and why an absent value passes.
const ABSENT: &[(&str, usize, &str)] = &[
    ("crates/core/src/blocks.rs", 1, "an ended block that no stored head has listed yet is kept"),
    ("crates/core/src/held.rs", 1, "a state that was never sealed has no key yet, and any fits"),
    (
        "crates/interop/src/signal/v4/chains.rs",
        2,
        "the first of several follows none; fails closed: a record without an epoch is refused",
    ),
    ("crates/interop/src/signal/v4/persist.rs", 1, "the first of several follows none"),
    (
        "crates/interop/src/whatsapp/media/attachment.rs",
        1,
        "a message may name no size; the file's digest is compared all the same",
    ),
    ("src/account/mod.rs", 1, "a device that is listed without a disclosure has no terms to know"),
    ("src/account/persist.rs", 1, "a device that is no primary has nothing that could belong to another account"),
    ("src/account/upkeep.rs", 1, "a server without a list lacks it"),
    (
        "src/content/group/event.rs",
        2,
        "an event without an end has none before its beginning; the first version that is found",
    ),
    ("src/content/group/pin.rs", 1, "a moment that is absent has no bound"),
    ("src/conversation/author.rs", 1, "no moment yet is now"),
    ("src/conversation/inbox.rs", 1, "the first entry follows none"),
    ("src/conversation/kept.rs", 2, "the first of two looks only notes its moment; the first message follows none"),
    ("src/conversation/link/replacing.rs", 1, "fewer sessions than may be live: all of them stay so"),
    ("src/conversation/names.rs", 1, "the first tag follows none"),
    ("src/group/chain/kept.rs", 1, "the first run follows none"),
    (
        "src/group/chain/ready.rs",
        2,
        "fails closed: a distance that is absent makes a new chain; a device without the chain is noted as given",
    ),
    ("src/group/chain/receiving_record.rs", 1, "of a chain from which nothing was heard nothing is missing"),
    (
        "src/group/chain/sending_record.rs",
        2,
        "the first device follows none; a chain without a predecessor is not its own",
    ),
    ("src/group/membership/load.rs", 1, "a device without acts has used none of its share"),
    (
        "src/group/membership/offer.rs",
        2,
        "fails closed: without an owner it is refused, without the entry it waits for it",
    ),
    (
        "src/group/membership/owner.rs",
        1,
        "a join through a link that is not known counts as one that has still to be confirmed",
    ),
    ("src/group/membership/pages.rs", 1, "without a page there is none that has room"),
    ("src/group/room/ask.rs", 2, "an entry that is not known contradicts none; a device that was never asked may be"),
    ("src/group/fields.rs", 1, "the first of several follows none"),
    ("src/registers/share.rs", 1, "a device that was never asked may be"),
    (
        "src/group/status/audience.rs",
        2,
        "any word about an account is newer than none; who was never given it again may be",
    ),
    ("src/group/status/feed.rs", 1, "a device that was never asked may be"),
    ("src/group/room/history.rs", 1, "the first message comes after none"),
    ("src/group/room/lists.rs", 1, "any list is newer than none, and a conversation has verified it"),
    ("src/hosting/disclosure/name.rs", 1, "the first letter decides which script it is"),
    ("src/hosting/label/current.rs", 1, "fails closed: no evidence is stale"),
    ("src/keys/prekey.rs", 1, "a generation that was not replaced is published until it expires"),
    ("src/media/decrypt.rs", 1, "a thumbnail has no root: it is one chunk, and its tag verifies all of it"),
    (
        "src/ratchet/group.rs",
        3,
        "a group without keys ends before every message; the first run follows none; fails closed: no sum is refused",
    ),
    (
        "src/ratchet/skipped.rs",
        3,
        "no group has room for one more; the first run follows none; fails closed: keys of an unknown chain are refused",
    ),
    ("src/ratchet/state.rs", 2, "without a chain nothing was read; the first chain follows none"),
];

/// Places of encryption or decryption in place: file, number of occurrences, and why the buffer cannot be empty by
/// mistake.
const IN_PLACE: &[(&str, usize, &str)] = &[
    (
        "crates/core/src/primitives/aead.rs",
        6,
        "the primitive itself: the callers pass whole arrays, or what they decrypt",
    ),
    ("crates/core/src/primitives/aes_cbc.rs", 2, "one block into another, of a type of its own"),
    ("crates/core/src/primitives/aes_cbc_stream.rs", 2, "from the plaintext into new room; one block into another"),
    ("crates/core/src/primitives/aes_gcm.rs", 1, "from the plaintext into new room"),
    ("crates/core/src/primitives/chunks.rs", 3, "from one buffer into another, whose length is checked"),
    ("crates/core/src/primitives/sframe.rs", 3, "from the plaintext into new room; and decryption"),
    ("src/call_link/link.rs", 1, "a call id or a knock, of which the reader takes an array"),
    ("src/handshake/transcript.rs", 1, "an identity key, which is an array"),
    ("src/ratchet/header.rs", 2, "a header, which is an array"),
    ("src/ratchet/message_key.rs", 1, "decryption of a whole vector"),
];

/// Expressions that replace a missing or invalid value.
const DEFAULT: &[&str] =
    &["unwrap_or(", "unwrap_or_default(", "unwrap_or_else(", "map_or(", "saturating_", "wrapping_"];

/// Expressions that are true of a missing value: a check that could not be made looks like one that was passed.
const PASSES: &[&str] = &["is_none_or("];

/// Calls that encrypt or decrypt a buffer in place.
const CIPHER: &[&str] =
    &["apply_stream(", "apply_keystream", "encrypt_inout_detached(", "encrypt_block", "encrypt_padded", "seal_once("];

/// Calls whose argument is only a hint: with a wrong number they allocate too early or too late.
const HINTS: &[&str] = &["with_capacity", "reserve", "reserve_exact"];

#[test]
fn no_default_stands_in_for_a_length_a_tag_a_key_or_a_revision() {
    check("a default or a saturating number", DEFAULTS, |text| found(text, DEFAULT, true));
}

#[test]
fn no_check_is_passed_by_a_value_that_is_absent() {
    check("a condition that an absent value meets", ABSENT, |text| found(text, PASSES, false));
}

#[test]
fn encryption_in_place_is_only_where_listed() {
    check("encryption in place", IN_PLACE, |text| found(text, CIPHER, false));
}

/// Without exception: a mutable slice of an output with a default is where plaintext stays unencrypted.
#[test]
fn no_mutable_slice_has_a_default() {
    let slips: Vec<_> = sources().into_iter().filter(|(_, text)| has_defaulted_slice(text)).collect();
    assert!(
        slips.is_empty(),
        "split_at_mut, or an error: {:?}",
        slips.iter().map(|(path, _)| path).collect::<Vec<_>>()
    );
}

/// Checks that each rule fails when it should.
#[test]
fn the_scan_finds_each_defect() {
    let slips = [
        "let body = output.get_mut(at..).unwrap_or_default();",
        "let body = output\n    .get_mut(start.min(end)..)\n    .unwrap_or_default();",
        "let body = output.get_mut(at..).unwrap_or(&mut []);",
    ];
    for slip in slips {
        assert!(has_defaulted_slice(slip), "{slip}");
        assert_eq!(found(slip, DEFAULT, true), 1, "{slip}");
    }
    for right in ["let (_, body) = output.split_at_mut(at);", "let byte = *bytes.get_mut(at).ok_or(InternalError)?;"] {
        assert!(!has_defaulted_slice(right), "{right}");
        assert_eq!(found(right, DEFAULT, true), 0, "{right}");
    }

    let defaults = [
        ("self.revision = self.revision.saturating_add(1);", 1),
        ("writer.u32(u32::try_from(length).unwrap_or(u32::MAX));", 1),
        ("let tag = sealed.map_or_else(f, g).unwrap_or_else(|_| [0; 16]);", 1),
        ("let all = lengths.fold(0, usize::saturating_add);", 1),
        ("let key = known.map_or([0; 32], |known| known.key);", 1),
        ("self.number = self.number.wrapping_add(1);", 1),
        ("Vec::with_capacity(text.len().saturating_add(TAG))", 0),
        ("output.reserve(most.saturating_sub(min(output.len(), 3).saturating_mul(2)));", 0),
        ("Vec::with_capacity(9).resize(text.len().saturating_add(TAG), 0)", 1),
        ("// saturating_add would hide it", 0),
        ("let last = 3; // not saturating_add", 0),
    ];
    for (code, count) in defaults {
        assert_eq!(found(&code_of(code), DEFAULT, true), count, "{code}");
    }

    let passes = [
        ("age.zip(most).is_none_or(|(age, most)| age <= most)", 1),
        ("let fits = known\n    .is_none_or(fits);", 1),
        ("age.is_some_and(|age| age <= most)", 0),
        ("// is_none_or(|age| age <= most)", 0),
    ];
    for (code, count) in passes {
        assert_eq!(found(&code_of(code), PASSES, false), count, "{code}");
    }
    assert_eq!(found("aead.apply_stream(&nonce, output);", CIPHER, false), 1);
    assert_eq!(found("cipher.encrypt_inout_detached(nonce, &[], buffer)", CIPHER, false), 1);
    assert_eq!(found("aead.seal_append(&nonce, associated, plaintext, output);", CIPHER, false), 0);

    let text = "fn f() {\n    a.saturating_add(1)\n}\n\n#[cfg(test)]\nmod tests {\n    b.saturating_add(1)\n}\n";
    assert_eq!(found(&code_of(text), DEFAULT, true), 1, "tests may");
    assert!(complaint("a.rs", 1, &[("a.rs", 1, "")]).is_none());
    for (path, count) in [("a.rs", 2), ("a.rs", 0), ("b.rs", 1)] {
        assert!(complaint(path, count, &[("a.rs", 1, "")]).is_some(), "{path} {count}");
    }
}

/// Compares the occurrences that `count` finds in each file with those that `listed` allows.
fn check(what: &str, listed: &[(&str, usize, &str)], count: impl Fn(&str) -> usize) {
    let sources = sources();
    for (path, _, reason) in listed {
        assert!(!reason.is_empty(), "{path}: no reason");
        assert!(sources.iter().any(|(source, _)| source == path), "{path} is listed and is not there");
    }
    let complaints: Vec<_> = sources.iter().filter_map(|(path, text)| complaint(path, count(text), listed)).collect();
    assert!(complaints.is_empty(), "{what}:\n{}", complaints.join("\n"));
}

/// The complaint about `count` occurrences in the file at `path`, if there is one.
fn complaint(path: &str, count: usize, listed: &[(&str, usize, &str)]) -> Option<String> {
    let allowed = listed.iter().find(|(entry, ..)| path == *entry).map_or(0, |(_, allowed, _)| *allowed);
    (count != allowed)
        .then(|| format!("{path}: {count} instead of {allowed}. Return an error, or list it with the reason."))
}

/// Counts the `words` in `code`; with `hints`, those inside the argument of a hint do not count.
fn found(code: &str, words: &[&str], hints: bool) -> usize {
    let places = words.iter().flat_map(|word| code.match_indices(word)).map(|(at, _)| at);
    places.filter(|at| !continues_a_word(code, *at)).filter(|at| !(hints && is_inside_a_hint(code, *at))).count()
}

/// Whether the character before `at` makes it the middle of a longer name.
fn continues_a_word(code: &str, at: usize) -> bool {
    code[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_')
        && !code[..at].ends_with("try_")
}

/// Whether one of the brackets around `at` is that of a hint.
fn is_inside_a_hint(code: &str, at: usize) -> bool {
    let mut closed = 0_usize;
    for (place, bracket) in code[..at].char_indices().rev() {
        match bracket {
            ')' | '}' => closed += 1,
            '(' | '{' if closed > 0 => closed -= 1,
            '(' if HINTS.iter().any(|hint| code[..place].ends_with(hint)) => return true,
            // The block that the statement is in.
            '{' => return false,
            _ => {}
        }
    }
    false
}

/// Whether a `get_mut(..)` is followed by a default.
fn has_defaulted_slice(code: &str) -> bool {
    code.match_indices(".get_mut(").any(|(at, call)| {
        let argument = &code[at + call.len()..];
        let mut open = 1_usize;
        let end = argument.char_indices().find_map(|(place, bracket)| {
            match bracket {
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            (open == 0).then_some(place)
        });
        end.is_some_and(|end| argument[end + 1..].trim_start().starts_with(".unwrap_or"))
    })
}

/// A file without its tests and without comments.
fn code_of(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
    let lines = text.lines().map(|line| line.find("//").map_or(line, |at| &line[..at]));
    lines.collect::<Vec<_>>().join("\n")
}

/// The library's files, by their path from the root, without tests and comments.
fn sources() -> Vec<(String, String)> {
    let only_in_tests = |path: &str| {
        let names = ["wycheproof.rs", "published.rs", "/tests.rs"];
        names.iter().any(|name| path.ends_with(name))
    };
    let files = files::sources().into_iter().filter(|(path, _)| !only_in_tests(path));
    files.map(|(path, text)| (path, code_of(&text))).collect()
}
