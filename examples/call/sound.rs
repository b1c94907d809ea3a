//! Sound in frames of 20 ms: a recording, or a generated melody, as G.711 (mu-law) at 8 kHz.
#![allow(clippy::as_conversions, clippy::cast_possible_truncation)]

use std::f64::consts::TAU;

use super::Error;

/// Returns at least one frame of 160 bytes.
pub(crate) fn frames(recording: Option<&str>) -> Result<Vec<Vec<u8>>, Error> {
    let samples = match recording {
        Some(path) => {
            let file = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
            read(&file).ok_or_else(|| format!("{path}: not a 16-bit WAV file"))?
        }
        None => melody(),
    };
    let encoded: Vec<_> = samples.into_iter().map(mu_law).collect();
    let frames: Vec<_> = encoded.chunks_exact(160).map(<[u8]>::to_vec).collect();
    if frames.is_empty() { Err("less than 20 ms of sound".into()) } else { Ok(frames) }
}

/// Returns ten seconds: a scale of two octaves. All participants send the same, so every listener knows what to expect.
fn melody() -> Vec<i16> {
    (0..80_000_u32)
        .map(|at| {
            let time = f64::from(at) / 8_000.0;
            let note = f64::from(at / 4_000) * 100.0;
            ((TAU * (220.0 + note) * time).sin() * 12_000.0) as i16
        })
        .collect()
}

/// Returns the first channel of a 16-bit WAV file, at about 8 kHz.
fn read(file: &[u8]) -> Option<Vec<i16>> {
    let number = |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?));
    if file.get(..4)? != b"RIFF" || file.get(8..12)? != b"WAVE" {
        return None;
    }
    let (mut at, mut format) = (12, None);
    loop {
        let (kind, length) = (file.get(at..at + 4)?, number(at + 4)? as usize);
        let body = file.get(at + 8..)?;
        let body = &body[..length.min(body.len())];
        match kind {
            b"fmt " if body.get(..2)? == [1, 0] && body.get(14..16)? == [16, 0] => {
                format = Some((usize::from(body[2]).max(1), number(at + 12)? as usize));
            }
            b"data" => {
                let (channels, rate) = format?;
                let samples = body.chunks_exact(2 * channels).map(|sample| i16::from_le_bytes([sample[0], sample[1]]));
                return Some(samples.step_by((rate / 8_000).max(1)).collect());
            }
            _ => {}
        }
        at += 8 + length + length % 2;
    }
}

/// Encodes a sample as in ITU-T G.711: a sign, three bits of exponent, four of mantissa.
fn mu_law(sample: i16) -> u8 {
    let magnitude = sample.unsigned_abs().min(32_635) + 132;
    let exponent = (magnitude >> 7).ilog2() as u8;
    let mantissa = (magnitude >> (exponent + 3)) as u8 & 0x0f;
    !((u8::from(sample < 0) << 7) | (exponent << 4) | mantissa)
}
