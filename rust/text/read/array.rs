//! Where the items of a JSON array are, told while the array comes in pieces.
//!
//! Only what separates items is looked at: brackets, commas and the ends of strings. So an item that is found need not be
//! JSON, and whoever reads it finds that out. But what can't be an array is met before more than an item has been passed
//! over: brackets that don't fit, items without a comma between them, and what stands nowhere in JSON but in strings.

/// What may come next of the array itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Its bracket.
    Array,
    /// The first item, or the end.
    First,
    /// An item.
    Item,
    /// More of an item that is neither string, list nor object.
    Bare,
    /// A comma, or the end.
    Comma,
    /// Space.
    Nothing,
}

/// Finds the items of an array.
#[derive(Debug)]
pub struct Items {
    next: Next,
    /// The brackets that close what is open inside the array.
    open: Vec<u8>,
    in_string: bool,
    /// The piece before ended behind a backslash in a string.
    escaped: bool,
    /// Where the item begins that is being passed over.
    begin: u64,
    /// Bytes seen so far, and where they are counted from.
    seen: u64,
    /// Behind the last comma between items.
    pub cut: Option<u64>,
    /// Behind the bracket that closes the array.
    pub end: Option<u64>,
    /// The first byte that can't be where it is.
    pub odd: Option<u64>,
}

impl Items {
    /// Finds those of an array that begins at `start`, from where places are counted.
    #[must_use]
    pub fn new(start: u64) -> Self {
        Self {
            next: Next::Array,
            open: Vec::new(),
            in_string: false,
            escaped: false,
            begin: start,
            seen: start,
            cut: None,
            end: None,
            odd: None,
        }
    }

    /// Looks at the next piece, and appends start and end of each item that ends in it. Nothing is found behind an odd
    /// byte.
    pub fn feed(&mut self, piece: &[u8], found: &mut Vec<(u64, u64)>) {
        let mut at = 0;
        while at < piece.len() && self.odd.is_none() {
            if self.in_string {
                at = self.string(piece, at, found);
                continue;
            }
            if !self.token(piece[at], self.seen + at as u64, found) {
                self.odd = Some(self.seen + at as u64);
            }
            at += 1;
        }
        self.seen += piece.len() as u64;
    }

    /// Passes over a string from `at` on, inside it; where the piece or the string ends.
    fn string(&mut self, piece: &[u8], mut at: usize, found: &mut Vec<(u64, u64)>) -> usize {
        if std::mem::take(&mut self.escaped) {
            at += 1;
        }
        loop {
            let Some(next) = memchr::memchr2(b'"', b'\\', &piece[at..]) else { return piece.len() };
            at += next;
            if piece[at] == b'"' {
                self.in_string = false;
                if self.open.is_empty() {
                    found.push((self.begin, self.seen + at as u64 + 1));
                }
                return at + 1;
            }
            if at + 1 == piece.len() {
                self.escaped = true;
                return piece.len();
            }
            at += 2;
        }
    }

    /// Passes over a byte outside strings; whether it may be there.
    fn token(&mut self, byte: u8, at: u64, found: &mut Vec<(u64, u64)>) -> bool {
        let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        if let Some(&closing) = self.open.last() {
            match byte {
                b'"' => self.in_string = true,
                b'{' => self.open.push(b'}'),
                b'[' => self.open.push(b']'),
                b'}' | b']' if byte == closing => {
                    self.open.pop();
                    if self.open.is_empty() {
                        found.push((self.begin, at + 1));
                    }
                }
                _ => return is_space || matches!(byte, b',' | b':') || is_bare(byte),
            }
            return true;
        }
        if self.next == Next::Bare {
            if is_bare(byte) {
                return true;
            }
            found.push((self.begin, at));
            self.next = Next::Comma;
        }
        match (self.next, byte) {
            (Next::Array, b'[') => self.next = Next::First,
            (Next::First | Next::Item | Next::Comma | Next::Nothing, _) if is_space => {}
            (Next::First | Next::Item, b'"' | b'{' | b'[') => {
                self.begin = at;
                self.next = Next::Comma;
                match byte {
                    b'"' => self.in_string = true,
                    b'{' => self.open.push(b'}'),
                    _ => self.open.push(b']'),
                }
            }
            (Next::First | Next::Item, _) if is_bare(byte) => {
                self.begin = at;
                self.next = Next::Bare;
            }
            (Next::Comma, b',') => {
                self.next = Next::Item;
                self.cut = Some(at + 1);
            }
            (Next::First | Next::Comma, b']') => {
                self.next = Next::Nothing;
                self.end = Some(at + 1);
            }
            _ => return false,
        }
        true
    }
}

