//! `sealed_answer`: edited answers to events, in events that may differ, and edited sealed reactions. Only what was
//! sealed for this person and this content opens.

use std::sync::LazyLock;

use bisik::Timestamp;
use bisik::content::{
    Attendance, BallotError, Content, ContentMeta, Event, Kind, PersonId, Reactions, Rsvp, Rsvps, SealedReaction,
    SentAt, Text,
};

use super::fixtures::Repeatable;
use super::input::Input;

/// What changes in the event, the person, and which of the two sealed answers arrives, with edits.
pub fn sealed_answer(data: &[u8]) {
    let Scene { event, news, rsvp, reaction } = &*SCENE;
    let mut input = Input::new(data);
    let (change, person) = (input.byte(), if input.byte() == 0 { person() } else { other() });
    let body = input.edited(&[rsvp.as_body(), reaction.as_body()]);
    let Ok(arrived) = Content::from_body(&body) else { return };
    let Some(changed) = changed(event, change) else { return };
    #[allow(clippy::wildcard_enum_match_arm)] // Whatever other kinds there will be.
    match arrived.kind() {
        Kind::Rsvp(arrived) => {
            let genuine = arrived == the_rsvp() && changed == *event && person == self::person();
            let opened = Rsvps::in_event(&changed, &self::person()).expect("it is an event").open(arrived, &person);
            match opened {
                Ok(answer) => assert!(genuine && answer.attendance() == GOING, "only the genuine answer opens"),
                // A cancelled version differs from the other in nothing that is sealed.
                Err(error) => assert!(!genuine && (error == BallotError::Rejected || change % 8 == 7), "{error:?}"),
            }
        }
        Kind::SealedReaction(arrived) => {
            let genuine = arrived == the_reaction() && person == self::person();
            let opened = Reactions::to(news, &self::person()).expect("it has a secret").open(arrived, &person);
            match opened {
                Ok(reaction) => assert!(genuine && &**reaction.emoji() == "!", "only the genuine reaction opens"),
                Err(error) => assert!(!genuine && error == BallotError::Rejected, "{error:?}"),
            }
        }
        _ => {}
    }
}

/// The event with one change, or none.
fn changed(content: &Content, change: u8) -> Option<Content> {
    let (Kind::Event(mut event), mut meta) = (content.kind().clone(), content.meta().clone()) else { return None };
    match change % 8 {
        0 => {}
        1 => event.title = "makan siang".into(),
        2 => event.place = "rumah".into(),
        3 => event.from = event.from.plus_seconds(1),
        4 => event.to = Some(event.from.plus_seconds(u64::from(change))),
        5 => event.most_guests = u32::from(change),
        6 => meta.id = bisik::content::ContentId::from_bytes([change; 16]),
        _ => event.cancelled = true,
    }
    Content::new(meta, Kind::Event(event)).ok()
}

/// The answers and reactions to a content that was read can be sealed and opened.
pub(super) fn answer(content: &Content) {
    let rng = &mut Repeatable(3);
    if let Some(answers) = Rsvps::in_event(content, &person()) {
        if let Ok(rsvp) = answers.answer(Attendance::Going { guests: 0 }, &person(), sent(), None, rng) {
            answers.open(&rsvp, &person()).expect("a sealed answer opens");
        } else {
            assert!(matches!(content.kind(), Kind::Event(event) if event.cancelled), "every other event is answered");
        }
    }
    if let Some(reactions) = Reactions::to(content, &person()) {
        let sealed = reactions.seal("!", &person(), sent(), None, rng).expect("it is short");
        reactions.open(&sealed, &person()).expect("a sealed reaction opens");
    }
}

struct Scene {
    event: Content,
    news: Content,
    rsvp: Content,
    reaction: Content,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let rng = &mut Repeatable(4);
    let mut event = Event::new("makan malam", Timestamp::from_unix_seconds(1_800_100_000), rng);
    event.replaces = Some(bisik::content::ContentId::from_bytes([7; 16]));
    let event = compose(Kind::Event(event));
    let rsvp = Rsvps::in_event(&event, &person()).expect("an event").answer(GOING, &person(), sent(), None, rng);
    let meta = meta().with_secret(rng);
    let news = Content::new(meta, Kind::Text(Text::new("halo"))).expect("a text");
    let reaction = Reactions::to(&news, &person()).expect("a secret").seal("!", &person(), sent(), None, rng);
    let rsvp = compose(Kind::Rsvp(rsvp.expect("no guests")));
    let reaction = compose(Kind::SealedReaction(reaction.expect("it is short")));
    Scene { event, news, rsvp, reaction }
});

fn the_rsvp() -> &'static Rsvp {
    let Kind::Rsvp(rsvp) = SCENE.rsvp.kind() else { panic!("it is an answer") };
    rsvp
}

fn the_reaction() -> &'static SealedReaction {
    let Kind::SealedReaction(reaction) = SCENE.reaction.kind() else { panic!("it is a reaction") };
    reaction
}

fn compose(kind: Kind) -> Content {
    Content::new(meta(), kind).expect("within bounds")
}

fn meta() -> ContentMeta {
    ContentMeta::new(sent(), &mut Repeatable(5))
}

fn sent() -> SentAt {
    SentAt::from_unix_milliseconds(1_800_000_000_000).expect("before the year 10000")
}

fn person() -> PersonId {
    PersonId::new(b"ana").expect("a name")
}

fn other() -> PersonId {
    PersonId::new(b"somebody else").expect("a name")
}

const GOING: Attendance = Attendance::Going { guests: 0 };

/// The event and the text of the scene, as seeds of `content`.
pub(super) fn bodies() -> [&'static [u8]; 2] {
    [SCENE.event.as_body(), SCENE.news.as_body()]
}

pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    // A change, the person, which answer arrives, and its edits.
    vec![
        ("rsvp", vec![0, 0, 0]),
        ("rsvp_of_another", vec![0, 1, 0]),
        ("rsvp_to_another_title", vec![1, 0, 0]),
        ("rsvp_to_another_time", vec![3, 0, 0]),
        ("rsvp_to_a_cancelled_event", vec![7, 0, 0]),
        ("rsvp_flipped", vec![0, 0, 0, 1, 0, 1, 0, 70]),
        ("reaction", vec![0, 0, 1]),
        ("reaction_of_another", vec![0, 1, 1]),
        ("reaction_flipped", vec![0, 0, 1, 1, 0, 1, 0, 100]),
        ("reaction_truncated", vec![0, 0, 1, 1, 1, 0, 0, 60]),
    ]
}
