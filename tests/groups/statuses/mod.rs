//! Statuses: what one account shows to an audience for a day.

mod attacks; // those who are excluded, thieves, relays
mod random; //  histories
mod scene; //   what devices do
mod showing; // statuses come, end, and are taken back
mod stored; //  crashes, backups, bounds
