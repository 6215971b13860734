//! Words, and pairs of neighbours: what a bag of words has of a text.
//!
//! A word is a run of letters, digits and underscores, or a run of other characters that are not white space: what NLTK's
//! `WordPunctTokenizer` makes of a text in lower case. Bytes that are not UTF-8 are one such other character.

use crate::hash::{chain, mix};

/// What stands for bytes that are not UTF-8.
const BROKEN: char = char::REPLACEMENT_CHARACTER;

/// What a character does to the word before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    Letter,
    Mark,
}

impl Kind {
    fn of(character: char) -> Self {
        if character == '_' || character.is_alphanumeric() {
            Self::Letter
        } else if character.is_whitespace() {
            Self::Space
        } else {
            Self::Mark
        }
    }
}

/// The word being read.
#[derive(Default)]
struct Word {
    hash: u64,
    /// Up to eight bytes that `hash` does not hold yet.
    pending: u64,
    length: u64,
}

impl Word {
    fn push(&mut self, character: char) {
        let mut buffer = [0; 4];
        for &byte in character.encode_utf8(&mut buffer).as_bytes() {
            if self.length > 0 && self.length.is_multiple_of(8) {
                self.hash = chain(self.hash, self.pending);
                self.pending = 0;
            }
            self.pending = self.pending << 8 | u64::from(byte);
            self.length += 1;
        }
    }

    fn finish(&self) -> u64 {
        chain(self.hash ^ self.length, self.pending)
    }
}

/// Reads a text's words one after the other.
struct Reader<V> {
    word: Word,
    kind: Kind,
    before: Option<u64>,
    visit: V,
}

impl<V: FnMut(u64)> Reader<V> {
    fn read(&mut self, character: char) {
        if character.is_ascii() {
            self.push(character.to_ascii_lowercase());
        } else {
            character.to_lowercase().for_each(|lower| self.push(lower));
        }
    }

    fn push(&mut self, character: char) {
        let kind = Kind::of(character);
        if kind != self.kind {
            self.end();
            self.kind = kind;
        }
        if kind != Kind::Space {
            self.word.push(character);
        }
    }

    /// Ends the word that is being read, if one is.
    fn end(&mut self) {
        if self.word.length > 0 {
            let hash = self.word.finish();
            (self.visit)(mix(hash));
            if let Some(before) = self.before.replace(hash) {
                (self.visit)(chain(mix(before), hash));
            }
            self.word = Word::default();
        }
    }
}

/// Calls `visit` with the hash of every word of `text`, in order, and behind it with that of the pair that it makes with the
/// word before.
pub(crate) fn words_and_pairs(text: &[u8], visit: impl FnMut(u64)) {
    let mut reader = Reader { word: Word::default(), kind: Kind::Space, before: None, visit };
    for chunk in text.utf8_chunks() {
        chunk.valid().chars().for_each(|character| reader.read(character));
        if !chunk.invalid().is_empty() {
            reader.read(BROKEN);
        }
    }
    reader.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<u64> {
        let mut found = Vec::new();
        words_and_pairs(text, |hash| found.push(hash));
        found
    }

    /// The words of a text, by the hashes of each alone.
    fn check(text: &str, words: &[&str]) {
        let found = all(text.as_bytes());
        let alone: Vec<u64> = words.iter().map(|word| all(word.as_bytes())[0]).collect();
        let ours: Vec<u64> =
            found.iter().enumerate().filter(|(at, _)| *at == 0 || at % 2 == 1).map(|(_, &h)| h).collect();
        assert_eq!(ours, alone, "{text:?}");
        assert_eq!(found.len(), (2 * words.len()).saturating_sub(1));
    }

    #[test]
    fn cuts_words_as_nltk_does() {
        check(
            "Good muffins cost $3.88\nin New York.",
            &["good", "muffins", "cost", "$", "3", ".", "88", "in", "new", "york", "."],
        );
        check("don't f_1 == \"x\")", &["don", "'", "t", "f_1", "==", "\"", "x", "\")"]);
        check("  ÉTÉ\u{a0}Привет 日本語。 ", &["été", "привет", "日本語", "。"]);
        check("internationalisation, internationalisations", &["internationalisation", ",", "internationalisations"]);
        // What stands for one character in lower case may be two, of which one is no letter.
        check("\u{130}x", &["i", "\u{307}", "x"]);
        check(" \n", &[]);
        check("", &[]);
    }

    #[test]
    fn pairs_have_an_order_and_are_no_words() {
        let found = all(b"a b a b ab");
        assert_eq!(found[2], found[6]);
        assert_ne!(found[2], found[4]);
        assert!(!found[7..8].contains(&found[2]));
    }

    #[test]
    fn bytes_that_are_not_text_are_marks() {
        assert_eq!(all(b"a\xff\xfeb"), all("a\u{fffd}\u{fffd}b".as_bytes()));
    }
}
