//! Earlier messages that a member passes on to a newcomer.

use std::num::NonZeroU32;

use bisik::content::{Blob, Content, ContentMeta, Delete, Dimensions, Kind, PersonId, Photo, Remove, SentAt, Text};
use bisik::group::membership::{Role, Setting};
use bisik::group::{
    GroupReceiveError, GroupSendError, History, HistoryError, HistoryPointer, MemberDevice, PassedOn, Remembered,
};
use bisik::media::{self, MediaType, Pointer};

use super::world::{ALICE, At, BOB, CAROL, DAVE, DAY, HOUR, World};

/// What the owner's log says of history for newcomers.
const NEVER: u8 = 1;
const BY_ADMINS: u8 = 2;
const BY_MEMBERS: u8 = 3;

fn permit(world: &mut World, who: u8) {
    world.with((ALICE, 0), |group, account, now, _| group.set(account, Setting::HISTORY, &[who], now)).unwrap();
    world.run();
}

/// Alice, Bob and Carol talk where history is permitted; then Dave comes.
fn with_a_newcomer(seed: u64, who: u8) -> World {
    let mut world = World::new(seed, &[1, 1, 1, 1]);
    world.found();
    [BOB, CAROL].into_iter().for_each(|who| world.invite((ALICE, 0), who));
    world.run();
    [BOB, CAROL].into_iter().for_each(|who| world.accept((who, 0)));
    world.run();
    permit(&mut world, who);
    for (who, text) in [(BOB, "satu"), (CAROL, "dua"), (BOB, "tiga")] {
        world.send((who, 0), text).unwrap();
        world.run();
        world.wait(60);
    }
    world.invite((ALICE, 0), DAVE);
    world.run();
    world.accept((DAVE, 0));
    world.run();
    world
}

/// What a device may pass on of everything that it has shown.
fn select(world: &World, at: At) -> Result<Option<History>, GroupSendError> {
    let device = &world.devices[&at];
    let heard = device.heard.iter().map(|heard| heard.remembered());
    world.group(at).history(&device.account, heard, world.now)
}

fn pass_on(world: &mut World, by: At, to: usize, pointer: &Pointer) -> Result<(), GroupSendError> {
    let to = world.keys[to];
    let result = world.with(by, |group, account, now, _| group.pass_on(account, &to, pointer, now));
    world.run();
    result
}

fn texts(history: &History) -> Vec<&str> {
    history.messages().iter().map(|passed| std::str::from_utf8(&passed.body).unwrap()).collect()
}

fn open(world: &World, at: At, blob: &[u8]) -> Result<History, HistoryError> {
    let (by, pointer) = world.devices[&at].histories.last().unwrap();
    world.group(at).open_history(by, pointer, blob)
}

/// P-15.17, P-15.18, P-15.19, P-15.20, P-15.21. A newcomer reads what was written before it came, by the word of the member that
/// passes it on, and not as if the authors had sent it.
#[test]
fn a_newcomer_is_shown_earlier_messages_as_passed_on_by_a_member() {
    let mut world = with_a_newcomer(71, BY_ADMINS);
    assert!(world.texts((DAVE, 0)).is_empty(), "no key opens what was written before");
    let history = select(&world, (ALICE, 0)).unwrap().unwrap();
    let (blob, pointer) = history.seal(&mut world.rng).unwrap();
    pass_on(&mut world, (ALICE, 0), DAVE, &pointer).unwrap();
    let (by, _) = &world.devices[&(DAVE, 0)].histories[0];
    assert_eq!((by.account, world.devices[&(DAVE, 0)].histories.len()), (world.keys[ALICE], 1));
    let read = open(&world, (DAVE, 0), &blob).unwrap();
    assert_eq!((texts(&read), *read.by()), (vec!["satu", "dua", "tiga"], world.keys[ALICE]));
    let authors: Vec<_> = read.messages().iter().map(|passed| world.who(&passed.claimed_author)).collect();
    assert_eq!(authors, [BOB, CAROL, BOB]);
    assert!(read.messages().iter().all(|passed| !passed.received_here));
    assert!(world.texts((DAVE, 0)).is_empty(), "none of them is a message of the group");
    // What waits survives a crash; and what is passed on is a handful of bytes in each letter.
    assert_eq!(pointer.to_bytes().len(), 78 + History::MEDIA_TYPE.len());
}

