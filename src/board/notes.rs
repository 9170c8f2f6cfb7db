//! Three-way merge of texts: both people's words stay.
//!
//! The classic diff3 on words (S. Khanna, K. Kunal, B. C. Pierce, "A Formal Investigation of Diff3", 2007), with two
//! differences. Where both changed the same words there is no conflict to resolve by hand, both versions stay, one after the
//! other. And its cost is bounded by a number of steps, whatever the texts are: beyond it a side is compared line by line, then as a whole.
//!
//! Replicas must agree on every byte. The rules are in `docs/protocol.md`, and examples for all of them in
//! `docs/notes-vectors.json`.

mod diff;

use std::collections::HashMap;

use self::diff::{BUDGET, Edit};

/// The text that has both what `ours` and what `theirs` made of `base`. Where both changed the same words, `ours` comes first.
///
/// Deterministic. Every word that either inserted is in the result. Takes at most some milliseconds for texts of 32 KiB.
#[must_use]
pub fn merge(base: &str, ours: &str, theirs: &str) -> String {
    if ours == base || ours == theirs {
        return theirs.to_owned();
    }
    if theirs == base {
        return ours.to_owned();
    }
    let base = tokens(base);
    let groups = group(hunks(&base, &tokens(ours)), hunks(&base, &tokens(theirs)));
    let mut merged = String::with_capacity(ours.len().max(theirs.len()));
    let mut at = 0;
    for group in groups {
        merged.extend(base[at..group.start].iter().copied());
        merged.push_str(&group.text(&base));
        at = group.end;
    }
    merged.extend(base[at..].iter().copied());
    merged
}

/// Words, runs of blanks, and single line feeds; joined they give the text again.
fn tokens(text: &str) -> Vec<&str> {
    #[derive(PartialEq)]
    enum Sort {
        Word,
        Blank,
        LineFeed,
    }
    let sort = |letter: char| match letter {
        '\n' => Sort::LineFeed,
        letter if letter.is_whitespace() => Sort::Blank,
        _ => Sort::Word,
    };
    let mut tokens = Vec::new();
    let mut start = 0;
    for ((_, before), (at, letter)) in text.char_indices().zip(text.char_indices().skip(1)) {
        if sort(letter) == Sort::LineFeed || sort(before) != sort(letter) {
            tokens.push(&text[start..at]);
            start = at;
        }
    }
    if !text.is_empty() {
        tokens.push(&text[start..]);
    }
    tokens
}

/// A run of base tokens, `start..end`, and what one side has in its place.
#[derive(Debug)]
struct Hunk {
    start: usize,
    end: usize,
    text: String,
}

/// What a side did to the base, as runs between tokens that it kept.
fn hunks(base: &[&str], side: &[&str]) -> Vec<Hunk> {
    let hunk = |Edit { old, new }: Edit| Hunk { start: old.start, end: old.end, text: side[new].concat() };
    edits(base, side).into_iter().map(hunk).collect()
}

/// The edits that make `side` of `base`: of single tokens; of lines, if that takes too many steps; else one of all that differs.
fn edits(base: &[&str], side: &[&str]) -> Vec<Edit> {
    let (old, new) = numbered(base, side);
    diff::edits(&old, &new, BUDGET)
        .or_else(|| edits_of_lines(base, side))
        .unwrap_or_else(|| vec![diff::middle(&old, &new)])
}

/// The edits in which each line is changed as a whole.
fn edits_of_lines(base: &[&str], side: &[&str]) -> Option<Vec<Edit>> {
    let (old_starts, new_starts) = (line_starts(base), line_starts(side));
    let lines = |starts: &[usize], tokens: &[&str]| -> Vec<String> {
        starts.windows(2).map(|line| tokens[line[0]..line[1]].concat()).collect()
    };
    let (old, new) = numbered(&lines(&old_starts, base), &lines(&new_starts, side));
    let of_tokens = |Edit { old, new }: Edit| Edit {
        old: old_starts[old.start]..old_starts[old.end],
        new: new_starts[new.start]..new_starts[new.end],
    };
    Some(diff::edits(&old, &new, BUDGET)?.into_iter().map(of_tokens).collect())
}

