//! What holds of any texts at all.

mod support;

use entropylaw::sizer::Sizer;
use entropylaw::sizer::deflate::DeflateSizer;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use support::oracle;

fn config() -> Config {
    Config { cases: 400, rng_seed: RngSeed::Fixed(3), failure_persistence: None, ..Config::default() }
}

/// A text in which strings recur.
fn text(max: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "[a-d]{1,12}".prop_map(String::into_bytes),
        "(the |and |of |[a-z]{1,8} ){1,6}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..40),
        (any::<u8>(), 1..400usize).prop_map(|(byte, n)| vec![byte; n]),
    ];
    let pieces = proptest::collection::vec((piece, 1..6usize), 0..max);
    pieces.prop_map(|pieces| pieces.into_iter().flat_map(|(piece, n)| piece.repeat(n)).collect())
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<u8>),
    Probe(Vec<u8>),
    ProbeKept,
    Restore,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => text(30).prop_map(Step::Append),
        3 => text(12).prop_map(Step::Probe),
        3 => Just(Step::ProbeKept),
        1 => Just(Step::Restore),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn probe_is_the_size_of_one_call(prefix in text(60), sample in text(20)) {
        let mut sizer = DeflateSizer::new();
        sizer.append(&prefix);
        let size = sizer.probe(&sample, &mut sizer.scratch());
        prop_assert_eq!(size, oracle(&[prefix, sample].concat()));
    }

    /// Whatever happens to the prefix in between, and however often a candidate was probed before.
    #[test]
    fn any_order_of_steps(steps in proptest::collection::vec(step(), 1..25), kept in text(12)) {
        let mut sizer = DeflateSizer::new();
        let mut scratch = sizer.scratch();
        let mut candidate = sizer.candidate(&kept);
        let mut prefix = Vec::new();
        for step in steps {
            match step {
                Step::Append(piece) => {
                    sizer.append(&piece);
                    prefix.extend(piece);
                }
                Step::Probe(sample) => {
                    let size = sizer.probe(&sample, &mut scratch);
                    prop_assert_eq!(size, oracle(&[&prefix[..], &sample].concat()));
                }
                Step::ProbeKept => {
                    let size = sizer.probe_candidate(&mut candidate, &mut scratch);
                    prop_assert_eq!(size, oracle(&[&prefix[..], &kept].concat()));
                }
                Step::Restore => {
                    sizer = DeflateSizer::from_bytes(&sizer.to_bytes()).expect("just saved");
                }
                Step::Clear => {
                    sizer.clear();
                    prefix.clear();
                }
            }
            prop_assert_eq!(sizer.prefix_len(), prefix.len() as u64);
        }
    }
}