/// Whether a byte may be one of a number or a name, such as `true`.
fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Spans, cut, end and odd.
    type Found = (Vec<(u64, u64)>, Option<u64>, Option<u64>, Option<u64>);

    /// All that is found in an array that comes in pieces of these sizes, again and again.
    fn found(array: &[u8], sizes: &[usize]) -> Found {
        let mut items = Items::new(3);
        let mut spans = Vec::new();
        let mut at = 0;
        for &size in sizes.iter().cycle() {
            let end = (at + size).min(array.len());
            items.feed(&array[at..end], &mut spans);
            at = end;
            if at == array.len() {
                break;
            }
        }
        (spans, items.cut, items.end, items.odd)
    }

    #[test]
    fn items_and_what_is_odd() {
        let spans = |array: &str| {
            let (spans, cut, end, odd) = found(array.as_bytes(), &[array.len()]);
            let items: Vec<_> =
                spans.iter().map(|&(start, end)| array[start as usize - 3..end as usize - 3].to_owned()).collect();
            (items.join("|"), cut.map(|cut| cut - 3), end.map(|end| end - 3), odd.map(|odd| odd - 3))
        };
        for (array, items, cut, end, odd) in [
            ("[]", "", None, Some(2), None),
            ("[ \n]\t", "", None, Some(4), None),
            ("[1]", "1", None, Some(3), None),
            ("[1 ,null,-1.5e+3 ]", "1|null|-1.5e+3", Some(9), Some(18), None),
            (r#"["]\"," , {"a":"}"},[[],[{}]]] "#, r#""]\","|{"a":"}"}|[[],[{}]]"#, Some(20), Some(30), None),
            (r#"["\\","a"]"#, r#""\\"|"a""#, Some(6), Some(10), None),
            ("[{}", "{}", None, None, None),
            ("[{", "", None, None, None),
            ("[1,]", "1", Some(3), None, Some(3)),
            ("[,1]", "", None, None, Some(1)),
            ("[1,,2]", "1", Some(3), None, Some(3)),
            ("[{} {}]", "{}", None, None, Some(4)),
            ("[1 2]", "1", None, None, Some(3)),
            ("[1\"a\"]", "1", None, None, Some(2)),
            ("[{]}", "", None, None, Some(2)),
            ("[[}]", "", None, None, Some(2)),
            ("[}", "", None, None, Some(1)),
            ("[1]]", "1", None, Some(3), Some(3)),
            ("[] []", "", None, Some(2), Some(3)),
            ("[{'a'}]", "", None, None, Some(2)),
            ("[\u{e9}]", "", None, None, Some(1)),
            ("{}", "", None, None, Some(0)),
        ] {
            assert_eq!(spans(array), (items.to_owned(), cut, end, odd), "{array}");
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(array in r#"\[([]\[{},:"\\ a1]|"[a\]]*",|\{\},?){0,30}\]?"#, sizes in prop::collection::vec(1_usize..9, 1..4)) {
            prop_assert_eq!(found(array.as_bytes(), &sizes), found(array.as_bytes(), &[array.len()]));
        }

        #[test]
        fn items_are_those_of_a_parser(values in prop::collection::vec(r#"[a"\\,\]}]{0,6}"#, 0..6), nested in any::<bool>()) {
            let items: Vec<serde_json::Value> = values.into_iter()
                .map(|text| if nested { serde_json::json!({ text.clone(): [text, 1, {}] }) } else { text.into() })
                .collect();
            let array = serde_json::to_string_pretty(&items).unwrap();
            let (spans, _, end, odd) = found(array.as_bytes(), &[7]);
            let read: Vec<serde_json::Value> = (spans.iter())
                .map(|&(start, end)| serde_json::from_str(&array[start as usize - 3..end as usize - 3]).unwrap())
                .collect();
            prop_assert_eq!((read, end, odd), (items, Some(array.len() as u64 + 3), None));
        }
    }
}
