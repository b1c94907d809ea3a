//! Opens a business: creates its account and publishes its list and bundles.

use bisik::device::{AccountKey, DeviceTerms};
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
    let mut account = Account::create(DeviceTerms::business(), now, rng);
    let upkeep = account.replenish(STOCK, now, rng)?;
    let bundles: Vec<_> = upkeep.one_time.iter().map(PreKeyBundle::to_bytes).collect();
    let list = upkeep.list.as_ref().ok_or("not the primary device")?.to_bytes();
    let last_resort = upkeep.last_resort.as_ref().ok_or("no last-resort bundle")?.to_bytes();
    // Books and post are one database here: what is stored is published.
    account.confirmed(&upkeep);
    let sealed = account.seal(&key, rng)?.ok_or("nothing to store")?;
    let sealed = Sealed { expected: sealed.expected, revision: sealed.revision, bytes: sealed.bytes };
    books.found(&sealed, &list, &last_resort, &bundles)?;
    Ok((key, *account.key()))
}
