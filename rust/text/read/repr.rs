//! Python's `repr` of a JSON document, as `repr(json.loads(document))` has it: what the authors' script sizes.
//!
//! A document is turned token by token: most of a text is the same bytes in both. What is left to Python is what would
//! take a second look or depends on how Python is set up: keys that are there twice, of which the last value counts;
//! integers of more digits than Python may be told to refuse; deep nesting.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::Arc;

/// Objects and lists inside each other that are rendered here; Python takes more.
const DEPTH: usize = 100;
/// Digits of the longest integer that is rendered here; the least that Python's own limit can be set to.
const DIGITS: usize = 640;

/// The characters that `repr` leaves as they are. They depend on the version of Unicode that a Python knows, so that
/// Python itself is asked for them.
#[derive(Debug, Clone)]
pub struct Printable(Arc<[u8]>);

impl Printable {
    /// Bit `c % 8` of byte `c / 8` is whether the character `c` is printable.
    #[must_use]
    pub fn new(bits: &[u8]) -> Self {
        Self(bits.into())
    }

    fn has(&self, code: u32) -> bool {
        self.0.get(code as usize / 8).is_some_and(|byte| byte >> (code % 8) & 1 == 1)
    }
}

/// Appends the `repr` of `json`, which is known to be a JSON document; None, after whatever, to leave it to Python.
pub(super) fn render(json: &str, printable: &Printable, out: &mut Vec<u8>) -> Option<()> {
    let mut writer = Writer { json, at: 0, printable, out };
    writer.space();
    writer.value(DEPTH)
}

struct Writer<'w> {
    json: &'w str,
    at: usize,
    printable: &'w Printable,
    out: &'w mut Vec<u8>,
}

