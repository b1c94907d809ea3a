//! `status`: what an author without rules shows to a feed; or the state in a record of an audience or of a feed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bisik::device::{AccountKey, DeviceTerms};
use bisik::group::status::{Audience, Author, Contacts, Feed, StatusReceived};
use bisik::group::{
    GroupArrival, GroupId, ListsDigest, MemberDevice, Place, ReceivingChains, Scope, SendPlan, SendingChain, View,
};
use bisik::{Account, Timestamp};

use super::fixtures::{PARTIES, Repeatable, storage_key};
use super::input::Input;
use super::record::{self, CONTEXT};

const AUDIENCE: GroupId = GroupId::from_bytes([0x61; 32]);
const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const DAY: u64 = 24 * 60 * 60;
/// Kinds of records.
const RECEIVING: u8 = 20;
const OF_AUDIENCE: u8 = 28;
const OF_FEED: u8 = 29;

/// An author, somebody who reads, and records from before anything was shown.
struct Scene {
    author: Account,
    reader: Account,
    chain: Vec<u8>,
    feed: Vec<u8>,
    audience: Vec<u8>,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let [author, reader] = [50, 51].map(|seed| Account::create(DeviceTerms::person(), NOW, &mut Repeatable(seed)));
    let identity = *author.identity().public();
    let sender = MemberDevice { account: *author.key(), device: 0, identity };
    let place = Place::Audience { id: AUDIENCE };
    let mut chain = SendingChain::begin(place, sender, false, NOW, &mut Repeatable(52)).expect("it needs no origin");
    let targets = BTreeSet::from([*reader.identity().public()]);
    let mut chains = ReceivingChains::new(Scope::Audience(AUDIENCE), sender);
    let SendPlan::Ready(mut ready) = chain.plan(&targets, NOW) else { panic!("it has just begun") };
    let given =
        ready.distribution_for(reader.identity().public(), View::from_bytes([0; 8]), &ListsDigest::from_bytes([0; 32]));
    let _ = chains.take(&given.expect("it is a target"), &identity).expect("it is new");
    let image = chain.seal(&storage_key(), CONTEXT, &mut Repeatable(1)).expect("no other key was used");
    let chain = image.into_bytes();
    let chains = chains.seal(&storage_key(), CONTEXT, &mut Repeatable(1)).expect("no other key was used").into_bytes();
    let chains = record::open_named(RECEIVING, CONTEXT, &chains);
    // Revision 1, the local device, one source, nothing taken back, nothing that waits.
    let own = reader.identity().public().to_bytes();
    let feed = [&1_u64.to_be_bytes()[..], &own, &[0; 8], &[0, 0, 0, 1], &[0; 8], &chains, &[0; 4], &[0; 12]].concat();
    let mut audience = Audience::open(&author, AUDIENCE).expect("the device is listed");
    audience.include(*reader.key()).expect("there is room");
    audience.include(AccountKey::of(&PARTIES.bob)).expect("there is room");
    audience.post(&author, b"halo", 60, contacts(&[reader.devices()]), NOW, &mut Repeatable(53)).expect("it is short");
    let record = audience.seal(&storage_key(), &mut Repeatable(1)).expect("no other key was used").into_bytes();
    let audience = record::open_named(OF_AUDIENCE, AUDIENCE.as_bytes(), &record);
    Scene { author, reader, chain, feed, audience }
});

