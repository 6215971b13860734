//! What a record's text is; a copy, schema by schema, of `python/entropylaw/pool/schema.py`.

use std::borrow::Cow;

use super::Field;
use super::repr::Printable;
use super::value::{Record, Value};

/// Where a record's text is.
#[derive(Debug, Clone)]
pub enum Text {
    /// `conversations`, after `system`.
    ShareGpt,
    /// `messages`.
    OpenAi,
    /// `instruction`, `input`, `output`.
    Alpaca,
    /// `prompt`, `completion`.
    Completion,
    /// `chosen`, `rejected`, after `prompt` or `conversations`.
    Preference,
    /// `text`.
    Text,
    /// The record is the text.
    Bare,
    /// A field that the user names.
    Field(Field),
    /// The record as it is stored.
    Json,
    /// The record as Python shows it, which leaves these characters as they are.
    Repr(Printable),
}

impl Text {
    /// The text of the schema that Python knows as `name`, if it is known here.
    #[must_use]
    pub fn of_schema(name: &str) -> Option<Self> {
        Some(match name {
            "sharegpt" => Self::ShareGpt,
            "openai" => Self::OpenAi,
            "alpaca" => Self::Alpaca,
            "completion" => Self::Completion,
            "preference" => Self::Preference,
            "text" => Self::Text,
            "string" => Self::Bare,
            _ => return None,
        })
    }

    /// The keys that it looks at.
    pub(super) fn keys(&self) -> Vec<String> {
        let keys: &[&str] = match self {
            Self::ShareGpt => &["system", "conversations"],
            Self::OpenAi => &["messages"],
            Self::Alpaca => &["instruction", "input", "output"],
            Self::Completion => &["prompt", "completion"],
            Self::Preference => &["prompt", "conversations", "chosen", "rejected"],
            Self::Text => &["text"],
            Self::Bare | Self::Json | Self::Repr(_) => &[],
            Self::Field(field) => return field.keys(),
        };
        keys.iter().map(|&key| key.to_owned()).collect()
    }

    /// Appends the text of `record`; None, after whatever, if that is for Python to do or to refuse.
    pub(super) fn render(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Option<()> {
        let mut joined = Joined { start: out.len(), out };
        match self {
            Self::ShareGpt => {
                if let Some(Value::Text(system)) = record.get("system") {
                    joined.push(system);
                }
                turns(record.get("conversations")?, &mut joined)
            }
            Self::OpenAi => turns(record.get("messages")?, &mut joined),
            Self::Alpaca => {
                joined.push(text(record.get("instruction")?)?);
                match record.get("input") {
                    None | Some(Value::Null) => {}
                    Some(input) => joined.push(text(input)?),
                }
                joined.push(text(record.get("output")?)?);
                Some(())
            }
            Self::Completion => {
                turns_or_text(record.get("prompt")?, &mut joined)?;
                turns_or_text(record.get("completion")?, &mut joined)
            }
            Self::Preference => preference(record, &mut joined),
            Self::Text => {
                joined.push(text(record.get("text")?)?);
                Some(())
            }
            Self::Bare => {
                joined.push(record.text()?);
                Some(())
            }
            Self::Field(field) => turns_or_text(field.find(record)?, &mut joined),
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

fn text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn turns(value: &Value<'_>, joined: &mut Joined<'_>) -> Option<()> {
    let Value::List(turns) = value else { return None };
    for turn in turns {
        joined.push(&turn_text(turn)?);
    }
    Some(())
}

fn turn_text<'v>(turn: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match turn.get("value").or_else(|| turn.get("content"))? {
        Value::Null => Some(Cow::Borrowed("")),
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::List(parts) => Some(Cow::Owned(parts_text(parts))),
        _ => None,
    }
}

/// Prompt, chosen and rejected answer; of an answer, not the turns or lines that it begins with like the others.
fn preference(record: &Record<'_>, joined: &mut Joined<'_>) -> Option<()> {
    let given = |key: &str| record.get(key).filter(|value| **value != Value::Null);
    let (chosen, rejected) = (record.get("chosen")?, record.get("rejected")?);
    let (prompt, turns) = (given("prompt"), given("conversations"));
    if let (Value::Text(chosen), None, None) = (chosen, prompt, turns) {
        let lines: Vec<&str> = text(rejected)?.split('\n').collect();
        let same = chosen.split('\n').zip(&lines).take_while(|(line, other)| line == *other).count();
        joined.push(chosen);
        joined.push(&lines[same..].join("\n"));
        return Some(());
    }
    let mut known = Vec::new();
    for part in [prompt, turns].into_iter().flatten() {
        known.extend(texts(part)?);
    }
    for answer in [chosen, rejected] {
        let turns = if matches!(answer, Value::Object(_)) { vec![turn_text(answer)?] } else { texts(answer)? };
        let same = known.iter().zip(&turns).take_while(|(turn, other)| turn == other).count();
        known.extend(turns.into_iter().skip(same));
    }
    known.iter().for_each(|turn| joined.push(turn));
    Some(())
}

/// A text, or those of turns.
fn texts<'v>(value: &'v Value<'_>) -> Option<Vec<Cow<'v, str>>> {
    match value {
        Value::Text(text) => Some(vec![Cow::Borrowed(text)]),
        Value::List(turns) => turns.iter().map(turn_text).collect(),
        _ => None,
    }
}

fn turns_or_text(value: &Value<'_>, joined: &mut Joined<'_>) -> Option<()> {
    match value {
        Value::Text(text) => {
            joined.push(text);
            Some(())
        }
        other => turns(other, joined),
    }
}

/// The text of a message's parts, of which some may be images or calls.
fn parts_text(parts: &[Value<'_>]) -> String {
    let texts: Vec<&str> = (parts.iter())
        .filter_map(|part| match part {
            Value::Object(_) => part.get("text").and_then(text),
            part => text(part),
        })
        .collect();
    texts.join("\n")
}
