//! Moving cards and lists by dragging, with a mouse, a pen or a finger.
//!
//! While something is dragged nothing of the board is drawn anew: a copy follows the pointer and a line shows where it would
//! go; the board changes once, when it is let go. A finger that moves at once scrolls; one that rests first drags.

use std::time::Duration;

use leptos::ev::{self, PointerEvent};
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use web_sys::{DomRect, Element, HtmlElement};

use super::handle::BoardHandle;
use crate::board::{Board, CardId, ListId};
use crate::sync::time::Moment;
use crate::ui::clock;

/// What can be dragged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draggable {
    /// A card, to a place in a list.
    Card(CardId),
    /// A list, to a place among the lists.
    List(ListId),
}

/// A mouse moves this far before it drags, in CSS pixels.
const SLOP: f64 = 5.0;
/// A finger rests this long before it drags.
const REST: Duration = Duration::from_millis(300);
/// Most time that a frame counts for, when frames are missed.
const FRAME: Duration = Duration::from_millis(50);

/// Where an item would go if it were let go now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    InList(ListId, usize),
    AmongLists(usize),
}

#[derive(Debug)]
struct Press {
    item: Draggable,
    pointer: i32,
    /// Where the pointer went down.
    from: (f64, f64),
    /// Where it is.
    at: (f64, f64),
    touch: bool,
    rest: Option<TimeoutHandle>,
    carried: Option<Carried>,
}

/// What is on the page while something is dragged.
#[derive(Debug)]
struct Carried {
    source: HtmlElement,
    copy: HtmlElement,
    line: HtmlElement,
    /// From the copy's corner to the pointer.
    grip: (f64, f64),
    place: Option<Place>,
    /// When it scrolled last.
    scrolled: Moment,
}

/// The dragging of one board's page.
#[derive(Clone, Copy, Debug)]
pub struct Drag {
    board: BoardHandle,
    /// Wrapped, since the server moves pages between threads; nothing is pressed there.
    press: StoredValue<Option<SendWrapper<Press>>>,
    /// The press that is ending was a drag, so the click that follows it means nothing.
    dragged: StoredValue<bool>,
}

impl Drag {
    /// Dragging on the page of `board`.
    #[must_use]
    pub fn new(board: BoardHandle) -> Self {
        Self { board, press: StoredValue::new(None), dragged: StoredValue::new(false) }
    }

    /// Follows the pointer, wherever on the page it goes, and hears what ends a drag without a release. In an effect: the server has
    /// no window.
    pub fn listen(self) {
        let listeners = [
            window_event_listener(ev::pointermove, move |event| self.moved(&event)),
            window_event_listener(ev::pointerup, move |event| self.dropped(&event)),
            window_event_listener(ev::pointercancel, move |_| self.cancel()),
            window_event_listener(ev::lostpointercapture, move |event| {
                if self.with(|press| (press.pointer == event.pointer_id()).then_some(())).is_some() {
                    self.cancel();
                }
            }),
            window_event_listener(ev::contextmenu, move |event| self.menu_opens(&event)),
            window_event_listener(ev::blur, move |_| self.cancel()),
            window_event_listener(ev::Custom::<web_sys::Event>::new("visibilitychange"), move |_| {
                if document().hidden() {
                    self.cancel();
                }
            }),
            window_event_listener(ev::keydown, move |event| {
                // Filling in a form, Chromium tells of keys that are none.
                if event.is_instance_of::<ev::KeyboardEvent>() && event.key() == "Escape" {
                    self.cancel();
                }
            }),
        ];
        on_cleanup(move || {
            self.cancel();
            listeners.into_iter().for_each(WindowListenerHandle::remove);
        });
    }

    /// Whether something is carried: then a finger that moves must not scroll.
    #[must_use]
    pub fn carries(self) -> bool {
        self.with(|press| press.carried.as_ref().map(|_| ())).is_some()
    }

    /// A pointer went down on an item.
    pub fn press(self, item: Draggable, event: &PointerEvent) {
        let field = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let in_field = field.is_some_and(|field| {
            field.closest("input, textarea, select, summary, .menu-items").ok().flatten().is_some()
        });
        if in_field || event.button() != 0 || !event.is_primary() || !self.board.editable.get_untracked() {
            return;
        }
        self.cancel();
        self.dragged.set_value(false);
        let at = (f64::from(event.client_x()), f64::from(event.client_y()));
        let touch = event.pointer_type() == "touch";
        let rest = touch.then(|| set_timeout_with_handle(move || self.lift(), REST).ok()).flatten();
        let press = Press { item, pointer: event.pointer_id(), from: at, at, touch, rest, carried: None };
        self.press.set_value(Some(SendWrapper::new(press)));
    }

