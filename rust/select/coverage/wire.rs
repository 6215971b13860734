//! Contents of coverage's messages that coordinator and partitions both know.
//!
//! Of tables by slot or by feature only what is not 0 is written: how far behind the one before it is, and what it is.

use super::params::{Params, Unit};
use super::target::Found;
use super::weights::{Aimed, MOST_DF, Ranking, Weights};
use crate::error::Result;
use crate::hash::Slots;
use crate::select::parts::{Reader, Writer, garbled};

/// Writes which features count.
pub(super) fn write_features(params: &Params, content: &mut Writer) {
    content.flag(params.unit == Unit::Word);
    content.number(params.ngram as u64);
    content.number(u64::from(params.one_in));
}

/// Reads which features count.
pub(super) fn features(content: &mut Reader<'_>) -> Result<(Unit, usize, u32)> {
    let unit = if content.flag()? { Unit::Word } else { Unit::Byte };
    let (ngram, one_in) = (content.small()?, content.small()?);
    let guard = super::Guard { min_df: 1, min_contexts: 1 };
    Params { unit, ngram, gamma: 0.0, alpha: 0.0, guard, one_in }.check().map_err(|_| garbled())?;
    Ok((unit, ngram, one_in))
}

/// Writes the places of what is not 0, each in front of what is there.
fn sparse<T: Copy + PartialEq + Default>(
    values: impl Iterator<Item = T>,
    content: &mut Writer,
    write: impl Fn(&mut Writer, T),
) {
    let mut gap = 0;
    for value in values {
        gap += 1;
        if value != T::default() {
            content.number(gap);
            write(content, value);
            gap = 0;
        }
    }
    content.number(0);
}

/// Reads what [`sparse`] wrote of less than `end` places.
fn each_place<'a>(
    content: &mut Reader<'a>,
    end: usize,
    mut read: impl FnMut(&mut Reader<'a>, usize) -> Result<()>,
) -> Result<()> {
    let mut next = 0_usize;
    loop {
        let gap: usize = content.small()?;
        if gap == 0 {
            return Ok(());
        }
        next = next.checked_add(gap).filter(|&next| next <= end).ok_or_else(garbled)?;
        read(content, next - 1)?;
    }
}

/// Writes small counts.
pub(super) fn counts(counts: impl Iterator<Item = u16>, content: &mut Writer) {
    sparse(counts, content, |content, count| content.number(u64::from(count)));
}

/// Calls `visit` with the places of counts that are not 0, all below `end`, and with the counts.
pub(super) fn each_count(content: &mut Reader<'_>, end: usize, mut visit: impl FnMut(usize, u16)) -> Result<()> {
    each_place(content, end, |content, at| {
        visit(at, content.small()?);
        Ok(())
    })
}

/// Writes cells: what is in most of them is in one sample, after one context.
pub(super) fn cells(cells: &[u32], content: &mut Writer) {
    sparse(cells.iter().copied(), content, |content, cell| {
        let (df, seen) = (cell >> 16, cell as u16);
        content.number(u64::from(df) << 1 | u64::from(seen == u16::MAX));
        if seen != u16::MAX {
            content.word(seen.to_le_bytes());
        }
    });
}

/// Calls `visit` with the places of cells that are not empty, all below `end`, and with the cells.
pub(super) fn each_cell(content: &mut Reader<'_>, end: usize, mut visit: impl FnMut(usize, u32)) -> Result<()> {
    each_place(content, end, |content, at| {
        let number: u32 = content.small()?;
        let seen = if number & 1 == 1 { u16::MAX } else { u16::from_le_bytes(content.word()?) };
        let df = u16::try_from(number >> 1).map_err(|_| garbled())?;
        visit(at, u32::from(df) << 16 | u32::from(seen));
        Ok(())
    })
}

/// Writes what was found of a target.
pub(super) fn write_found(found: &Found, content: &mut Writer) {
    content.list(found.counts.iter().map(|&count| u64::from(count)));
    counts(found.seen.iter().map(|&seen| u16::from(seen)), content);
}

