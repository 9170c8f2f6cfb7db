//! A menu of actions.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::dynamic::Alive;
use super::icon::{DOTS, Icon};
use super::keys::is_escape;

/// A button with three dots that opens a menu: the browser's own disclosure, which closes when an item is chosen, when focus
/// or the pointer goes elsewhere, and by Escape.
///
/// Renders closed on the server, and works before hydration as far as its items do.
#[component]
pub fn Menu(
    /// What it is a menu of, for screen readers.
    label: &'static str,
    /// Its items: buttons.
    children: Children,
) -> impl IntoView {
    let menu = NodeRef::<html::Details>::new();
    let alive = Alive::here();
    let close = move || {
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
    };
    let leave = move |event: leptos::ev::FocusEvent| {
        let to = event.related_target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        let inside = menu.get_untracked().is_some_and(|menu| menu.contains(to.as_ref()));
        if !inside {
            close();
        }
    };
    let escape = move |event: leptos::ev::KeyboardEvent| {
        let open = menu.get_untracked().is_some_and(|menu| menu.open());
        if is_escape(&event) && open {
            event.stop_propagation();
            close();
            let summary = menu.get_untracked().and_then(|menu| menu.query_selector("summary").ok().flatten());
            if let Some(summary) = summary.and_then(|summary| summary.dyn_into::<web_sys::HtmlElement>().ok()) {
                let _ = summary.focus();
            }
        }
    };
    view! {
        <details class="menu" node_ref=menu on:focusout=alive.only(leave) on:keydown=escape>
            <summary class="button quiet square" aria-label=label title=label>
                <Icon path=DOTS />
            </summary>
            <div class="menu-items" on:click=move |_| close()>
                {children()}
            </div>
        </details>
    }
    .into_any()
}
