//! The k lowest of many keys, in order, with a stated rule for ties.
//!
//! Two rules. [`by_index`] puts the lower index first: what a stable sort would return, in O(n + k log k).
//! [`as_libstdcxx`] returns equal keys in the order in which `torch.topk(.., largest=False)` returns them on the CPU of
//! a Linux wheel: whatever libstdc++'s `partial_sort` (few of many) or `nth_element` + `sort` leave behind when they
//! compare keys alone. Late in a selection most keys are equal as `f32`, so that order decides which samples are taken,
//! and reproducing a published selection means reproducing these algorithms move by move: heap-select, introselect and
//! introsort with median-of-three pivots, a threshold of 16 and a final insertion sort.
//!
//! Keys must not be NaN.

use std::cmp::Ordering;

/// Positions of the `k` lowest of `n` keys, lowest first, where `compare(a, b)` compares the keys at two positions and
/// never says `Equal` of different ones (it decides ties itself).
///
/// # Panics
/// If `k > n`.
pub(crate) fn by_index(n: usize, k: usize, compare: impl Fn(usize, usize) -> Ordering) -> Vec<usize> {
    assert!(k <= n, "asked for the {k} lowest of {n}");
    if k == 0 {
        return Vec::new();
    }
    let mut order = not_above_a_pivot(n, k, &compare).unwrap_or_else(|| (0..n).collect());
    if k < order.len() {
        order.select_nth_unstable_by(k - 1, |&a, &b| compare(a, b));
        order.truncate(k);
    }
    order.sort_unstable_by(|&a, &b| compare(a, b));
    order
}

/// Keys that [`not_above_a_pivot`] looks at to choose one.
const SAMPLE: usize = 1024;

/// Few positions, ascending, with the `k` lowest of `n` keys among them: all that are not above some key. None if `k` is no
/// small part of `n`, or the key was ill chosen.
///
/// One pass from first to last, in the order of memory. Partitioning all positions takes several, and jumps about.
fn not_above_a_pivot(n: usize, k: usize, compare: impl Fn(usize, usize) -> Ordering) -> Option<Vec<usize>> {
    if n < 4 * SAMPLE || k > n / 8 {
        return None;
    }
    let mut sample: Vec<usize> = (0..n).step_by(n / SAMPLE).collect();
    // How many of the sample are expected among the lowest, and four standard deviations more.
    let expected = (k * sample.len()).div_ceil(n);
    let (_, &mut pivot, _) = sample.select_nth_unstable_by(expected + 4 * expected.isqrt(), |&a, &b| compare(a, b));
    let low: Vec<usize> = (0..n).filter(|&position| compare(position, pivot).is_le()).collect();
    (low.len() >= k).then_some(low)
}

/// Positions of the `k` lowest `keys`, in the order of `torch.topk(keys, k, largest=False)`.
///
/// # Panics
/// If `k > keys.len()`.
#[must_use]
pub(crate) fn as_libstdcxx(keys: &[f32], k: usize) -> Vec<usize> {
    let n = keys.len();
    assert!(k <= n, "asked for the {k} lowest of {n}");
    if k == 0 {
        return Vec::new();
    }
    let mut queue: Vec<Entry> = keys.iter().copied().zip(0..).map(|(key, index)| Entry { key, index }).collect();
    if k.saturating_mul(64) <= n {
        partial_sort(&mut queue, k);
    } else {
        nth_element(&mut queue, k - 1);
        sort(&mut queue[..k - 1]);
    }
    queue.truncate(k);
    queue.into_iter().map(|entry| entry.index).collect()
}

#[derive(Clone, Copy)]
struct Entry {
    key: f32,
    index: usize,
}

/// The comparison of all that follows: keys alone.
fn less(a: Entry, b: Entry) -> bool {
    a.key < b.key
}

/// Below this length introsort leaves the rest to insertion sort.
const THRESHOLD: usize = 16;

/// `std::partial_sort`: the `k` lowest of `v` in order at its front.
fn partial_sort(v: &mut [Entry], k: usize) {
    heap_select(v, k);
    sort_heap(&mut v[..k]);
}

