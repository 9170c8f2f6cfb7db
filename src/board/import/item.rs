//! What marks a line as an item: a bullet, a number, a checkbox.

/// A line's number (`12.` or `12)`) and the text behind it.
pub(super) fn numbered(text: &str) -> Option<(u32, &str)> {
    let rest = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let digits = text.len() - rest.len();
    if !(1..=9).contains(&digits) {
        return None;
    }
    Some((text[..digits].parse().ok()?, marked(rest.strip_prefix(['.', ')'])?)?))
}

/// The text behind a bullet.
pub(super) fn bulleted(text: &str) -> Option<&str> {
    marked(text.strip_prefix(['-', '*', '+', '•', '‣', '◦', '▪', '●', '–'])?)
}

/// Whether a line's checkbox is ticked, and the text behind it.
pub(super) fn checkbox(text: &str) -> Option<(bool, &str)> {
    const BOXES: [(&str, bool); 4] = [("[ ]", false), ("[]", false), ("[x]", true), ("[X]", true)];
    let boxed = |(box_, done): (&str, bool)| Some((done, marked(text.strip_prefix(box_)?)?));
    BOXES.into_iter().find_map(boxed).or_else(|| ballot(text))
}

/// As [`checkbox`], of the characters that stand for one. No space is needed behind them.
pub(super) fn ballot(text: &str) -> Option<(bool, &str)> {
    let open = text.strip_prefix(['☐', '⬜', '□']).map(|rest| (false, rest));
    let (done, rest) = open.or_else(|| Some((true, text.strip_prefix(['☑', '☒', '✓', '✔', '✅'])?)))?;
    // An emoji's variation selector.
    Some((done, rest.trim_start_matches('\u{fe0f}').trim_start()))
}

/// `---`, `* * *`, `___`: a rule across the page.
pub(super) fn is_rule(text: &str) -> bool {
    let mut letters = text.chars().filter(|letter| !letter.is_whitespace());
    let Some(first @ ('-' | '*' | '_')) = letters.next() else { return false };
    let mut count = 1;
    letters.all(|letter| {
        count += 1;
        letter == first
    }) && count >= 3
}

/// The text behind a mark, which needs white space between: `--flag` and `**bold**` are text.
fn marked(rest: &str) -> Option<&str> {
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_need_white_space_behind_them() {
        assert_eq!(bulleted("- a"), Some("a"));
        assert_eq!(bulleted("•\u{a0}a"), Some("a"));
        assert_eq!(bulleted("-"), Some(""));
        assert_eq!((bulleted("--flag"), bulleted("**bold**"), bulleted("-5 degrees")), (None, None, None));
        assert_eq!(numbered("12) a"), Some((12, "a")));
        assert_eq!((numbered("1.5 litres"), numbered("1234567890. a"), numbered(". a")), (None, None, None));
        assert_eq!(checkbox("[x] a"), Some((true, "a")));
        assert_eq!((checkbox("[link](x)"), checkbox("[x](x)"), checkbox("[ x] a")), (None, None, None));
    }

    #[test]
    fn characters_are_boxes_too() {
        assert_eq!(checkbox("☐ a"), Some((false, "a")));
        assert_eq!(checkbox("☑️ a"), Some((true, "a")));
        assert_eq!(checkbox("✔a"), Some((true, "a")));
    }

    #[test]
    fn rules_are_three_or_more_of_one_letter() {
        assert!(is_rule("---") && is_rule("* * *") && is_rule("_____"));
        assert!(!is_rule("--") && !is_rule("-*-") && !is_rule("--- a") && !is_rule("") && !is_rule("==="));
    }
}
