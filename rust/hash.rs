//! From bytes to a slot of a table: one fixed hash, the same on every platform.
//!
//! The mixer multiplies two 64-bit words and folds the 128-bit product onto itself (the core of wyhash and of rustc's
//! hasher): one multiplication a word, and high bits that depend on every input bit. Keys are fixed, because equal
//! pools must give equal selections everywhere; nobody gains by flooding a table that only weighs text.

const KEYS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03];

/// Mixes `word`.
#[inline]
pub(crate) const fn mix(word: u64) -> u64 {
    let product = (word ^ KEYS[0]) as u128 * KEYS[1] as u128;
    (product >> 64) as u64 ^ product as u64
}

/// Mixes `word` into `state`; the order of the words matters.
#[inline]
pub(crate) fn chain(state: u64, word: u64) -> u64 {
    mix(state.rotate_left(29) ^ word)
}

/// A table's slots. The hash's high bits decide, so a range of hashes is a range of slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slots {
    count: u32,
}

impl Slots {
    /// `count` slots; at least 1.
    pub(crate) fn new(count: u32) -> Self {
        Self { count: count.max(1) }
    }

    /// How many there are.
    pub(crate) fn len(self) -> usize {
        self.count as usize
    }

    /// The slot of a hash.
    #[inline]
    pub(crate) fn of(self, hash: u64) -> u32 {
        ((u128::from(hash) * u128::from(self.count)) >> 64) as u32
    }
}

/// The keys and factors of hash functions for minima over sets (MinHash): function `i` of a member's hash h is
/// `(h ^ keys[i]) * factors[i]`, modulo 2^32.
pub(crate) const fn minwise<const N: usize>() -> ([u32; N], [u32; N]) {
    let (mut keys, mut factors) = ([0; N], [0; N]);
    let mut at = 0;
    while at < N {
        let random = mix(mix(at as u64 + 1));
        keys[at] = random as u32;
        factors[at] = (random >> 32) as u32 | 1;
        at += 1;
    }
    (keys, factors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_same_everywhere() {
        assert_eq!(mix(0), 0xd6cb_8892_a926_a943);
        assert_eq!(Slots::new(1000).of(u64::MAX), 999);
        assert_eq!(Slots::new(1000).of(0), 0);
    }

    /// Text has few distinct bytes in few patterns; its slots must spread as random ones do.
    #[test]
    fn spreads_structured_words() {
        let slots = Slots::new(1 << 16);
        let mut used = vec![false; slots.len()];
        let letters = b"etaoinsrhldcumfp";
        for word in 0..1_u64 << 16 {
            let packed =
                (0..4).fold(0, |packed, at| packed << 8 | u64::from(letters[(word >> (4 * at)) as usize & 15]));
            used[slots.of(mix(packed)) as usize] = true;
        }
        let share = used.iter().filter(|&&used| used).count() as f64 / slots.len() as f64;
        assert!((share - (1.0 - (-1.0_f64).exp())).abs() < 0.01, "{share}");
    }
}
