//! The stack of toasts on the page.

use std::sync::Arc;
use std::time::Duration;

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::handle::{Said, Toasts, use_toasts};
use super::stack::{Pause, SHOWN, ToastId};
use crate::ui::clock;
use crate::ui::dynamic::{Alive, Each, Item, When};
use crate::ui::icon::{CHECK, CLOSE, Icon, URGENT};
use crate::ui::keys::is_escape;
use crate::ui::text::sole_text;

/// What had the focus before the stack. Wrapped, since the server moves pages between threads; there nothing has the focus.
type CameFrom = StoredValue<Option<SendWrapper<HtmlElement>>>;

/// A toast that is swiped this far to a side goes, in CSS pixels.
const SWIPED: f64 = 48.0;

/// The stack of toasts, and the page's two live regions. One a page, inside what [`provide_toasts`](super::provide_toasts) reaches.
///
/// Three show at once, the newest in front; hovering over the stack or going into it lays it out whole, and stops all clocks. It
/// never covers what has the focus: then it goes to the top of the window. Keys: Alt+T goes to the newest, Escape dismisses the one
/// that has the focus, and the focus goes back to where it came from. A toast can be swiped away to either side.
///
/// Renders an empty stack and the regions on the server; hydration changes nothing.
#[component]
pub fn Toaster() -> impl IntoView {
    let toasts = use_toasts();
    let section = NodeRef::<html::Section>::new();
    let covers = RwSignal::new(false);
    let back = CameFrom::new(None);
    keep_time(toasts);
    Effect::new(move |_| {
        follow_page(toasts);
        let shortcut = window_event_listener(leptos::ev::keydown, move |event| {
            // By the key's place: on some keyboards Alt makes another letter of it.
            if event.alt_key() && event.code() == "KeyT" && go_to_newest(section) {
                event.prevent_default();
            }
        });
        let focus = window_event_listener(leptos::ev::focusin, move |_| keep_off_focus(section, covers));
        on_cleanup(move || {
            shortcut.remove();
            focus.remove();
        });
    });
    Effect::new(move |_| {
        toasts.stack.track();
        // Once it is laid out.
        request_animation_frame(move || keep_off_focus(section, covers));
    });
    let alive = Alive::here();
    let leave = move |event: leptos::ev::FocusEvent| {
        let to = event.related_target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        let inside = section.get_untracked().is_some_and(|section| section.contains(to.as_ref()));
        if !inside {
            toasts.pause(Pause::Focused, false);
        }
    };
    let escape = move |event: KeyboardEvent| {
        if is_escape(&event)
            && let Some(id) = focused(toasts)
        {
            event.stop_propagation();
            dismiss(toasts, &id, section, back);
        }
    };
    let item = move |id: ToastId| {
        let name = format!("{id:?}");
        Item::by_name(name, move || view! { <ToastItem toasts id=id.clone() section back /> }.into_any())
    };
    let items = move || {
        let ids: Vec<_> = toasts.stack.with(|stack| stack.toasts().iter().map(|shown| shown.id.clone()).collect());
        ids.into_iter().map(item).collect::<Vec<_>>()
    };
    let more = move || toasts.stack.with(|stack| stack.toasts().len().saturating_sub(SHOWN));
    view! {
        <div class="visually-hidden" role="status" aria-live="polite">
            <Region said=toasts.polite />
        </div>
        <div class="visually-hidden" role="alert" aria-live="assertive">
            <Region said=toasts.assertive />
        </div>
        <section
            class="toaster"
            class:open=move || toasts.stack.with(super::stack::Stack::is_open)
            class:away=covers
            aria-label="Notifications, Alt+T"
            node_ref=section
            on:pointerenter=move |event| {
                if event.pointer_type() == "mouse" {
                    toasts.pause(Pause::Hovered, true);
                }
            }
            on:pointerleave=move |_| toasts.pause(Pause::Hovered, false)
            on:focusin=move |event| {
                come_from(&event, section, back);
                // A touch focuses the button before it clicks it. If the stack opened at once, the button would move away before the click.
                set_timeout(
                    alive.then(move || {
                        if focused(toasts).is_some() {
                            toasts.pause(Pause::Focused, true);
                        }
                    }),
                    Duration::ZERO,
                );
            }
            on:focusout=alive.only(leave)
            on:keydown=escape
        >
            <When when=move || more() != 0>
                <p class="toasts-more">{sole_text(Signal::derive(move || format!("{} more", more())))}</p>
            </When>
            <ol class="toasts">
                <Each items=items />
            </ol>
        </section>
    }
    .into_any()
}

