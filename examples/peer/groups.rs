//! Sender keys of the suite `interop`: those of this device, and those it has received.
//!
//! The caller transports the distributions.

use std::collections::BTreeMap;

use bisik::interop::signal::{Distribution, GroupHeader, GroupReceiver, GroupSender, SenderKeyFormat};
use serde_json::json;

use crate::draws::draws;
use crate::protocol::{Address, Answer, Args, Failure, to_hex};

/// A group, identified as its form requires.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// `groupId`: any text; messages do not contain it.
    Named(String),
    /// `distributionId`: a UUID, which messages contain.
    Distribution([u8; 16]),
}

/// All groups of a device.
#[derive(Default)]
pub(crate) struct Groups {
    own: BTreeMap<Group, GroupSender>,
    others: BTreeMap<(Group, Address), GroupReceiver>,
}

impl Groups {
    /// Returns the distribution of the sender key. Creates a new key if there is none or `rotate` is true.
    pub(crate) fn create_skdm(&mut self, args: Args<'_>) -> Answer {
        let group = named(args)?;
        let format = match &group {
            Group::Named(_) => SenderKeyFormat::WhatsApp,
            Group::Distribution(distribution) => SenderKeyFormat::Signal { distribution: *distribution },
        };
        let (rotate, rng) = (args.flag("rotate")?, &mut *draws(args, "random")?);
        if rotate {
            self.own.remove(&group);
        }
        let sender = self.own.entry(group).or_insert_with(|| GroupSender::generate(format, rng));
        let body = to_hex(&sender.distribution().to_bytes());
        Ok(json!({ "body": body, "keyId": sender.id(), "chainId": sender.id(), "iteration": sender.iteration() }))
    }

    pub(crate) fn process_skdm(&mut self, args: Args<'_>) -> Answer {
        let distribution = Distribution::from_bytes(&args.hex("body")?)?;
        let group = group_of(distribution.format(), args)?;
        self.others.entry((group, args.address("from")?)).or_default().process(&distribution);
        Ok(json!({}))
    }

    pub(crate) fn group_encrypt(&mut self, args: Args<'_>) -> Answer {
        let group = named(args)?;
        let (number, name) = match &group {
            Group::Named(_) => (4, "skmsg"),
            Group::Distribution(_) => (7, "senderkey"),
        };
        let sender = self.own.get_mut(&group).ok_or_else(|| Failure::new("NoSenderKey", "call create_skdm first"))?;
        let message = sender.encrypt(&args.hex("plaintext")?, &mut *draws(args, "random")?)?;
        Ok(json!({ "type": number, "typeName": name, "body": to_hex(&message) }))
    }

    pub(crate) fn group_decrypt(&mut self, args: Args<'_>) -> Answer {
        let message = args.hex("body")?;
        let group = group_of(GroupHeader::of(&message)?.format, args)?;
        let nothing = &mut GroupReceiver::new();
        let receiver = self.others.get_mut(&(group, args.address("from")?)).unwrap_or(nothing);
        Ok(json!({ "plaintext": to_hex(&receiver.decrypt(&message)?) }))
    }
}

pub(crate) fn inspect(message: &[u8]) -> Answer {
    let GroupHeader { format, id, iteration } = GroupHeader::of(message)?;
    let distribution = match format {
        SenderKeyFormat::WhatsApp => None,
        SenderKeyFormat::Signal { distribution } => Some(to_uuid(&distribution)),
    };
    Ok(json!({
        "firstByte": message.first(),
        "distributionId": distribution,
        "id": id,
        "chainId": id,
        "iteration": iteration,
        "signature": message.last_chunk::<64>().map(|signature| to_hex(signature)),
    }))
}

/// Returns the group that the arguments name.
fn named(args: Args<'_>) -> Result<Group, Failure> {
    match args.find_text("distributionId")? {
        Some(uuid) => Ok(Group::Distribution(from_uuid(uuid)?)),
        None => Ok(Group::Named(args.text("groupId")?.into())),
    }
}

/// Returns the group of a received message. In one form the message names it; in the other the arguments must.
fn group_of(format: SenderKeyFormat, args: Args<'_>) -> Result<Group, Failure> {
    match format {
        SenderKeyFormat::Signal { distribution } => Ok(Group::Distribution(distribution)),
        SenderKeyFormat::WhatsApp => Ok(Group::Named(args.text("groupId")?.into())),
    }
}

fn from_uuid(text: &str) -> Result<[u8; 16], Failure> {
    let wrong = || Failure::missing("distributionId", "a UUID");
    let digits: String = text.split('-').collect();
    let bytes = crate::protocol::from_hex("distributionId", &digits.into()).map_err(|_| wrong())?;
    let uuid = bytes.try_into().map_err(|_| wrong())?;
    if to_uuid(&uuid) == text.to_ascii_lowercase() { Ok(uuid) } else { Err(wrong()) }
}

fn to_uuid(bytes: &[u8; 16]) -> String {
    let [a @ .., _, _, _, _, _, _, _, _, _, _, _, _] = bytes;
    let [_, _, _, _, b0, b1, c0, c1, d0, d1, e @ ..] = bytes;
    let [a, b, c, d, e] = [a.as_slice(), &[*b0, *b1], &[*c0, *c1], &[*d0, *d1], e].map(to_hex);
    format!("{a}-{b}-{c}-{d}-{e}")
}
