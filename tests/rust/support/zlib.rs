//! The oracle as a sizer. Sizes by real zlib: classic 1.3.x, level 9, windowBits 15, memLevel 8, zlib wrapper.
//!
//! The prefix is a live deflate stream. A probe forks it (`deflateCopy`, into memory that its thread re-uses), feeds
//! the candidate to the fork, finishes it and counts the bytes that come out, so a probe costs one copy of the state
//! (268 KB) and the compression of the candidate alone, not that of everything selected so far.
//!
//! # Why part of the prefix is held back
//!
//! A stream fed in pieces is *almost* always equal to one fed at once. The exception: zlib slides its 64 KiB window
//! down by 32 KiB when it needs input and the parse has reached offset 65,274 of the window or gone past it. Fed at
//! once, it needs input there only when fewer than 262 bytes are left in a full window, that is past 65,274. A piece
//! that ends when the window holds 65,274 to 65,535 bytes can make it stop for input at 65,274 exactly; it then slides
//! one position early and loses the match candidate at distance 32,506. One-shot compression is the definition here, so
//! a piece never ends in that zone: those up to 262 bytes wait in [`ZlibSizer::held`] and go with what comes next.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::ffi::{c_int, c_uint, c_void};
use std::mem::size_of;
use std::ptr;

use libz_sys as z;

use entropylaw::sizer::Sizer;

const LEVEL: c_int = 9;
const WINDOW_BITS: c_int = 15;
const MEM_LEVEL: c_int = 8;

/// Bytes by which zlib slides its window.
const SLIDE: u64 = 1 << 15;
/// Bytes in the window from which on it may slide: 2 * SLIDE - MIN_LOOKAHEAD.
const SLIDE_FROM: u64 = 65_274;
/// Lookahead below which deflate asks for input: MAX_MATCH + MIN_MATCH + 1.
const MIN_LOOKAHEAD: u64 = 262;
/// Largest piece of one `deflate` call; a multiple of SLIDE, so that cutting a long input keeps it out of the zone.
const MAX_PIECE: usize = 1 << 30;

/// A prefix in a live zlib stream. See the module's introduction.
pub(crate) struct ZlibSizer {
    stream: Stream,
    /// Bytes of the prefix that the stream has not seen yet (at most MIN_LOOKAHEAD).
    held: Vec<u8>,
    /// Bytes of the prefix that the stream has seen.
    fed: u64,
    /// Bytes that the stream has put out.
    written: u64,
    /// Where the prefix's compressed bytes go.
    sink: Box<[u8]>,
}

/// Length of the memory where compressed bytes go to be counted and forgotten.
const SINK: usize = 1 << 16;

/// How many of `total` bytes a stream may have been fed when a piece ends: `total`, or less to stay out of the zone.
fn safe_end(total: u64) -> u64 {
    if total < SLIDE_FROM {
        return total;
    }
    let past = (total - SLIDE_FROM) % SLIDE;
    if past < MIN_LOOKAHEAD { total - past - 1 } else { total }
}

impl Sizer for ZlibSizer {
    type Candidate = Box<[u8]>;
    /// Where compressed bytes go to be counted and forgotten.
    type Scratch = Box<[u8]>;

    const CODEC: &'static str = "zlib 1.3 level 9";

    fn new() -> Self {
        Self { stream: Stream::new(), held: Vec::new(), fed: 0, written: 0, sink: vec![0; SINK].into() }
    }

    fn scratch(&self) -> Box<[u8]> {
        vec![0; SINK].into()
    }

    fn probe(&self, sample: &[u8], sink: &mut Box<[u8]>) -> u64 {
        let mut fork = self.stream.fork();
        let out = if self.held.is_empty() {
            fork.finish(sample, sink)
        } else {
            // One piece, so that the stream does not stop for input between the two.
            fork.finish(&[&self.held, sample].concat(), sink)
        };
        self.written + out
    }

