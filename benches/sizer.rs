//! Microseconds per evaluation of the deflate sizer, beside zlib's, in one run on one thread.
//!
//! `cargo bench --bench sizer -- POOL.jsonl`: samples are the lines of the file. Two kinds of data: *random* samples,
//! and *ZIP-like* ones, the least compressible of the pool, which is what the ZIP algorithm spends its time on. Numbers
//! are the least of a few repeats.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::time::Instant;

use entropylaw::sizer::Sizer;
use entropylaw::sizer::deflate::DeflateSizer;

const CANDIDATES: usize = 10_000;
const PREFIX_SAMPLES: usize = 100;
const BLOCK: usize = 200;
const REPEATS: usize = 3;

fn main() {
    let Some(path) = std::env::args().skip(1).find(|a| !a.starts_with("--")) else {
        println!("usage: cargo bench --bench sizer -- POOL.jsonl (nothing measured)");
        return;
    };
    let text = std::fs::read(&path).unwrap_or_else(|e| panic!("cannot read {path}: {e}"));
    let mut pool: Vec<&[u8]> = text.split(|&b| b == b'\n').filter(|line| !line.is_empty()).collect();

    println!("{:<44} {:>10} {:>10} {:>10}", "", "random", "ZIP-like", "");
    let mut state = 1u64;
    for i in (1..pool.len()).rev() {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        pool.swap(i, (state >> 33) as usize % (i + 1));
    }
    let random = pool.clone();
    let sizer = DeflateSizer::new();
    let mut scratch = sizer.scratch();
    let mut ranked: Vec<(f64, &[u8])> =
        pool.iter().map(|&s| (s.len() as f64 / sizer.probe(s, &mut scratch) as f64, s)).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let zip_like: Vec<&[u8]> = ranked.iter().map(|&(_, s)| s).collect();

    let kinds = [Data::random(&random), Data::zip_like(&zip_like)];
    let show = |name: &str, f: &mut dyn FnMut(&Data) -> f64| -> [f64; 2] {
        let values = [f(&kinds[0]), f(&kinds[1])];
        println!("{name:<44} {:>10.2} {:>10.2}", values[0], values[1]);
        values
    };
    let ratio = |name: &str, theirs: [f64; 2], ours: [f64; 2]| {
        println!("{name:<44} {:>9.1}x {:>9.1}x", theirs[0] / ours[0], theirs[1] / ours[1]);
    };
    show("bytes per candidate", &mut |d| {
        d.candidates.iter().map(|s| s.len()).sum::<usize>() as f64 / CANDIDATES as f64
    });
    show("bytes of prefix", &mut |d| d.prefix.concat().len() as f64);

    println!("\n(a) one prefix, {CANDIDATES} candidates: us per evaluation");
    show("zlib, prefix + candidate at once", &mut |d| one_shot(d));
    let fork = show("zlib, deflateCopy into re-used memory", &mut |d| static_fork(d));
    let ours = show("sizer, probe", &mut |d| static_probe(d));
    ratio("  x deflateCopy", fork, ours);
    let ours = show("sizer, probe_all", &mut |d| static_probe_all(d));
    ratio("  x deflateCopy", fork, ours);
    show("sizer, candidate + probe_candidate", &mut |d| static_candidates(d, true));
    let ours = show("sizer, probe_candidate", &mut |d| static_candidates(d, false));
    ratio("  x deflateCopy", fork, ours);

    println!("\n(b) growing prefix, {BLOCK} candidates a step, {PREFIX_SAMPLES} appends included: us per evaluation");
    let fork = show("zlib, deflateCopy into re-used memory", &mut |d| growing_fork(d));
    let ours = show("sizer, probe_candidates", &mut |d| growing_candidates(d));
    ratio("  x deflateCopy", fork, ours);
    show("append alone, us per append", &mut |d| appends(d));

    println!("\n(c) empty prefix: us per sample, MB/s");
    let zlib = show("zlib, compress2", &mut |d| alone_zlib(d));
    let ours = show("sizer, probe", &mut |d| alone(d));
    ratio("  x zlib", zlib, ours);
    let ours = show("sizer, probe_all", &mut |d| alone_all(d));
    ratio("  x zlib", zlib, ours);
    show("  MB/s", &mut |d| {
        d.candidates.iter().map(|s| s.len()).sum::<usize>() as f64 / CANDIDATES as f64 / alone_all(d)
    });

    println!("\n(d) cost of a probe behind a long prefix: us per evaluation");
    for megabytes in [0, 1, 10, 100] {
        show(&format!("{megabytes} MB"), &mut |d| behind(d, &text, megabytes * 1_000_000));
    }
}