    /// A menu takes the pointer over. A finger that rests while it carries asks for none.
    fn menu_opens(self, event: &ev::MouseEvent) {
        let held = self.with(|press| Some(press.touch && press.carried.is_some()));
        match held {
            Some(true) => event.prevent_default(),
            Some(false) => self.cancel(),
            None => {}
        }
    }

    fn moved(self, event: &PointerEvent) {
        let released = self.with(|press| Some(press.pointer == event.pointer_id() && event.buttons() == 0));
        if released == Some(true) {
            // It was let go where the page could not hear it, as outside the window: nothing moves.
            self.cancel();
            return;
        }
        let at = (f64::from(event.client_x()), f64::from(event.client_y()));
        let Some((touch, carries, far)) = self.with(|press| {
            if press.pointer != event.pointer_id() {
                return None;
            }
            press.at = at;
            let far = (at.0 - press.from.0).hypot(at.1 - press.from.1) > SLOP;
            Some((press.touch, press.carried.is_some(), far))
        }) else {
            return;
        };
        match (carries, far, touch) {
            (true, _, _) => self.follow(),
            (false, true, false) => self.lift(),
            (false, true, true) => self.cancel(),
            (false, false, _) => {}
        }
    }

    /// A pointer went up: what is carried takes its place.
    fn dropped(self, event: &PointerEvent) {
        // Others may have moved cards since the pointer did.
        self.follow();
        let dropped = self.with(|press| {
            (press.pointer == event.pointer_id())
                .then(|| (press.item, press.carried.as_ref().and_then(|carried| carried.place)))
        });
        let Some((item, place)) = dropped else { return };
        self.cancel();
        match (item, place) {
            (Draggable::Card(card), Some(Place::InList(list, index))) => self.board.move_card(card, list, index),
            (Draggable::List(list), Some(Place::AmongLists(index))) => self.board.move_list(list, index),
            _ => {}
        }
    }

    /// Nothing is carried any more, and nothing has moved.
    pub fn cancel(self) {
        let Some(press) = self.press.try_update_value(Option::take).flatten() else { return };
        let press = press.take();
        if let Some(rest) = press.rest {
            rest.clear();
        }
        if let Some(carried) = press.carried {
            // The click that ends a drag comes at once, if it comes.
            let forget = move || {
                self.dragged.try_set_value(false);
            };
            set_timeout(forget, Duration::ZERO);
            carried.copy.remove();
            carried.line.remove();
            let _ = carried.source.class_list().remove_1("carried");
            set_body_class(false);
        }
    }

    /// Does what a click means, unless it is the end of a drag.
    pub fn unless_dragged(self, act: impl FnOnce()) {
        if !self.dragged.get_value() {
            act();
        }
        self.dragged.set_value(false);
    }

    fn with<T>(self, act: impl FnOnce(&mut Press) -> Option<T>) -> Option<T> {
        self.press.try_update_value(|press| press.as_mut().and_then(|press| act(press))).flatten()
    }

    /// Takes the pressed item up.
    fn lift(self) {
        let lifted = self.with(|press| {
            if press.carried.is_none() {
                press.carried = carry(press.item, press.from);
            }
            press.carried.as_ref().map(|_| ())
        });
        if lifted.is_some() {
            self.dragged.set_value(true);
            set_body_class(true);
            self.follow();
            self.scroll();
        }
    }

    /// Draws the copy at the pointer and the line at the place.
    fn follow(self) {
        self.with(|press| {
            let (x, y) = press.at;
            let item = press.item;
            let carried = press.carried.as_mut()?;
            set_style(&carried.copy, "translate", &format!("{}px {}px", x - carried.grip.0, y - carried.grip.1));
            let (place, line) = match item {
                Draggable::Card(card) => {
                    self.board.mirror.board.with_untracked(|board| place_of_card(board, card, x, y))
                }
                Draggable::List(list) => place_of_list(list, x),
            }?;
            carried.place = Some(place);
            draw_line(&carried.line, line);
            Some(())
        });
    }

