//! Tells keys that are meant as text from keys that act on a card.

use std::time::Duration;

use crate::sync::time::Moment;

/// A longer pause ends a text. People type several letters a second.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether the person is typing a text, also when the field that it went to is gone: closed, archived with its list, or slow to open.
///
/// A press of the pointer, Escape, Tab and the arrows end a text; so does a pause.
#[derive(Clone, Copy, Debug, Default)]
pub struct Typing {
    last: Option<Moment>,
}

impl Typing {
    /// A key went down, in a text field or not.
    pub fn press(&mut self, key: &str, in_field: bool, now: Moment) {
        match key {
            "Escape" | "Tab" | "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight" => self.last = None,
            _ if in_field || self.is_on(now) => self.last = Some(now),
            _ => {}
        }
    }

    /// Whether a text is being typed.
    #[must_use]
    pub fn is_on(&self, now: Moment) -> bool {
        self.last.is_some_and(|last| now.since(last) < PAUSE)
    }

    /// The person goes elsewhere.
    pub fn end(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Moment::from_millis(ms)
    }

    #[test]
    fn keys_after_the_field_is_gone_belong_to_its_text() {
        let mut typing = Typing::default();
        typing.press("x", false, at(0));
        assert!(!typing.is_on(at(0)), "no field, no text");
        typing.press("m", true, at(10));
        for ms in [900, 1_800, 2_700] {
            assert!(typing.is_on(at(ms)), "letter by letter, at {ms}");
            typing.press("a", false, at(ms));
        }
        assert!(!typing.is_on(at(3_700)), "after a pause a key acts");
    }

    #[test]
    fn going_elsewhere_ends_a_text() {
        for key in ["Escape", "Tab", "ArrowDown"] {
            let mut typing = Typing::default();
            typing.press("x", true, at(0));
            typing.press("Shift", true, at(1));
            assert!(typing.is_on(at(2)));
            typing.press(key, true, at(3));
            assert!(!typing.is_on(at(4)), "after {key}");
        }
        let mut typing = Typing::default();
        typing.press("x", true, at(0));
        typing.end();
        assert!(!typing.is_on(at(1)));
    }
}