/// What a live region says: a new node each time.
#[component]
fn Region(said: RwSignal<Said>) -> impl IntoView {
    let items = move || {
        let Said { number, text } = said.get();
        let item = Item::by_name(number.to_string(), move || view! { <p>{text.clone()}</p> }.into_any());
        if number == 0 { Vec::new() } else { vec![item] }
    };
    view! { <Each items /> }
}

#[component]
fn ToastItem(toasts: Toasts, id: ToastId, section: NodeRef<html::Section>, back: CameFrom) -> impl IntoView {
    let id = StoredValue::new(id);
    // It may be drawn once more in the moment in which it goes.
    let of = move |read: fn(&super::stack::Shown) -> String| {
        Signal::derive(move || {
            toasts.stack.with(|stack| stack.find(&id.get_value()).map(|(_, shown)| read(shown)).unwrap_or_default())
        })
    };
    let kind = of(|shown| shown.toast.kind.name().to_owned());
    let text = of(|shown| match shown.times {
        1 => shown.toast.text.clone(),
        times => format!("{} ({times}×)", shown.toast.text),
    });
    let label = of(|shown| shown.toast.action.as_ref().map(|action| action.label.to_string()).unwrap_or_default());
    let place = Signal::derive(move || {
        let place = toasts.stack.with(|stack| stack.find(&id.get_value()).map(|(place, _)| place));
        place.unwrap_or_default().min(SHOWN).to_string()
    });
    let close = move || dismiss(toasts, &id.get_value(), section, back);
    let act = move |_| {
        let run = toasts.stack.with_untracked(|stack| {
            stack
                .find(&id.get_value())
                .and_then(|(_, shown)| shown.toast.action.as_ref().map(|act| Arc::clone(&act.run)))
        });
        close();
        if let Some(run) = run {
            run();
        }
    };
    let start = StoredValue::new(None::<f64>);
    let swiped = RwSignal::new(0.0_f64);
    let press = move |event: PointerEvent| {
        let on_button = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if on_button.is_some_and(|target| target.closest("button").is_ok_and(|button| button.is_some())) {
            return;
        }
        if let Some(item) = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) {
            // Without it the swipe ends where the toast does.
            let _ = item.set_pointer_capture(event.pointer_id());
            start.set_value(Some(f64::from(event.client_x())));
        }
    };
    let swipe = move |event: PointerEvent| {
        if let Some(from) = start.get_value() {
            swiped.set(f64::from(event.client_x()) - from);
        }
    };
    let release = move |_| {
        if start.try_update_value(Option::take).flatten().is_some() {
            if swiped.get_untracked().abs() >= SWIPED {
                close();
            } else {
                swiped.set(0.0);
            }
        }
    };
    view! {
        <li
            class="toast"
            data-kind=kind
            data-place=place
            tabindex="0"
            style:translate=move || {
                let by = swiped.get();
                if by == 0.0 { String::new() } else { format!("{by}px") }
            }
            on:pointerdown=press
            on:pointermove=swipe
            on:pointerup=release
            on:pointercancel=move |_| {
                start.set_value(None);
                swiped.set(0.0);
            }
        >
            {move || match kind.get().as_str() {
                "success" => view! { <Icon path=CHECK /> }.into_any(),
                "warning" | "danger" => view! { <Icon path=URGENT /> }.into_any(),
                "busy" => view! { <span class="spinner" aria-hidden="true"></span> }.into_any(),
                _ => ().into_any(),
            }}
            <span class="toast-text">{sole_text(text)}</span>
            <When when=move || label.with(|label| !label.is_empty())>
                <button class="button link" on:click=act>{sole_text(label)}</button>
            </When>
            <button class="button quiet square small" aria-label="Close" on:click=move |_| close()>
                <Icon path=CLOSE />
            </button>
        </li>
    }
    .into_any()
}

