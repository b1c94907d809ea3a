//! Who is a member of a group: the owner's log, the acts of members, and what follows from both.

mod attacks; //   what has broken other messengers
mod bounds; //    floods, forged acts, full groups
mod format; //    bytes of entries, acts and floors
mod keys; //      who gets keys, and who does not
mod links; //     joining by a link
mod members; //   adding, accepting, leaving, removing
mod owner; //     roles, settings, barring, handing over, two logs
mod random; //    properties of random histories
mod records; //   a head and its blocks
mod room; //      who has room, and who has none
mod settling; //  floors
mod world; //     people, their devices, and what they have written
