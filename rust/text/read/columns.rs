//! Columns of a table, as Arrow lays them out: a few kinds, to which Python brings all others that it can.

use crate::error::{Error, Result};

/// A column, or what is inside one.
#[derive(Debug)]
pub struct Column<'n> {
    /// Whether each cell is there, 0 or 1; None if all are.
    pub valid: Option<&'n [u8]>,
    /// The cells.
    pub cells: Cells<'n>,
}

/// The cells of a column.
#[derive(Debug)]
pub enum Cells<'n> {
    /// All null.
    Null,
    /// True (1) or false (0).
    Bool(&'n [u8]),
    /// Integers.
    Int(&'n [i64]),
    /// Floats.
    Float(&'n [f64]),
    /// Texts: cell `i` is `data[ends[i]..ends[i + 1]]`.
    Text {
        /// Where they are in `data`.
        ends: &'n [i64],
        /// Their bytes, which need not be UTF-8.
        data: &'n [u8],
    },
    /// Lists: the items of cell `i` are `ends[i]` to `ends[i + 1]` of `items`.
    List {
        /// Where they are in `items`.
        ends: &'n [i64],
        /// The items of all lists.
        items: Box<Column<'n>>,
    },
    /// Objects, a column for each member.
    Object(Vec<(String, Column<'n>)>),
}

impl Column<'_> {
    /// Whether a cell is not null.
    #[inline]
    pub fn has(&self, row: usize) -> bool {
        self.valid.is_none_or(|valid| valid[row] != 0)
    }

    /// # Errors
    /// [`Error::Offsets`] unless there are at least `rows` cells, all of which lie within what holds them.
    pub fn check(&self, rows: usize) -> Result<()> {
        let has = |count: usize, what: &str| {
            if count >= rows { Ok(()) } else { Err(Error::Offsets(format!("{count} {what} for {rows} cells"))) }
        };
        let within = |ends: &[i64], size: usize| {
            has(ends.len().saturating_sub(1), "ends")?;
            let rises = ends.first().is_none_or(|&first| first >= 0) && ends.is_sorted();
            match ends.last() {
                Some(&last) if rises && last <= size as i64 => Ok(()),
                None if rows == 0 => Ok(()),
                _ => Err(Error::Offsets(format!("the ends of cells are not within {size}"))),
            }
        };
        if let Some(valid) = self.valid {
            has(valid.len(), "marks")?;
        }
        match &self.cells {
            Cells::Null => Ok(()),
            Cells::Bool(cells) => has(cells.len(), "values"),
            Cells::Int(cells) => has(cells.len(), "values"),
            Cells::Float(cells) => has(cells.len(), "values"),
            Cells::Text { ends, data } => within(ends, data.len()),
            Cells::List { ends, items } => {
                let size = ends.last().map_or(0, |&last| last.max(0) as usize);
                within(ends, size)?;
                items.check(size)
            }
            Cells::Object(members) => members.iter().try_for_each(|(_, column)| column.check(rows)),
        }
    }
}
