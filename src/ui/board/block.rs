//! A block of cards on the page, and what wakes it.

use std::collections::VecDeque;
use std::time::Duration;

use leptos::html::Div;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

use super::blocks::BlockId;
use super::card::CardItem;
use super::focus::focus_card;
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
            // Nothing is set while hydrating: what the server has sent stays.
            view! { <div class="block" data-block=name.clone() node_ref=element inner_html=String::new()></div> }
                .into_any()
        }
    };
    block.into_any()
}

/// Wakes blocks: those that come near the window at once, and those that are empty one by one, so that what the browser's own
/// search and a screen reader find is the whole board.
#[derive(Clone, Copy, Debug)]
pub struct Waker {
    board: BoardHandle,
    watch: StoredValue<Option<SendWrapper<Watch>>>,
    empty: StoredValue<VecDeque<BlockId>>,
}

/// This far from the window a block wakes, in CSS pixels.
const NEAR: &str = "800px";

/// Between two empty blocks there is this much time for other things.
const PAUSE: Duration = Duration::from_millis(30);

#[derive(Debug)]
struct Watch {
    observer: IntersectionObserver,
    /// What the observer calls.
    _seen: Closure<dyn FnMut(Vec<IntersectionObserverEntry>)>,
}

impl Waker {
    /// For the page of `board`.
    #[must_use]
    pub fn new(board: BoardHandle) -> Self {
        let waker = Self { board, watch: StoredValue::new(None), empty: StoredValue::new(VecDeque::new()) };
        on_cleanup(move || {
            if let Some(watch) = waker.watch.try_update_value(Option::take).flatten() {
                watch.observer.disconnect();
            }
        });
        waker
    }

    /// Wakes a block once it comes near the window.
    fn watch(self, block: BlockId, element: &Element) {
        self.watch.update_value(|watch| {
            if watch.is_none() {
                *watch = Watch::new(self.board).map(SendWrapper::new);
            }
            match watch {
                Some(watch) => watch.observer.observe(element),
                None => wake(self.board, block),
            }
        });
        if element.child_element_count() == 0 {
            let first = self.empty.try_update_value(|empty| {
                empty.push_back(block);
                empty.len() == 1
            });
            if first == Some(true) {
                set_timeout(move || self.fill(), PAUSE);
            }
        }
    }

    fn fill(self) {
        let block = self.empty.try_update_value(|empty| {
            let block = empty.pop_front();
            (block, empty.is_empty())
        });
        let Some((Some(block), last)) = block else { return };
        wake(self.board, block);
        if !last {
            set_timeout(move || self.fill(), PAUSE);
        }
    }
}

impl Watch {
    /// `None` in a browser that cannot watch.
    fn new(board: BoardHandle) -> Option<Self> {
        let seen = Closure::new(move |entries: Vec<IntersectionObserverEntry>| {
            for entry in entries.iter().filter(|entry| entry.is_intersecting()) {
                let block = entry.target().get_attribute("data-block").and_then(|id| id.parse().ok());
                if let Some(block) = block {
                    wake(board, BlockId(block));
                }
            }
        });
        let options = IntersectionObserverInit::new();
        options.set_root_margin(NEAR);
        // Its margin reaches into what scrolls in the window. Browsers that do not know it wake what is seen.
        let _ = js_sys::Reflect::set(&options, &"scrollMargin".into(), &NEAR.into());
        let observer = IntersectionObserver::new_with_options(seen.as_ref().unchecked_ref(), &options).ok()?;
        Some(Self { observer, _seen: seen })
    }
}

/// Wakes a block. A focus that is in it stays on its card.
pub fn wake(board: BoardHandle, block: BlockId) {
    if !board.mirror.wake(block) {
        return;
    }
    let focus = document().active_element().and_then(|focus| focus.closest("[data-card]").ok().flatten());
    let card = focus.and_then(|card| card.get_attribute("data-card")?.parse().ok());
    if let Some(card) = card.filter(|card| board.mirror.block_of(*card) == Some(block)) {
        focus_card(board, card);
    }
}