impl Writer<'_> {
    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// The value that begins here, and the space after it.
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string()?,
            b'{' => self.object(depth.checked_sub(1)?)?,
            b'[' => self.list(depth.checked_sub(1)?)?,
            b't' => self.word("true", b"True"),
            b'f' => self.word("false", b"False"),
            b'n' => self.word("null", b"None"),
            _ => self.number()?,
        }
        self.space();
        Some(())
    }

    fn word(&mut self, word: &str, name: &[u8]) {
        self.at += word.len();
        self.out.extend(name);
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        self.out.push(b'{');
        let mut keys = Vec::new();
        self.items(b'}', |writer| {
            let start = writer.out.len();
            writer.string()?;
            // Equal keys look equal.
            let mut hasher = DefaultHasher::new();
            writer.out[start..].hash(&mut hasher);
            keys.push(hasher.finish());
            writer.space();
            writer.at += 1;
            writer.space();
            writer.out.extend(b": ");
            writer.value(depth)
        })?;
        keys.sort_unstable();
        keys.windows(2).all(|pair| pair[0] != pair[1]).then_some(())
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        self.out.push(b'[');
        self.items(b']', |writer| writer.value(depth))
    }

    /// What is inside brackets, which are closed by `close`.
    fn items(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.space();
        let mut separator: &[u8] = b"";
        while self.peek()? != close {
            if !separator.is_empty() {
                // A comma.
                self.at += 1;
                self.space();
            }
            self.out.extend(separator);
            item(self)?;
            separator = b", ";
        }
        self.at += 1;
        self.out.push(close);
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let rest = &self.json[self.at..];
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let number = &rest[..rest.bytes().take_while(is_part).count()];
        self.at += number.len();
        if number.contains(['.', 'e', 'E']) {
            float(number.parse().ok()?, self.out);
        } else if number == "-0" {
            self.out.push(b'0');
        } else if !number.is_empty() && number.len() <= DIGITS {
            self.out.extend(number.as_bytes());
        } else {
            return None;
        }
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        let token = &self.json[self.at + 1..];
        let shape = Shape::of(token.as_bytes())?;
        let text = &token[..shape.length];
        self.at += shape.length + 2;
        let quote = if shape.single && !shape.double { b'"' } else { b'\'' };
        self.out.push(quote);
        if shape.is_plain {
            self.out.extend(text.as_bytes());
        } else {
            self.escaped(text, quote)?;
        }
        self.out.push(quote);
        Some(())
    }

    /// The characters of a text between quotes.
    fn escaped(&mut self, text: &str, quote: u8) -> Option<()> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let run = bytes[at..].iter().take_while(|&&byte| is_plain(byte)).count();
            self.out.extend(&bytes[at..at + run]);
            at += run;
            match bytes.get(at) {
                None => {}
                Some(b'\\') => at += self.escape(&bytes[at..], quote)?,
                Some(_) => {
                    let character = text[at..].chars().next()?;
                    self.character(character.into(), quote);
                    at += character.len_utf8();
                }
            }
        }
        Some(())
    }

    /// The character of the escape that `bytes` begin with, and the escape's length.
    fn escape(&mut self, bytes: &[u8], quote: u8) -> Option<usize> {
        let code = match bytes.get(1)? {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => 0x0a,
            b'r' => 0x0d,
            b't' => 0x09,
            b'u' => {
                let high = unit(bytes)?;
                // Two halves of a character make one; a half alone stands for itself.
                let low =
                    unit(&bytes[6..]).filter(|low| (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(low));
                let code = low.map_or(high, |low| 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
                self.character(code, quote);
                return Some(if low.is_some() { 12 } else { 6 });
            }
            &other => other.into(),
        };
        self.character(code, quote);
        Some(2)
    }

    fn character(&mut self, code: u32, quote: u8) {
        let written = match code {
            0x09 => self.out.write_all(b"\\t"),
            0x0a => self.out.write_all(b"\\n"),
            0x0d => self.out.write_all(b"\\r"),
            0x5c => self.out.write_all(b"\\\\"),
            0x20..0x7f if code == u32::from(quote) => self.out.write_all(&[b'\\', quote]),
            0x20..0x7f => self.out.write_all(&[code as u8]),
            _ => match char::from_u32(code).filter(|_| self.printable.has(code)) {
                Some(character) => self.out.write_all(character.encode_utf8(&mut [0; 4]).as_bytes()),
                None if code < 0x100 => write!(self.out, "\\x{code:02x}"),
                None if code < 0x1_0000 => write!(self.out, "\\u{code:04x}"),
                None => write!(self.out, "\\U{code:08x}"),
            },
        };
        written.expect("memory takes all that is written");
    }
}

/// What there is to know of a text before it can be written.
struct Shape {
    /// Bytes before its closing quote.
    length: usize,
    /// Whether it has a single quote.
    single: bool,
    /// Whether it has a double quote.
    double: bool,
    /// Whether all of its bytes stand for themselves; a single quote does if double ones are around it.
    is_plain: bool,
}

impl Shape {
    /// The shape of the text that `bytes` begin with, after its opening quote.
    fn of(bytes: &[u8]) -> Option<Self> {
        let mut shape = Self { length: 0, single: false, double: false, is_plain: true };
        let mut at = 0;
        loop {
            at += bytes[at..].iter().take_while(|&&byte| is_plain(byte)).count();
            match bytes.get(at)? {
                b'"' => {
                    shape.length = at;
                    shape.is_plain &= !(shape.single && shape.double);
                    return Some(shape);
                }
                b'\'' => shape.single = true,
                b'\\' => {
                    shape.is_plain = false;
                    let code = if bytes.get(at + 1)? == &b'u' { unit(&bytes[at..])? } else { bytes[at + 1].into() };
                    shape.single |= code == 0x27;
                    shape.double |= code == 0x22;
                    at += 1;
                }
                _ => shape.is_plain = false,
            }
            at += 1;
        }
    }
}

/// Whether a byte of a JSON text stands for itself in Python too, whatever is around it.
fn is_plain(byte: u8) -> bool {
    const PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut byte = 0x20;
        while byte < 0x7f {
            plain[byte] = !matches!(byte as u8, b'"' | b'\'' | b'\\');
            byte += 1;
        }
        plain
    };
    PLAIN[byte as usize]
}

/// The number in an escape `\u....` that `bytes` begin with.
fn unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Appends a float: the fewest digits that tell it from others, as Python lays them out.
pub(super) fn float(number: f64, out: &mut Vec<u8>) {
    if number.is_sign_negative() {
        out.push(b'-');
    }
    if number.is_infinite() {
        out.extend(b"inf");
        return;
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').expect("this format has an exponent");
    let exponent: i32 = exponent.parse().expect("an exponent is a number");
    let digits = mantissa.replace('.', "");
    let written = match usize::try_from(exponent) {
        // 1e16 and above, below 1e-4.
        _ if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(out, "{mantissa}e{sign}{:02}", exponent.abs())
        }
        Err(_) => write!(out, "0.{:0>width$}", digits, width = digits.len() + exponent.unsigned_abs() as usize - 1),
        Ok(whole) if digits.len() > whole + 1 => write!(out, "{}.{}", &digits[..=whole], &digits[whole + 1..]),
        Ok(whole) => write!(out, "{digits:0<width$}.0", width = whole + 1),
    };
    written.expect("memory takes all that is written");
}
