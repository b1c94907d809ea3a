//! The values that threads may share, which the types promise where the target has atomic pointers.
#![cfg(target_has_atomic = "ptr")]

use bisik::call::{FrameOpener, FrameSealer, GroupCall};
use bisik::conversation::{Outgoing, Received, StoredConversation};
use bisik::group::{HeldDistribution, HeldGroupMessage, HeldOpened, ReceivingChains, SendingChain};
use bisik::ratchet::DoubleRatchet;
use bisik::{Account, Conversation, Held, HeldPlaintext, PreKeys, SealedParts, Session, Stored};

/// Compiles if it holds.
const fn shared<T: Send + Sync>() {}

const _: () = {
    shared::<Session>();
    shared::<DoubleRatchet>();
    shared::<PreKeys>();
    shared::<Account>();
    shared::<Conversation>();
    shared::<(Held, HeldPlaintext, SealedParts, Stored)>();
    shared::<(Received, Outgoing, StoredConversation)>();
    shared::<(FrameSealer, FrameOpener, GroupCall)>();
    shared::<(SendingChain, ReceivingChains)>();
    shared::<(HeldGroupMessage, HeldDistribution, HeldOpened)>();
};

#[cfg(feature = "interop")]
const _: () = {
    use bisik::interop::signal::{GroupReceiver, GroupSender, Held, PreKeys, Session, v4};

    shared::<Session>();
    shared::<GroupSender>();
    shared::<GroupReceiver>();
    shared::<(Held, PreKeys)>();
    shared::<(v4::Session, v4::Held, v4::PreKeys)>();
};