/// Makes a max-heap of the first `k` entries, then lets every later entry that is lower take the place of its top.
fn heap_select(v: &mut [Entry], k: usize) {
    make_heap(&mut v[..k]);
    for i in k..v.len() {
        if less(v[i], v[0]) {
            let value = v[i];
            v[i] = v[0];
            adjust_heap(&mut v[..k], 0, value);
        }
    }
}

fn make_heap(heap: &mut [Entry]) {
    for parent in (0..heap.len() / 2).rev() {
        let value = heap[parent];
        adjust_heap(heap, parent, value);
    }
}

fn sort_heap(heap: &mut [Entry]) {
    for last in (1..heap.len()).rev() {
        let value = heap[last];
        heap[last] = heap[0];
        adjust_heap(&mut heap[..last], 0, value);
    }
}

/// Fills the hole with the larger child all the way down, then lets `value` rise from there.
fn adjust_heap(heap: &mut [Entry], top: usize, value: Entry) {
    let len = heap.len();
    let mut hole = top;
    while 2 * hole + 2 < len {
        let right = 2 * hole + 2;
        let larger = if less(heap[right], heap[right - 1]) { right - 1 } else { right };
        heap[hole] = heap[larger];
        hole = larger;
    }
    if 2 * hole + 2 == len {
        heap[hole] = heap[len - 1];
        hole = len - 1;
    }
    while hole > top && less(heap[(hole - 1) / 2], value) {
        heap[hole] = heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    heap[hole] = value;
}

/// `std::nth_element` by introselect: the entry at `nth` is the one that a sort would put there, lower ones before it.
fn nth_element(v: &mut [Entry], nth: usize) {
    let (mut first, mut last) = (0, v.len());
    let mut depth = 2 * v.len().ilog2();
    while last - first > 3 {
        if depth == 0 {
            heap_select(&mut v[first..last], nth + 1 - first);
            v.swap(first, nth);
            return;
        }
        depth -= 1;
        let cut = first + partition_by_median(&mut v[first..last]);
        if cut <= nth {
            first = cut;
        } else {
            last = cut;
        }
    }
    insertion_sort(&mut v[first..last]);
}

/// `std::sort` by introsort.
fn sort(v: &mut [Entry]) {
    if v.is_empty() {
        return;
    }
    let depth = 2 * v.len().ilog2();
    introsort(v, depth);
    let sorted = v.len().min(THRESHOLD);
    insertion_sort(&mut v[..sorted]);
    for i in sorted..v.len() {
        insert_unguarded(v, i);
    }
}

fn introsort(mut v: &mut [Entry], mut depth: u32) {
    while v.len() > THRESHOLD {
        if depth == 0 {
            let len = v.len();
            partial_sort(v, len);
            return;
        }
        depth -= 1;
        let cut = partition_by_median(v);
        let (left, right) = v.split_at_mut(cut);
        introsort(right, depth);
        v = left;
    }
}

/// Moves the median of the second, middle and last entry to the front and partitions the rest by it; returns where the
/// upper part begins.
fn partition_by_median(v: &mut [Entry]) -> usize {
    let (a, b, c) = (1, v.len() / 2, v.len() - 1);
    let median = match (less(v[a], v[b]), less(v[b], v[c]), less(v[a], v[c])) {
        (true, true, _) => b,
        (true, false, true) => c,
        (true, false, false) => a,
        (false, _, true) => a,
        (false, true, false) => c,
        (false, false, false) => b,
    };
    v.swap(0, median);
    let pivot = v[0];
    // Neither scan needs a bound: the median has an entry on either side that stops it.
    let (mut low, mut high) = (1, v.len());
    loop {
        while less(v[low], pivot) {
            low += 1;
        }
        high -= 1;
        while less(pivot, v[high]) {
            high -= 1;
        }
        if low >= high {
            return low;
        }
        v.swap(low, high);
        low += 1;
    }
}

fn insertion_sort(v: &mut [Entry]) {
    for i in 1..v.len() {
        if less(v[i], v[0]) {
            v[..=i].rotate_right(1);
        } else {
            insert_unguarded(v, i);
        }
    }
}

/// Moves entry `i` down to its place; some entry before it is known not to be higher.
fn insert_unguarded(v: &mut [Entry], i: usize) {
    let value = v[i];
    let mut hole = i;
    while less(value, v[hole - 1]) {
        v[hole] = v[hole - 1];
        hole -= 1;
    }
    v[hole] = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_index_is_a_stable_sort() {
        let keys = [3, 1, 2, 1, 3, 1, 2];
        for k in 0..=keys.len() {
            let mut stable: Vec<usize> = (0..keys.len()).collect();
            stable.sort_by_key(|&i| keys[i]);
            assert_eq!(by_index(keys.len(), k, |a, b| (keys[a], a).cmp(&(keys[b], b))), stable[..k]);
        }
    }

    /// Keys without a pattern, sorted ones, many equal ones, and ones of which a regular sample tells nothing.
    #[test]
    fn by_index_is_a_stable_sort_of_many() {
        let n = 50_000;
        let mut unwell_sampled = vec![1.0; n];
        unwell_sampled.iter_mut().step_by(n / SAMPLE).for_each(|key| *key = 0.0);
        let turned = unwell_sampled.iter().map(|key| 1.0 - key).collect();
        let drawn = [(1 << 40, 0), (1 << 40, 1), (1 << 40, 2), (5, 0), (1, 0)];
        let drawn = drawn.into_iter().map(|(distinct, pattern)| keys(n as u64, n, distinct, pattern));
        for keys in drawn.chain([unwell_sampled, turned]) {
            let compare = |&a: &usize, &b: &usize| keys[a].total_cmp(&keys[b]).then(a.cmp(&b));
            let mut stable: Vec<usize> = (0..n).collect();
            stable.sort_by(compare);
            for k in [0, 1, 2, 50, 1000, 1100, n / 8, n / 8 + 1, n - 1, n] {
                assert_eq!(by_index(n, k, |a, b| compare(&a, &b)), stable[..k], "{k}");
            }
        }
    }

    /// It is no test of the pivot if there is none.
    #[test]
    fn a_pivot_leaves_few() {
        let keys = keys(1, 100_000, 1 << 40, 0);
        let few = not_above_a_pivot(keys.len(), 3000, |a, b| keys[a].total_cmp(&keys[b])).unwrap();
        assert!((3000..9000).contains(&few.len()), "{} of 3000", few.len());
    }

    /// `tests/data/libstdcxx_topk.tsv` holds what libstdc++ itself returned (`tests/data/libstdcxx_topk.cpp` made it).
    #[test]
    fn as_libstdcxx_returns_what_libstdcxx_returned() {
        let vectors = include_str!("../../tests/data/libstdcxx_topk.tsv");
        let mut checked = 0;
        for line in vectors.lines() {
            let fields: Vec<u64> = line.split('\t').map(|field| field.parse().unwrap()).collect();
            let [seed, n, distinct, pattern, k, expected] = fields[..] else { panic!("six fields, not {line}") };
            let keys = keys(seed, n as usize, distinct, pattern);
            let digest = as_libstdcxx(&keys, k as usize)
                .iter()
                .fold(0xcbf2_9ce4_8422_2325, |hash: u64, &index| (hash ^ index as u64).wrapping_mul(0x100_0000_01b3));
            assert_eq!(digest, expected, "seed {seed}, {k} of {n} keys, {distinct} distinct, pattern {pattern}");
            checked += 1;
        }
        assert!(checked >= 400, "only {checked} vectors");
    }

    /// The same keys as `make_keys` in `libstdcxx_topk.cpp`.
    fn keys(seed: u64, n: usize, distinct: u64, pattern: u64) -> Vec<f32> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) % distinct
        };
        let mut keys: Vec<f32> = (0..n).map(|_| next() as f32).collect();
        match pattern {
            0 => {}
            1 => keys.sort_by(f32::total_cmp),
            2 => keys.sort_by(|a, b| b.total_cmp(a)),
            3 => median_of_three_killer(&mut keys),
            other => panic!("pattern {other}"),
        }
        keys
    }

    /// Drives median-of-three quicksort to its depth limit (Musser 1997), so that the heap fallbacks are tested too.
    fn median_of_three_killer(keys: &mut [f32]) {
        let half = keys.len() / 2;
        for i in 1..=half {
            keys[i - 1] = if i % 2 == 1 { i as f32 } else { (half + i - 1) as f32 };
            keys[half + i - 1] = (2 * i) as f32;
        }
    }
}
