//! Opens a business: creates its account and publishes its list and bundles.

use bisik::device::{AccountKey, Custody, DeviceTerms};
use bisik::{Account, PreKeyBundle, StorageKey};

use crate::engine::{Books, Sealed};
use crate::worker::STOCK;
use crate::{Outcome, now};

/// Creates a business in `books`. Returns the key that seals its records, and its account key.
///
/// # Errors
///
/// If the engine cannot be reached, or already has a business.
pub fn found(books: &mut dyn Books) -> Outcome<(StorageKey, AccountKey)> {
    let rng = &mut rand::rng();
    let now = now()?;
    let key = StorageKey::generate(rng);
    let mut account = Account::create(DeviceTerms::own_held(Custody::Business)?, now, rng);
    let upkeep = account.maintain(now, rng);
    let more = account.replenish(STOCK - account.pre_key_count(now).one_time, rng)?;
    let bundles: Vec<_> = upkeep.one_time.iter().chain(&more).map(PreKeyBundle::to_bytes).collect();
    let list = account.primary().ok_or("not the primary device")?.list().to_bytes();
    let last_resort = upkeep.last_resort.ok_or("no last-resort bundle")?.to_bytes();
    let sealed = account.seal(&key, rng)?.ok_or("nothing to store")?;
    let sealed = Sealed { expected: sealed.expected, revision: sealed.revision, bytes: sealed.bytes };
    // Store before you publish; here both are one step.
    books.found(&sealed, &list, &last_resort, &bundles)?;
    Ok((key, *account.key()))
}
