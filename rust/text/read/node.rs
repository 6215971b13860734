//! A value of a record, wherever it lies: in JSON, or in the columns of a table.

use super::columns::{Cells, Column};
use super::value::{Number, Value};

/// A value, borrowed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node<'n> {
    /// A value of JSON.
    Json(&'n Value<'n>),
    /// A cell of a column.
    Cell(&'n Column<'n>, usize),
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub(super) enum View<'n> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(&'n str),
    /// A list.
    List(List<'n>),
    /// An object.
    Object(Object<'n>),
}

/// The items of a list.
#[derive(Debug, Clone, Copy)]
pub(super) enum List<'n> {
    /// Of JSON.
    Json(&'n [Value<'n>]),
    /// Some cells of a column.
    Cells(&'n Column<'n>, usize, usize),
}

/// The members of an object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Object<'n> {
    /// Of JSON.
    Json(&'n [(std::borrow::Cow<'n, str>, Value<'n>)]),
    /// A row of some columns.
    Cells(&'n [(String, Column<'n>)], usize),
}

impl<'n> Node<'n> {
    /// What it is; None if it can't be read here.
    #[inline]
    pub(super) fn view(self) -> Option<View<'n>> {
        Some(match self {
            Self::Json(value) => match value {
                Value::Null => View::Null,
                Value::Bool(value) => View::Bool(*value),
                Value::Number(number) => View::Number(*number),
                Value::Text(text) => View::Text(text),
                Value::List(items) => View::List(List::Json(items)),
                Value::Object(members) => View::Object(Object::Json(members)),
            },
            Self::Cell(column, row) if !column.has(row) => View::Null,
            Self::Cell(column, row) => match &column.cells {
                Cells::Null => View::Null,
                Cells::Bool(cells) => View::Bool(cells[row] != 0),
                Cells::Int(cells) => View::Number(Number::Int(cells[row])),
                Cells::Float(cells) => View::Number(Number::Float(cells[row])),
                Cells::Text { ends, data } => {
                    View::Text(std::str::from_utf8(&data[ends[row] as usize..ends[row + 1] as usize]).ok()?)
                }
                Cells::List { ends, items } => {
                    View::List(List::Cells(items, ends[row] as usize, ends[row + 1] as usize))
                }
                Cells::Object(members) => View::Object(Object::Cells(members, row)),
            },
        })
    }

    /// Whether it is null.
    #[inline]
    pub(super) fn is_null(self) -> bool {
        match self {
            Self::Json(value) => matches!(value, Value::Null),
            Self::Cell(column, row) => !column.has(row) || matches!(column.cells, Cells::Null),
        }
    }

    /// Bytes of text in it; None if it can't be read here.
    pub(super) fn text_bytes(self) -> Option<u64> {
        match self.view()? {
            View::Null | View::Bool(_) | View::Number(_) => Some(0),
            View::Text(text) => Some(text.len() as u64),
            View::List(list) => list.items().map(Self::text_bytes).sum(),
            View::Object(object) => object.members().map(|(_, value)| value.text_bytes()).sum(),
        }
    }
}

impl<'n> List<'n> {
    /// The items.
    pub(super) fn items(self) -> impl Iterator<Item = Node<'n>> {
        let (start, end) = match self {
            Self::Json(items) => (0, items.len()),
            Self::Cells(_, start, end) => (start, end),
        };
        (start..end).map(move |at| match self {
            Self::Json(items) => Node::Json(&items[at]),
            Self::Cells(column, ..) => Node::Cell(column, at),
        })
    }
}

/// The bit of a key's length.
pub(super) fn length(key: &str) -> u64 {
    1 << (key.len() & 63)
}

impl<'n> Object<'n> {
    /// The members, null ones too.
    pub(super) fn members(self) -> impl Iterator<Item = (&'n str, Node<'n>)> {
        let count = match self {
            Self::Json(members) => members.len(),
            Self::Cells(members, _) => members.len(),
        };
        (0..count).map(move |at| match self {
            Self::Json(members) => (&*members[at].0, Node::Json(&members[at].1)),
            Self::Cells(members, row) => (members[at].0.as_str(), Node::Cell(&members[at].1, row)),
        })
    }

    /// The value of a key.
    #[inline]
    pub(super) fn get(self, key: &str) -> Option<Node<'n>> {
        match self {
            Self::Json(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| Node::Json(value)),
            Self::Cells(members, row) => {
                members.iter().find(|(name, _)| name == key).map(|(_, column)| Node::Cell(column, row))
            }
        }
    }

    /// The first of some keys that is there and not null.
    pub(super) fn first<'k>(self, keys: &'k [String]) -> Option<(&'k str, Node<'n>)> {
        let there = keys.iter().filter_map(|key| Some((key.as_str(), self.get(key)?)));
        there.into_iter().find(|(_, value)| !value.is_null())
    }

    /// The lengths of its keys, a bit for each: what keys are not there is mostly told by it alone.
    #[inline]
    pub(super) fn lengths(self) -> u64 {
        self.members().fold(0, |lengths, (name, _)| lengths | length(name))
    }
}
