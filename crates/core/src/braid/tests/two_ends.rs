//! Long runs over a network that loses, doubles and reorders, and with ends that restart.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// One run: `loss` in percent, at most `window` messages in flight, whose order is random. Where `steps` is set, an end
/// draws only in its first message after one has arrived. Returns how many epochs both ends completed.
fn run(seed: u64, messages: usize, loss: u32, window: usize, steps: bool) -> usize {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut both = ends::<MlKem768>();
    let mut flying: [Vec<Part>; 2] = [Vec::new(), Vec::new()];
    let mut secrets: [Vec<(u32, [u8; 32])>; 2] = [Vec::new(), Vec::new()];
    let mut heard = [true; 2];
    for _ in 0..messages {
        let from = rng.random_range(0..2);
        let allowed = !steps || core::mem::take(&mut heard[from]);
        let draw = if allowed { draw(&both[from]) } else { None };
        let sent = both[from].send(draw).unwrap();
        both[from].apply(sent.change);
        secrets[from].extend(sent.secret.map(|secret| (secret.epoch, *secret.secret.expose())));
        flying[1 - from].push(sent.part);
        if rng.random_range(0..50) == 0 {
            let bytes = stored(&both[from]);
            assert!(bytes.len() <= MAX_STORED);
            both[from] = restored(&NATIVE, from == 0, &bytes).unwrap();
        }
        for to in 0..2 {
            while flying[to].len() > window {
                let next = rng.random_range(0..flying[to].len());
                let part = flying[to].swap_remove(next);
                if rng.random_range(0..100) < loss {
                    continue;
                }
                for _ in 0..rng.random_range(1..3) {
                    let secret = receive(&mut both[to], &part);
                    secrets[to].extend(secret.map(|secret| (secret.epoch, *secret.secret.expose())));
                }
                heard[to] = true;
            }
        }
    }
    let done = secrets[0].len().min(secrets[1].len());
    assert_eq!(secrets[0][..done], secrets[1][..done]);
    assert!((1..).zip(&secrets[0]).all(|(expected, (epoch, _))| *epoch == expected), "each once, in order");
    assert!(secrets[0].len().abs_diff(secrets[1].len()) <= 1);
    done
}

#[test]
fn both_ends_get_the_same_secrets_in_order_whatever_the_network_does() {
    for seed in 0..2 {
        for (loss, window, steps) in [(0, 0, false), (0, 0, true), (30, 0, true), (30, 30, false), (30, 30, true)] {
            let epochs = run(seed, 3_000, loss, window, steps);
            assert!(epochs >= 3, "{epochs} epochs, {loss} % lost, {window} in flight");
        }
    }
}

#[test]
fn the_braid_stands_still_at_the_last_number_and_does_not_begin_again() {
    let [mut a, mut b] = until::<MlKem768>(0, Phase::EkSentCt1Received, 1);
    a.epoch = u32::MAX;
    b.epoch = u32::MAX;
    for _ in 0..20 {
        let (part, _) = send(&mut b);
        assert!(receive(&mut a, &part).is_none());
    }
    assert_eq!((a.epoch(), a.phase()), (u32::MAX, Phase::EkSentCt1Received));
}