/// Takes away the toasts whose time is over, when it is.
fn keep_time(toasts: Toasts) {
    Effect::new(move |timer: Option<Option<TimeoutHandle>>| {
        if let Some(timer) = timer.flatten() {
            timer.clear();
        }
        let due = toasts.stack.with(super::stack::Stack::deadline)?;
        // One more, since the browser's timers may fire a fraction early.
        let wait = due.since(clock::now()) + Duration::from_millis(1);
        let expire = move || {
            let _ = toasts.stack.try_update(|stack| stack.expire(clock::now()));
        };
        set_timeout_with_handle(expire, wait).ok()
    });
}

/// Stops the clocks while nobody sees the page.
fn follow_page(toasts: Toasts) {
    let look = move || {
        toasts.pause(Pause::Hidden, document().hidden());
    };
    let visibility = leptos::ev::Custom::<web_sys::Event>::new("visibilitychange");
    let listener = window_event_listener(visibility, move |_| look());
    on_cleanup(move || listener.remove());
}

/// Remembers what had the focus before it came into the stack.
fn come_from(event: &leptos::ev::FocusEvent, section: NodeRef<html::Section>, back: CameFrom) {
    let from = event.related_target().and_then(|from| from.dyn_into::<HtmlElement>().ok());
    let Some((from, section)) = from.zip(section.get_untracked()) else { return };
    if !section.contains(Some(&from)) {
        back.set_value(Some(SendWrapper::new(from)));
    }
}

/// Goes to the newest toast. Returns whether there is one.
fn go_to_newest(section: NodeRef<html::Section>) -> bool {
    let Some(section) = section.get_untracked() else { return false };
    let Some(newest) = section.query_selector(".toast").ok().flatten() else { return false };
    newest.dyn_into::<HtmlElement>().is_ok_and(|newest| newest.focus().is_ok())
}

/// The toast that has the focus, or that has what has it.
fn focused(toasts: Toasts) -> Option<ToastId> {
    let item = document().active_element()?.closest(".toast").ok()??;
    let place =
        std::iter::successors(item.previous_element_sibling(), web_sys::Element::previous_element_sibling).count();
    toasts.stack.with_untracked(|stack| stack.toasts().get(place).map(|shown| shown.id.clone()))
}

/// Takes a toast away. If it had the focus, the next one gets it, or what had it before.
fn dismiss(toasts: Toasts, id: &ToastId, section: NodeRef<html::Section>, back: CameFrom) {
    let had_focus = focused(toasts).as_ref() == Some(id);
    toasts.dismiss(id);
    if had_focus {
        // Once it is out of the page.
        request_animation_frame(move || {
            let next = section
                .try_get_untracked()
                .flatten()
                .and_then(|section| section.query_selector(".toast").ok().flatten());
            let next = next.and_then(|next| next.dyn_into::<HtmlElement>().ok());
            let before = || back.try_update_value(Option::take).flatten().map(SendWrapper::take);
            if let Some(element) = next.or_else(before) {
                let _ = element.focus();
            }
            let inside = document()
                .active_element()
                .is_some_and(|element| element.closest(".toaster").is_ok_and(|it| it.is_some()));
            toasts.pause(Pause::Focused, inside);
        });
    }
}

/// Whether the stack, where it is by default, would cover what has the focus.
fn keep_off_focus(section: NodeRef<html::Section>, covers: RwSignal<bool>) {
    let Some(section) = section.try_get_untracked().flatten() else { return };
    let focused = document().active_element().filter(|element| {
        // What is around other things has the focus for the keyboard's sake.
        let itself = element.tag_name() != "BODY" && element.get_attribute("tabindex").as_deref() != Some("-1");
        itself && !section.contains(Some(element))
    });
    let covered = focused.is_some_and(|element| {
        let (focus, stack) = (element.get_bounding_client_rect(), section.get_bounding_client_rect());
        let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
        // Where it stands at the bottom, wherever it is now.
        let bottom = height - gutter();
        let top = bottom - stack.height();
        stack.height() > 0.0
            && focus.top() < bottom
            && focus.bottom() > top
            && focus.left() < stack.right()
            && focus.right() > stack.left()
    });
    if covers.get_untracked() != covered {
        covers.set(covered);
    }
}

/// Its distance from the bottom of the window, as the stylesheet has it.
fn gutter() -> f64 {
    let style = document().document_element().and_then(|root| window().get_computed_style(&root).ok().flatten());
    let gutter = style.and_then(|style| style.get_property_value("--under-toasts").ok());
    gutter.and_then(|gutter| gutter.trim().trim_end_matches("px").parse().ok()).unwrap_or_default()
}
