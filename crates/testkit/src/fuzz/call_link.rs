//! `call_link`: knocks, notices and texts that are arbitrary or edited.

use std::sync::LazyLock;

use bisik::call::CallId;
use bisik::call_link::{CallDoor, CallLink, CallLinkError, is_by_who_has_the_link};
use bisik::device::DeviceTerms;
use bisik::{Account, Timestamp};

use super::fixtures::Repeatable;
use super::input::Input;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// What somebody with the link has made.
struct Scene {
    bob: Account,
    text: String,
    call: CallId,
    made: Vec<Vec<u8>>,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let rng = &mut Repeatable(90);
    let bob = Account::create(DeviceTerms::person(), NOW, rng);
    let (link, call) = (CallLink::generate(rng), CallId::generate(rng));
    let text = link.expose_text().to_string();
    let door = CallDoor::new(link, call);
    let notice = door.notice(rng).expect("it is short");
    let knock = door.link().knock(&bob, &notice, rng).expect("it is its notice");
    Scene { bob, made: vec![notice, knock, text.clone().into_bytes()], text, call }
});

/// Only what was made with the link is taken, each as what it is.
pub fn call_link(data: &[u8]) {
    let Scene { bob, text, call, made } = &*SCENE;
    let bytes = Input::new(data).edited(made);
    let link = CallLink::from_text(text).expect("it is genuine");
    let mut door = CallDoor::new(CallLink::from_text(text).expect("it is genuine"), *call);
    match door.hear(&bytes) {
        Ok(knock) => {
            assert_eq!(bytes, made[1], "only what was sent");
            assert!(knock.verify(bob.devices(), NOW).is_ok());
            assert_eq!(door.hear(&bytes).err(), Some(CallLinkError::Duplicate));
        }
        Err(error) => assert!(error != CallLinkError::Internal && bytes != made[1]),
    }
    assert_eq!(link.knock(bob, &bytes, &mut Repeatable(91)).is_ok(), bytes == made[0]);
    let genuine = made[..2].contains(&bytes);
    assert_eq!(is_by_who_has_the_link(&link.locator(), &link.admission(), &bytes), genuine);
    if let Some(link) = core::str::from_utf8(&bytes).ok().and_then(|text| CallLink::from_text(text).ok()) {
        assert_eq!(link.expose_text().as_bytes(), bytes, "one text");
    }
}

pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("notice", vec![0, 0]),
        ("knock", vec![1, 0]),
        ("text", vec![2, 0]),
        ("flipped", vec![1, 1, 0, 1, 0, 40]),
        ("shorter", vec![1, 1, 1, 1, 0, 9]),
    ]
}
