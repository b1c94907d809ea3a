//! Accounts of several devices: who belongs to one, in whose custody, and how a device joins (docs/spec/accounts.md,
//! section 10).
//!
//! Does not know messages or conversations.
//!
//! ```text
//!   companion ── link ──▶ DeviceCertificate ──▶ Primary ── signs ──▶ DeviceList ──▶ server
//!                                                                                     │
//!                 DirectoryChange ◀── DeviceDirectory (a peer, an own device) ◀───────┘
//! ```

pub mod link; //    10.5  how a device joins

mod account_key; // 10.1  what names an account
mod custody; //     10.2  in whose hands a device is
mod directory; //   10.4  what is remembered of an account, and which lists may change it
mod entry; //       10.2  one device, and its own signature
mod error; //             why not
mod list; //        10.3  all devices, signed by the primary
mod own; //         10.4  what only an own device can have sent
mod primary; //     10.3  what is issued, and when

pub use account_key::AccountKey;
pub use custody::{Custody, Terms, TermsError};
pub use directory::{DeviceDirectory, DirectoryChange};
pub use entry::{DeviceCertificate, DeviceEntry};
pub use error::{DeviceListError, LinkError, OwnDeviceError, PrimaryError};
pub use list::DeviceList;
pub use own::{FromOwnDevice, OwnDevices};
pub use primary::{Change, Primary};
