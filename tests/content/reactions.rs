//! Sealed reactions: only who has the content can read them, and only where its author gave it a secret.

use bisik::content::{
    BallotError, Content, ContentError, ContentMeta, Kind, PersonId, Reactions, SealedReaction, SentAt, Text,
};
use bisik_testkit::protobuf::{body, field, protobuf};
use bisik_testkit::{ConstantRng, SeededRng};

use super::fixtures::*;
use super::group_fixtures::*;

/// P-7.23
#[test]
fn a_sealed_reaction_opens_only_for_its_person_and_with_the_whole_content() {
    let rng = &mut SeededRng::new(4);
    let (ana, budi) = (person("ana"), person("budi"));
    let news = news("buka pukul sembilan");
    let reactions = Reactions::to(&news, &ana).unwrap();
    let sealed = reactions.seal("\u{2764}", &budi, now(), None, rng).unwrap();
    let opened = reactions.open(&sealed, &budi).unwrap();
    assert_eq!((&**opened.emoji(), opened.sent()), ("\u{2764}", now()));
    assert_eq!(sealed.target(), &news.reference(&ana));
    for other in [&ana, &person("cici"), &person("bud")] {
        assert_eq!(reactions.open(&sealed, other), Err(BallotError::Rejected), "another person");
    }
    // Under the same name, with the same secret: what another reader was shown.
    let others = [super::group_fixtures::news("buka pukul delapan"), with_meta(|meta| meta.sent = sent(1)), {
        let meta = ContentMeta::new(now(), &mut ConstantRng(7)).with_secret(&mut ConstantRng(9));
        Content::new(meta, Kind::Text(Text::new("buka pukul sembilan"))).unwrap()
    }];
    for other in &others {
        assert_eq!(other.reference(&ana), news.reference(&ana));
        assert_eq!(Reactions::to(other, &ana).unwrap().open(&sealed, &budi), Err(BallotError::Rejected));
    }
    let of_cici = Reactions::to(&news, &person("cici")).unwrap();
    let renamed = renamed(&sealed, &news, &person("cici"));
    assert_eq!(of_cici.open(&renamed, &budi), Err(BallotError::Rejected), "another author");
    assert_eq!(reactions.open(&renamed, &budi), Err(BallotError::Rejected), "it names another content");
}

/// P-7.26: the secret is a field of the metadata, which a forwarded content does not have, and a content that takes no
/// reactions cannot have.
#[test]
fn a_secret_stays_with_its_content_and_only_content_that_is_shown_has_one() {
    let ana = person("ana");
    let news = news("buka pukul sembilan");
    let read = Content::from_body(news.as_body()).unwrap();
    assert_eq!((read.meta(), read.kind()), (news.meta(), news.kind()));
    let meta = || ContentMeta::new(now(), &mut ConstantRng(2));
    let forwarded = news.forward(meta()).unwrap();
    assert!(Reactions::to(&forwarded, &ana).is_none());
    assert!(!contains(forwarded.as_body(), &[8; 32]), "it is not among what is kept of unknown fields either");
    assert!(contains(news.as_body(), &[8; 32]));
    let again = news.forward(meta().with_secret(&mut ConstantRng(3))).unwrap();
    assert!(Reactions::to(&again, &ana).is_some() && contains(again.as_body(), &[3; 32]), "it can have one of its own");
    // Metadata that was copied has the secret; so would metadata with it under another id.
    assert_eq!(news.forward(news.meta().clone()), Err(ContentError::NotAllowed));
    assert_eq!(read.forward(news.meta().clone()), Err(ContentError::NotAllowed));
    assert_eq!(news.forward(meta().with_secret(&mut ConstantRng(8))), Err(ContentError::NotAllowed));
    let plain = text("halo");
    assert!(plain.forward(plain.meta().clone()).is_ok() && plain.forward(news.meta().clone()).is_ok());
    for (kind, shown) in one_of_each() {
        let content = Content::new(meta().with_secret(&mut ConstantRng(8)), kind.clone());
        let expected = if shown { Ok(()) } else { Err(ContentError::NotAllowed) };
        assert_eq!(content.map(drop), expected, "{kind:?}");
    }
    // A kind from a later version may be one that is shown.
    let unknown = [meta_bytes(), field(9, &[8; 32]), field(94, b"later")].concat();
    assert!(Content::from_body(&body(&unknown)).is_ok());
    assert!(Reactions::to(&text("halo"), &ana).is_none());
}

