//! JSON values, borrowed from their text; only those that somebody asks for.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A JSON value.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object(Members<'a>),
}

/// A number, as Python's parser would have it where it matters: an integer or not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    /// The nearest number of 64 bits.
    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

/// A record: a text, or an object.
#[derive(Debug)]
pub(super) enum Record<'a> {
    /// A bare text.
    Text(Cow<'a, str>),
    /// An object.
    Object {
        /// The members asked for.
        members: Members<'a>,
        /// The others that are not null, with the bytes of text in each, if that was asked for.
        others: Vec<(Cow<'a, str>, u64)>,
    },
}

/// The members of an object; of a key that is there twice, the last.
pub(super) type Members<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// A record's members with the `keys`, and what the others hold if that is `measured`; None if it is not JSON, or
/// neither text nor object.
pub(super) fn parse<'a>(json: &'a str, keys: &[String], measured: bool) -> Option<Record<'a>> {
    let mut parser = serde_json::Deserializer::from_str(json);
    let value = parser.deserialize_any(TopLevel { keys, measured }).ok()?;
    parser.end().ok()?;
    Some(value)
}

struct TopLevel<'k> {
    keys: &'k [String],
    measured: bool,
}

impl<'a> Visitor<'a> for TopLevel<'_> {
    type Value = Record<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text or an object")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Record<'a>, E> {
        Ok(Record::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Record<'a>, E> {
        Ok(Record::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Record<'a>, A::Error> {
        let mut members = Vec::with_capacity(self.keys.len());
        let mut others = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            if self.keys.iter().any(|wanted| *wanted == key) {
                members.push((key, map.next_value()?));
            } else if self.measured {
                others.push((key, map.next_value::<TextBytes>()?.0));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        keep_last(&mut members);
        keep_last(&mut others);
        let others = others.into_iter().filter_map(|(key, bytes)| Some((key, bytes?))).collect();
        Ok(Record::Object { members, others })
    }
}

/// Of the members with equal keys, keeps the last.
fn keep_last<T>(members: &mut Vec<(Cow<'_, str>, T)>) {
    // So many members are compared in pairs.
    const FEW: usize = 24;
    if members.len() <= FEW {
        let again = |at: usize| members[at + 1..].iter().any(|(key, _)| *key == members[at].0);
        let Some(first) = (0..members.len()).find(|&at| again(at)) else { return };
        members.remove(first);
        return keep_last(members);
    }
    let mut later = HashSet::with_capacity(members.len());
    let mut is_last: Vec<bool> = members.iter().rev().map(|(key, _)| later.insert(&**key)).collect();
    drop(later);
    let mut is_last = is_last.drain(..).rev();
    members.retain(|_| is_last.next().unwrap_or(true));
}

/// Bytes of text in a value that is not kept; None for null.
struct TextBytes(Option<u64>);

impl<'a> Deserialize<'a> for TextBytes {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Measure)
    }
}

struct Measure;

impl<'a> Visitor<'a> for Measure {
    type Value = TextBytes;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<TextBytes, E> {
        Ok(TextBytes(None))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<TextBytes, E> {
        Ok(TextBytes(Some(0)))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<TextBytes, E> {
        Ok(TextBytes(Some(0)))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<TextBytes, E> {
        Ok(TextBytes(Some(0)))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<TextBytes, E> {
        Ok(TextBytes(Some(0)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TextBytes, E> {
        Ok(TextBytes(Some(text.len() as u64)))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<TextBytes, A::Error> {
        let mut bytes = 0;
        while let Some(TextBytes(item)) = list.next_element()? {
            bytes += item.unwrap_or(0);
        }
        Ok(TextBytes(Some(bytes)))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<TextBytes, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            members.push((key, map.next_value::<TextBytes>()?.0.unwrap_or(0)));
        }
        keep_last(&mut members);
        Ok(TextBytes(Some(members.iter().map(|(_, bytes)| bytes).sum())))
    }
}

/// A key, borrowed where it has no escapes; serde's own `Cow` never is.
struct Key;

impl<'a> DeserializeSeed<'a> for Key {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Cow<'a, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Key {
    type Value = Cow<'a, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

impl<'a> Deserialize<'a> for Value<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'a> Visitor<'a> for AnyValue {
    type Value = Value<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'a>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value<'a>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value<'a>, E> {
        Ok(Value::Number(Number::Int(number)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value<'a>, E> {
        // Integers that need more than 64 bits are for Python.
        i64::try_from(number).map(|number| Value::Number(Number::Int(number))).map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value<'a>, E> {
        Ok(Value::Number(Number::Float(number)))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Value<'a>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'a>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Value<'a>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Value<'a>, A::Error> {
        let mut items = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            items.push((key, map.next_value()?));
        }
        keep_last(&mut items);
        Ok(Value::Object(items))
    }
}