/// P-15.17. The careful setting is the default; and who may pass on is decided by each device from the log that it has.
#[test]
fn only_whom_the_log_permits_passes_messages_on() {
    let mut world = with_a_newcomer(72, NEVER);
    let refused = Err(GroupSendError::MayNotPassOn);
    assert_eq!(select(&world, (ALICE, 0)).map(drop), refused, "nobody may, unless the owner says so");
    permit(&mut world, BY_ADMINS);
    assert_eq!(select(&world, (BOB, 0)).map(drop), refused);
    world.role(CAROL, Role::Reader);
    permit(&mut world, BY_MEMBERS);
    assert_eq!(select(&world, (BOB, 0)).map(drop), Ok(()));
    assert_eq!(select(&world, (CAROL, 0)).map(drop), refused, "a reader only reads");
    // Bob goes by the old setting, and his letter reaches a device that has the new one.
    let mut world = with_a_newcomer(73, BY_MEMBERS);
    let history = select(&world, (BOB, 0)).unwrap().unwrap();
    let (_, pointer) = history.seal(&mut world.rng).unwrap();
    world.off.insert((BOB, 0));
    permit(&mut world, BY_ADMINS);
    let dave = world.keys[DAVE];
    world.with((BOB, 0), |group, account, now, _| group.pass_on(account, &dave, &pointer, now)).unwrap();
    world.off.remove(&(BOB, 0));
    world.run();
    let told = format!("letter: {:?}", GroupReceiveError::NotPermitted);
    let dave = &world.devices[&(DAVE, 0)];
    assert!(dave.histories.is_empty() && dave.told.contains(&told), "{:?}", dave.told);
}

/// P-15.18. What was written while the log said "never" is passed on by nobody, later permission or not; and what is written
/// after a permission has ended neither.
#[test]
fn what_was_written_without_permission_is_never_passed_on() {
    let mut world = World::of_members(74, &[1, 1, 1]);
    for (who, text) in [(NEVER, "sebelum"), (BY_ADMINS, "boleh"), (NEVER, "sesudah")] {
        permit(&mut world, who);
        for author in [BOB, CAROL] {
            world.send((author, 0), text).unwrap();
        }
        world.run();
    }
    permit(&mut world, BY_ADMINS);
    let heard = &world.devices[&(ALICE, 0)].heard;
    assert_eq!(heard.len(), 6);
    let history = select(&world, (ALICE, 0)).unwrap().unwrap();
    assert_eq!(texts(&history), ["boleh", "boleh"]);
}

/// P-15.16, P-15.18. What an author gives again may be passed on if its chain permits it, as everything else of the chain.
#[test]
fn a_message_that_was_given_again_keeps_its_permission() {
    for (seed, who, expected) in [(75, BY_ADMINS, true), (76, NEVER, false)] {
        let mut world = World::of_members(seed, &[1, 1, 1]);
        permit(&mut world, who);
        world.lose_the_second((BOB, 0), ALICE);
        world.wait(2 * HOUR);
        world.wait(2 * HOUR);
        let heard = &world.devices[&(ALICE, 0)].heard;
        let again = heard.iter().find(|heard| heard.body == b"dua").expect("given again");
        assert_eq!(again.may_pass_on, expected);
    }
}