/// The index of each line's first token, and the number of tokens. A line ends with its line feed.
fn line_starts(tokens: &[&str]) -> Vec<usize> {
    let ends = tokens.split_inclusive(|token| *token == "\n").scan(0, |end, line| {
        *end += line.len();
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

/// Both sequences with a number in place of each text: the same for the same text.
fn numbered<T: AsRef<str>>(old: &[T], new: &[T]) -> (Vec<u32>, Vec<u32>) {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut in_numbers = Vec::with_capacity(old.len() + new.len());
    for text in old.iter().chain(new) {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        in_numbers.push(*numbers.entry(text.as_ref()).or_insert(next));
    }
    let new = in_numbers.split_off(old.len());
    (in_numbers, new)
}

/// Hunks of both sides that overlap, over the run of base tokens that they cover together.
#[derive(Debug)]
struct Group {
    start: usize,
    end: usize,
    ours: Vec<Hunk>,
    theirs: Vec<Hunk>,
}

fn group(ours: Vec<Hunk>, theirs: Vec<Hunk>) -> Vec<Group> {
    let mut all: Vec<_> =
        ours.into_iter().map(|hunk| (hunk, true)).chain(theirs.into_iter().map(|hunk| (hunk, false))).collect();
    all.sort_by_key(|(hunk, is_ours)| (hunk.start, hunk.end, !is_ours));
    let mut groups: Vec<Group> = Vec::new();
    for (hunk, is_ours) in all {
        let joins =
            groups.last().is_some_and(|last| hunk.start < last.end || (hunk.start, hunk.end) == (last.start, last.end));
        if !joins {
            groups.push(Group { start: hunk.start, end: hunk.end, ours: Vec::new(), theirs: Vec::new() });
        }
        if let Some(last) = groups.last_mut() {
            last.end = last.end.max(hunk.end);
            if is_ours { last.ours.push(hunk) } else { last.theirs.push(hunk) }
        }
    }
    groups
}

impl Group {
    /// What stands in place of the group's base tokens: of two changes to the same words both, of a change and a deletion the
    /// change.
    fn text(&self, base: &[&str]) -> String {
        let only_deletes = |hunks: &[Hunk]| hunks.iter().all(|hunk| hunk.text.is_empty());
        let (ours, theirs) = (self.side(&self.ours, base), self.side(&self.theirs, base));
        if only_deletes(&self.ours) && only_deletes(&self.theirs) {
            return self.deleted_by_neither(base);
        }
        if only_deletes(&self.ours) || ours == theirs {
            return theirs;
        }
        if only_deletes(&self.theirs) {
            return ours;
        }
        let glued = !ours.ends_with(char::is_whitespace) && !theirs.starts_with(char::is_whitespace);
        format!("{ours}{}{theirs}", if glued { " " } else { "" })
    }

    /// One side's text in place of the group's base tokens.
    fn side(&self, hunks: &[Hunk], base: &[&str]) -> String {
        let mut text = String::new();
        let mut at = self.start;
        for hunk in hunks {
            text.extend(base[at..hunk.start].iter().copied());
            text.push_str(&hunk.text);
            at = hunk.end;
        }
        text.extend(base[at..self.end].iter().copied());
        text
    }

    fn deleted_by_neither(&self, base: &[&str]) -> String {
        let mut left = base[self.start..self.end].to_vec();
        for hunk in self.ours.iter().chain(&self.theirs) {
            left[hunk.start - self.start..hunk.end - self.start].fill("");
        }
        left.concat()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_peoples_words_stay() {
        let cases = [
            // base, ours, theirs, merged
            ("Milk", "Milk eggs", "Milk bread", "Milk eggs bread"),
            ("Milk\n", "Milk\neggs\n", "Milk\nbread\n", "Milk\neggs\nbread\n"),
            ("", "hello", "world", "hello world"),
            ("one two three", "1 two three", "one two 3", "1 two 3"),
            ("one two three", "one three", "one 2 three", "one 2 three"),
            ("one two three four", "one four", "one two four", "one four"),
            ("call Ada", "call Ada today", "ring Ada", "ring Ada today"),
            ("same", "both", "both", "both"),
        ];
        for (base, ours, theirs, merged) in cases {
            assert_eq!(merge(base, ours, theirs), merged, "{base:?}: {ours:?} and {theirs:?}");
        }
    }

    /// A text of the vectors: itself, or parts of it. A part that comes `n` times has its number in place of `#`.
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Text {
        Whole(String),
        Parts(Vec<Part>),
    }

    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Part {
        Once(String),
        Often(String, usize),
    }

    impl Text {
        fn written(&self) -> String {
            match self {
                Self::Whole(text) => text.clone(),
                Self::Parts(parts) => parts
                    .iter()
                    .map(|part| match part {
                        Part::Once(text) => text.clone(),
                        Part::Often(text, times) => (0..*times).map(|n| text.replace('#', &n.to_string())).collect(),
                    })
                    .collect(),
            }
        }
    }

    #[derive(serde::Deserialize)]
    struct Vector {
        what: String,
        from: Text,
        now: Text,
        to: Text,
        result: Text,
    }

    #[test]
    fn merges_as_the_vectors_say() {
        let vectors = include_str!("../../docs/notes-vectors.json");
        let vectors: Vec<Vector> = serde_json::from_str(vectors).expect("vectors");
        assert!(vectors.len() > 30, "{}", vectors.len());
        for Vector { what, from, now, to, result } in vectors {
            assert_eq!(merge(&from.written(), &now.written(), &to.written()), result.written(), "{what}");
        }
    }

    /// Texts of the greatest length that cost much in one way or another.
    fn costly() -> Vec<String> {
        let fill = |part: &dyn Fn(usize) -> String| {
            let mut text = String::new();
            for n in 0.. {
                let part = part(n);
                if text.len() + part.len() > crate::board::model::MAX_NOTES {
                    return text;
                }
                text += &part;
            }
            text
        };
        let digit = |n: usize, base: usize| char::from(b'a' + u8::try_from(n % base).expect("a digit"));
        vec![
            fill(&|_| "a ".to_owned()),
            fill(&|_| "a b ".to_owned()),
            fill(&|n| format!("{} ", digit(n * n / 7, 26))),
            fill(&|n| format!("{} ", digit(n * 31 + n / 26, 25))),
            fill(&|n| format!("{}\n", digit(n * n / 3, 26))),
            fill(&|n| format!("{n} ")),
            fill(&|_| "\n".to_owned()),
            fill(&|_| "é".to_owned()),
        ]
    }

    /// Issue 17: three texts of one-letter words took 11 to 19 seconds.
    #[test]
    fn no_texts_cost_more_than_the_budget() {
        let texts = costly();
        let start = std::time::Instant::now();
        for (n, from) in texts.iter().enumerate() {
            let _ = merge(from, &texts[(n + 1) % texts.len()], &texts[(n + 2) % texts.len()]);
        }
        // A second or two, unoptimised and on a busy machine. Without a budget one of them takes minutes then.
        assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    }

    fn text() -> impl Strategy<Value = String> {
        proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("c"), Just("ä"), Just(" "), Just("\n")], 0..14)
            .prop_map(|t| t.concat())
    }

    /// Deleting and inserting at one place, in whichever order the diff has it.
    #[test]
    fn a_side_that_replaces_what_the_other_deletes() {
        assert_eq!(merge(" a\n", "\nb  b\n", ""), "\nb  b\n");
    }

    proptest! {
        #[test]
        fn tokens_join_to_the_text(text: String) {
            prop_assert_eq!(tokens(&text).concat(), text);
        }

        #[test]
        fn one_sided_changes_are_taken_as_they_are(base in text(), side in text()) {
            prop_assert_eq!(merge(&base, &side, &base), side.as_str());
            prop_assert_eq!(merge(&base, &base, &side), side);
        }

        #[test]
        fn every_inserted_word_is_in_the_result(base in text(), ours in text(), theirs in text()) {
            let merged = merge(&base, &ours, &theirs);
            let base = tokens(&base);
            for side in [&ours, &theirs] {
                for hunk in hunks(&base, &tokens(side)) {
                    for word in hunk.text.split_whitespace() {
                        prop_assert!(merged.contains(word), "{word:?} of {side:?} in {merged:?}");
                    }
                }
            }
        }
    }
}