    fn candidate(&self, sample: &[u8]) -> Box<[u8]> {
        sample.into()
    }

    fn probe_candidate(&self, candidate: &mut Box<[u8]>, sink: &mut Box<[u8]>) -> u64 {
        self.probe(candidate, sink)
    }

    fn append(&mut self, sample: &[u8]) {
        self.held.extend_from_slice(sample);
        let feed = (safe_end(self.prefix_len()).saturating_sub(self.fed)) as usize;
        if feed > 0 {
            self.written += self.stream.feed(&self.held[..feed], &mut self.sink);
            self.fed += feed as u64;
            self.held.drain(..feed);
        }
    }

    fn clear(&mut self) {
        self.stream.reset();
        self.held.clear();
        self.fed = 0;
        self.written = 0;
    }

    fn prefix_len(&self) -> u64 {
        self.fed + self.held.len() as u64
    }
}

/// An initialised deflate stream. Boxed: zlib's state points back at it and checks that it has not moved.
struct Stream(Box<z::z_stream>);

// SAFETY: a stream owns all memory that it points to, and zlib keeps no thread-local or global state for it. Its memory
// comes from `zalloc` below, which any thread may free.
unsafe impl Send for Stream {}
// SAFETY: through a shared reference only `fork` can be called; `deflateCopy` reads its source and writes its target.
unsafe impl Sync for Stream {}

impl Stream {
    fn new() -> Self {
        let mut stream = Box::new(z::z_stream {
            next_in: ptr::null_mut(),
            avail_in: 0,
            total_in: 0,
            next_out: ptr::null_mut(),
            avail_out: 0,
            total_out: 0,
            msg: ptr::null_mut(),
            state: ptr::null_mut(),
            zalloc,
            zfree,
            opaque: ptr::null_mut(),
            data_type: 0,
            adler: 0,
            reserved: 0,
        });
        // SAFETY: the stream is initialised as zlib.h asks (allocator set, no input), and outlives the call.
        let code = unsafe {
            z::deflateInit2_(
                &mut *stream,
                LEVEL,
                z::Z_DEFLATED,
                WINDOW_BITS,
                MEM_LEVEL,
                z::Z_DEFAULT_STRATEGY,
                z::zlibVersion(),
                size_of::<z::z_stream>() as c_int,
            )
        };
        assert_eq!(code, z::Z_OK, "zlib refuses to start a stream");
        Self(stream)
    }

    /// An independent copy of the stream, in memory that this thread has used before where there is some.
    fn fork(&self) -> Self {
        let mut copy = Box::<z::z_stream>::new_uninit();
        // SAFETY: `deflateCopy` does not write through its source, overwrites all of its target first, and the target
        // is treated as initialised only after it returned Z_OK.
        unsafe {
            let code = z::deflateCopy(copy.as_mut_ptr(), (&raw const *self.0).cast_mut());
            assert_eq!(code, z::Z_OK, "zlib refuses to copy a stream");
            Self(copy.assume_init())
        }
    }

    fn reset(&mut self) {
        // SAFETY: the stream is initialised.
        let code = unsafe { z::deflateReset(&mut *self.0) };
        assert_eq!(code, z::Z_OK, "zlib refuses to reset a stream");
    }

    /// Compresses `input`; returns how many bytes came out.
    fn feed(&mut self, input: &[u8], sink: &mut [u8]) -> u64 {
        input.chunks(MAX_PIECE).map(|piece| self.deflate(piece, z::Z_NO_FLUSH, sink)).sum()
    }

    /// Compresses `input` and ends the stream; returns how many bytes came out.
    fn finish(&mut self, input: &[u8], sink: &mut [u8]) -> u64 {
        let cut = input.len().saturating_sub(1) / MAX_PIECE * MAX_PIECE;
        self.feed(&input[..cut], sink) + self.deflate(&input[cut..], z::Z_FINISH, sink)
    }