/// P-7.25
#[test]
fn the_latest_of_several_reactions_counts_and_an_empty_one_takes_it_back() {
    let rng = &mut SeededRng::new(5);
    let (ana, budi) = (person("ana"), person("budi"));
    let news = news("buka pukul sembilan");
    let reactions = Reactions::to(&news, &ana).unwrap();
    let mut react = |emoji: &str, at: u64, earlier| {
        reactions.open(&reactions.seal(emoji, &budi, sent(at), earlier, rng).unwrap(), &budi).unwrap()
    };
    let first = react("a", 5, None);
    let (phone, tablet) = (react("b", 6, Some(&first)), react("a", 7, Some(&first)));
    let last = react("", 1, Some(&tablet));
    let equal = [react("", 5, None), first.clone(), react("aa", 5, None), react("b", 5, None)];
    assert!(equal.is_sorted() && equal.windows(2).all(|pair| pair[0] != pair[1]));
    let mut all = vec![tablet, last.clone(), first, phone];
    all.extend(equal);
    assert_eq!(all.iter().max(), Some(&last));
    assert!(last.emoji().is_empty());
}

/// P-7.24
#[test]
fn a_reaction_has_at_most_64_bytes_and_its_length_does_not_show() {
    let (ana, budi) = (person("ana"), person("budi"));
    let news = news("buka pukul sembilan");
    let reactions = Reactions::to(&news, &ana).unwrap();
    let seal = |emoji: &str| reactions.seal(emoji, &budi, now(), None, &mut ConstantRng(3));
    let lengths = ["", "!", &"a".repeat(64)].map(|emoji| {
        let sealed = seal(emoji).unwrap();
        assert_eq!(&**reactions.open(&sealed, &budi).unwrap().emoji(), emoji);
        protobuf(&carried(&sealed)).len()
    });
    assert!(lengths.iter().all(|length| *length == lengths[0]));
    assert_eq!(seal(&"a".repeat(65)), Err(ContentError::TooLong));
    let nonces =
        ["a", "b"].map(|emoji| protobuf(&carried(&seal(emoji).unwrap())).last_chunk::<121>().unwrap()[..24].to_vec());
    assert_ne!(nonces[0], nonces[1], "with a repeating generator");
}

#[test]
fn a_sealed_reaction_with_any_byte_changed_is_refused() {
    let (ana, budi) = (person("ana"), person("budi"));
    let news = news("buka pukul sembilan");
    let reactions = Reactions::to(&news, &ana).unwrap();
    let sealed = reactions.seal("!", &budi, now(), None, &mut ConstantRng(3)).unwrap();
    let bytes = protobuf(&carried(&sealed)).to_vec();
    for at in bytes.len() - 121..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x80;
        let content = Content::from_body(&body(&changed)).unwrap();
        let Kind::SealedReaction(changed) = content.kind() else { panic!() };
        assert_eq!(reactions.open(changed, &budi), Err(BallotError::Rejected), "byte {at}");
    }
}

fn with_meta(change: impl FnOnce(&mut ContentMeta)) -> Content {
    let mut meta = ContentMeta::new(now(), &mut ConstantRng(7)).with_secret(&mut ConstantRng(8));
    change(&mut meta);
    Content::new(meta, Kind::Text(Text::new("buka pukul sembilan"))).unwrap()
}

fn sent(milliseconds: u64) -> SentAt {
    SentAt::from_unix_milliseconds(milliseconds).unwrap()
}

fn contains(body: &[u8], secret: &[u8]) -> bool {
    body.windows(secret.len()).any(|window| window == secret)
}

fn carried(sealed: &SealedReaction) -> Content {
    Content::new(ContentMeta::new(now(), &mut ConstantRng(1)), Kind::SealedReaction(sealed.clone())).unwrap()
}

/// The same sealed reaction, naming another content.
fn renamed(sealed: &SealedReaction, to: &Content, author: &PersonId) -> SealedReaction {
    let bytes = protobuf(&carried(sealed)).last_chunk::<121>().unwrap().to_vec();
    let kind = field(39, &[field(1, &reference_bytes(&to.reference(author))), field(2, &bytes)].concat());
    let content = Content::from_body(&body(&[meta_bytes(), kind].concat())).unwrap();
    let Kind::SealedReaction(sealed) = content.kind() else { panic!() };
    sealed.clone()
}
