//! Settings in YAML between two lines `---` at the very top, as many note-taking programs write.

/// The settings, and the text behind them. `None` if what stands there is something else, such as a rule.
///
/// It is front matter if it is closed and every line is `key: value`, or belongs to one. Time is linear.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix("---")?;
    let (rest_of_first, _) = inner.split_once('\n')?;
    if !rest_of_first.trim().is_empty() {
        return None;
    }
    let start = text.len() - inner.len() + rest_of_first.len() + 1;
    let (mut at, mut has_key) = (start, false);
    for line in text[start..].split_inclusive('\n') {
        let (bare, end) = (line.trim_end(), at + line.len());
        match bare {
            "---" | "..." => return has_key.then(|| (text[start..at].trim(), &text[end..])),
            "" => {}
            _ if is_key(bare) => has_key = true,
            _ if has_key && continues(bare) => {}
            _ => return None,
        }
        at = end;
    }
    None
}

/// `key:` and `key: value`.
fn is_key(line: &str) -> bool {
    let Some((key, value)) = line.split_once(':') else { return false };
    let letters = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ' ' | '"' | '\'');
    key.starts_with(|letter: char| letter.is_alphabetic() || matches!(letter, '_' | '"' | '\''))
        && key.chars().all(letters)
        && (value.is_empty() || value.starts_with(' '))
}

/// A value on lines of its own: indented, or items. Not a checkbox, which is a card.
fn continues(line: &str) -> bool {
    let item = line.strip_prefix("- ").is_some_and(|item| !item.starts_with("[ ]") && !item.starts_with("[x]"));
    item || line.starts_with([' ', '\t']) || line.starts_with("# ") || matches!(line, "]" | "}" | "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_apart_from_the_text() {
        let text = "---\n\nkanban-plugin: board\ntags:\n- home\n  - two\naliases: [\n  a\n]\n\n---\n# A\n";
        let (settings, rest) = split(text).expect("front matter");
        assert!(settings.starts_with("kanban-plugin: board\ntags:") && settings.ends_with(']'), "{settings}");
        assert_eq!(rest, "# A\n");
        assert_eq!(split("---\na: b\n..."), Some(("a: b", "")));
        assert_eq!(split("--- \na:\n---\n"), Some(("a:", "")));
    }

    #[test]
    fn a_rule_is_no_front_matter() {
        for text in [
            "---\n\n## Monday\n- [ ] Call\n\n---\n\n## Tuesday\n",
            "---\n- [ ] a\n---\n",
            "---\na: b\n- [ ] c\n---\n",
            "---\na: b\n## c\n---\n",
            "---\nwords\n---\n",
            "---\na: b\n",
            "---\n---\n",
            "---\nhttp://example.org\n---\n",
            "----\na: b\n---\n",
            "a: b\n---\n",
            "---",
            "",
        ] {
            assert_eq!(split(text), None, "{text:?}");
        }
    }
}
