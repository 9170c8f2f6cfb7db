//! A modal dialog: the browser's own, so that focus stays inside, Escape closes, and focus goes back.

use leptos::ev::{Event, KeyboardEvent, MouseEvent};
use leptos::html;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement, HtmlElement};

use crate::ui::dynamic::{Alive, When};
use crate::ui::focus::is_nowhere;
use crate::ui::icon::{CLOSE, Icon};
use crate::ui::keys::{is_composing, is_escape};
use crate::ui::text::sole_text;

/// A modal dialog with a title and a button to close it.
///
/// Before `close` is called, the field that has the focus loses it: `blur` and `change` handlers act while their signals are there.
/// After it, the focus is where it was before the dialog opened, or on the menu that opened it.
///
/// Renders an empty, closed `<dialog>` on the server; what is inside is made when it opens.
#[component]
pub fn Dialog(
    /// Whether it is open.
    open: Signal<bool>,
    /// Told that the person wants to close it. The dialog stays if `open` does.
    close: impl Fn() + Copy + Send + Sync + 'static,
    /// Told before `close` that it was Escape: what was typed is not wanted.
    #[prop(optional)]
    escape: Option<Callback<()>>,
    /// Its title.
    #[prop(into)]
    title: Signal<String>,
    /// More classes.
    #[prop(optional)]
    class: &'static str,
    /// What is in it.
    children: ChildrenFn,
) -> impl IntoView {
    let alive = Alive::here();
    let dialog = NodeRef::<html::Dialog>::new();
    let opener = StoredValue::new(None::<SendWrapper<Element>>);
    Effect::new(move |_| {
        let open = open.get();
        let Some(dialog) = dialog.get() else { return };
        if open && !dialog.open() {
            opener.set_value(document().active_element().map(SendWrapper::new));
            // It fails only for a dialog that is not in the page; then it is open in no way.
            let _ = dialog.show_modal();
        } else if !open && dialog.open() {
            dialog.close();
            if let Some(opener) = opener.try_update_value(Option::take).flatten() {
                go_back(opener.take());
            }
        }
    });
    let leave = move || {
        if let Some(dialog) = dialog.get_untracked() {
            leave_field(&dialog);
        }
        close();
    };
    // A press on the backdrop is one on the dialog itself, outside its box; one inside is on its scroll bar.
    let press = move |event: MouseEvent| {
        let outside = dialog.get_untracked().is_some_and(|dialog| {
            let (rect, x, y) =
                (dialog.get_bounding_client_rect(), f64::from(event.client_x()), f64::from(event.client_y()));
            x < rect.left() || x > rect.right() || y < rect.top() || y > rect.bottom()
        });
        if is_itself(&event) && outside {
            // The press would take the focus to the page behind.
            event.prevent_default();
            leave();
        }
    };
    // The browser is about to close it: after Escape, or a gesture that goes back.
    let escaped = StoredValue::new(false);
    let cancel = move |event: Event| {
        if !is_itself(&event) {
            return;
        }
        event.prevent_default();
        if escaped.try_update_value(std::mem::take) == Some(true)
            && let Some(escape) = escape
        {
            escape.run(());
        }
        leave();
    };
    // Browsers close a dialog all the same when it is cancelled twice.
    let closed = move |event: Event| {
        if !is_itself(&event) {
            return;
        }
        close();
        if open.get_untracked()
            && let Some(dialog) = dialog.get_untracked().filter(|dialog| !dialog.open())
        {
            let _ = dialog.show_modal();
        }
    };
    let keys = move |event: KeyboardEvent| {
        event.stop_propagation();
        escaped.set_value(is_escape(&event));
        if is_composing(&event) && event.key() == "Escape" {
            event.prevent_default();
        }
    };
    let children = StoredValue::new(children);
    view! {
        <dialog
            class=format!("dialog {class}")
            node_ref=dialog
            aria-label=title
            on:close=alive.only(closed)
            on:cancel=alive.only(cancel)
            on:mousedown=alive.only(press)
            on:keydown=keys
        >
            <When when=open>
                <div class="dialog-body">
                    <header class="dialog-head">
                        <h2>{sole_text(title)}</h2>
                        <button class="button quiet square" aria-label="Close" on:click=move |_| leave()>
                            <Icon path=CLOSE />
                        </button>
                    </header>
                    {children.with_value(|children| children())}
                </div>
            </When>
        </dialog>
    }
    .into_any()
}

fn is_itself(event: &Event) -> bool {
    event.target().is_some_and(|target| target.dyn_into::<HtmlDialogElement>().is_ok())
}

fn leave_field(dialog: &HtmlDialogElement) {
    let field = document().active_element().filter(|field| dialog.contains(Some(field)));
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
        let _ = field.blur();
    }
}

/// Focuses what opened the dialog, if the browser does not and nobody else has. An item of a closed menu cannot have the focus; the menu can.
fn go_back(opener: Element) {
    request_animation_frame(move || {
        if !is_nowhere() {
            return;
        }
        let menu = opener.closest("details:not([open])").ok().flatten();
        let menu = menu.and_then(|menu| menu.query_selector("summary").ok().flatten());
        if let Ok(element) = menu.unwrap_or(opener).dyn_into::<HtmlElement>() {
            let _ = element.focus();
        }
    });
}
