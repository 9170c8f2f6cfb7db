//! The toaster, in a browser: what is in the page, what is said, and what becomes of it.
#![cfg(target_family = "wasm")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_channel::oneshot;
use gloo_timers::future::TimeoutFuture;
use leptos::mount::mount_to;
use leptos::prelude::*;
use sheetbend::ui::toast::{Kind, Toast, Toaster, Toasts, provide_toasts};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Event, HtmlElement, KeyboardEvent, KeyboardEventInit};

wasm_bindgen_test_configure!(run_in_browser);

/// A page with a toaster of its own; it goes when this is dropped.
struct Page {
    toasts: Toasts,
    root: HtmlElement,
    _mounted: Box<dyn std::any::Any>,
}

impl Page {
    fn new() -> Self {
        let root: HtmlElement = document().create_element("div").expect("a div").unchecked_into();
        document().body().expect("a body").append_child(&root).expect("appended");
        let given = Rc::new(Cell::new(None));
        let give = Rc::clone(&given);
        let mounted = mount_to(root.clone(), move || {
            give.set(Some(provide_toasts()));
            view! { <Toaster /> }
        });
        Self { toasts: given.get().expect("provided"), root, _mounted: Box::new(mounted) }
    }

    fn texts(&self) -> Vec<String> {
        self.all(".toast").iter().map(|toast| toast.text_content().unwrap_or_default()).collect()
    }

    fn all(&self, selector: &str) -> Vec<HtmlElement> {
        let found = self.root.query_selector_all(selector).expect("a selector");
        (0..found.length()).filter_map(|at| found.get(at)).map(JsCast::unchecked_into).collect()
    }

    fn said(&self, urgency: &str) -> String {
        self.all(&format!("[aria-live={urgency}]"))[0].text_content().unwrap_or_default()
    }

    /// Waits until `holds`; five seconds at most.
    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..500 {
            if holds(self) {
                return;
            }
            TimeoutFuture::new(10).await;
        }
        panic!("{what}: {}", self.root.inner_html());
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.root.remove();
    }
}

#[wasm_bindgen_test]
async fn a_toast_is_shown_and_said_and_goes() {
    let page = Page::new();
    assert_eq!((page.said("polite"), page.said("assertive")), (String::new(), String::new()));
    page.toasts.show(Toast::new("Card archived.").for_time(Duration::from_millis(50)));
    page.until("said politely", |page| page.said("polite") == "Card archived.").await;
    page.until("gone", |page| page.texts().is_empty()).await;
    assert_eq!(page.said("assertive"), "");
}

#[wasm_bindgen_test]
async fn only_what_may_be_lost_interrupts() {
    let page = Page::new();
    page.toasts.show(Toast::new("Changes can't be kept.").kind(Kind::Danger).lasting());
    page.until("interrupts", |page| page.said("assertive") == "Changes can't be kept.").await;
    assert_eq!(page.said("polite"), "");
    assert_eq!(page.all(".toast")[0].get_attribute("data-kind").as_deref(), Some("danger"));
}

#[wasm_bindgen_test]
async fn the_same_again_is_said_again_and_counted() {
    let page = Page::new();
    page.toasts.show_text("Too long");
    page.until("shown", |page| page.texts() == ["Too long"]).await;
    let first = page.all("[aria-live=polite] p")[0].clone();
    page.toasts.show_text("Too long");
    page.until("counted", |page| page.texts() == ["Too long (2×)"]).await;
    assert_ne!(page.all("[aria-live=polite] p")[0], first, "a new node, so that it is said");
}

#[wasm_bindgen_test]
async fn one_of_the_same_name_is_updated_in_its_place() {
    let page = Page::new();
    page.toasts.show(Toast::new("Offline").lasting().named("line"));
    page.until("shown", |page| page.texts() == ["Offline"]).await;
    let node = page.all(".toast")[0].clone();
    page.toasts.show(Toast::new("Back").kind(Kind::Success).named("line"));
    page.until("updated", |page| page.texts() == ["Back"]).await;
    assert_eq!(page.all(".toast")[0], node, "the same node: nothing flickers");
    page.toasts.dismiss_named("line");
    page.until("gone", |page| page.texts().is_empty()).await;
}

