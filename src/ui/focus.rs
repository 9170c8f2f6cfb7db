//! Keeps the keyboard focus on the page when the element that has it is removed.
//!
//! Browsers drop the focus to `<body>` then, and the person's next key goes nowhere. The focus returns to the same card if that is
//! drawn anew, else to the nearest neighbour of what was removed: the next one, the one before, then what encloses them.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Node, NodeList};

/// The element that had the focus last, unless the person has pressed elsewhere since.
#[derive(Clone)]
struct Last {
    element: Element,
    /// Its first class: which part of its card or row it is.
    part: Option<String>,
    card: Option<String>,
}

/// A place in the document from which an element was removed.
struct Place {
    parent: Node,
    next: Option<Node>,
    previous: Option<Node>,
}

type Shared = Rc<RefCell<Option<Last>>>;

/// What can have the focus by the keyboard.
const FOCUSABLE: &str =
    "a[href], button:enabled, summary, input:enabled, select:enabled, textarea:enabled, [tabindex='0']";

/// What gets the focus in a list that has become empty, before anything else in it.
const ADDING: &str = ".add-card, .add-list";

/// Watches the whole page for as long as it is there. Does nothing on the server.
pub fn keep_focus_on_page() {
    Effect::new(|_| {
        let last = Shared::default();
        let focused = Rc::clone(&last);
        let focus = window_event_listener(leptos::ev::focusin, move |event| {
            let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            *focused.borrow_mut() = element.map(Last::of);
        });
        let pressed = Rc::clone(&last);
        let press = window_event_listener(leptos::ev::pointerdown, move |event| {
            let at = event.target().and_then(|target| target.dyn_into::<Node>().ok());
            pressed.borrow_mut().take_if(|last| !last.element.contains(at.as_ref()));
        });
        on_cleanup(move || {
            focus.remove();
            press.remove();
        });
        watch_removals(last);
    });
}

/// Focuses the first element that `selector` finds once the present change is drawn, wherever the focus is then.
pub fn focus_drawn(selector: String) {
    request_animation_frame(move || {
        if let Some(element) = document().query_selector(&selector).ok().flatten() {
            focus(&element);
            element.scroll_into_view_with_bool(false);
        }
    });
}

fn watch_removals(last: Shared) {
    let Some(body) = document().body() else { return };
    let callback = Closure::<dyn Fn(Array)>::new(move |records: Array| {
        let gone = last.borrow().clone().filter(|_| is_nowhere());
        if let Some(gone) = gone {
            let places = places_left(&gone.element, &records);
            if !places.is_empty() {
                restore_later(Rc::clone(&last), gone, places);
            }
        }
    });
    if observe(&body, callback.as_ref()).is_ok() {
        // The page's observer lives as long as the page.
        callback.forget();
    }
}

/// Has `callback` told of all nodes that come and go below `root`. web-sys has `MutationObserver` behind a feature, which would have
/// the whole tree compiled anew for this.
fn observe(root: &Node, callback: &JsValue) -> Result<(), JsValue> {
    let class: Function = Reflect::get(&window(), &"MutationObserver".into())?.dyn_into()?;
    let observer = Reflect::construct(&class, &Array::of1(callback))?;
    let observe: Function = Reflect::get(&observer, &"observe".into())?.dyn_into()?;
    observe.call2(&observer, root, &flags(&["childList", "subtree"]))?;
    Ok(())
}

/// An object with these members, all `true`.
fn flags(names: &[&str]) -> Object {
    let object = Object::new();
    for name in names {
        // Fails for frozen objects only.
        let _ = Reflect::set(&object, &(*name).into(), &true.into());
    }
    object
}

