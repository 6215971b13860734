//! Templates of a few kinds of parts, which are what most people write: values, loops over lists and conditions.
//!
//! minijinja, as Python calls it, defines what they mean (`python/entropylaw/pool/template.py`). Here they are rendered as
//! it would, from records wherever they lie. Every other template, and a record in which anything is out of the ordinary,
//! is left to it: values that are neither text, integers nor null where they are shown, and whatever is missing.

use std::io::Write;

use super::node::{Node, Object, View};
use super::template_syntax;
use super::value::Number;

/// What a template may do for a record; far less than minijinja is allowed to.
const STEPS: u32 = 1_000_000;

/// A template.
#[derive(Debug, Clone)]
pub struct Template {
    parts: Vec<Part>,
    /// The keys of a record that it looks at.
    pub keys: Vec<String>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// Stays as it is.
    Text(String),
    /// Shows a value, or texts one after the other.
    Show(Vec<Term>),
    /// Its parts for each item of a list.
    For(Path, Vec<Part>),
    /// The parts of the first of its tests that holds.
    If(Vec<(Test, Vec<Part>)>),
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    /// This text.
    Text(String),
    /// A value of the record.
    Path(Path),
}

/// Where a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    pub(super) root: Root,
    pub(super) steps: Vec<Step>,
}

/// Where a path begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Root {
    /// A field of the record.
    Field(String),
    /// The record itself, unless it has a field of that name. A key follows.
    Record,
    /// The item of a loop, counted from the outermost on.
    Item(usize),
    /// How far the innermost loop is.
    Loop(Progress),
}

/// What is told of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Whether it is at its first item.
    First,
    /// Whether it is at its last item.
    Last,
    /// At which item it is, from 1 on.
    Index,
    /// The same from 0 on.
    Index0,
}

/// A step into a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// To a member of an object.
    Key(String),
    /// To an item of a list; from its end on if it is negative.
    At(i64),
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// Always holds.
    Else,
    /// Something is there, and neither empty, zero nor false.
    Truth(Term),
    /// Two values are the same.
    Equal(Term, Term),
    /// A condition does not hold.
    Not(Box<Test>),
    /// Two conditions hold.
    And(Box<Test>, Box<Test>),
    /// One of two conditions holds.
    Or(Box<Test>, Box<Test>),
}

impl Template {
    /// The template that `text` is; None if it is of another kind.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (parts, keys) = template_syntax::parse(text)?;
        Some(Self { parts, keys })
    }

    /// Appends what it makes of a record; None, after having written whatever, if that is left to minijinja.
    pub(super) fn render(&self, record: Object<'_>, out: &mut Vec<u8>) -> Option<()> {
        Rendering { record, loops: Vec::new(), steps: 0, out }.parts(&self.parts)
    }
}

/// A loop at one of its items.
struct Loop<'n> {
    item: Node<'n>,
    at: usize,
    count: usize,
}

struct Rendering<'n, 'o> {
    record: Object<'n>,
    loops: Vec<Loop<'n>>,
    steps: u32,
    out: &'o mut Vec<u8>,
}

impl<'n> Rendering<'n, '_> {
    fn parts(&mut self, parts: &'n [Part]) -> Option<()> {
        for part in parts {
            self.steps += 1;
            if self.steps > STEPS {
                return None;
            }
            match part {
                Part::Text(text) => self.out.extend(text.as_bytes()),
                Part::Show(terms) => self.show(terms)?,
                Part::For(path, parts) => match self.find(path)?? {
                    View::Null => {}
                    View::List(list) => {
                        let count = list.items().count();
                        for (at, item) in list.items().enumerate() {
                            self.loops.push(Loop { item, at, count });
                            self.parts(parts)?;
                            self.loops.pop();
                        }
                    }
                    _ => return None,
                },
                Part::If(branches) => {
                    for (test, parts) in branches {
                        if self.holds(test)? {
                            self.parts(parts)?;
                            break;
                        }
                    }
                }
            }
        }
        Some(())
    }

    fn show(&mut self, terms: &'n [Term]) -> Option<()> {
        for term in terms {
            match self.value(term)?? {
                View::Text(text) => self.out.extend(text.as_bytes()),
                // Behind others, it would not be shown but added to them.
                View::Null if terms.len() == 1 => {}
                View::Number(Number::Int(number)) if terms.len() == 1 => write!(self.out, "{number}").ok()?,
                _ => return None,
            }
        }
        Some(())
    }

    fn holds(&self, test: &'n Test) -> Option<bool> {
        Some(match test {
            Test::Else => true,
            Test::Not(test) => !self.holds(test)?,
            Test::And(one, other) => self.holds(one)? && self.holds(other)?,
            Test::Or(one, other) => self.holds(one)? || self.holds(other)?,
            Test::Equal(one, other) => match (self.value(one)??, self.value(other)??) {
                (View::Text(one), View::Text(other)) => one == other,
                (View::Number(Number::Int(one)), View::Number(Number::Int(other))) => one == other,
                (View::Null, View::Null) => true,
                (View::Text(_), View::Null | View::Number(_)) | (View::Null | View::Number(_), View::Text(_)) => false,
                _ => return None,
            },
            Test::Truth(term) => match self.value(term)? {
                None | Some(View::Null) => false,
                Some(View::Bool(value)) => value,
                Some(View::Number(number)) => number.as_f64() != 0.0,
                Some(View::Text(text)) => !text.is_empty(),
                Some(View::List(list)) => list.items().next().is_some(),
                Some(View::Object(object)) => object.members().next().is_some(),
            },
        })
    }

    /// A value; None inside if there is none, None if it can't be told here.
    fn value(&self, term: &'n Term) -> Option<Option<View<'n>>> {
        match term {
            Term::Text(text) => Some(Some(View::Text(text))),
            Term::Path(path) => self.find(path),
        }
    }

    /// What lies at a path; see `value`.
    fn find(&self, path: &'n Path) -> Option<Option<View<'n>>> {
        let mut steps = path.steps.iter();
        let mut found = match &path.root {
            Root::Field(name) => self.record.get(name),
            Root::Item(number) => Some(self.loops[*number].item),
            Root::Record => match (self.record.get("record"), steps.next()) {
                (None, Some(Step::Key(key))) => self.record.get(key),
                _ => return None,
            },
            Root::Loop(progress) => {
                let Loop { at, count, .. } = self.loops.last()?;
                let index = |index: usize| View::Number(Number::Int(index as i64));
                return Some(Some(match progress {
                    Progress::First => View::Bool(*at == 0),
                    Progress::Last => View::Bool(at + 1 == *count),
                    Progress::Index => index(at + 1),
                    Progress::Index0 => index(*at),
                }));
            }
        };
        for step in steps {
            found = match (found?.view()?, step) {
                (View::Object(object), Step::Key(key)) => object.get(key),
                (View::List(list), Step::At(at)) => {
                    let at = if *at < 0 { list.items().count() as i64 + at } else { *at };
                    Some(list.items().nth(usize::try_from(at).ok()?)?)
                }
                _ => return None,
            };
        }
        match found {
            None => Some(None),
            Some(node) => Some(Some(node.view()?)),
        }
    }
}