    /// Scrolls while the pointer rests near an edge, for as long as something is carried.
    fn scroll(self) {
        let now = clock::now();
        let carries = self.with(|press| {
            let carried = press.carried.as_mut()?;
            let passed = now.since(carried.scrolled).min(FRAME);
            carried.scrolled = now;
            Some((press.at, passed))
        });
        let Some(((x, y), passed)) = carries else { return };
        let moved = [(".lists", true), (".cards", false)]
            .into_iter()
            .any(|(selector, across)| scroll_near(selector, across, (x, y), passed));
        if moved {
            self.follow();
        }
        request_animation_frame(move || self.scroll());
    }
}

fn element_of(item: Draggable) -> Option<HtmlElement> {
    let selector = match item {
        Draggable::Card(card) => format!("[data-card=\"{card}\"]"),
        Draggable::List(list) => format!("[data-list=\"{list}\"]"),
    };
    document().query_selector(&selector).ok().flatten()?.dyn_into().ok()
}

fn carry(item: Draggable, (x, y): (f64, f64)) -> Option<Carried> {
    let source = element_of(item)?;
    let rect = source.get_bounding_client_rect();
    let copy: HtmlElement = source.clone_node_with_deep(true).ok()?.dyn_into().ok()?;
    copy.remove_attribute("data-card").ok()?;
    copy.remove_attribute("data-list").ok()?;
    copy.set_attribute("aria-hidden", "true").ok()?;
    copy.set_attribute("inert", "").ok()?;
    copy.class_list().add_1("copy").ok()?;
    set_style(&copy, "width", &format!("{}px", rect.width()));
    set_style(&copy, "height", &format!("{}px", rect.height()));
    let line: HtmlElement = document().create_element("div").ok()?.dyn_into().ok()?;
    line.set_class_name("drop-line");
    let body = document().body()?;
    body.append_child(&line).ok()?;
    body.append_child(&copy).ok()?;
    source.class_list().add_1("carried").ok()?;
    let grip = (x - rect.left(), y - rect.top());
    Some(Carried { source, copy, line, grip, place: None, scrolled: clock::now() })
}

fn set_body_class(on: bool) {
    if let Some(body) = document().body() {
        let _ = body.class_list().toggle_with_force("dragging", on);
    }
}

fn set_style(element: &HtmlElement, name: &str, value: &str) {
    // Fails only for read-only styles, which an element's own are not.
    let _ = element.style().set_property(name, value);
}

fn all(root: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = root.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.item(at)?.dyn_into().ok()).collect()
}

fn lists() -> Vec<Element> {
    document().document_element().map(|root| all(&root, ".lists > [data-list]")).unwrap_or_default()
}

/// The line that marks a place: its left, top, width and height.
type Line = (f64, f64, f64, f64);

/// Half of what is between two cards.
const HALF_GAP: f64 = 3.0;

/// Where a pointer points that has gone to an edge to scroll: at what lies beside the edge, not at the list that begins to show.
fn within_zones(x: f64) -> Option<f64> {
    let rect = document().query_selector(".lists").ok().flatten()?.get_bounding_client_rect();
    let zone = edge_zone(rect.width());
    Some(x.clamp(rect.left() + zone, (rect.right() - zone).max(rect.left() + zone)))
}

fn place_of_card(board: &Board, card: CardId, x: f64, y: f64) -> Option<(Place, Line)> {
    let x = within_zones(x)?;
    let distance = |list: &Element| {
        let rect = list.get_bounding_client_rect();
        (rect.left() - x).max(x - rect.right()).max(0.0)
    };
    let list = lists().into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    let id: ListId = list.get_attribute("data-list")?.parse().ok()?;
    // Only the block at the pointer is measured: those that are not in the window need no layout for it.
    let blocks = all(&list, ".block");
    let begins_above = |block: &Element| block.get_bounding_client_rect().top() <= y;
    let block = blocks.iter().rfind(|block| begins_above(block)).or_else(|| blocks.first());
    let drawn: Vec<(CardId, DomRect)> = block
        .map(|block| all(block, "[data-card]"))
        .unwrap_or_default()
        .into_iter()
        .filter_map(|other| Some((other.get_attribute("data-card")?.parse().ok()?, other.get_bounding_client_rect())))
        .filter(|(other, _)| *other != card)
        .collect();
    let order: Vec<CardId> = board.open_cards(id).into_iter().map(|(id, _)| id).collect();
    let place_among_others = |at: CardId| order.iter().filter(|id| **id != card).position(|id| *id == at);
    let cards = list.query_selector(".cards").ok().flatten()?.get_bounding_client_rect();
    let behind = drawn.iter().find(|(_, rect)| rect.top() + rect.height() / 2.0 >= y);
    let (index, top) = match (behind, drawn.last()) {
        (Some((behind, rect)), _) => (place_among_others(*behind)?, rect.top() - HALF_GAP),
        (None, Some((before, rect))) => (place_among_others(*before)? + 1, rect.bottom() + HALF_GAP),
        (None, None) => (order.iter().position(|id| *id == card).unwrap_or(0), cards.top() + HALF_GAP),
    };
    let top = top.clamp(cards.top(), cards.bottom().max(cards.top()));
    Some((Place::InList(id, index), (cards.left() + 8.0, top - 1.0, cards.width() - 16.0, 2.0)))
}

