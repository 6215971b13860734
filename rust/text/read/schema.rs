//! What a record's text is, as data: the definition is `python/entropylaw/pool/schema.py`, which hands it over.

use super::node::{Node, Object, length};

/// How a value is read; `schema.py` says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text, and nothing else.
    Text,
    /// A text, or a list of texts.
    Texts,
    /// What somebody says: text, parts of it, or an object with such.
    Speech,
    /// A call of a function, or a list of calls.
    Call,
    /// Any JSON.
    Value,
    /// Any JSON, the items of a list one by one.
    Values,
    /// A list of turns.
    Turns,
    /// A text, a list of turns, or one turn.
    Either,
    /// A list of turns, or of exchanges.
    History,
    /// As `Either`, without turns that repeat what was read before.
    Prompt,
    /// As `Prompt`; two texts are compared line by line.
    Answer,
}

impl Kind {
    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "texts" => Self::Texts,
            "speech" => Self::Speech,
            "call" => Self::Call,
            "value" => Self::Value,
            "values" => Self::Values,
            "turns" => Self::Turns,
            "either" => Self::Either,
            "history" => Self::History,
            "prompt" => Self::Prompt,
            "answer" => Self::Answer,
            _ => return None,
        })
    }
}

/// A member of an object that is read.
#[derive(Debug, Clone)]
pub struct Member {
    /// What it may be called; the first that is there, and not null, is read.
    pub names: Vec<String>,
    /// How it is read.
    pub kind: Kind,
    /// Whether it may be missing or null.
    pub optional: bool,
    /// It is read only in objects that have one of these, too.
    pub beside: Vec<String>,
    /// The lengths of its names, a bit for each.
    lengths: u64,
}

impl Member {
    /// A member that has these names.
    #[must_use]
    pub fn new(names: Vec<String>, kind: Kind, optional: bool, beside: Vec<String>) -> Self {
        let lengths = names.iter().fold(0, |lengths, name| lengths | length(name));
        Self { names, kind, optional, beside, lengths }
    }

    /// The first of its names that an object has, whose keys have these `lengths`, with a value that is not null.
    #[inline]
    pub(super) fn find<'n>(&self, object: Object<'n>, lengths: u64) -> Option<(&str, Node<'n>)> {
        if self.lengths & lengths == 0 { None } else { object.first(&self.names) }
    }

    /// Whether it is what a turn says.
    pub(super) fn is_content(&self) -> bool {
        self.names.iter().any(|name| name == "content")
    }
}

/// A form of record: its members, and what is read of the objects inside.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The members that the text is made of, one after the other; if there are none, the record is the text.
    pub members: Vec<Member>,
    /// What is read of a turn, or of a part of one.
    pub message: Vec<Member>,
    /// What is read of a call.
    pub call: Vec<Member>,
}

impl Schema {
    /// The keys of a record that it looks at.
    pub(super) fn keys(&self) -> Vec<String> {
        self.members.iter().flat_map(|member| member.names.iter().cloned()).collect()
    }
}
