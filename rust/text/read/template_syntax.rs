//! The syntax of templates, as far as `template` renders them.

use super::template::{Part, Path, Progress, Root, Step, Term, Test};

/// What these names lead to, in a record or an object without such a key, are methods of Python's.
const METHODS: [&str; 11] =
    ["clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];
/// Names that mean something else than a field, always or where there is no such field.
const WORDS: [&str; 26] = [
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
    "not",
    "and",
    "or",
    "in",
    "is",
    "if",
    "else",
    "recursive",
    "self",
    "super",
    "caller",
    "varargs",
    "kwargs",
    "range",
    "dict",
    "debug",
    "namespace",
    "lipsum",
    "cycler",
    "joiner",
];

/// The parts of a template, and the keys of records that they look at; None if it has any other.
pub(super) fn parse(text: &str) -> Option<(Vec<Part>, Vec<String>)> {
    // One line break at the end is the file's.
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.ends_with('\r') {
        return None;
    }
    let mut parser = Parser { pieces: pieces(text)?, at: 0, scope: Vec::new(), keys: Vec::new() };
    let (parts, end) = parser.parts()?;
    if end.is_some() {
        return None;
    }
    parser.keys.sort_unstable();
    parser.keys.dedup();
    Some((parts, parser.keys))
}

/// A piece of a template.
enum Piece<'t> {
    Text(&'t str),
    /// `{{ ... }}`
    Show(Vec<Token<'t>>),
    /// `{% ... %}`
    Tag(Vec<Token<'t>>),
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'t> {
    Name(&'t str),
    Number(i64),
    Text(String),
    Sign(&'t str),
}

/// Cuts a template into pieces.
fn pieces(mut rest: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut trims = false;
    loop {
        let begin = ["{{", "{%", "{#"].iter().filter_map(|mark| rest.find(mark)).min();
        let (before, mut inside) = rest.split_at(begin.unwrap_or(rest.len()));
        let mut text = if trims { before.trim_start() } else { before };
        if begin.is_none() {
            pieces.push(Piece::Text(text));
            return Some(pieces);
        }
        let mark = &inside[..2];
        inside = &inside[2..];
        if let Some(behind) = inside.strip_prefix('-') {
            inside = behind;
            text = text.trim_end();
        }
        pieces.push(Piece::Text(text));
        if mark == "{#" {
            let end = inside.find("#}")?;
            trims = inside[..end].ends_with('-');
            rest = &inside[end + 2..];
            continue;
        }
        let mut tokens = Vec::new();
        let end = if mark == "{{" { "}}" } else { "%}" };
        loop {
            inside = inside.trim_start_matches([' ', '\t', '\r', '\n']);
            trims = inside.strip_prefix('-').is_some_and(|behind| behind.starts_with(end));
            if let Some(behind) = inside[usize::from(trims)..].strip_prefix(end) {
                rest = behind;
                break;
            }
            let (token, behind) = token(inside)?;
            tokens.push(token);
            inside = behind;
        }
        pieces.push(if mark == "{{" { Piece::Show(tokens) } else { Piece::Tag(tokens) });
    }
}

/// The first token of a text, and what is behind it.
fn token(text: &str) -> Option<(Token<'_>, &str)> {
    let first = text.bytes().next()?;
    let length_of = |wanted: fn(u8) -> bool| text.bytes().position(|byte| !wanted(byte)).unwrap_or(text.len());
    if first.is_ascii_alphabetic() || first == b'_' {
        let length = length_of(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        return Some((Token::Name(&text[..length]), &text[length..]));
    }
    if first.is_ascii_digit() {
        let length = length_of(|byte| byte.is_ascii_digit());
        // Neither a float, nor one with an exponent or a base, nor one with underscores.
        let behind = text[length..].bytes().next();
        let is_more = behind.is_some_and(|byte| byte == b'.' || byte == b'_' || byte.is_ascii_alphabetic());
        return if is_more { None } else { Some((Token::Number(text[..length].parse().ok()?), &text[length..])) };
    }
    if first == b'"' || first == b'\'' {
        return string(&text[1..], char::from(first));
    }
    let sign = ["==", "!=", ".", "[", "]", "+", "~", "-", "(", ")"].into_iter().find(|sign| text.starts_with(sign))?;
    Some((Token::Sign(&text[..sign.len()]), &text[sign.len()..]))
}

/// A text up to its closing quote, and what is behind it.
fn string(text: &str, quote: char) -> Option<(Token<'_>, &str)> {
    let mut found = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            return Some((Token::Text(found), &text[at + 1..]));
        }
        found.push(match letter {
            '\\' => match letters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                same @ ('\\' | '"' | '\'') => same,
                _ => return None,
            },
            letter => letter,
        });
    }
    None
}

struct Parser<'t> {
    pieces: Vec<Piece<'t>>,
    at: usize,
    /// The names of the items of the loops around.
    scope: Vec<&'t str>,
    keys: Vec<String>,
}

impl<'t> Parser<'t> {
    /// The parts up to a tag that ends them, and that tag; None inside at the end of the template.
    fn parts(&mut self) -> Option<(Vec<Part>, Option<Vec<Token<'t>>>)> {
        let mut parts = Vec::new();
        while let Some(piece) = self.pieces.get_mut(self.at) {
            self.at += 1;
            match piece {
                Piece::Text("") => {}
                Piece::Text(text) => parts.push(Part::Text((*text).to_owned())),
                Piece::Show(tokens) => {
                    let tokens = std::mem::take(tokens);
                    let mut tokens = &tokens[..];
                    let mut terms = vec![self.term(&mut tokens)?];
                    while let [Token::Sign("+" | "~"), behind @ ..] = tokens {
                        tokens = behind;
                        terms.push(self.term(&mut tokens)?);
                    }
                    if !tokens.is_empty() {
                        return None;
                    }
                    parts.push(Part::Show(terms));
                }
                Piece::Tag(tokens) => {
                    let tokens = std::mem::take(tokens);
                    match &tokens[..] {
                        [Token::Name("for"), Token::Name(name), Token::Name("in"), over @ ..] if is_field(name) => {
                            parts.push(self.loop_over(name, over)?);
                        }
                        [Token::Name("if"), test @ ..] => parts.push(self.condition(test)?),
                        _ => return Some((parts, Some(tokens))),
                    }
                }
            }
        }
        Some((parts, None))
    }

    fn loop_over(&mut self, name: &'t str, mut over: &[Token<'t>]) -> Option<Part> {
        let Term::Path(path) = self.term(&mut over)? else { return None };
        if !over.is_empty() || matches!(path.root, Root::Loop(_)) || name == "loop" {
            return None;
        }
        self.scope.push(name);
        let (parts, end) = self.parts()?;
        self.scope.pop();
        (end? == [Token::Name("endfor")]).then_some(Part::For(path, parts))
    }

    fn condition(&mut self, test: &[Token<'t>]) -> Option<Part> {
        let mut test = self.test(test)?;
        let mut branches = Vec::new();
        loop {
            let (parts, end) = self.parts()?;
            let is_last = test == Test::Else;
            branches.push((test, parts));
            test = match &end?[..] {
                [Token::Name("endif")] => return Some(Part::If(branches)),
                _ if is_last => return None,
                [Token::Name("else")] => Test::Else,
                [Token::Name("elif"), test @ ..] => self.test(test)?,
                _ => return None,
            };
        }
    }

    /// A whole condition.
    fn test(&mut self, mut tokens: &[Token<'t>]) -> Option<Test> {
        let test = self.either(&mut tokens)?;
        tokens.is_empty().then_some(test)
    }

    fn either(&mut self, tokens: &mut &[Token<'t>]) -> Option<Test> {
        let mut test = self.both(tokens)?;
        while let [Token::Name("or"), behind @ ..] = *tokens {
            *tokens = behind;
            test = Test::Or(test.into(), self.both(tokens)?.into());
        }
        Some(test)
    }

    fn both(&mut self, tokens: &mut &[Token<'t>]) -> Option<Test> {
        let mut test = self.negated(tokens)?;
        while let [Token::Name("and"), behind @ ..] = *tokens {
            *tokens = behind;
            test = Test::And(test.into(), self.negated(tokens)?.into());
        }
        Some(test)
    }

    fn negated(&mut self, tokens: &mut &[Token<'t>]) -> Option<Test> {
        if let [Token::Name("not"), behind @ ..] = *tokens {
            *tokens = behind;
            return Some(Test::Not(self.negated(tokens)?.into()));
        }
        let term = self.term(tokens)?;
        let [Token::Sign(sign @ ("==" | "!=")), behind @ ..] = *tokens else { return Some(Test::Truth(term)) };
        *tokens = behind;
        let equal = Test::Equal(term, self.term(tokens)?);
        Some(if *sign == "==" { equal } else { Test::Not(equal.into()) })
    }

    fn term(&mut self, tokens: &mut &[Token<'t>]) -> Option<Term> {
        let (first, mut behind) = tokens.split_first()?;
        let name = match first {
            Token::Text(text) => {
                *tokens = behind;
                // Texts one after the other are one text.
                return if matches!(behind.first(), Some(Token::Text(_) | Token::Sign("[" | "."))) {
                    None
                } else {
                    Some(Term::Text(text.clone()))
                };
            }
            Token::Name(name) if is_field(name) => *name,
            _ => return None,
        };
        let mut steps = Vec::new();
        loop {
            let (step, rest) = match behind {
                [Token::Sign("."), Token::Name(key), rest @ ..] => (Step::Key((*key).to_owned()), rest),
                [Token::Sign("["), Token::Text(key), Token::Sign("]"), rest @ ..] => (Step::Key(key.clone()), rest),
                [Token::Sign("["), Token::Number(at), Token::Sign("]"), rest @ ..] => (Step::At(*at), rest),
                [Token::Sign("["), Token::Sign("-"), Token::Number(at), Token::Sign("]"), rest @ ..] => {
                    (Step::At(-at), rest)
                }
                [Token::Sign("." | "[" | "("), ..] => return None,
                _ => break,
            };
            if matches!(&step, Step::Key(key) if is_method(key)) {
                return None;
            }
            steps.push(step);
            behind = rest;
        }
        *tokens = behind;
        Some(Term::Path(Path { root: self.root(name, &steps)?, steps }))
    }

    fn root(&mut self, name: &str, steps: &[Step]) -> Option<Root> {
        if let Some(number) = self.scope.iter().rposition(|item| *item == name) {
            return Some(Root::Item(number));
        }
        if name == "loop" && !self.scope.is_empty() {
            let [Step::Key(what)] = steps else { return None };
            return Some(Root::Loop(match what.as_str() {
                "first" => Progress::First,
                "last" => Progress::Last,
                "index" => Progress::Index,
                "index0" => Progress::Index0,
                _ => return None,
            }));
        }
        self.keys.push(name.to_owned());
        if name != "record" {
            return Some(Root::Field(name.to_owned()));
        }
        let Step::Key(key) = steps.first()? else { return None };
        self.keys.push(key.clone());
        Some(Root::Record)
    }
}

fn is_field(name: &str) -> bool {
    !WORDS.contains(&name) && !is_method(name)
}

fn is_method(name: &str) -> bool {
    METHODS.contains(&name) || name.starts_with("__")
}
