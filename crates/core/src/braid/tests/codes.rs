//! The erasure code.

use super::erasure::{Decoder, Kept, encode};
use super::*;
use rand::RngExt;
use rand::seq::SliceRandom;

/// Gives chunks to a decoder until the text is whole.
fn decoded(blocks: usize, chunks: &[(u16, [u8; 32])]) -> Option<Vec<u8>> {
    let mut decoder = Decoder::new(blocks);
    for (number, chunk) in chunks {
        if let Kept::Whole(text) = decoder.look(*number, chunk) {
            return Some(text.to_vec());
        }
        decoder.keep(*number, chunk);
    }
    None
}

#[test]
fn any_k_different_chunks_give_the_text_and_fewer_do_not() {
    let mut rng = rand::rng();
    for blocks in [1, 2, 3, 5, 16, 17, 30, 36] {
        let text: Vec<u8> = (0..blocks * 32).map(|_| rng.random()).collect();
        for _ in 0..20 {
            let mut numbers: Vec<u16> = (0..200).chain((0..50).map(|_| rng.random())).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers.shuffle(&mut rng);
            numbers.truncate(blocks);
            let chunks: Vec<_> = numbers.iter().map(|number| (*number, encode(&text, *number, 1)[0])).collect();
            assert_eq!(decoded(blocks, &chunks).as_deref(), Some(&text[..]));
            assert_eq!(decoded(blocks, &chunks[1..]), None);
        }
    }
}

#[test]
fn chunks_below_k_are_the_text_and_numbers_begin_again_after_the_last() {
    let text: Vec<u8> = (0..96).collect();
    assert_eq!(encode(&text, 0, 3).concat(), text);
    let around = encode(&text, u16::MAX, 2);
    assert_eq!((around[0], &around[1][..]), (encode(&text, u16::MAX, 1)[0], &text[..32]));
}

#[test]
fn the_first_chunk_of_a_number_counts_and_a_double_completes_nothing() {
    let text: Vec<u8> = (0..96).collect();
    let chunk = |number| (number, encode(&text, number, 1)[0]);
    assert_eq!(decoded(3, &[chunk(4), (4, [9; 32]), chunk(4), chunk(0), chunk(9)]).as_deref(), Some(&text[..]));
    assert_eq!(decoded(3, &[chunk(4), chunk(4), chunk(4), chunk(0), chunk(0)]), None);
}