/// P-15.18, section 15.7. At most 100 messages of 14 days and 4 MiB, the newest; and what has disappeared stays gone.
#[test]
fn a_history_is_bounded_and_has_nothing_that_disappeared() {
    let mut world = with_a_newcomer(77, BY_ADMINS);
    let now = world.now;
    let device = &world.devices[&(ALICE, 0)];
    let body = device.heard[0].body.clone();
    let first = Remembered { body: &body, ..device.heard[0].remembered() };
    let many: Vec<_> = (0..150_u32)
        .map(|number| {
            let mut next = first;
            (next.id.index, next.at) = (number, now.plus_seconds(u64::from(number)));
            next
        })
        .collect();
    let later = now.plus_seconds(200);
    let group = world.group((ALICE, 0));
    let history = group.history(&device.account, many.iter().copied(), later).unwrap().unwrap();
    let numbers: Vec<_> = history.messages().iter().map(|passed| passed.id.index).collect();
    assert_eq!(numbers, (50..150).collect::<Vec<_>>());
    // The same message twice is one.
    let twice = group.history(&device.account, [first; 2], now).unwrap().unwrap();
    assert_eq!(twice.messages().len(), 1);
    let long = vec![b'a'; 256 << 10];
    let longest = many[..20].iter().map(|message| Remembered { body: &long, ..*message });
    let history = group.history(&device.account, longest, later).unwrap().unwrap();
    assert_eq!(history.messages().len(), 15, "the sixteenth has no room in 4 MiB");
    assert_eq!(history.messages()[14].id.index, 19);
    let at = first.at;
    for (age, taken) in [(14 * DAY, true), (14 * DAY + 1, false)] {
        let history = group.history(&device.account, [first], at.plus_seconds(age)).unwrap();
        assert_eq!(history.is_some(), taken);
    }
    let ahead = Remembered { at: now.plus_seconds(1), ..first };
    assert_eq!(group.history(&device.account, [ahead], now), Ok(None), "by no clock of somebody else");
    let seconds = 3_600_u32.to_be_bytes();
    world.with((ALICE, 0), |group, account, now, _| group.set(account, Setting::DISAPPEARING, &seconds, now)).unwrap();
    let device = &world.devices[&(ALICE, 0)];
    for (age, taken) in [(3_599, true), (3_600, false)] {
        let history = world.group((ALICE, 0)).history(&device.account, [first], at.plus_seconds(age)).unwrap();
        assert_eq!(history.is_some(), taken, "{age}");
    }
}

/// P-15.18. Contents that are shown once, have disappeared, or were deleted by their author or an admin stay out.
#[test]
fn deleted_contents_and_contents_shown_once_are_not_passed_on() {
    let mut world = with_a_newcomer(78, BY_ADMINS);
    let sent = SentAt::from_unix_milliseconds(1_800_000_000_000).unwrap();
    let mut text = |text: &str, change: &dyn Fn(&mut ContentMeta)| {
        let mut meta = ContentMeta::new(sent, &mut world.rng);
        change(&mut meta);
        Content::new(meta, Kind::Text(Text::new(text))).unwrap()
    };
    let plain = text("tetap", &|_| ());
    let deleted = text("dihapus", &|_| ());
    let removed = text("dikeluarkan", &|_| ());
    let not_removed = text("tetap juga", &|_| ());
    let timed = text("sebentar", &|meta| meta.disappears_after = NonZeroU32::new(60));
    let photo_once = {
        let (_, pointer) = media::encrypt(MediaType::new("image/jpeg").unwrap(), &[7; 100], &mut world.rng).unwrap();
        let blob = Blob { pointer, location: "https://contoh.id/1".into() };
        let mut meta = ContentMeta::new(sent, &mut world.rng);
        meta.view_once = true;
        Content::new(meta, Kind::Photo(Photo::new(blob, Dimensions { width: 10, height: 10 }))).unwrap()
    };
    let [bob, carol, alice] = [BOB, CAROL, ALICE].map(|who| {
        let identity = *world.devices[&(who, 0)].account.identity().public();
        MemberDevice { account: world.keys[who], device: 0, identity }
    });
    let person = |device: &MemberDevice| PersonId::new(&device.account.to_bytes()).unwrap();
    let mut other = |kind| Content::new(ContentMeta::new(sent, &mut world.rng), kind).unwrap();
    let deletion = other(Kind::Delete(Delete { target: deleted.id() }));
    let foreign = other(Kind::Delete(Delete { target: plain.id() }));
    let removal = other(Kind::Remove(Remove::new(removed.reference(&person(&bob)))));
    let no_removal = other(Kind::Remove(Remove::new(not_removed.reference(&person(&bob)))));
    let id = world.devices[&(ALICE, 0)].heard[0].id;
    let all = [
        (bob, &plain),
        (bob, &deleted),
        (bob, &removed),
        (bob, &not_removed),
        (bob, &timed),
        (bob, &photo_once),
        (bob, &deletion),
        (carol, &foreign),
        (alice, &removal),
        (carol, &no_removal),
    ];
    let at = world.now;
    let remembered = all.iter().zip(0..).map(|((from, content), index)| {
        let id = bisik::group::GroupMessageId { index, ..id };
        Remembered { from: *from, id, at, may_pass_on: true, body: content.as_body() }
    });
    let device = &world.devices[&(ALICE, 0)];
    let history = |later| {
        let history = world.group((ALICE, 0)).history(&device.account, remembered.clone(), at.plus_seconds(later));
        let history = history.unwrap().unwrap();
        history.messages().iter().map(|passed| passed.id.index).collect::<Vec<_>>()
    };
    assert_eq!(history(59), [0, 3, 4]);
    assert_eq!(history(60), [0, 3]);
}

