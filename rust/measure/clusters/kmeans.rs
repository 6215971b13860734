//! Spherical k-means in whole numbers.
//!
//! Centres are means of directions, scaled to one length and rounded; a vector belongs to the centre of largest scalar
//! product, of equal ones the first. Sums are of whole numbers, so their order does not matter, and with it neither does
//! the number of threads. The first centres are drawn one by one, each vector with a chance in
//! proportion to the square of how far it is from the nearest one (k-means++, Arthur and Vassilvitskii 2007).

use rayon::prelude::*;

use super::features::{DIMENSIONS, UNIT, Vector};
use crate::error::Result;
use crate::hash::mix;
use crate::run::monitor::Monitor;

/// Rounds of assigning vectors and moving centres.
const ROUNDS: usize = 8;

/// Centres of clusters.
pub(super) struct Centres {
    /// Of every dimension, its value in each centre.
    values: Vec<i16>,
    count: usize,
}

impl Centres {
    /// At most `count` centres for `vectors`: fewer if fewer of them are different. The order of the vectors counts.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] when the monitor says so.
    pub(super) fn fit(vectors: &[Vector], count: usize, monitor: &Monitor) -> Result<Self> {
        let mut centres = Self::first(vectors, count, monitor)?;
        for _ in 0..ROUNDS {
            let homes = centres.homes(vectors, monitor)?;
            centres = centres.moved(vectors, &homes);
        }
        Ok(centres)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The centre that each vector belongs to, and how near it is.
    pub(super) fn homes(&self, vectors: &[Vector], monitor: &Monitor) -> Result<Vec<(usize, i32)>> {
        vectors
            .par_iter()
            .map_init(Vec::new, |products, vector| {
                monitor.check()?;
                Ok(self.home(vector, products))
            })
            .collect()
    }

    /// The centre that a vector belongs to, and their scalar product.
    pub(super) fn home(&self, vector: &Vector, products: &mut Vec<i32>) -> (usize, i32) {
        products.clear();
        products.resize(self.count, 0);
        for &(at, value) in vector {
            let of_place = &self.values[usize::from(at) * self.count..][..self.count];
            // At most the product of the lengths, 2^24 and a little.
            products.iter_mut().zip(of_place).for_each(|(sum, &centre)| *sum += i32::from(value) * i32::from(centre));
        }
        let mut best = (0, products.first().copied().unwrap_or(0));
        for (centre, &product) in products.iter().enumerate() {
            if product > best.1 {
                best = (centre, product);
            }
        }
        best
    }

    /// The first centres: vectors.
    fn first(vectors: &[Vector], count: usize, monitor: &Monitor) -> Result<Self> {
        let square =
            |vector: &Vector| vector.iter().map(|&(_, value)| i64::from(value) * i64::from(value)).sum::<i64>();
        let squares: Vec<i64> = vectors.par_iter().map(square).collect();
        let far = (UNIT * UNIT) as u64;
        let mut apart: Vec<u64> = squares.iter().map(|&square| if square == 0 { 0 } else { 2 * far }).collect();
        let mut chosen: Vec<&Vector> = Vec::new();
        let mut dense = vec![0_i16; DIMENSIONS];
        while chosen.len() < count {
            monitor.check()?;
            let whole: u64 = apart.iter().sum();
            if whole == 0 {
                break;
            }
            let mut point = ((u128::from(mix(chosen.len() as u64 + 1)) * u128::from(whole)) >> 64) as u64;
            let position = apart.iter().position(|&apart| {
                let within = point < apart;
                point = point.saturating_sub(apart);
                within
            });
            let position = position.expect("the point lies within the whole");
            let next = &vectors[position];
            chosen.push(next);
            next.iter().for_each(|&(at, value)| dense[usize::from(at)] = value);
            apart.par_iter_mut().zip(vectors).zip(&squares).for_each(|((apart, vector), square)| {
                let product: i64 =
                    vector.iter().map(|&(at, value)| i64::from(value) * i64::from(dense[usize::from(at)])).sum();
                *apart = (*apart).min((square + squares[position] - 2 * product) as u64);
            });
            next.iter().for_each(|&(at, _)| dense[usize::from(at)] = 0);
        }
        let mut values = vec![0; DIMENSIONS * chosen.len()];
        for (centre, vector) in chosen.iter().enumerate() {
            vector.iter().for_each(|&(at, value)| values[usize::from(at) * chosen.len() + centre] = value);
        }
        Ok(Self { values, count: chosen.len() })
    }

    /// The mean directions of those that belong together. A centre that nothing belongs to stays where it is.
    fn moved(&self, vectors: &[Vector], homes: &[(usize, i32)]) -> Self {
        let count = self.count;
        let mut sums = vec![0_i64; DIMENSIONS * count];
        for (vector, &(home, _)) in vectors.iter().zip(homes) {
            vector.iter().for_each(|&(at, value)| sums[usize::from(at) * count + home] += i64::from(value));
        }
        let mut squares = vec![0_u128; count];
        for (at, &sum) in sums.iter().enumerate() {
            squares[at % count] += u128::from(sum.unsigned_abs()) * u128::from(sum.unsigned_abs());
        }
        let scales: Vec<f64> = squares.iter().map(|&square| UNIT / (square as f64).sqrt()).collect();
        let values = sums.iter().enumerate().map(|(at, &sum)| {
            if squares[at % count] == 0 { self.values[at] } else { (sum as f64 * scales[at % count] + 0.5) as i16 }
        });
        Self { values: values.collect(), count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_directions_that_are_there() {
        let vectors: Vec<Vector> = (0..300_u16)
            .map(|n| {
                let kind = n % 3;
                vec![(100 * kind, 3600), (100 * kind + 1 + n % 7, 1800), (300 + n, 600)]
            })
            .collect();
        let centres = Centres::fit(&vectors, 3, &Monitor::default()).unwrap();
        let homes = centres.homes(&vectors, &Monitor::default()).unwrap();
        assert_eq!(centres.len(), 3);
        for (n, (home, _)) in homes.iter().enumerate() {
            assert_eq!(*home, homes[n % 3].0);
        }
        assert!(homes[0].0 != homes[1].0 && homes[1].0 != homes[2].0 && homes[0].0 != homes[2].0);
    }

    #[test]
    fn there_are_no_more_centres_than_different_vectors() {
        let vectors: Vec<Vector> = (0..50_u16).map(|n| vec![(n % 4, 4096)]).collect();
        assert_eq!(Centres::fit(&vectors, 9, &Monitor::default()).unwrap().len(), 4);
        let nothing = vec![Vec::new(); 3];
        let centres = Centres::fit(&nothing, 9, &Monitor::default()).unwrap();
        assert_eq!(centres.home(&nothing[0], &mut Vec::new()), (0, 0));
    }
}