/// Reads what was found of a target, of as much as `like` has.
pub(super) fn read_found(content: &mut Reader<'_>, like: &Found) -> Result<Found> {
    let mut found = Found { counts: content.list()?, seen: vec![false; like.seen.len()] };
    each_count(content, like.seen.len(), |at, _| found.seen[at] = true)?;
    if found.counts.len() == like.counts.len() { Ok(found) } else { Err(garbled()) }
}

/// Writes weights: `gamma` alone, or those with a target.
pub(super) fn write_weights(gamma: f64, targeted: Option<(&Weights, &Ranking)>, content: &mut Writer) {
    content.flag(targeted.is_some());
    let Some((Weights { of, largest, aimed: Some(Aimed { is, missing }) }, Ranking { of_df, of_aims })) = targeted
    else {
        content.real(gamma);
        return;
    };
    content.real(*largest);
    content.real(*missing);
    content.number(of.len() as u64);
    of.iter().for_each(|&weight| content.real(weight));
    is.iter().for_each(|&is_aimed| content.flag(is_aimed));
    content.list(of_df.iter().map(|&rank| u64::from(rank)));
    content.ascending(of_aims.iter().map(|&(slot, _)| u64::from(slot)));
    of_aims.iter().for_each(|&(_, rank)| content.number(u64::from(rank)));
}

/// Reads weights of features in these slots; and, with a target, how ranks follow.
pub(super) fn read_weights(content: &mut Reader<'_>, slots: Slots) -> Result<(Weights, Option<Ranking>)> {
    if !content.flag()? {
        let gamma = content.real()?;
        return if (0.0..=1.0).contains(&gamma) { Ok((Weights::general(gamma), None)) } else { Err(garbled()) };
    }
    let (largest, missing) = (content.real()?, content.real()?);
    let ranks: usize = content.small()?;
    let of = (0..ranks).map(|_| content.real()).collect::<Result<Vec<_>>>()?;
    let is = (0..ranks).map(|_| content.flag()).collect::<Result<Vec<_>>>()?;
    let of_df: Vec<u32> = content.list()?;
    let aims: Vec<u32> = content.increasing(slots.len() as u32)?;
    let of_aims = aims.into_iter().map(|slot| Ok((slot, content.small()?))).collect::<Result<Vec<(u32, u32)>>>()?;
    let is_rank = |rank: u32| (rank as usize) < ranks;
    let fits = of_df.len() == MOST_DF + 1
        && of_df.iter().all(|&rank| is_rank(rank))
        && of_df[0] == 0
        && of_aims.iter().all(|&(_, rank)| is_rank(rank))
        && of.iter().chain([&largest, &missing]).all(|weight| weight.is_finite() && *weight >= 0.0);
    if !fits {
        return Err(garbled());
    }
    Ok((Weights { of, largest, aimed: Some(Aimed { is, missing }) }, Some(Ranking { of_df, of_aims })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_back() {
        let table = [0, 0, 1 << 16 | 7, 0xffff_ffff, 0, 3 << 16 | 0xffff, 0];
        let mut content = Writer::new();
        cells(&table, &mut content);
        counts(table.iter().map(|&cell| (cell >> 16) as u16), &mut content);
        let bytes = content.into_bytes();
        let mut reader = Reader::new(&bytes);
        let (mut found, mut dfs) = ([0; 7], [0; 7]);
        each_cell(&mut reader, 7, |at, cell| found[at] = cell).unwrap();
        each_count(&mut reader, 7, |at, count| dfs[at] = u32::from(count)).unwrap();
        assert_eq!((found, dfs), (table, table.map(|cell| cell >> 16)));
        assert!(reader.end().is_ok());
        assert!(each_cell(&mut Reader::new(&bytes), 5, |_, _| ()).is_err(), "there are less places");
    }
}
