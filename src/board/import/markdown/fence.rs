//! Fenced blocks of code (CommonMark 0.31, section 4.5).

/// An open fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    letter: char,
    run: usize,
    /// Indentation of the line that opened it.
    indent: usize,
    /// A line with less indentation ends the block, whether it is closed or not: it is outside of the list item.
    pub(super) container: usize,
}

impl Fence {
    /// The fence that a line opens: three or more backticks or tildes. Behind backticks, there must be no other.
    pub(super) fn opened(indent: usize, text: &str, container: usize) -> Option<Self> {
        let letter = text.chars().next().filter(|letter| matches!(letter, '`' | '~'))?;
        let info = text.trim_start_matches(letter);
        let run = text.len() - info.len();
        (run >= 3 && !(letter == '`' && info.contains('`'))).then_some(Self { letter, run, indent, container })
    }

    /// Whether a line closes it. `text` has no white space at its end.
    pub(super) fn is_closed_by(&self, indent: usize, text: &str) -> bool {
        indent <= self.indent + 3 && text.len() >= self.run && text.chars().all(|letter| letter == self.letter)
    }
}

/// Finds fences that nothing closes, each line of the file being looked at a bounded number of times.
#[derive(Debug, Default)]
pub(super) struct Closings {
    /// The shortest run of backticks, and of tildes, that nothing further down closes.
    unclosed: [Option<usize>; 2],
}

impl Closings {
    /// Whether one of the lines behind the fence closes it.
    pub(super) fn has<'a>(&mut self, fence: &Fence, mut behind: impl Iterator<Item = (usize, &'a str)>) -> bool {
        let unclosed = &mut self.unclosed[usize::from(fence.letter == '~')];
        if unclosed.is_some_and(|run| fence.run >= run) {
            return false;
        }
        let closed = behind.any(|(indent, text)| fence.is_closed_by(indent, text));
        if !closed {
            *unclosed = Some(fence.run);
        }
        closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(text: &str) -> bool {
        Fence::opened(0, text, 0).is_some()
    }

    #[test]
    fn an_info_string_of_backticks_has_none() {
        assert!(opens("```") && opens("```sh") && opens("~~~~ a ` b") && opens("~~~ ~ x"));
        assert!(!opens("``") && !opens("```npm version minor```") && !opens("``` a ` b") && !opens("`~`"));
    }

    #[test]
    fn a_fence_is_closed_by_one_as_long() {
        let fence = Fence::opened(0, "````sh", 0).expect("a fence");
        assert!(fence.is_closed_by(0, "````") && fence.is_closed_by(3, "`````"));
        assert!(!fence.is_closed_by(0, "```") && !fence.is_closed_by(4, "````"));
        assert!(!fence.is_closed_by(0, "~~~~") && !fence.is_closed_by(0, "```` x"));
    }

    #[test]
    fn what_is_not_closed_is_looked_for_once() {
        let mut closings = Closings::default();
        let three = Fence::opened(0, "```", 0).expect("a fence");
        let looked = std::cell::Cell::new(0);
        let behind = || ["a", "```x"].into_iter().map(|text| (looked.set(looked.get() + 1), (0, text)).1);
        assert!(!closings.has(&three, behind()) && !closings.has(&three, behind()));
        assert_eq!(looked.get(), 2);
    }
}
