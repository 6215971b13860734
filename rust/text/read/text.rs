//! The text of records of JSON and of rows of tables: the compiled interpreter of what `schema.py` defines.
//!
//! `text.py` is the other one, which knows why a record can't be read. Here a record that is out of the ordinary is left
//! to it: every function returns None then, after having written whatever.

use super::Field;
use super::json_text;
use super::node::{Node, Object, View};
use super::repr::Printable;
use super::schema::{Kind, Schema};
use super::template::Template;
use super::unread::{Place, Unread};

/// Where a record's text is.
#[derive(Debug, Clone)]
pub enum Text {
    /// Where a schema says.
    Schema(Schema),
    /// In a field that the user names, read like a prompt; objects inside by the schema's forms.
    Field(Field, Schema),
    /// The record as it is stored.
    Json,
    /// The record as Python shows it, which leaves these characters as they are.
    Repr(Printable),
    /// What a template makes of it.
    Template(Template),
}

impl Text {
    /// The keys that it looks at.
    pub(super) fn keys(&self) -> Vec<String> {
        match self {
            Self::Schema(schema) => schema.keys(),
            Self::Field(field, _) => field.keys(),
            Self::Template(template) => template.keys.clone(),
            Self::Json | Self::Repr(_) => Vec::new(),
        }
    }

    /// Whether it leaves anything unread.
    pub(super) fn leaves_unread(&self) -> bool {
        matches!(self, Self::Schema(_) | Self::Field(..))
    }

    /// Appends the text of a record that is an object.
    pub(super) fn render(&self, record: Object<'_>, out: &mut Vec<u8>, unread: &mut Unread) -> Option<()> {
        match self {
            Self::Schema(schema) if schema.members.is_empty() => None,
            Self::Schema(schema) => Reader { schema, unread }.record(record, &mut Joined { start: out.len(), out }),
            Self::Field(field, schema) => {
                let mut joined = Joined { start: out.len(), out };
                let (outermost, value) = field.find(record)?;
                let mut reader = Reader { schema, unread };
                let place = reader.unread.member(Place::RECORD, &field.whole);
                reader.either(value, place, &mut |text| joined.push(text))?;
                reader.leave(record, Place::RECORD, &[outermost])
            }
            Self::Template(template) => template.render(record, out),
            Self::Json | Self::Repr(_) => None,
        }
    }
}

/// Texts that are not empty, with line breaks between them.
struct Joined<'o> {
    start: usize,
    out: &'o mut Vec<u8>,
}

impl Joined<'_> {
    fn push(&mut self, text: &str) {
        if !text.is_empty() {
            if self.out.len() > self.start {
                self.out.push(b'\n');
            }
            self.out.extend(text.as_bytes());
        }
    }
}

/// The answers of a preference that were read.
#[derive(Default)]
struct Answers {
    /// The first one, if it is a text with nothing before it.
    first: Option<String>,
    any: bool,
}

/// Takes the texts of a value one after the other. What a turn says may come in several.
type Take<'t> = dyn FnMut(&str) + 't;

/// What an object is, which says how it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A turn: by `message`, and its content is no number.
    Turn,
    /// A part of a turn: by `message`.
    Part,
    /// A call: by `call`.
    Call,
}

struct Reader<'r> {
    schema: &'r Schema,
    unread: &'r mut Unread,
}

