//! Logarithms and powers that are the same to the last bit everywhere.
//!
//! The standard library's `ln` and `powf` are the platform's and may differ in the last bit between systems, which is
//! enough to swap two picks. These use IEEE 754 additions, multiplications, divisions and square roots alone, which
//! are exact to the bit by definition; they are good to about 1e-15, and only fill tables.

const LN_2: f64 = std::f64::consts::LN_2;

/// The natural logarithm of a positive, normal number.
pub(crate) fn ln(x: f64) -> f64 {
    debug_assert!(x.is_normal() && x > 0.0);
    // x = fraction * 2^exponent, fraction in [sqrt(1/2), sqrt(2)).
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut fraction = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    if fraction > std::f64::consts::SQRT_2 {
        fraction /= 2.0;
        exponent += 1;
    }
    // ln(fraction) = 2 artanh(t), t = (fraction - 1) / (fraction + 1), |t| < 0.172.
    let t = (fraction - 1.0) / (fraction + 1.0);
    let square = t * t;
    let series = (0..12).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    2.0 * t * series + f64::from(exponent) * LN_2
}

/// e to the power of `x`, for |x| < 700.
fn exp(x: f64) -> f64 {
    debug_assert!(x.abs() < 700.0);
    let exponent = (x / LN_2).round();
    let rest = x - exponent * LN_2;
    let series = (1..16).rev().fold(1.0, |sum, k| 1.0 + sum * rest / f64::from(k));
    series * f64::from_bits(((1023 + exponent as i64) as u64) << 52)
}

/// `base` to the power of `exponent`, for a positive `base`; exact for the exponents 0, 1/2 and 1.
pub(crate) fn pow(base: f64, exponent: f64) -> f64 {
    match exponent {
        0.0 => 1.0,
        0.5 => base.sqrt(),
        1.0 => base,
        _ => exp(exponent * ln(base)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_platform() {
        let close = |found: f64, expected: f64| (found - expected).abs() <= 4e-15 * expected.abs().max(1e-3);
        for i in 1..100_000_u32 {
            let x = f64::from(i) * 0.37;
            assert!(close(ln(x), x.ln()), "ln {x}: {} {}", ln(x), x.ln());
            let ratio = (f64::from(i) + 0.1) / f64::from(i);
            assert!(close(ln(ratio), ratio.ln()), "ln {ratio}");
            for exponent in [0.0, 0.1, 0.5, 0.85, 0.9, 1.0] {
                assert!(close(pow(x, exponent), x.powf(exponent)), "{x} ** {exponent}");
            }
        }
    }
}
