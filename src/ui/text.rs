//! Text that keeps following its signal, whatever else changes the page; and text as it is typed.

use js_sys::{JsString, Reflect};
use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::prelude::*;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::types::{Element, Node, Text};
use leptos::tachys::renderer::{CastFrom as _, Rndr};
use leptos::tachys::view::{Mountable, Position, PositionState};
use wasm_bindgen::JsCast as _;

/// The text of the field that an `input` event is of. `None` while the caret is behind half of a character.
///
/// Firefox sends an event for each half of a character outside of the Basic Multilingual Plane, as some keyboards and text expanders send
/// them. Half a character is no text in Rust: written back into the field it would be U+FFFD, and the other half no character.
#[must_use]
pub fn typed_text(event: &web_sys::Event) -> Option<String> {
    let text = event_target_value(event);
    let half = text.contains(char::REPLACEMENT_CHARACTER) && is_behind_half(event);
    (!half).then_some(text)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn is_behind_half(event: &web_sys::Event) -> bool {
    let read = |name: &str| Reflect::get(event.target()?.as_ref(), &name.into()).ok();
    let caret = read("selectionStart").and_then(|caret| caret.as_f64());
    let text = read("value").and_then(|text| text.dyn_into::<JsString>().ok());
    let before = caret.zip(text).map(|(caret, text)| text.char_code_at((caret - 1.0).max(0.0) as u32));
    // A high surrogate, U+D800 to U+DBFF.
    before.is_some_and(|unit| (55_296.0..56_320.0).contains(&unit))
}

/// Text that is the only child of its element.
///
/// Leptos goes on writing into the text node that it made. A translator, an extension or a detector of telephone numbers puts other
/// elements in the node's place, and the person would never see a change again (solid 1451, react 11538). This text then takes the place
/// of whatever is in its element.
pub fn sole_text(text: impl Into<Signal<String>>) -> impl IntoView {
    let text = text.into();
    move || SoleText(text.get())
}

struct SoleText(String);

struct SoleTextState {
    node: Text,
    /// The element that the text is in, once it is in one.
    parent: Option<Element>,
    text: String,
}

impl Render for SoleText {
    type State = SoleTextState;

    fn build(self) -> SoleTextState {
        SoleTextState { node: Rndr::create_text_node(&self.0), parent: None, text: self.0 }
    }

    fn rebuild(self, state: &mut SoleTextState) {
        if self.0 == state.text {
            return;
        }
        Rndr::set_text(&state.node, &self.0);
        state.text = self.0;
        if let Some(parent) = &state.parent
            && !parent.is_same_node(state.node.parent_node().as_ref())
        {
            Rndr::clear_children(parent);
            Rndr::insert_node(parent, &state.node, None);
        }
    }
}

impl AddAnyAttr for SoleText {
    type Output<SomeNewAttr: Attribute> = Self;

    fn add_any_attr<NewAttr: Attribute>(self, _attr: NewAttr) -> Self
    where
        Self: RenderHtml,
    {
        self
    }
}

impl RenderHtml for SoleText {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        self.0.to_html_with_buf(buf, position, escape, mark_branches, extra_attrs);
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> SoleTextState {
        // Moves the cursor on to the text node, which it requires to be one.
        let _ = self.0.as_str().hydrate::<FROM_SERVER>(cursor, position);
        let node: Text = Text::cast_from(cursor.current()).expect("the cursor is on a text node");
        let parent = node.parent_element();
        SoleTextState { node, parent, text: self.0 }
    }

    fn into_owned(self) -> Self {
        self
    }
}

impl Mountable for SoleTextState {
    fn unmount(&mut self) {
        self.node.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        Rndr::insert_node(parent, &self.node, marker);
        self.parent = Some(parent.clone());
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.node.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        Vec::new()
    }
}