struct Data<'a> {
    candidates: Vec<&'a [u8]>,
    prefix: Vec<&'a [u8]>,
    block: Vec<&'a [u8]>,
}

impl<'a> Data<'a> {
    fn random(pool: &[&'a [u8]]) -> Data<'a> {
        let (prefix, rest) = pool.split_at(PREFIX_SAMPLES);
        Data { candidates: rest[..CANDIDATES].to_vec(), prefix: prefix.to_vec(), block: rest[..BLOCK].to_vec() }
    }

    /// The prefix are the least compressible samples of all.
    fn zip_like(ranked: &[&'a [u8]]) -> Data<'a> {
        let (prefix, _) = ranked.split_at(200);
        Data { candidates: ranked[..CANDIDATES].to_vec(), prefix: prefix.to_vec(), block: ranked[..BLOCK].to_vec() }
    }

    fn sizer(&self) -> DeflateSizer {
        let mut sizer = DeflateSizer::new();
        self.prefix.iter().for_each(|s| sizer.append(s));
        sizer
    }
}

/// Least of a few repeats, in microseconds per evaluation.
fn least(evaluations: usize, mut f: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64() * 1e6 / evaluations as f64
    };
    (0..REPEATS).map(time).fold(f64::INFINITY, f64::min)
}

fn static_probe(d: &Data) -> f64 {
    let sizer = d.sizer();
    let mut scratch = sizer.scratch();
    least(CANDIDATES, || d.candidates.iter().for_each(|s| _ = black_box(sizer.probe(s, &mut scratch))))
}

fn static_probe_all(d: &Data) -> f64 {
    let sizer = d.sizer();
    let mut scratch = sizer.scratch();
    let mut sizes = vec![0; CANDIDATES];
    least(CANDIDATES, || sizer.probe_all(&d.candidates, &mut sizes, &mut scratch))
}

fn static_candidates(d: &Data, fresh: bool) -> f64 {
    let sizer = d.sizer();
    let mut scratch = sizer.scratch();
    let mut sizes = vec![0; CANDIDATES];
    let mut candidates: Vec<_> = d.candidates.iter().map(|s| sizer.candidate(s)).collect();
    least(CANDIDATES, || {
        if fresh {
            candidates = d.candidates.iter().map(|s| sizer.candidate(s)).collect();
        }
        sizer.probe_candidates(&mut candidates, &mut sizes, &mut scratch);
    })
}

fn growing_candidates(d: &Data) -> f64 {
    let mut sizer = DeflateSizer::new();
    let mut scratch = sizer.scratch();
    let mut sizes = vec![0; BLOCK];
    least(BLOCK * PREFIX_SAMPLES, || {
        sizer.clear();
        let mut candidates: Vec<_> = d.block.iter().map(|s| sizer.candidate(s)).collect();
        for sample in &d.prefix[..PREFIX_SAMPLES] {
            sizer.probe_candidates(&mut candidates, &mut sizes, &mut scratch);
            sizer.append(sample);
        }
    })
}

fn appends(d: &Data) -> f64 {
    let mut sizer = DeflateSizer::new();
    least(d.prefix.len(), || {
        sizer.clear();
        d.prefix.iter().for_each(|s| sizer.append(s));
    })
}

fn alone(d: &Data) -> f64 {
    let sizer = DeflateSizer::new();
    let mut scratch = sizer.scratch();
    least(CANDIDATES, || d.candidates.iter().for_each(|s| _ = black_box(sizer.probe(s, &mut scratch))))
}

fn alone_all(d: &Data) -> f64 {
    let sizer = DeflateSizer::new();
    let mut scratch = sizer.scratch();
    let mut sizes = vec![0; CANDIDATES];
    least(CANDIDATES, || sizer.probe_all(&d.candidates, &mut sizes, &mut scratch))
}

fn behind(d: &Data, text: &[u8], len: usize) -> f64 {
    let mut sizer = DeflateSizer::new();
    sizer.append(&text[..len.min(text.len())]);
    let mut scratch = sizer.scratch();
    let mut sizes = vec![0; CANDIDATES];
    least(CANDIDATES, || sizer.probe_all(&d.candidates, &mut sizes, &mut scratch))
}

/// zlib, with its memory taken from an arena that is made once: a fork costs copying, not allocating.
struct Zlib {
    stream: Box<libz_sys::z_stream>,
    _arena: Box<Arena>,
}

struct Arena {
    memory: Vec<MaybeUninit<u128>>,
    used: usize,
}

extern "C" fn allocate(arena: *mut std::ffi::c_void, items: u32, size: u32) -> *mut std::ffi::c_void {
    // SAFETY: `opaque` is the arena, which outlives the stream and is used by nothing else meanwhile.
    let arena = unsafe { &mut *arena.cast::<Arena>() };
    let at = arena.used;
    arena.used += (items as usize * size as usize).div_ceil(16);
    arena.memory[at..arena.used].as_mut_ptr().cast()
}

extern "C" fn release(_: *mut std::ffi::c_void, _: *mut std::ffi::c_void) {}

impl Zlib {
    fn new() -> Zlib {
        let mut arena = Box::new(Arena { memory: vec![MaybeUninit::uninit(); 400_000 / 16], used: 0 });
        let mut stream = Box::new(libz_sys::z_stream {
            next_in: std::ptr::null_mut(),
            avail_in: 0,
            total_in: 0,
            next_out: std::ptr::null_mut(),
            avail_out: 0,
            total_out: 0,
            msg: std::ptr::null_mut(),
            state: std::ptr::null_mut(),
            zalloc: allocate,
            zfree: release,
            opaque: (&raw mut *arena).cast(),
            data_type: 0,
            adler: 0,
            reserved: 0,
        });
        // SAFETY: the stream is initialised as zlib asks.
        let status = unsafe {
            libz_sys::deflateInit_(&mut *stream, 9, libz_sys::zlibVersion(), size_of::<libz_sys::z_stream>() as i32)
        };
        assert_eq!(status, libz_sys::Z_OK);
        Zlib { stream, _arena: arena }
    }

    fn feed(&mut self, bytes: &[u8], flush: i32) -> u64 {
        let mut out = [0; 1 << 16];
        self.stream.next_in = bytes.as_ptr().cast_mut();
        self.stream.avail_in = bytes.len() as u32;
        loop {
            self.stream.next_out = out.as_mut_ptr();
            self.stream.avail_out = out.len() as u32;
            // SAFETY: input and output are valid for the lengths given.
            unsafe { libz_sys::deflate(&mut *self.stream, flush) };
            if self.stream.avail_out > 0 {
                #[allow(clippy::useless_conversion)]
                return self.stream.total_out.into();
            }
        }
    }

    /// Size with `bytes` behind what was fed, by a fork made in `memory`.
    fn probe(&mut self, bytes: &[u8], memory: &mut Zlib) -> u64 {
        memory._arena.used = 0;
        let opaque = std::mem::replace(&mut self.stream.opaque, (&raw mut *memory._arena).cast());
        // SAFETY: the source is a live stream; the destination's memory is the other arena, overwritten from its start.
        unsafe { libz_sys::deflateCopy(&mut *memory.stream, &mut *self.stream) };
        self.stream.opaque = opaque;
        memory.feed(bytes, libz_sys::Z_FINISH)
    }
}

fn one_shot(d: &Data) -> f64 {
    let text = [d.prefix.concat(), d.candidates[0].to_vec()].concat();
    least(1, || _ = black_box(compress2(&text)))
}

fn static_fork(d: &Data) -> f64 {
    let (mut zlib, mut memory) = (Zlib::new(), Zlib::new());
    zlib.feed(&d.prefix.concat(), libz_sys::Z_NO_FLUSH);
    let some: Vec<&[u8]> = d.candidates.iter().copied().step_by(10).collect();
    least(some.len(), || some.iter().for_each(|s| _ = black_box(zlib.probe(s, &mut memory))))
}

fn growing_fork(d: &Data) -> f64 {
    let mut memory = Zlib::new();
    least(BLOCK / 10 * PREFIX_SAMPLES, || {
        let mut zlib = Zlib::new();
        for sample in &d.prefix[..PREFIX_SAMPLES] {
            d.block.iter().step_by(10).for_each(|s| _ = black_box(zlib.probe(s, &mut memory)));
            zlib.feed(sample, libz_sys::Z_NO_FLUSH);
        }
    })
}

fn alone_zlib(d: &Data) -> f64 {
    let some: Vec<&[u8]> = d.candidates.iter().copied().step_by(5).collect();
    let scale = d.candidates.iter().map(|s| s.len()).sum::<usize>() as f64 / CANDIDATES as f64;
    let bytes = some.iter().map(|s| s.len()).sum::<usize>() as f64;
    least(1, || some.iter().for_each(|s| _ = black_box(compress2(s)))) / bytes * scale
}

#[allow(clippy::useless_conversion)] // zlib's lengths have 32 bits on Windows
fn compress2(bytes: &[u8]) -> u64 {
    // SAFETY: the output buffer has room for what `compressBound` promises, and its length is passed along.
    unsafe {
        let mut len = libz_sys::compressBound(bytes.len() as _);
        let mut out = Vec::<MaybeUninit<u8>>::with_capacity(len as usize);
        libz_sys::compress2(out.as_mut_ptr().cast(), &mut len, bytes.as_ptr(), bytes.len() as _, 9);
        len.into()
    }
}
