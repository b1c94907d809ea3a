//! Many messages, whose signatures are verified together.

use bisik::group::{GroupMessage, OpenError, ReceivingChains};
use proptest::prelude::*;

use super::scene::{Scene, distribution, forged, key, message, reload, state, whole};

/// What a message gave.
type Given = Result<Vec<u8>, OpenError>;

/// Opens all in one backlog, and one by one on a copy: the same results, and the same state.
fn compare(scene: &Scene, given: &[Vec<u8>], messages: &[GroupMessage]) -> Vec<Given> {
    let [mut together, mut alone] = [(), ()].map(|()| {
        let mut chains = scene.nobody();
        for given in given {
            let _ = chains.take(&distribution(given), &scene.sender.identity).unwrap();
        }
        chains
    });
    let opened = together.open_backlog(messages);
    assert_eq!(opened.len(), messages.len());
    let opened: Vec<Given> = opened.into_iter().map(|held| held.map(|held| held.for_inbox().to_vec())).collect();
    let expected: Vec<Given> = messages.iter().map(|message| alone.open(message).map(|opened| opened.body)).collect();
    assert_eq!(opened, expected);
    assert!(state(&mut together) == state(&mut alone), "the same state");
    reload(&mut together);
    opened
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// P-14.16, P-1.5: with forged messages, repetitions and unknown chains among them.
    #[test]
    fn a_backlog_gives_what_its_messages_give_one_by_one(
        picks in proptest::collection::vec((0..2_u8, 0..12_u32, 0..10_u8), 0..40),
    ) {
        let scene = Scene::new(120);
        let (chains, unknown) = ([forged(&scene, 1), forged(&scene, 2)], forged(&scene, 3));
        let given = [chains[0].distribution(2), chains[1].distribution(0)];
        let messages: Vec<_> = picks
            .iter()
            .map(|(of, number, fate)| {
                let mut bytes = chains[usize::from(*of)].message(*number, [*fate & 1; 16], &[*of]);
                match fate {
                    7 => bytes[30] ^= 1,
                    8 => *bytes.last_mut().unwrap() ^= 0x80,
                    9 => bytes = unknown.message(*number, [1; 16], b""),
                    _ => {}
                }
                message(&bytes)
            })
            .collect();
        let _ = compare(&scene, &given, &messages);
    }
}

/// P-14.16: one is found, and costs the others nothing but time.
#[test]
fn one_forged_message_among_a_thousand_is_found() {
    let scene = Scene::new(121);
    let chains = [forged(&scene, 1), forged(&scene, 2)];
    let mut messages: Vec<_> = chains.iter().flat_map(|chain| whole(chain, 750)).collect();
    messages[777][100] ^= 4;
    let messages: Vec<_> = messages.iter().map(|bytes| message(bytes)).collect();
    let given = chains.map(|chain| chain.distribution(0));
    let opened = compare(&scene, &given, &messages);
    for (at, opened) in (0..1_500_u32).zip(&opened) {
        match at {
            777 => assert_eq!(opened, &Err(OpenError::Rejected)),
            _ => assert_eq!(opened, &Ok((at % 750).to_be_bytes().to_vec())),
        }
    }
}

/// P-14.16: of several devices, with one equation for all of them.
#[test]
fn backlogs_of_several_devices_are_opened_together() {
    let mut scenes = [123, 124, 125].map(Scene::new);
    let mut chains: Vec<_> = scenes.iter_mut().map(Scene::reader).collect();
    let mut messages: Vec<Vec<_>> =
        scenes.iter_mut().map(|scene| (0..5_u8).map(|number| scene.write(&[number])).collect()).collect();
    let mut forged = messages[1][2].as_bytes().to_vec();
    forged[60] ^= 1;
    messages[1].insert(2, message(&forged));
    messages[2].clear();
    let mut backlogs: Vec<_> = chains.iter_mut().zip(messages.iter().map(Vec::as_slice)).collect();
    let opened = ReceivingChains::open_backlogs(&mut backlogs);
    let bodies: Vec<Vec<Given>> = opened
        .into_iter()
        .map(|one| one.into_iter().map(|held| held.map(|held| held.for_inbox().to_vec())).collect())
        .collect();
    let all: Vec<Given> = (0..5_u8).map(|number| Ok(vec![number])).collect();
    let mut second = all.clone();
    second.insert(2, Err(OpenError::Rejected));
    assert_eq!(bodies, [all, second, Vec::new()]);
    // Those of another device are refused, whatever else is in the batch.
    let (first, rest) = chains.split_at_mut(1);
    let swapped = scenes[1].write(b"");
    let own = scenes[0].write(b"");
    let opened = ReceivingChains::open_backlogs(&mut [
        (&mut first[0], &[swapped.clone(), own]),
        (&mut rest[0], std::slice::from_ref(&swapped)),
    ]);
    let ok: Vec<Vec<_>> = opened
        .iter()
        .map(|one| one.iter().map(|held| held.as_ref().map(|_| ()).map_err(|error| *error)).collect())
        .collect();
    assert_eq!(ok, [vec![Err(OpenError::NeedsChain), Ok(())], vec![Ok(())]]);
}

/// P-14.9: one record is stored for all of them.
#[test]
fn one_record_releases_a_whole_backlog() {
    let mut scene = Scene::new(122);
    let mut chains = scene.reader();
    let messages: Vec<_> = (0..20_u8).map(|number| scene.write(&[number])).collect();
    let early = chains.seal(&key(), b"record", &mut scene.rng).unwrap().stored();
    let held: Vec<_> = chains.open_backlog(&messages).into_iter().map(Result::unwrap).collect();
    let held: Vec<_> = held.into_iter().map(|held| held.release(&early).unwrap_err()).collect();
    let stored = chains.seal(&key(), b"record", &mut scene.rng).unwrap().stored();
    for (number, held) in (0..20_u8).zip(held) {
        let opened = held.release(&stored).unwrap();
        assert_eq!((opened.body.as_slice(), opened.index), ([number].as_slice(), u32::from(number)));
    }
    assert!(chains.open_backlog(&[]).is_empty());
}