/// P-15.17, P-15.19. No hosted device is given history, and none takes it, although the group has admitted it and it reads
/// what is written.
#[test]
fn a_hosted_device_is_given_no_history() {
    let mut world = with_a_newcomer(79, BY_ADMINS);
    let (index, disclosure) = world.host(DAVE);
    let endpoint = *world.devices[&(DAVE, index)].account.identity().public();
    let (account, until) = (world.keys[DAVE], world.now.plus_seconds(60 * DAY));
    let admitted =
        bisik::group::membership::AdmittedEndpoint { endpoint, account, disclosure: disclosure.hash(), until };
    world.with((ALICE, 0), |group, alice, now, _| group.admit(alice, admitted, now)).unwrap();
    world.run();
    world.wait(2 * HOUR);
    assert!(world.devices[&(DAVE, index)].group.is_some(), "it was told of the group");
    let history = select(&world, (ALICE, 0)).unwrap().unwrap();
    let (_, pointer) = history.seal(&mut world.rng).unwrap();
    pass_on(&mut world, (ALICE, 0), DAVE, &pointer).unwrap();
    assert_eq!(world.devices[&(DAVE, 0)].histories.len(), 1);
    let refused = format!("letter: {:?}", GroupReceiveError::NotPermitted);
    let hosted = &world.devices[&(DAVE, index)];
    assert!(hosted.histories.is_empty() && !hosted.told.contains(&refused), "it was not even sent one");
    let passes = hosted.group.as_ref().unwrap().history(&hosted.account, [], world.now);
    assert_eq!(passes, Err(GroupSendError::MayNotPassOn));
}

/// P-15.19. Nobody who is out is given history; and a pointer of another file is none.
#[test]
fn only_members_are_given_history() {
    let mut world = with_a_newcomer(80, BY_ADMINS);
    let history = select(&world, (ALICE, 0)).unwrap().unwrap();
    let (_, pointer) = history.seal(&mut world.rng).unwrap();
    let before = world.bytes;
    let (_, photo) = media::encrypt(MediaType::new("image/jpeg").unwrap(), &[7; 100], &mut world.rng).unwrap();
    assert_eq!(pass_on(&mut world, (ALICE, 0), DAVE, &photo), Err(GroupSendError::MayNotPassOn));
    assert_eq!(pass_on(&mut world, (ALICE, 0), ALICE, &pointer), Err(GroupSendError::NotAMember));
    world.remove((ALICE, 0), DAVE);
    assert_eq!(pass_on(&mut world, (ALICE, 0), DAVE, &pointer), Err(GroupSendError::NotAMember));
    assert!(world.devices[&(DAVE, 0)].histories.is_empty());
    assert!(world.bytes > before, "the removal alone was sent");
}

