//! From bytes to samples, and from samples to what they are made of: n-grams, words, shingles.

pub(crate) mod bag;
pub(crate) mod features;
pub mod read;
pub(crate) mod shingles;
pub(crate) mod words;
