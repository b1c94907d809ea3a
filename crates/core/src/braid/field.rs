//! GF(2^16) with the polynomial x^16 + x^12 + x^3 + x + 1, sixteen elements at a time. Constant time, without tables.

/// The polynomial without its highest power.
const POLYNOMIAL: u16 = 0x100B;

/// Sixteen elements: one for each big-endian `u16` of a block of 32 bytes. Compilers turn the loops into vector
/// instructions.
pub(super) type Lane = [u16; 16];

/// All ones.
pub(super) const ONES: Lane = [1; 16];

/// Multiplies each element of `a` by the one of `b` in its place.
pub(super) fn multiply(a: &Lane, b: &Lane) -> Lane {
    let (mut product, mut bits) = ([0; 16], *b);
    for _ in 0..16 {
        for ((to, bit), from) in product.iter_mut().zip(&mut bits).zip(a) {
            // From the highest power down: times x, and `a` where the bit is set.
            *to = (*to << 1) ^ (POLYNOMIAL & mask(*to)) ^ (from & mask(*bit));
            *bit <<= 1;
        }
    }
    product
}

/// All bits set if the highest one is.
const fn mask(element: u16) -> u16 {
    0_u16.wrapping_sub(element >> 15)
}

/// Adds `b` to `a`. Addition is exclusive or.
pub(super) fn add(a: &mut Lane, b: &Lane) {
    for (to, from) in a.iter_mut().zip(b) {
        *to ^= from;
    }
}

/// Replaces every element by its inverse, 0 by 0: one inversion, and three multiplications for each lane.
pub(super) fn invert_all(lanes: &mut [Lane], products: &mut [Lane]) {
    // `products[i]` is the product of all lanes before `i`. No lane that a caller passes holds a zero.
    let mut product = ONES;
    for (lane, before) in lanes.iter().zip(products.iter_mut()) {
        *before = product;
        product = multiply(&product, lane);
    }
    let mut inverse = invert(&product);
    for (lane, before) in lanes.iter_mut().zip(products.iter()).rev() {
        let own = multiply(&inverse, before);
        inverse = multiply(&inverse, lane);
        *lane = own;
    }
}

/// The inverses of one lane: the power 2^16 - 2, which is 2 + 4 + .. + 2^15.
fn invert(lane: &Lane) -> Lane {
    let (mut power, mut inverse) = (*lane, ONES);
    for _ in 1..16 {
        power = multiply(&power, &power);
        inverse = multiply(&inverse, &power);
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Schoolbook, one element: the definition.
    fn by_definition(a: u16, b: u16) -> u16 {
        let mut wide = (0..16).filter(|bit| b >> bit & 1 == 1).fold(0_u32, |sum, bit| sum ^ u32::from(a) << bit);
        for low in (0..16).rev() {
            if wide >> low >> 16 & 1 == 1 {
                wide ^= 0x1_100B << low;
            }
        }
        u16::try_from(wide).unwrap()
    }

    #[test]
    fn products_are_those_of_the_definition() {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u16::try_from(state >> 16).unwrap()
        };
        for _ in 0..2_000 {
            let a: Lane = core::array::from_fn(|_| next());
            let b: Lane = core::array::from_fn(|_| next());
            assert_eq!(multiply(&a, &b), core::array::from_fn(|i| by_definition(a[i], b[i])));
        }
    }

    #[test]
    fn every_element_times_its_inverse_is_one() {
        for start in (0..=u16::MAX).step_by(64) {
            let mut lanes: [Lane; 4] = core::array::from_fn(|lane| {
                core::array::from_fn(|i| (start + u16::try_from(lane * 16 + i).unwrap()).max(1))
            });
            let elements = lanes;
            invert_all(&mut lanes, &mut [[0; 16]; 4]);
            for (element, inverse) in elements.iter().zip(&lanes) {
                assert_eq!(multiply(element, inverse), ONES);
            }
        }
    }
}
