//! From bytes to samples, and from samples to what they are made of: n-grams, words, shingles.

pub mod features;
pub mod read;
pub mod shingles;
pub mod words;