/// P-15.20. A history is one group's, and one member's; a store that changes the blob is found out; and one that names a false
/// author of a chain that the reader knows is refused.
#[test]
fn a_history_of_another_group_or_member_or_with_a_false_author_is_refused() {
    let mut world = with_a_newcomer(81, BY_MEMBERS);
    let (mut blob, pointer) = {
        let history = select(&world, (ALICE, 0)).unwrap().unwrap();
        history.seal(&mut world.rng).unwrap()
    };
    // Carol passes on what Alice has made.
    pass_on(&mut world, (CAROL, 0), DAVE, &pointer).unwrap();
    assert_eq!(open(&world, (DAVE, 0), &blob), Err(HistoryError::OtherGroup));
    pass_on(&mut world, (ALICE, 0), DAVE, &pointer).unwrap();
    assert!(open(&world, (DAVE, 0), &blob).is_ok());
    let short = &blob[..blob.len() - 1];
    assert_eq!(open(&world, (DAVE, 0), short), Err(HistoryError::Blob(media::DecryptError::Incomplete)));
    *blob.last_mut().unwrap() ^= 1;
    assert_eq!(open(&world, (DAVE, 0), &blob), Err(HistoryError::Blob(media::DecryptError::Rejected)));
    // Another group, with the same people.
    let other = with_a_newcomer(82, BY_MEMBERS);
    let history = select(&other, (ALICE, 0)).unwrap().unwrap();
    let (blob, pointer) = history.seal(&mut world.rng).unwrap();
    pass_on(&mut world, (ALICE, 0), DAVE, &pointer).unwrap();
    assert_eq!(open(&world, (DAVE, 0), &blob), Err(HistoryError::OtherGroup));
    // Bob writes what Dave reads, and Carol says that Alice had written it.
    world.send((BOB, 0), "empat").unwrap();
    world.run();
    let alice = world.devices[&(ALICE, 0)].account.identity();
    let false_author = MemberDevice { account: world.keys[ALICE], device: 0, identity: *alice.public() };
    let device = &world.devices[&(CAROL, 0)];
    let four = device.heard.iter().find(|heard| heard.body == b"empat").unwrap().remembered();
    let mut made = |from| {
        let history = world.group((CAROL, 0)).history(&device.account, [Remembered { from, ..four }], world.now);
        history.unwrap().unwrap().seal(&mut rand::rng()).unwrap()
    };
    let [(said, said_pointer), (true_blob, true_pointer)] = [false_author, four.from].map(&mut made);
    pass_on(&mut world, (CAROL, 0), DAVE, &said_pointer).unwrap();
    assert_eq!(open(&world, (DAVE, 0), &said), Err(HistoryError::Contradicts));
    // A double is told.
    pass_on(&mut world, (CAROL, 0), DAVE, &true_pointer).unwrap();
    let read = open(&world, (DAVE, 0), &true_blob).unwrap();
    assert!(matches!(read.messages(), [PassedOn { received_here: true, .. }]));
}

/// P-15.20. The same pointer by the same member waits for the program once, through a crash, and is shown once.
#[test]
fn history_waits_for_the_program_once() {
    let mut world = with_a_newcomer(83, BY_ADMINS);
    let history = select(&world, (ALICE, 0)).unwrap().unwrap();
    let (_, pointer) = history.seal(&mut world.rng).unwrap();
    let dave = world.keys[DAVE];
    for _ in 0..2 {
        world.with((ALICE, 0), |group, account, now, _| group.pass_on(account, &dave, &pointer, now)).unwrap();
    }
    world.work((ALICE, 0));
    world.run();
    assert_eq!(world.devices[&(DAVE, 0)].histories.len(), 2, "the program has settled the first");
    let (one, two) = (&world.devices[&(DAVE, 0)].histories[0], &world.devices[&(DAVE, 0)].histories[1]);
    assert_eq!(one, two);
    let _named: &HistoryPointer = &one.1;
}
