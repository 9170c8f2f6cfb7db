//! A block of cards on the page, and what wakes it.

use std::time::Duration;

use js_sys::Reflect;
use leptos::ev::Event;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Element;

use super::blocks::BlockId;
use super::card::CardItem;
use super::handle::{BoardHandle, use_board};
use crate::board::CardId;
use crate::ui::dynamic::{Each, Item};

/// A block of cards.
///
/// Renders whole on the server. In the browser, one that is far from the window stays what the server has sent, with no part of it
/// alive, until it comes near or something in it changes. On a page that the server has not drawn it is empty until then, or until
/// there is time ([`Waker`]).
#[component]
pub fn CardBlock(
    /// Which.
    id: BlockId,
) -> impl IntoView {
    let mirror = use_board().mirror;
    let waker = expect_context::<Waker>();
    let Some(signals) = mirror.block(id) else { return ().into_any() };
    let (ids, awake) = (signals.cards, signals.awake);
    let item = |id: CardId| Item::by_id(id.0, move || view! { <CardItem id /> }.into_any());
    let cards = Signal::derive(move || ids.with(|ids| ids.iter().copied().map(item).collect::<Vec<_>>()));
    let name = id.0.to_string();
    let block = move || {
        if cfg!(feature = "ssr") || awake.get() {
            view! {
                <div class="block" data-block=name.clone()>
                    <Each items=cards />
                </div>
            }
            .into_any()
        } else {
            let element = NodeRef::<Div>::new();
            element.on_load(move |element| waker.watch(id, &element));
            // What the server has sent into it stays: hydration looks for no children here.
            view! { <div class="block" data-block=name.clone() node_ref=element></div> }.into_any()
        }
    };
    block.into_any()
}

/// Wakes blocks: those that come near the window at once, and those that are empty one by one, so that what the browser's own
/// search and a screen reader find is the whole board.
#[derive(Clone, Copy, Debug)]
pub struct Waker {
    board: BoardHandle,
    empty: StoredValue<Vec<BlockId>>,
}

/// Between two empty blocks there is this much time for other things.
const PAUSE: Duration = Duration::from_millis(30);

impl Waker {
    /// For the page of `board`.
    #[must_use]
    pub fn new(board: BoardHandle) -> Self {
        Self { board, empty: StoredValue::new(Vec::new()) }
    }

    /// The browser draws an element from now on, or no longer, since it is near the window or not: a
    /// [`contentvisibilityautostatechange`](https://www.w3.org/TR/css-contain-2/#content-visibility-auto-state-changed) event.
    pub fn visibility_changed(self, event: &Event) {
        let skipped = Reflect::get(event, &"skipped".into()).is_ok_and(|skipped| skipped.is_truthy());
        let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let block = element.and_then(|element| element.get_attribute("data-block")?.parse().ok());
        if let Some(block) = block.filter(|_| !skipped) {
            self.board.mirror.wake(BlockId(block));
        }
    }

    /// Wakes a block that was near the window before there was anyone to hear of it, and any in a browser that does not tell.
    fn watch(self, block: BlockId, element: &Element) {
        if is_near(element) || !tells_visibility() {
            self.board.mirror.wake(block);
        } else if element.child_element_count() == 0 {
            let first = self.empty.try_update_value(|empty| {
                empty.push(block);
                empty.len() == 1
            });
            if first == Some(true) {
                set_timeout(move || self.fill(), PAUSE);
            }
        }
    }

    /// Wakes all empty blocks before the page is printed, until the current owner is cleaned up. In an effect: the server has no window.
    pub fn listen(self) {
        let print = window_event_listener(leptos::ev::Custom::<Event>::new("beforeprint"), move |_| {
            let empty = self.empty.try_update_value(std::mem::take);
            empty.into_iter().flatten().for_each(|block| self.board.mirror.wake(block));
        });
        on_cleanup(move || print.remove());
    }

    fn fill(self) {
        let block = self.empty.try_update_value(|empty| {
            let block = empty.pop();
            (block, empty.is_empty())
        });
        let Some((Some(block), last)) = block else { return };
        self.board.mirror.wake(block);
        if !last {
            set_timeout(move || self.fill(), PAUSE);
        }
    }
}

fn tells_visibility() -> bool {
    Reflect::has(&window(), &"ContentVisibilityAutoStateChangeEvent".into()).unwrap_or(false)
}

/// Whether an element that is laid out is in the window, or half a window away from it.
fn is_near(element: &Element) -> bool {
    let size = |size: Result<JsValue, JsValue>| size.ok().and_then(|size| size.as_f64()).unwrap_or_default();
    let (width, height) = (size(window().inner_width()), size(window().inner_height()));
    let place = element.get_bounding_client_rect();
    let (across, down) = ((place.left(), place.right()), (place.top(), place.bottom()));
    let near = |(from, to): (f64, f64), length: f64| from < 1.5 * length && to > -0.5 * length;
    place.height() > 0.0 && near(across, width) && near(down, height)
}