/// Where `element`, or what enclosed it, was removed: the innermost place first.
fn places_left(element: &Element, records: &Array) -> Vec<Place> {
    let mut inside: Node = element.clone().into();
    let mut places = Vec::new();
    for record in records.iter() {
        let node = |name: &str| Reflect::get(&record, &name.into()).ok()?.dyn_into::<Node>().ok();
        let removed =
            Reflect::get(&record, &"removedNodes".into()).ok().and_then(|nodes| nodes.dyn_into::<NodeList>().ok());
        let (Some(parent), Some(removed)) = (node("target"), removed) else { continue };
        let here = (0..removed.length()).filter_map(|at| removed.item(at)).any(|node| node.contains(Some(&inside)));
        if here {
            inside = parent.clone();
            places.push(Place { parent, next: node("nextSibling"), previous: node("previousSibling") });
        }
    }
    places
}

/// Restores the focus once the change is drawn. Code that gives the focus to something on purpose comes first.
fn restore_later(last: Shared, gone: Last, places: Vec<Place>) {
    let same = move |last: &Shared| {
        let current = last.borrow().as_ref().is_some_and(|last| last.element == gone.element);
        current.then(|| gone.clone())
    };
    request_animation_frame(move || {
        let Some(gone) = same(&last).filter(|_| is_nowhere()) else { return };
        if gone.focus_again() {
            return;
        }
        request_animation_frame(move || {
            if same(&last).is_some() && is_nowhere() {
                let part = gone.part.as_deref();
                let _ =
                    places.iter().any(|place| place.focus_neighbour(part)) || places.iter().any(Place::focus_around);
            }
        });
    });
}

impl Last {
    fn of(element: Element) -> Self {
        let card = element.closest("[data-card]").ok().flatten().and_then(|card| card.get_attribute("data-card"));
        Self { part: element.class_list().item(0), card, element }
    }

    /// Focuses the same element, which was moved, or the same part of its card, which was drawn anew.
    fn focus_again(&self) -> bool {
        if self.element.is_connected() {
            return focus(&self.element);
        }
        let (Some(card), Some(part)) = (&self.card, &self.part) else { return false };
        let again = document().query_selector(&format!("[data-card=\"{card}\"] .{part}")).ok().flatten();
        again.is_some_and(|again| focus(&again))
    }
}

impl Place {
    /// Focuses the same part of the next element that is left, or of the one before.
    fn focus_neighbour(&self, part: Option<&str>) -> bool {
        let next = elements(self.next.clone(), Node::next_sibling);
        let previous = elements(self.previous.clone(), Node::previous_sibling);
        next.into_iter().chain(previous).any(|neighbour| {
            let same = part.and_then(|part| neighbour.query_selector(&format!(".{part}")).ok().flatten());
            same.is_some_and(|same| focus(&same)) || focus_first(&neighbour, FOCUSABLE)
        })
    }

    /// Focuses something in the nearest element around that has anything to focus.
    fn focus_around(&self) -> bool {
        let mut around = self.parent.dyn_ref::<Element>().filter(|parent| parent.is_connected()).cloned();
        while let Some(element) = around {
            if focus_first(&element, ADDING) || focus_first(&element, FOCUSABLE) {
                return true;
            }
            around = element.parent_element();
        }
        false
    }
}

/// The elements among a node and its siblings to one side.
fn elements(from: Option<Node>, step: fn(&Node) -> Option<Node>) -> Option<Element> {
    let connected = from.filter(Node::is_connected);
    std::iter::successors(connected, step).find_map(|node| node.dyn_into::<Element>().ok())
}

/// Focuses the first element inside that takes the focus.
fn focus_first(inside: &Element, selector: &str) -> bool {
    let Ok(found) = inside.query_selector_all(selector) else { return false };
    (0..found.length()).filter_map(|at| found.item(at)?.dyn_into::<Element>().ok()).any(|element| focus(&element))
}

/// Focuses an element without scrolling to it. Returns whether it took the focus: hidden and inert ones do not.
fn focus(element: &Element) -> bool {
    let ask = || -> Result<JsValue, JsValue> {
        let focus: Function = Reflect::get(element, &"focus".into())?.dyn_into()?;
        focus.call1(element, &flags(&["preventScroll"]))
    };
    ask().is_ok() && document().active_element().as_ref() == Some(element)
}

/// Whether nothing has the focus.
#[must_use]
pub fn is_nowhere() -> bool {
    document().active_element().is_none_or(|at| at.tag_name() == "BODY")
}
