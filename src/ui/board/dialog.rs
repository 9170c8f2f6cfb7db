//! A modal dialog: the browser's own, so that focus is kept inside, Escape closes, and focus goes back.

use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::ui::dynamic::When;
use crate::ui::icon::{CLOSE, Icon};

/// A modal dialog with a title and a button to close it.
///
/// Renders an empty, closed `<dialog>` on the server; what is inside is made when it opens.
#[component]
pub fn Dialog(
    /// Whether it is open.
    open: Signal<bool>,
    /// Told that the person closed it.
    close: impl Fn() + Copy + Send + Sync + 'static,
    /// Its title.
    #[prop(into)]
    title: Signal<String>,
    /// More classes.
    #[prop(optional)]
    class: &'static str,
    /// What is in it.
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let open = open.get();
        let Some(dialog) = dialog.get() else { return };
        if open && !dialog.open() {
            // It fails only for a dialog that is not in the page; then it is open in no way.
            let _ = dialog.show_modal();
        } else if !open && dialog.open() {
            dialog.close();
        }
    });
    // A press on the backdrop is one on the dialog itself, outside its box; one inside is on its scroll bar.
    let press = move |event: MouseEvent| {
        let itself = event.target().is_some_and(|target| target.dyn_into::<web_sys::HtmlDialogElement>().is_ok());
        let outside = dialog.get_untracked().is_some_and(|dialog| {
            let (rect, x, y) =
                (dialog.get_bounding_client_rect(), f64::from(event.client_x()), f64::from(event.client_y()));
            x < rect.left() || x > rect.right() || y < rect.top() || y > rect.bottom()
        });
        if itself && outside {
            close();
        }
    };
    let children = StoredValue::new(children);
    view! {
        <dialog
            class=format!("dialog {class}")
            node_ref=dialog
            aria-label=title
            on:close=move |_| close()
            on:mousedown=press
            on:keydown=|event| event.stop_propagation()
        >
            <When when=open>
                <div class="dialog-body">
                    <header class="dialog-head">
                        <h2>{title}</h2>
                        <button class="button quiet square" aria-label="Close" on:click=move |_| close()>
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
