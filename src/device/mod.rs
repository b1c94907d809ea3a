//! Accounts with several devices: which devices belong to one, who holds their keys, and how a device joins
//! ([section 10](crate::manual::spec::accounts#10-accounts-and-devices)).
//!
//! ```text
//!   companion ── link ──▶ DeviceCertificate ──▶ Primary ── signs ──▶ DeviceList ──▶ server
//!                                                                                     │
//!                 DirectoryChange ◀── DeviceDirectory (a peer, an own device) ◀───────┘
//! ```

pub mod link; //    10.5  how a device joins an account

mod account_key; // 10.1  the name of an account
mod change; //      10.7  what newer lists changed
mod custody; //     10.2  who holds a device's keys
mod directory; //   10.4  the known devices of an account, and the lists that may change them
mod entry; //       10.2  one device, with its own signature
mod error; //             errors
mod list; //        10.3  all devices, signed by the primary
mod own; //         10.4  messages from own devices
mod primary; //     10.3  the lists that a primary issues
mod recent; //      10.7  the last lists that are known
mod recover; //     10.9  a primary that was restored
mod verified; //          how many signatures a test has verified

pub use account_key::AccountKey;
pub use change::{ChangedDevice, DirectoryChange, DirectoryEvent};
pub use custody::{Custody, DeviceTerms, DeviceTermsError};
pub use directory::DeviceDirectory;
pub use entry::{DeviceCertificate, DeviceEntry};
pub use error::{DeviceListError, LinkError, OwnDeviceError, PrimaryError, RecoverError};
pub use list::{DeviceList, ListId};
pub use own::{FromOwnDevice, OwnDevices};
pub use primary::{DeviceChange, Primary};
