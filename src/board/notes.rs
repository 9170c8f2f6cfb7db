//! Three-way merge of texts: both people's words stay.
//!
//! The classic diff3 on words (S. Khanna, K. Kunal, B. C. Pierce, "A Formal Investigation of Diff3", 2007), with one
//! difference: where both changed the same words there is no conflict to resolve by hand, both versions stay, one after the
//! other.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// The text that has both what `ours` and what `theirs` made of `base`. Where both changed the same words, `ours` comes first.
///
/// Deterministic. Every word that either inserted is in the result.
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
///
/// Only the lengths of the operations are relied on: their indexes on the other side are not always where they belong.
fn hunks(base: &[&str], side: &[&str]) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut old, mut new) = (0, 0);
    let mut open = false;
    for op in capture_diff_slices(Algorithm::Myers, base, side) {
        let (gone, come) = (op.old_range().len(), op.new_range().len());
        if matches!(op, DiffOp::Equal { .. }) {
            open = false;
        } else {
            if !open {
                hunks.push(Hunk { start: old, end: old, text: String::new() });
                open = true;
            }
            if let Some(hunk) = hunks.last_mut() {
                hunk.end = old + gone;
                hunk.text.extend(side[new..new + come].iter().copied());
            }
        }
        old += gone;
        new += come;
    }
    hunks
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
        let deleted = |at: usize| self.ours.iter().chain(&self.theirs).any(|hunk| (hunk.start..hunk.end).contains(&at));
        (self.start..self.end).filter(|at| !deleted(*at)).map(|at| base[at]).collect()
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

    fn text() -> impl Strategy<Value = String> {
        proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("c"), Just("ä"), Just(" "), Just("\n")], 0..14)
            .prop_map(|t| t.concat())
    }

    /// Deleting and inserting at one place, in whichever order the diff has it.
    #[test]
    fn a_side_that_replaces_what_the_other_deletes() {
        assert_eq!(merge(" a\n", "\nb  b\n", ""), "b  b\n");
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
