//! Every bound on content, with its reason (docs/spec/content.md, section 7.3). Requirement P-7.7.
//!
//! Each kind checks its bounds both when it is composed and when it is read.

/// Bytes of a padded body: several times the size of a text with all its mentions, or of an attachment with a thumbnail
/// in its pointer. Anything longer is sent as an attachment.
pub(super) const BODY: usize = 256 << 10;
/// Bytes of a text or a caption.
pub(super) const TEXT: usize = 64 << 10;
/// People mentioned in one text: a large group.
pub(super) const MENTIONS: usize = 256;
/// Bytes of a person's identifier: an identity key has 64.
pub(super) const PERSON: usize = 128;
/// Bytes of a blob's location: the longest URL that servers accept.
pub(super) const BLOB_LOCATION: usize = 2048;
/// Bytes of the name of a file, a place or a person.
pub(super) const NAME: usize = 255;
/// Bytes of a postal address.
pub(super) const ADDRESS: usize = 1024;
/// Bytes of an emoji: the longest sequences have about 40.
pub(super) const EMOJI: usize = 64;
/// Pixels along an edge: more than codecs support.
pub(super) const EDGE: u32 = 65_535;
/// Milliseconds of a video or voice note: a day.
pub(super) const DURATION_MS: u32 = 86_400_000;
/// Loudness values of a voice note.
pub(super) const WAVEFORM: usize = 256;
/// Metres of uncertainty: half the equator.
pub(super) const ACCURACY_M: u32 = 20_037_508;
/// Seconds of live location sharing: a day.
pub(super) const LIVE_S: u32 = 86_400;
/// Bytes of a poll's question.
pub(super) const QUESTION: usize = 1024;
/// Bytes of a poll's option.
pub(super) const OPTION: usize = 255;
/// Options of a poll: a vote has one bit for each.
pub(super) const OPTIONS: usize = 32;
/// Messages in one receipt.
pub(super) const RECEIPTS: usize = 256;
/// Bytes of a call signal: an offer with a post-quantum key and transport candidates.
pub(super) const SIGNAL: usize = 16 << 10;
/// Seconds until a content disappears: a year.
pub(super) const TIMER_S: u32 = 31_536_000;
/// Bytes of the place of an event: a postal address with a name.
pub(super) const PLACE: usize = 1024;
/// Guests that one person may bring to an event: a family, or a class.
pub(super) const GUESTS: u32 = 100;
/// Answers that a tally counts: more than the options of a poll, and the most frequent emoji.
pub(super) const COUNTS: usize = 64;
/// Items of an album: as many as apps let users choose at once.
pub(super) const ALBUM: usize = 100;
/// Seconds since 1970 of the last moment that calendars can show: the end of the year 9999.
pub(super) const MOMENT_S: u64 = 253_402_300_799;
/// Minor units of money: a billion of any currency with six decimal places, and below 2^53, up to which floating-point
/// numbers are exact.
pub(super) const AMOUNT: u64 = 1_000_000_000_000_000;
/// Bytes of a business's identifier for an item.
pub(super) const ITEM_ID: usize = 64;
/// Bytes of an item's description.
pub(super) const DESCRIPTION: usize = 4096;
/// Lines of a cart.
pub(super) const CART_LINES: usize = 100;
/// Quantity of one item in a cart.
pub(super) const QUANTITY: u32 = 9_999;
/// Quick replies or buttons of one message: as many as fit on a screen.
pub(super) const CHOICES: usize = 16;
/// Sections of a list.
pub(super) const SECTIONS: usize = 16;
/// Rows of a list, over all its sections.
pub(super) const ROWS: usize = 100;
/// Bytes of a paragraph about a business, an advertisement or a row.
pub(super) const ABOUT: usize = 1024;
/// Bytes of an e-mail address, RFC 5321.
pub(super) const EMAIL: usize = 254;
/// Bytes of a link: the same as for a blob's location.
pub(super) const LINK: usize = 2048;
/// Links in a profile.
pub(super) const SITES: usize = 4;
/// Opening hours in a week: four periods a day.
pub(super) const OPENINGS: usize = 28;
/// Minutes of a day.
pub(super) const MINUTES: u32 = 1_440;
/// Bytes of a time zone's name: the longest has about 30.
pub(super) const TIME_ZONE: usize = 64;
/// Digits of a telephone number, E.164.
pub(super) const DIGITS: usize = 15;
/// Milliseconds since 1970, up to the end of the year 9999: the last that calendars can show.
pub(super) const SENT_MS: u64 = 253_402_300_799_999;
