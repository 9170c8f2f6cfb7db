//! Parts that come and go. Leptos has `Show` and `For`; these do the same behind one type each, however often they are used:
//! every use of the others is code of its own in the page's wasm.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use uuid::Uuid;

/// Shows its children for as long as `when` holds, and `otherwise` while it does not.
///
/// Renders the same on the server and in the browser. Children stay as they are while the answer is the same.
#[component]
pub fn When(
    /// The condition.
    #[prop(into)]
    when: Signal<bool>,
    /// What is shown while it does not hold; nothing by default.
    #[prop(optional, into)]
    otherwise: ViewFn,
    /// What is shown while it holds.
    children: ChildrenFn,
) -> impl IntoView {
    let when = Memo::new(move |_| when.get());
    move || if when.get() { children() } else { otherwise.run() }
}

/// Tells whether the owner that made it is still there.
///
/// Leptos disposes the signals of a part before its elements leave the page, and reading a disposed signal panics. Browsers call
/// `blur`, `change` and `focusout` handlers while they remove an element, and `close` handlers later still; timers and answers come
/// whenever they like. A handler that reads signals of its own part goes through [`Alive::only`].
#[derive(Clone, Copy, Debug)]
pub struct Alive(StoredValue<()>);

impl Alive {
    /// Follows the current owner.
    #[must_use]
    pub fn here() -> Self {
        Self(StoredValue::new(()))
    }

    /// Whether signals that the owner holds can still be read.
    #[must_use]
    pub fn holds(self) -> bool {
        self.0.try_with_value(|()| ()).is_some()
    }

    /// A handler that acts in a turn of its own, if the owner is still there then. For `blur` and `change`, which browsers also send
    /// while a part is being removed: a change that is made then draws what is about to be disposed of.
    pub fn later<E>(self, handler: impl Fn() + Copy + 'static) -> impl Fn(E) {
        move |_| set_timeout(self.then(handler), Duration::ZERO)
    }

    /// Does nothing if the owner is gone by then.
    pub fn then(self, act: impl FnOnce()) -> impl FnOnce() {
        move || {
            if self.holds() {
                act();
            }
        }
    }

    /// A handler that does nothing once the owner is gone.
    pub fn only<E>(self, handler: impl Fn(E)) -> impl Fn(E) {
        move |event| {
            if self.holds() {
                handler(event);
            }
        }
    }
}

/// Shows its children in a turn of their own, soon after the page has come alive: what is not seen at first need not keep a tap
/// waiting.
///
/// Renders nothing on the server and before hydration.
#[component]
pub fn Later(
    /// What is shown.
    children: ChildrenFn,
) -> impl IntoView {
    let now = RwSignal::new(false);
    let show = move || {
        let _ = now.try_set(true);
    };
    Effect::new(move |_| set_timeout(show, Duration::ZERO));
    view! { <When when=now>{children()}</When> }
}

/// Gives the page's root a class for as long as `when` holds, for what is styled by something elsewhere on the page. With `:has()` at
/// the root the browser would look through the whole page at every change.
///
/// Does nothing on the server.
pub fn root_class(class: &'static str, when: impl Fn() -> bool + Send + Sync + 'static) {
    let set = move |on: bool| {
        if let Some(root) = document().document_element() {
            // Fails only for what is no name of a class.
            let _ = root.class_list().toggle_with_force(class, on);
        }
    };
    Effect::new(move |_| {
        set(when());
        on_cleanup(move || set(false));
    });
}

/// What an item in a row is known by: it keeps its nodes for as long as its key is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Something with an id.
    Id(Uuid),
    /// Something with a name.
    Name(String),
    /// Something with a number.
    Number(usize),
}

/// An item in a row.
#[derive(Clone)]
pub struct Item {
    key: Key,
    view: Arc<dyn Fn() -> AnyView + Send + Sync>,
}

impl Item {
    /// An item known by an id.
    pub fn by_id(id: Uuid, view: impl Fn() -> AnyView + Send + Sync + 'static) -> Self {
        Self { key: Key::Id(id), view: Arc::new(view) }
    }

    /// An item known by its number.
    pub fn by_number(number: usize, view: impl Fn() -> AnyView + Send + Sync + 'static) -> Self {
        Self { key: Key::Number(number), view: Arc::new(view) }
    }

    /// An item known by its name.
    pub fn by_name(name: String, view: impl Fn() -> AnyView + Send + Sync + 'static) -> Self {
        Self { key: Key::Name(name), view: Arc::new(view) }
    }
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Item").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A row of items. One that was there before keeps its nodes, wherever in the row it is now.
///
/// Renders the same on the server and in the browser.
#[component]
pub fn Each(
    /// The items, in order, with different keys.
    #[prop(into)]
    items: Signal<Vec<Item>>,
) -> impl IntoView {
    view! { <For each=move || items.get() key=|item| item.key.clone() children=|item: Item| (item.view)() /> }
}