const fn contacts<'a>(devices: &'a [&'a bisik::device::DeviceDirectory]) -> Contacts<'a> {
    Contacts { devices, labels: &[] }
}

/// The first byte selects the state of a feed, that of an audience, or an author who writes any body in its own chain.
pub fn status(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() {
        0 => feed_state(&input.edited(core::slice::from_ref(&SCENE.feed))),
        1 => audience_state(&input.edited(core::slice::from_ref(&SCENE.audience))),
        _ => dishonest_author(input),
    }
}

fn image(feed: &mut Feed) -> Vec<u8> {
    feed.seal(&storage_key(), &mut Repeatable(1)).expect("no other key was used").into_bytes()
}

fn open(state: &[u8]) -> Option<Feed> {
    let name = SCENE.author.key().to_bytes();
    let record = record::seal_named(OF_FEED, &name, state);
    Feed::unseal(&storage_key(), *SCENE.author.key(), &record).ok()
}

fn feed_state(state: &[u8]) {
    let Some(mut feed) = open(state) else { return };
    let name = SCENE.author.key().to_bytes();
    assert_eq!(record::open_named(OF_FEED, &name, &image(&mut feed)), state, "one encoding");
    for step in [0, DAY, 30 * DAY] {
        feed.expire(NOW.plus_seconds(step));
        assert!(
            feed.inbox().all(|(_, received)| shown_until(received).is_none_or(|until| until > NOW.plus_seconds(step)))
        );
    }
    feed.settle(u64::MAX);
    let record = image(&mut feed);
    let again = Feed::unseal(&storage_key(), *SCENE.author.key(), &record).map(|mut again| image(&mut again));
    assert_eq!(again, Ok(record), "every reachable state can be stored");
}

fn shown_until(received: &StatusReceived) -> Option<Timestamp> {
    match received {
        StatusReceived::Post { until, .. } => Some(*until),
        _ => None,
    }
}

fn audience_state(state: &[u8]) {
    let record = record::seal_named(OF_AUDIENCE, AUDIENCE.as_bytes(), state);
    let Ok(mut audience) = Audience::unseal(&storage_key(), AUDIENCE, &record) else { return };
    let image = |audience: &mut Audience| {
        audience.seal(&storage_key(), &mut Repeatable(1)).expect("no other key was used").into_bytes()
    };
    assert_eq!(record::open_named(OF_AUDIENCE, AUDIENCE.as_bytes(), &image(&mut audience)), state, "one encoding");
    assert!(audience.members().count() <= Audience::MOST_MEMBERS);
    let Scene { author, reader, .. } = &*SCENE;
    let devices = [reader.devices()];
    let _ = audience.include(AccountKey::of(&PARTIES.bob));
    let _ = audience.exclude(reader.key());
    let _ = audience.post(author, b"halo", 60, contacts(&devices), NOW, &mut Repeatable(2));
    if let Ok(outgoing) = audience.flush(author, contacts(&devices), NOW) {
        let stored = audience.seal(&storage_key(), &mut Repeatable(1)).expect("no other key was used").stored();
        let (sent, handover) = outgoing.release(&stored).expect("it was stored");
        assert!(sent.to.iter().all(|device| device.account != *reader.key()), "who is excluded gets nothing");
        audience.handed(handover);
    }
    let record = image(&mut audience);
    let again = Audience::unseal(&storage_key(), AUDIENCE, &record).map(|mut again| image(&mut again));
    assert_eq!(again, Ok(record), "every reachable state can be stored");
}

/// Up to 16 messages with any body, of which some are changed on their way, while time passes.
fn dishonest_author(mut input: Input<'_>) {
    let Scene { author, reader, chain, feed, .. } = &*SCENE;
    let mut feed = open(feed).expect("it is genuine");
    let mut chain = SendingChain::unseal(&storage_key(), CONTEXT, chain).expect("it is genuine");
    let targets: BTreeSet<_> = chain.given().copied().collect();
    let (mut now, of) = (NOW, Author { devices: author.devices(), label: None });
    for step in 0..16 {
        if input.is_empty() {
            break;
        }
        let [what, length] = input.array();
        let body = input.bytes(usize::from(length)).to_vec();
        let SendPlan::Ready(mut ready) = chain.plan(&targets, NOW) else { return };
        let message = ready.encrypt(View::from_bytes([0; 8]), &body, &mut Repeatable(60 + step)).expect("it is short");
        let mut message = message.into_bytes();
        if what & 1 != 0 {
            let at = usize::from(what) % message.len();
            message[at] ^= 0x10;
        }
        if what & 2 != 0 {
            now = now.plus_seconds(u64::from(what) * 600);
        }
        feed.expire(now);
        let before = image(&mut feed);
        let arrival = GroupArrival { from: (*author.key(), 0), message };
        let result = feed.receive(reader, of, &[arrival], now).remove(0);
        assert!(result.is_err() || what & 1 == 0, "a changed message is refused");
        let record = image(&mut feed);
        assert!(result.is_ok() || record == before, "what is refused changes nothing");
        let stored = feed.seal(&storage_key(), &mut Repeatable(1)).expect("no other key was used").stored();
        assert!(feed.stored(&stored));
        for until in feed.inbox().filter_map(|(_, received)| shown_until(received)) {
            assert!(until > now && until <= now.plus_seconds(DAY), "nothing is shown for more than a day");
        }
        if what & 4 != 0 {
            feed.settle(u64::MAX);
        }
        assert!(open(&record::open_named(OF_FEED, &author.key().to_bytes(), &record)).is_some(), "it can be stored");
    }
}

pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let post =
        |lifetime: u32| [&[1][..], &NOW.as_unix_seconds().to_be_bytes(), &lifetime.to_be_bytes(), b"halo"].concat();
    let say = |what: u8, body: &[u8]| [&[what, body.len() as u8][..], body].concat();
    let script = |steps: &[Vec<u8>]| [&[2][..], &steps.concat()].concat();
    let chain = SendingChain::unseal(&storage_key(), CONTEXT, &SCENE.chain).expect("it is genuine").chain();
    let name = |index: u8| [chain.as_bytes().as_slice(), &[0, 0, 0, index]].concat();
    let delete =
        |indices: &[u8]| [&[2][..], &indices.iter().flat_map(|index| name(*index)).collect::<Vec<_>>()].concat();
    vec![
        ("feed", vec![0, 0, 0]),
        ("audience", vec![1, 0, 0]),
        ("posts", script(&[say(0, &post(60)), say(4, &post(86_400)), say(2, &post(1))])),
        ("too_long", script(&[say(0, &post(86_401)), say(0, &post(0)), say(0, &post(u32::MAX))])),
        ("changed", script(&[say(1, &post(60)), say(0, &post(60))])),
        ("taken_back", script(&[say(0, &post(60)), say(0, &delete(&[0])), say(0, &delete(&[3, 4])), say(0, &post(9))])),
        ("no_body", script(&[say(0, &[]), say(0, &[3]), say(0, &[2]), say(0, &[1, 0])])),
        ("ends", script(&[say(0, &post(3_600)), say(0xfe, &post(60))])),
    ]
}
