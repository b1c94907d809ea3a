//! The steps about attachments (docs/spec/attachments.md, section 8).

use bisik::media::{self, Encryptor, MediaType, Pointer};
use sha2::{Digest, Sha256};

use super::runner::{Outcome, word};
use super::step::Step;
use crate::draws::{Draws, to_hex};

pub(super) fn encrypt_file(step: &Step, draws: &mut Draws) -> Outcome {
    let (blob, pointer) = media::encrypt(media_type(step), &step.hex("file"), draws).map_err(word)?;
    Ok(vec![("blob", to_hex(&blob)), ("pointer", to_hex(&pointer.to_bytes()))])
}

/// Bytes of a long file that are not listed, in pieces.
pub(super) fn encrypt_long_file(step: &Step, draws: &mut Draws) -> Outcome {
    let size: u64 = step.need("size").parse().expect("bytes, in decimal");
    let mut encryptor = Encryptor::new(media_type(step), size, draws).map_err(word)?;
    let mut left = usize::try_from(size).expect("a file that fits in memory");
    for number in 0_u64.. {
        let piece = Sha256::digest(number.to_be_bytes());
        encryptor.push(&piece[..left.min(32)], &mut Vec::new()).map_err(word)?;
        left = left.saturating_sub(32);
        if left == 0 {
            break;
        }
    }
    loop {
        if let Some(pointer) = encryptor.finish(&mut Vec::new()).map_err(word)? {
            return Ok(vec![("pointer", to_hex(&pointer.to_bytes()))]);
        }
    }
}

pub(super) fn add_thumbnail(step: &Step, draws: &mut Draws) -> Outcome {
    let made = pointer(step)?.with_thumbnail(&step.hex("thumbnail"), draws).map_err(word)?;
    Ok(vec![("with_thumbnail", to_hex(&made.to_bytes()))])
}

pub(super) fn decrypt_file(step: &Step) -> Outcome {
    let file = pointer(step)?.decrypt(&step.hex("blob")).map_err(word)?;
    Ok(vec![("file", to_hex(&file))])
}

pub(super) fn decrypt_thumbnail(step: &Step) -> Outcome {
    let thumbnail = pointer(step)?.thumbnail().map_err(word)?.expect("a pointer with a thumbnail");
    Ok(vec![("thumbnail", to_hex(&thumbnail))])
}

fn media_type(step: &Step) -> MediaType {
    MediaType::new(step.need("media_type")).expect("a media type")
}

fn pointer(step: &Step) -> Result<Pointer, String> {
    Pointer::from_bytes(&step.hex("pointer")).map_err(|_| "malformed".to_owned())
}