    fn deflate(&mut self, input: &[u8], flush: c_int, sink: &mut [u8]) -> u64 {
        self.0.next_in = input.as_ptr().cast_mut();
        self.0.avail_in = input.len() as c_uint;
        let mut out = 0;
        loop {
            self.0.next_out = sink.as_mut_ptr();
            self.0.avail_out = sink.len() as c_uint;
            // SAFETY: the stream is initialised; its input and output pointers and lengths are those of live slices,
            // and zlib only reads the input.
            let code = unsafe { z::deflate(&mut *self.0, flush) };
            out += (sink.len() - self.0.avail_out as usize) as u64;
            let done = if flush == z::Z_FINISH { code == z::Z_STREAM_END } else { self.0.avail_out > 0 };
            if done {
                return out;
            }
            assert!(code == z::Z_OK || code == z::Z_BUF_ERROR, "zlib fails with code {code}");
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the stream is initialised and not used again. It returns Z_DATA_ERROR for one that is not finished,
        // having freed it all the same.
        unsafe { z::deflateEnd(&mut *self.0) };
    }
}

/// Length of the header in front of each block: its total length, padded to keep the block aligned.
const HEADER: usize = 16;

fn layout(total: usize) -> Layout {
    Layout::from_size_align(total, HEADER).expect("zlib asks for less than isize::MAX bytes")
}

/// Blocks that this thread's streams have given back, for its next ones.
struct Spare(Vec<*mut u8>);

impl Drop for Spare {
    fn drop(&mut self) {
        for block in self.0.drain(..) {
            // SAFETY: `block` came from `zalloc` with this layout and nobody else holds it.
            unsafe { dealloc(block, layout(block.cast::<usize>().read())) };
        }
    }
}

/// Spare blocks kept by a thread; a deflate stream has five.
const MAX_SPARE: usize = 16;

thread_local! {
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare(Vec::new())) };
}

unsafe extern "C" fn zalloc(_opaque: *mut c_void, items: c_uint, size: c_uint) -> *mut c_void {
    let total = items as usize * size as usize + HEADER;
    let spare = SPARE.with_borrow_mut(|spare| {
        // SAFETY: every spare block begins with its total length.
        let found = spare.0.iter().rposition(|block| unsafe { block.cast::<usize>().read() } == total)?;
        Some(spare.0.swap_remove(found))
    });
    // SAFETY: the layout is not empty, a block is at least HEADER bytes long, and HEADER is its alignment.
    unsafe {
        let block = spare.unwrap_or_else(|| {
            let block = alloc(layout(total));
            if block.is_null() {
                handle_alloc_error(layout(total));
            }
            block.cast::<usize>().write(total);
            block
        });
        block.add(HEADER).cast()
    }
}

unsafe extern "C" fn zfree(_opaque: *mut c_void, address: *mut c_void) {
    // SAFETY: zlib gives back what `zalloc` gave it: the block begins HEADER bytes before.
    let block = unsafe { address.cast::<u8>().sub(HEADER) };
    // A stream may be dropped while its thread ends, when the spare blocks are gone already.
    let kept = SPARE.try_with(|spare| {
        let spare = &mut spare.borrow_mut().0;
        let room = spare.len() < MAX_SPARE;
        if room {
            spare.push(block);
        }
        room
    });
    if !kept.unwrap_or(false) {
        // SAFETY: as in `Spare::drop`.
        unsafe { dealloc(block, layout(block.cast::<usize>().read())) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_back_zone_is_the_last_262_bytes_of_each_window() {
        for (total, end) in [
            (0, 0),
            (65_273, 65_273),
            (65_274, 65_273),
            (65_535, 65_273),
            (65_536, 65_536),
            (98_041, 98_041),
            (98_042, 98_041),
            (98_303, 98_041),
            (98_304, 98_304),
        ] {
            assert_eq!(safe_end(total), end, "of {total}");
        }
    }
}