fn place_of_list(list: ListId, x: f64) -> Option<(Place, Line)> {
    let own = list.to_string();
    let others: Vec<DomRect> = lists()
        .into_iter()
        .filter(|other| other.get_attribute("data-list").as_deref() != Some(own.as_str()))
        .map(|other| other.get_bounding_client_rect())
        .collect();
    let index = others.iter().filter(|rect| rect.left() + rect.width() / 2.0 < x).count();
    let (left, beside) = match (index.checked_sub(1).and_then(|before| others.get(before)), others.get(index)) {
        (_, Some(behind)) => (behind.left() - 7.0, behind),
        (Some(before), None) => (before.right() + 5.0, before),
        (None, None) => return None,
    };
    Some((Place::AmongLists(index), (left, beside.top(), 2.0, beside.height())))
}

fn draw_line(line: &HtmlElement, (left, top, width, height): Line) {
    set_style(line, "translate", &format!("{left}px {top}px"));
    set_style(line, "width", &format!("{width}px"));
    set_style(line, "height", &format!("{height}px"));
}

/// Scrolls what `selector` finds under the pointer, if the pointer is near its edge. Returns whether it did.
fn scroll_near(selector: &str, across: bool, (x, y): (f64, f64), passed: Duration) -> bool {
    let Some(root) = document().document_element() else { return false };
    let under = all(&root, selector).into_iter().find(|element| {
        let rect = element.get_bounding_client_rect();
        across || (rect.left() <= x && x <= rect.right())
    });
    let Some(under) = under else { return false };
    let rect = under.get_bounding_client_rect();
    let (at, low, high) = if across { (x, rect.left(), rect.right()) } else { (y, rect.top(), rect.bottom()) };
    let by = edge_speed(at, low, high) * passed.as_secs_f64();
    if by == 0.0 {
        return false;
    }
    let (right, down) = if across { (by, 0.0) } else { (0.0, by) };
    under.scroll_by_with_x_and_y(right, down);
    true
}

/// How wide the zone at each edge is in which something of this length scrolls, in CSS pixels. On a phone, where a list fills the
/// window, a finger reaches it without leaving the window.
const fn edge_zone(length: f64) -> f64 {
    (length * 0.15).clamp(16.0, 64.0)
}

/// How fast something from `low` to `high` scrolls with the pointer at `at`, in CSS pixels a second: its own length a second at
/// the edge, so that a list on a phone passes in a second, and less further in.
fn edge_speed(at: f64, low: f64, high: f64) -> f64 {
    let length = high - low;
    let zone = edge_zone(length);
    let depth = |distance: f64| ((zone - distance) / zone).clamp(0.0, 1.0);
    let (back, on) = (depth(at - low), depth(high - at));
    let speed = |depth: f64| if depth > 0.0 { length.min(1_400.0) * 0.75_f64.mul_add(depth, 0.25) } else { 0.0 };
    speed(on) - speed(back)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_scrolls_at_its_edges_and_rests_between() {
        for width in [320.0, 360.0, 390.0, 768.0, 1_280.0, 3_840.0] {
            let zone = edge_zone(width);
            assert!(zone >= 44.0 && zone * 3.0 <= width, "a finger finds {zone} of {width}");
            for at in [zone, width / 2.0, width - zone] {
                assert_eq!(edge_speed(at, 0.0, width), 0.0, "at {at} of {width}");
            }
            assert!(edge_speed(width - zone + 1.0, 0.0, width) > 0.0);
            assert!(edge_speed(zone - 1.0, 0.0, width) < 0.0);
            assert!(edge_speed(width + 50.0, 0.0, width) <= 1_400.0, "outside it is as at the edge");
        }
    }

    #[test]
    fn on_a_phone_a_list_takes_a_second() {
        let (width, list) = (360.0, 302.0);
        let seconds = list / edge_speed(width - 4.0, 0.0, width);
        assert!((0.8..1.5).contains(&seconds), "{seconds}");
    }
}