#[wasm_bindgen_test]
async fn its_button_acts_and_takes_it_away() {
    let page = Page::new();
    let undone = RwSignal::new(0);
    page.toasts.show(Toast::new("Card archived.").action("Undo", move || undone.update(|undone| *undone += 1)));
    page.until("shown", |page| !page.all(".toast .link").is_empty()).await;
    page.all(".toast .link")[0].click();
    page.until("gone", |page| page.texts().is_empty()).await;
    assert_eq!(undone.get_untracked(), 1);
}

#[wasm_bindgen_test]
async fn a_promise_shows_what_came_of_it() {
    let page = Page::new();
    let (finish, finished) = oneshot::channel();
    page.toasts.promise("Importing…", finished, |count: Result<u32, _>| {
        Toast::new(format!("{} cards imported.", count.unwrap_or_default())).kind(Kind::Success)
    });
    page.until("under way", |page| page.texts() == ["Importing…"]).await;
    assert_eq!(page.all(".toast .spinner").len(), 1);
    finish.send(12).expect("it waits");
    page.until("done", |page| page.texts() == ["12 cards imported."]).await;
    assert!(page.all(".toast .spinner").is_empty());
}

#[wasm_bindgen_test]
async fn hovering_stops_the_clock_and_lays_the_stack_out() {
    let page = Page::new();
    page.toasts.show(Toast::new("one").for_time(Duration::from_millis(60)));
    page.until("shown", |page| page.texts() == ["one"]).await;
    let section = page.all(".toaster")[0].clone();
    let pointer = |name: &str| {
        let init = web_sys::PointerEventInit::new();
        init.set_pointer_type("mouse");
        web_sys::PointerEvent::new_with_event_init_dict(name, &init).expect("an event")
    };
    section.dispatch_event(&pointer("pointerenter")).expect("dispatched");
    page.until("laid out", |page| page.all(".toaster.open").len() == 1).await;
    page.toasts.show(Toast::new("two").for_time(Duration::from_millis(1)));
    page.until("both", |page| page.texts() == ["two", "one"]).await;
    assert!(page.toasts.log().len() == 2 && page.texts().len() == 2);
    section.dispatch_event(&pointer("pointerleave")).expect("dispatched");
    page.until("gone", |page| page.texts().is_empty()).await;
}

#[wasm_bindgen_test]
async fn escape_lets_go_of_what_has_the_focus_and_the_focus_goes_back() {
    let page = Page::new();
    let before: HtmlElement = document().create_element("button").expect("a button").unchecked_into();
    page.root.append_child(&before).expect("appended");
    before.focus().expect("focused");
    page.toasts.show(Toast::new("one").lasting());
    page.toasts.show(Toast::new("two").lasting());
    page.until("shown", |page| page.texts() == ["two", "one"]).await;

    let key = |target: &web_sys::EventTarget, key: &str, code: &str, alt: bool| {
        let init = KeyboardEventInit::new();
        init.set_key(key);
        init.set_code(code);
        init.set_alt_key(alt);
        init.set_bubbles(true);
        let event: Event = KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init).expect("an event").into();
        target.dispatch_event(&event).expect("dispatched");
    };
    key(&window(), "t", "KeyT", true);
    assert_eq!(document().active_element(), Some(page.all(".toast")[0].clone().into()));
    key(&document().active_element().expect("focused"), "Escape", "Escape", false);
    page.until("one is left", |page| page.texts() == ["one"]).await;
    page.until("and has the focus", |page| document().active_element() == Some(page.all(".toast")[0].clone().into()))
        .await;
    key(&document().active_element().expect("focused"), "Escape", "Escape", false);
    page.until("none is left", |page| page.texts().is_empty()).await;
    page.until("the focus is back", |_| document().active_element() == Some(before.clone().into())).await;
}
