//! Every bound on a group's membership, with its reason (docs/spec/groups.md, section 13.6).

/// Accounts that are members. What an admin's device adds; two admins at once may exceed it.
pub(super) const ACCOUNTS: usize = 1_024;
/// Stays that have not ended: twice the accounts, for what is added at once on several devices.
pub(super) const STAYS: usize = 2_048;
/// Entries of a log: one a day for eleven years.
pub(super) const ENTRIES: usize = 4_096;
/// Acts by rights (add, remove, open and close a link, rekey) since the newest floor: four for each of 1,024 accounts, four
/// times over.
pub(super) const ACTS: usize = 16_384;
/// Of those, acts of one device: one device cannot fill the group alone.
pub(super) const ACTS_OF_A_DEVICE: usize = 4_096;
/// Bytes of them together: 1,024 for each.
pub(super) const ACT_BYTES: usize = 16 << 20;
/// Bytes of the acts of the other kinds, whose number is bounded by stays, links and endpoints.
pub(super) const OTHER_ACT_BYTES: usize = 16 << 20;
/// Joins: four for each of 1,024 accounts. Without a bound, whoever has a link makes any number of accounts join or ask.
pub(super) const JOINS: usize = 4_096;
/// Bytes of all entries together: 4,096 for each.
pub(super) const LOG_BYTES: usize = 16 << 20;
/// Links that are open at a time.
pub(super) const OPEN_LINKS: usize = 64;
/// Acts that one act or one change names.
pub(super) const KEPT: usize = 1_024;

/// Changes in one entry.
pub(super) const CHANGES: usize = 256;
/// Bytes of the changes of one entry.
pub(super) const CHANGE_BYTES: usize = 32_768;
/// Stays that the log names.
pub(super) const NAMED_STAYS: usize = 4_096;
/// Settings.
pub(super) const SETTINGS: usize = 64;
/// Bytes of the values of all settings.
pub(super) const SETTING_BYTES: usize = 16_384;
/// Bytes of the value of one setting.
pub(super) const SETTING_VALUE: usize = 4_096;
/// Hosted devices that are admitted at a time.
pub(super) const ENDPOINTS: usize = 64;
/// Devices that are barred, for good.
pub(super) const BARRED: usize = 256;

/// Endpoints, and accounts, that a floor lists as gone.
pub(super) const FLOOR_GONE: usize = 4_096;

/// Entries that wait for one before them.
pub(super) const ASIDE_ENTRIES: usize = 64;
/// Acts that wait for an entry, a list or another act.
pub(super) const ASIDE_ACTS: usize = 256;
/// Bytes of either.
pub(super) const ASIDE_BYTES: usize = 256 * 1_024;

/// Acts below a floor that hold one stay, link or endpoint back.
pub(super) const CARRIED_FOR_ONE: usize = 2;
/// All of them: two for each stay and each link of a floor, and each endpoint that is admitted.
pub(super) const CARRIED: usize = CARRIED_FOR_ONE * (STAYS + OPEN_LINKS + ENDPOINTS);
