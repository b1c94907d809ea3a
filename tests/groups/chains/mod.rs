//! Chains of keys (docs/spec/chains.md).

mod backlog; //  many messages, whose signatures are verified together
mod bounds; //   steps, keys, chains and lengths: each bound is reached and not exceeded
mod ending; //   chains that end: by the next one, by a removal, by their number
mod reading; //  each message is read once, in any order; a changed one changes nothing
mod scene; //    a sender, a receiver, and a sender without rules
mod sending; //  who is given a chain, and when a new one begins
mod stored; //   records, and what waits until they are stored
mod taking; //   distributions: where they count, and what they add
mod thieves; //  stolen keys, restored senders, insiders
