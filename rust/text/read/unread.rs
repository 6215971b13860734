//! What the text of records leaves unread: which members, in how many records, with how much text.

use std::collections::HashMap;

/// Members of an object that are looked for one by one.
const FEW: usize = 8;

/// A member, or the items of a list, somewhere in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

impl Place {
    /// The record itself.
    pub(super) const RECORD: Self = Self(0);
}

#[derive(Debug, Default)]
struct Known {
    /// How people write it: `messages[].name`.
    path: String,
    /// The first members that were met, and the others: most objects have few, which are found faster in a list.
    few: Vec<(Box<str>, usize)>,
    others: HashMap<Box<str>, usize>,
    items: Option<usize>,
    /// The last record that had it unread.
    last: u64,
    records: u64,
    bytes: u64,
}

/// Collects what records leave unread, a record at a time.
#[derive(Debug)]
pub(super) struct Unread {
    known: Vec<Known>,
    /// Of the record that is being read.
    pending: Vec<(Place, u64)>,
    record: u64,
}

impl Unread {
    pub(super) fn new() -> Self {
        Self { known: vec![Known::default()], pending: Vec::new(), record: 0 }
    }

    /// A member of what is at a place.
    pub(super) fn member(&mut self, place: Place, name: &str) -> Place {
        let known = &self.known[place.0];
        if let Some(&(_, found)) = known.few.iter().find(|(member, _)| **member == *name) {
            return Place(found);
        }
        if let Some(&found) = known.others.get(name) {
            return Place(found);
        }
        let dot = if place == Place::RECORD { "" } else { "." };
        let path = format!("{}{dot}{name}", self.known[place.0].path);
        let new = self.add(path);
        let known = &mut self.known[place.0];
        if known.few.len() < FEW {
            known.few.push((name.into(), new));
        } else {
            known.others.insert(name.into(), new);
        }
        Place(new)
    }

    /// The items of the list at a place.
    pub(super) fn items(&mut self, place: Place) -> Place {
        if let Some(found) = self.known[place.0].items {
            return Place(found);
        }
        let new = self.add(format!("{}[]", self.known[place.0].path));
        self.known[place.0].items = Some(new);
        Place(new)
    }

    /// What is at a place is not read, with so many bytes of text in it.
    pub(super) fn leave(&mut self, place: Place, bytes: u64) {
        self.pending.push((place, bytes));
    }

    /// The record is read: what it leaves counts.
    pub(super) fn end_record(&mut self) {
        self.record += 1;
        for (Place(at), bytes) in self.pending.drain(..) {
            let known = &mut self.known[at];
            known.records += u64::from(known.last != self.record);
            known.last = self.record;
            known.bytes += bytes;
        }
    }

    /// The record is left to somebody else, with all that it has.
    pub(super) fn drop_record(&mut self) {
        self.pending.clear();
    }

    /// All members that were left unread, by how people write them: records that have them, and bytes of text.
    pub(super) fn found(self) -> impl Iterator<Item = (String, (u64, u64))> {
        let known = self.known.into_iter().filter(|known| known.records > 0);
        known.map(|known| (known.path, (known.records, known.bytes)))
    }

    fn add(&mut self, path: String) -> usize {
        self.known.push(Known { path, ..Known::default() });
        self.known.len() - 1
    }
}