impl Reader<'_> {
    fn record(&mut self, record: Object<'_>, joined: &mut Joined<'_>) -> Option<()> {
        let schema = self.schema;
        let mut read: Vec<&str> = Vec::with_capacity(schema.members.len());
        let mut said: Vec<String> = Vec::new();
        let mut answers = Answers::default();
        let lengths = record.lengths();
        for member in &schema.members {
            let Some((name, value)) = member.find(record, lengths) else {
                if member.optional {
                    continue;
                }
                return None;
            };
            read.push(name);
            let place = self.unread.member(Place::RECORD, name);
            if matches!(member.kind, Kind::Prompt | Kind::Answer) {
                let before = said.len();
                self.compared(member.kind, value, place, &mut said, &mut answers)?;
                said[before..].iter().for_each(|text| joined.push(text));
            } else {
                self.value(member.kind, value, place, &mut |text| joined.push(text))?;
            }
        }
        self.leave(record, Place::RECORD, &read)
    }

    fn value(&mut self, kind: Kind, value: Node<'_>, place: Place, take: &mut Take<'_>) -> Option<()> {
        match (kind, value.view()?) {
            (Kind::Text | Kind::Texts | Kind::Either | Kind::Speech, View::Text(text)) => take(text),
            (Kind::Texts, View::List(texts)) => {
                for text in texts.items().filter(|text| !text.is_null()) {
                    let View::Text(text) = text.view()? else { return None };
                    take(text);
                }
            }
            (Kind::Values, View::List(values)) => {
                for value in values.items() {
                    json_or_text(value, take)?;
                }
            }
            (Kind::Values, _) => json_or_text(value, take)?,
            (Kind::Speech, View::List(_) | View::Object(_)) => self.speech(value, Form::Part, place, take)?,
            (Kind::Either, _) => self.either(value, place, take)?,
            (Kind::Turns, View::List(turns)) => {
                let place = self.unread.items(place);
                for turn in turns.items() {
                    self.turn(turn, place, take)?;
                }
            }
            (Kind::History, View::List(turns)) => {
                let inside = self.unread.items(place);
                for turn in turns.items() {
                    match turn.view()? {
                        View::List(_) => self.value(Kind::Texts, turn, place, take)?,
                        _ => self.turn(turn, inside, take)?,
                    }
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn either(&mut self, value: Node<'_>, place: Place, take: &mut Take<'_>) -> Option<()> {
        match value.view()? {
            View::Text(text) => {
                take(text);
                Some(())
            }
            View::List(_) => self.value(Kind::Turns, value, place, take),
            _ => {
                self.texts(value, place)?.iter().for_each(|text| take(text));
                Some(())
            }
        }
    }

    fn turn(&mut self, turn: Node<'_>, place: Place, take: &mut Take<'_>) -> Option<()> {
        match turn.view()? {
            View::Text(text) => {
                take(text);
                Some(())
            }
            View::Object(object) => {
                let read = self.object(object, Form::Turn, place, take)?;
                // What has none of the members is no turn; one that has them, all of them null, is an empty one.
                let names = self.schema.message.iter().flat_map(|member| &member.names);
                (read || names.into_iter().any(|name| object.get(name).is_some())).then_some(())
            }
            _ => None,
        }
    }

    fn speech(&mut self, value: Node<'_>, form: Form, place: Place, take: &mut Take<'_>) -> Option<()> {
        match value.view()? {
            View::Null => {}
            View::Text(text) => take(text),
            View::List(items) => {
                let place = self.unread.items(place);
                for item in items.items() {
                    self.speech(item, form, place, take)?;
                }
            }
            View::Object(object) => {
                self.object(object, form, place, take)?;
            }
            View::Bool(_) | View::Number(_) => self.unread.leave(place, 0),
        }
        Some(())
    }

    /// Reads an object; whether there was anything to read.
    fn object(&mut self, object: Object<'_>, form: Form, place: Place, take: &mut Take<'_>) -> Option<bool> {
        let schema = self.schema;
        // Few members are read of an object, mostly one.
        let mut read: [&str; 8] = [""; 8];
        let mut count = 0;
        let lengths = object.lengths();
        for member in if form == Form::Call { &schema.call } else { &schema.message } {
            let Some((name, value)) = member.find(object, lengths) else { continue };
            if !member.beside.is_empty() && object.first(&member.beside).is_none() {
                continue;
            }
            *read.get_mut(count)? = name;
            count += 1;
            match (member.kind, value.view()?) {
                (Kind::Value, _) => json_or_text(value, take)?,
                (_, View::Text(text)) => take(text),
                (_, View::Bool(_) | View::Number(_)) if form == Form::Turn && member.is_content() => return None,
                (kind, _) => {
                    let form = if kind == Kind::Call { Form::Call } else { Form::Part };
                    let inside = self.unread.member(place, name);
                    self.speech(value, form, inside, take)?;
                }
            }
        }
        self.leave(object, place, &read[..count])?;
        Some(count > 0)
    }

    /// Notes all members but those that were `read`; those that are null are not there.
    fn leave(&mut self, object: Object<'_>, place: Place, read: &[&str]) -> Option<()> {
        for (name, value) in object.members() {
            if !value.is_null() && !read.contains(&name) {
                let inside = self.unread.member(place, name);
                self.unread.leave(inside, value.text_bytes()?);
            }
        }
        Some(())
    }

    /// Adds the texts of a prompt or an answer that do not repeat what was said before, one for each turn.
    fn compared(
        &mut self,
        kind: Kind,
        value: Node<'_>,
        place: Place,
        said: &mut Vec<String>,
        answers: &mut Answers,
    ) -> Option<()> {
        let text = if let View::Text(text) = value.view()? { Some(text) } else { None };
        match (kind, text, answers.first.as_deref()) {
            (Kind::Prompt, Some(text), _) => said.push(text.to_owned()),
            (Kind::Answer, Some(text), Some(first)) => {
                let lines: Vec<&str> = text.split('\n').collect();
                let same = first.split('\n').zip(&lines).take_while(|(line, other)| line == *other).count();
                said.push(lines[same.min(lines.len() - 1)..].join("\n"));
            }
            _ => {
                let texts = self.texts(value, place)?;
                if let Some(text) = text
                    && said.iter().all(String::is_empty)
                {
                    answers.first = Some(text.to_owned());
                }
                let same = said.iter().zip(&texts).take_while(|(turn, other)| turn == other).count();
                let least = usize::from(answers.any);
                answers.any = kind == Kind::Answer;
                let most = texts.len().saturating_sub(least);
                said.extend(texts.into_iter().skip(same.min(most)));
            }
        }
        Some(())
    }

    /// The texts of what is a text, a list of turns, or one turn: one for each.
    fn texts(&mut self, value: Node<'_>, place: Place) -> Option<Vec<String>> {
        let mut texts = Vec::new();
        match value.view()? {
            View::Text(text) => texts.push(text.to_owned()),
            View::List(turns) => {
                let place = self.unread.items(place);
                for turn in turns.items() {
                    texts.push(self.turn_text(turn, place)?);
                }
            }
            View::Object(object) => match object.get("messages").filter(|messages| !messages.is_null()) {
                None => texts.push(self.turn_text(value, place)?),
                Some(messages) => {
                    if let Some(tools) = object.get("tools").filter(|tools| !tools.is_null()) {
                        self.value(Kind::Values, tools, place, &mut |tool| texts.push(tool.to_owned()))?;
                    }
                    if !matches!(messages.view()?, View::List(_)) {
                        return None;
                    }
                    let inside = self.unread.member(place, "messages");
                    texts.extend(self.texts(messages, inside)?);
                    self.leave(object, place, &["messages", "tools"])?;
                }
            },
            _ => return None,
        }
        Some(texts)
    }

    fn turn_text(&mut self, turn: Node<'_>, place: Place) -> Option<String> {
        let mut text = Vec::new();
        let mut joined = Joined { start: 0, out: &mut text };
        self.turn(turn, place, &mut |piece| joined.push(piece))?;
        String::from_utf8(text).ok()
    }
}

/// Takes a text as it is, everything else as JSON; nothing of null.
fn json_or_text(value: Node<'_>, take: &mut Take<'_>) -> Option<()> {
    match value.view()? {
        View::Null => {}
        View::Text(text) => take(text),
        _ => {
            let mut json = Vec::new();
            json_text::write(value, &mut json)?;
            take(&String::from_utf8(json).ok()?);
        }
    }
    Some(())
}
