//! PADMÉ: the padded length of a plaintext, so that similar lengths look equal (docs/spec/content.md, section 7, and
//! docs/spec/attachments.md, section 8).

/// Returns the length to which `length` bytes are padded: at least `LEAST`, otherwise rounded up so that at most `⌊log2
/// ⌊log2 length⌋⌋ + 1` bits after the leading one are set. Padding adds less than 12 percent; below 2^n there are about
/// `2n · log2 n` lengths instead of 2^n. Requirement P-7.1.
///
/// For lengths above 2^63, which no memory or file has, returns `u64::MAX` if rounding up would overflow.
#[must_use]
pub const fn padme(length: u64) -> u64 {
    if length <= LEAST {
        return LEAST;
    }
    let exponent = length.ilog2();
    let significant = exponent.ilog2().saturating_add(1);
    let low = !(u64::MAX << exponent.saturating_sub(significant));
    match length.checked_add(low) {
        Some(sum) => sum & !low,
        None => u64::MAX,
    }
}

/// The smallest padded length.
const LEAST: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    /// P-7.1. Figures computed by hand from the paper's definition.
    #[test]
    fn lengths_round_up_to_their_class() {
        let known = [
            (0, 32),
            (1, 32),
            (32, 32),
            (33, 36),
            (63, 64),
            (65, 72),
            (100, 104),
            (1_000, 1_024),
            (1_025, 1_088),
            (4_097, 4_352),
            (65_536, 65_536),
            (65_537, 67_584),
            (1_000_000, 1_015_808),
            (u64::MAX, u64::MAX),
        ];
        for (length, padded) in known {
            assert_eq!(padme(length), padded, "{length}");
        }
    }

    #[test]
    fn padding_never_shortens_and_never_adds_an_eighth() {
        let lengths = (0..70_000).chain((20..62).flat_map(|bit| {
            let power = 1_u64 << bit;
            [power - 1, power, power + 1, power + power / 3, power + power / 2]
        }));
        for length in lengths {
            let padded = padme(length);
            assert!(padded >= length && padme(padded) == padded, "{length} became {padded}");
            assert!(length < 32 || padded - length < length.div_ceil(8), "{length} became {padded}");
        }
    }

    #[test]
    fn a_megabyte_has_few_classes() {
        let classes = (0..1 << 20).filter(|length| padme(*length) == *length).count();
        assert!(classes < 400, "{classes}");
    }
}
