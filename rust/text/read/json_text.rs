//! JSON values as texts: equal values, equal texts, however they are stored (`json_text` of `text.py`).

use std::io::Write;

use super::node::{Node, View};
use super::repr;
use super::value::Number;

/// Below this, a float without a fraction is written as the integer that it equals.
const WHOLE: f64 = 1e15;
/// From here on, integers need more than 64 bits.
const WIDE: f64 = 9e18;

/// Appends a value: keys sorted, members that are null left out; None, after whatever, if it can't be read here.
pub(super) fn write(value: Node<'_>, out: &mut Vec<u8>) -> Option<()> {
    match value.view()? {
        View::Null => out.extend(b"null"),
        View::Bool(true) => out.extend(b"true"),
        View::Bool(false) => out.extend(b"false"),
        // An integer of more than 64 bits is a float here.
        View::Number(Number::Float(number)) if (WIDE..f64::INFINITY).contains(&number.abs()) => return None,
        View::Number(number) => write_number(number, out),
        View::Text(text) => write_text(text, out),
        View::List(list) => {
            out.push(b'[');
            for (at, item) in list.items().enumerate() {
                if at > 0 {
                    out.extend(b", ");
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        View::Object(object) => {
            let mut members: Vec<_> = object.members().filter(|(_, value)| !value.is_null()).collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push(b'{');
            for (at, (name, value)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.extend(b", ");
                }
                write_text(name, out);
                out.extend(b": ");
                write(value, out)?;
            }
            out.push(b'}');
        }
    }
    Some(())
}

fn write_number(number: Number, out: &mut Vec<u8>) {
    match number {
        Number::Int(number) => write!(out, "{number}").expect("memory takes all that is written"),
        Number::Float(number) if number.is_nan() => out.extend(b"NaN"),
        Number::Float(f64::INFINITY) => out.extend(b"Infinity"),
        Number::Float(f64::NEG_INFINITY) => out.extend(b"-Infinity"),
        Number::Float(number) if number.fract() == 0.0 && number.abs() < WHOLE => {
            write_number(Number::Int(number as i64), out);
        }
        Number::Float(number) => repr::float(number, out),
    }
}

/// A text in quotes, escaped as little as JSON allows.
fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.extend(&rest[..at]);
        match rest[at] {
            b'"' => out.extend(b"\\\""),
            b'\\' => out.extend(b"\\\\"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0x08 => out.extend(b"\\b"),
            0x0c => out.extend(b"\\f"),
            byte => write!(out, "\\u{byte:04x}").expect("memory takes all that is written"),
        }
        rest = &rest[at + 1..];
    }
    out.extend(rest);
    out.push(b'"');
}
