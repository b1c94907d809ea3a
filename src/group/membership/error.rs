//! Why an entry, an act or a floor is refused, and why nothing was written.

use super::change::Unread;
use super::count::VoidReason;
use bisik_core::codec::Malformed;

/// Why an entry of a log is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryError {
    NotPermitted,
    Ended,
    Full,
}

/// Why an entry, an act or a floor was refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OfferError {
    /// The bytes do not encode an entry, an act or a floor: drop them.
    Malformed,
    /// A later version of this library wrote them. Keep them until this one is updated, and tell the user: an entry that is
    /// not read holds up the log.
    NewerVersion,
    /// They belong to another group.
    OtherGroup,
    /// The signature does not verify under the key of the device that they name: forged, or damaged in transit.
    BadSignature,
    /// The list that an act names has no such device, or somebody else holds its keys: hosted devices make no acts.
    UnknownDevice,
    /// Its author had no right to it in the rights that it names: a peer's program is broken or hostile.
    NotPermitted,
    /// An entry's hash of the rights is not that of the rights after it: the owner's program is broken.
    OtherRights,
    /// The act would not count. Nothing is lost: if that changes, whoever counts it says so.
    DoesNotCount(VoidReason),
    /// The act names an entry before the newest floor: what it did is in the floor, or was not kept.
    Settled,
    /// No entry waits for this floor: offer it again when it is [wanted](super::Wanted::Floor).
    UnknownFloor,
    /// The group holds as much as it may: see
    /// [section 13.6](crate::manual::spec::groups#136-bounds-and-floors). The owner settles it.
    Full,
    /// The owner has written two different logs. The group is read-only, and has to be founded again.
    Equivocated,
    /// The owner has ended the group.
    Ended,
}

bisik_core::error_texts! {
    OfferError {
        Malformed => "group.offer.malformed", "the bytes are no statement about a group";
        NewerVersion => "group.offer.newer_version", "a later version wrote the statement";
        OtherGroup => "group.offer.other_group", "the statement belongs to another group";
        BadSignature => "group.offer.bad_signature", "the signature of the statement does not verify";
        UnknownDevice => "group.offer.unknown_device", "the device list has no such device of the account's own";
        NotPermitted => "group.offer.not_permitted", "the author had no right to the statement";
        OtherRights => "group.offer.other_rights", "the entry does not lead to the rights that it names";
        DoesNotCount => "group.offer.does_not_count", "the act would not count";
        Settled => "group.offer.settled", "the act names an entry before the newest floor";
        UnknownFloor => "group.offer.unknown_floor", "no entry waits for the floor";
        Full => "group.offer.full", "the group holds as much as it may";
        Equivocated => "group.offer.equivocated", "the owner of the group has written two different logs";
        Ended => "group.offer.ended", "the owner has ended the group";
    }
}

/// Why nothing was written. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// This device is in no list of its account, or somebody else holds its keys.
    DeviceNotListed,
    /// Only the primary device of the owner's account writes the log, and only an account's primary device leaves.
    NotThePrimary,
    /// The account is no member, or was not invited.
    NotAMember,
    /// The account has no right to this, or the act would not count.
    NotPermitted,
    /// What is named is not there: the account, the link, the act.
    Unknown,
    /// The value is not one that the setting may have.
    BadValue,
    /// There is no room: for another member, act, link, entry or setting. The owner settles the group.
    Full,
    /// A floor is missing: fetch what is [wanted](super::Membership::wanted) first.
    FloorMissing,
    /// The owner has written two different logs: the group is read-only.
    Equivocated,
    /// The owner has ended the group.
    Ended,
    /// A bug in this library, which no input causes: please report it.
    Internal,
}

bisik_core::error_texts! {
    WriteError {
        DeviceNotListed => "group.write.device_not_listed", "the local device is not in its account's list";
        NotThePrimary => "group.write.not_the_primary", "only the primary device of the account may do this";
        NotAMember => "group.write.not_a_member", "the account is no member of the group";
        NotPermitted => "group.write.not_permitted", "the account has no right to this";
        Unknown => "group.write.unknown", "what was named is not in the group";
        BadValue => "group.write.bad_value", "the setting cannot have this value";
        Full => "group.write.full", "the group has no room for more";
        FloorMissing => "group.write.floor_missing", "the newest floor of the group is missing";
        Equivocated => "group.write.equivocated", "the owner of the group has written two different logs";
        Ended => "group.write.ended", "the owner has ended the group";
        @Internal => "group.write.internal";
    }
}

impl From<Malformed> for OfferError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<Unread> for OfferError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Malformed => Self::Malformed,
            Unread::Newer => Self::NewerVersion,
        }
    }
}

impl From<EntryError> for OfferError {
    fn from(error: EntryError) -> Self {
        match error {
            EntryError::NotPermitted => Self::NotPermitted,
            EntryError::Ended => Self::Ended,
            EntryError::Full => Self::Full,
        }
    }
}

impl From<OfferError> for WriteError {
    fn from(error: OfferError) -> Self {
        match error {
            OfferError::Full => Self::Full,
            OfferError::Equivocated => Self::Equivocated,
            OfferError::Ended => Self::Ended,
            OfferError::NotPermitted | OfferError::DoesNotCount(_) => Self::NotPermitted,
            OfferError::Malformed
            | OfferError::NewerVersion
            | OfferError::OtherGroup
            | OfferError::BadSignature
            | OfferError::UnknownDevice
            | OfferError::OtherRights
            | OfferError::Settled
            | OfferError::UnknownFloor => Self::Internal,
        }
    }
}
