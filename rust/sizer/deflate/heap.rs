//! zlib's heap, several of them in lock step.
//!
//! An element is one number, `frequency << 15 | depth << 10 | node`: the heap orders by frequency and then by the depth
//! of the subtree, with ties left where they are. So `a` goes before `b` if `a & !1023 <= b`. Padding with the largest
//! number behind the last element replaces the question whether there are children, and makes a sift a fixed number of
//! steps without branches. One heap alone waits for its own loads, and with branches mispredicts every other comparison;
//! several that take their steps in turn hide each other's waiting. (Vector instructions do not help: gathers are slower
//! than the loads they replace.)
//!
//! Sizing what ZIP picks from takes most of its time in this loop. Hence `unsafe`, here alone: without checks of bounds,
//! or masks in place of them, a sift takes a quarter less.
//!
//! A sift takes one step a level. Reference: `pqdownheap` of zlib's `trees.c`.

#![allow(unsafe_code)] // Nowhere else: see above.

/// The bits of an element that number its node, and do not count in comparisons.
pub(super) const NODE_MASK: u32 = 1023;
/// Goes after every element.
const PADDING: u32 = u32::MAX;
/// Room for the children of every element.
const ROOM: usize = 1024;
/// Most elements of a heap.
const MAX_LEN: usize = ROOM / 2 - 1;

/// A heap of at most 511 elements.
pub(super) struct Heap {
    /// The first is at 1; the children of `i` are at `2 * i` and `2 * i + 1`.
    elements: [u32; ROOM],
    len: usize,
}

impl Heap {
    pub(super) fn new() -> Heap {
        Heap { elements: [PADDING; ROOM], len: 0 }
    }

    /// Where to write the elements, in any order, before [`Heap::hold`] is called.
    pub(super) fn unordered(&mut self) -> &mut [u32; MAX_LEN + 1] {
        self.elements[1..].first_chunk_mut().expect("room")
    }

    /// Takes the first `len` elements for its own; [`order`] makes a heap of them.
    pub(super) fn hold(&mut self, len: usize) {
        self.len = len;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The element that goes first.
    #[inline(always)]
    pub(super) fn first(&self) -> u32 {
        self.elements[1]
    }

    /// Takes the last element out. There is always one left: once there is only one, its value is of no account.
    #[inline(always)]
    pub(super) fn take_last(&mut self) -> u32 {
        let last = std::mem::replace(&mut self.elements[self.len & (ROOM - 1)], PADDING);
        self.len = self.len.max(2) - 1;
        last
    }

    /// One step of a sift: moves the hole down if a child goes before `element`. Once it no longer moves, further steps
    /// change nothing, which makes the number of steps irrelevant.
    ///
    /// # Safety
    ///
    /// `2 * hole + 1` must be less than `ROOM`.
    #[inline(always)]
    unsafe fn step(&mut self, hole: &mut usize, element: u32) {
        let left = 2 * *hole;
        // SAFETY: the caller's promise; `hole` and `below` are no larger.
        unsafe {
            let right_first = *self.elements.get_unchecked(left + 1) & !NODE_MASK <= *self.elements.get_unchecked(left);
            let below = left + usize::from(right_first);
            let child = *self.elements.get_unchecked(below);
            let stays = element & !NODE_MASK <= child;
            *self.elements.get_unchecked_mut(*hole) = if stays { element } else { child };
            *hole = if stays { *hole } else { below };
        }
    }
}

/// Makes heaps of the elements that each holds; returns how many the longest has.
pub(super) fn order<const N: usize>(heaps: &mut [Heap; N]) -> usize {
    let longest = heaps.iter().map(Heap::len).max().unwrap_or(0);
    for heap in &mut *heaps {
        heap.elements[heap.len + 1..2 * longest + 2].fill(PADDING);
    }
    for top in (1..=longest / 2).rev() {
        let elements = std::array::from_fn(|i| heaps[i].elements[top]);
        sift(heaps, top, longest, elements);
    }
    longest
}

/// Puts elements in the places of the first ones. No heap has more than `longest`.
#[inline(always)]
pub(super) fn replace_first<const N: usize>(heaps: &mut [Heap; N], elements: [u32; N], longest: usize) {
    sift(heaps, 1, longest, elements);
}

/// Sifts one element of each heap down from position `top`. No heap has more than `longest` elements.
#[inline(always)]
fn sift<const N: usize>(heaps: &mut [Heap; N], top: usize, longest: usize, elements: [u32; N]) {
    assert!(0 < top && top <= longest && longest <= MAX_LEN);
    let levels = (longest / top).ilog2();
    let mut holes = [top; N];
    for _ in 0..levels {
        for i in 0..N {
            // SAFETY: a step leads from `hole` to `2 * hole + 1` at most, and `n` of them from `top` to less than
            // `(top + 1) << n`; of `levels`, to less than `(top + 1) * longest / top`, at most `2 * MAX_LEN`.
            unsafe { heaps[i].step(&mut holes[i], elements[i]) };
        }
    }
    for i in 0..N {
        heaps[i].elements[holes[i] & (ROOM - 1)] = elements[i];
    }
}
