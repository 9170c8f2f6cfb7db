//! The strip that says what stands in the way.

use leptos::prelude::*;

use super::handle::{NOT_KEPT, use_connection};
use super::outbox::export_unsaved;
use super::standing::{Standing, not_accepted, unsaved};
use crate::sync::client::Connection;
use crate::ui::dynamic::{When, root_class};
use crate::ui::icon::{Icon, SIGNAL, URGENT};
use crate::ui::reload::reload;
use crate::ui::text::sole_text;

/// Where a network shows its log-in page: an address of this site that the service worker leaves to the network (`worker.js`).
const LOG_IN: &str = "/?log-in";

/// What stands in the way of the person's work being saved, and needs them: the device's storage, the link, the server's version,
/// rejected changes, a network that wants a log-in. It is a banner at the foot of the window, in a place of its own that is always
/// there, so nothing moves when it comes and goes. An outage that ends by itself has no banner, but where the window is too narrow
/// for the status button to say it.
///
/// Renders nothing on the server and before hydration.
#[component]
pub fn NetworkIndicator() -> impl IntoView {
    let connection = use_connection();
    let standing = connection.standing;
    let unkept = move || !connection.kept.get();
    let ended = move || matches!(standing.get(), Standing::Ended(_) | Standing::WrongAddress(_));
    let outdated = move || matches!(standing.get(), Standing::Outdated(_));
    let refused = move || connection.refused.with(|refused| !refused.is_empty());
    let network = move || {
        matches!(
            standing.get(),
            Standing::Captive(_) | Standing::GaveUp(_) | Standing::NotSaving(_) | Standing::ViewOnly(_)
        )
    };
    // Then the toasts stand higher.
    root_class("with-strips", move || {
        [unkept(), ended(), outdated(), refused(), network()].into_iter().filter(|stands| *stands).count() > 1
    });
    let captive = move || matches!(standing.get(), Standing::Captive(_));
    // On a narrow window the status button has no room for it.
    let down = move || {
        matches!(standing.get(), Standing::Reconnecting { .. } | Standing::Offline(_) | Standing::Unreachable(_))
    };
    let why = move || {
        let said = connection.status.with(|status| match &status.connection {
            Connection::Refused(bye) if !bye.message.is_empty() => bye.message.clone(),
            _ => "The server does not accept this page any more.".to_owned(),
        });
        match unsaved(standing.get().pending(), connection.kept.get()) {
            Some(kept) => format!("{said} {kept}"),
            None => said,
        }
    };
    let sentence = move || connection.sentence();
    let pending = move || standing.get().pending() != 0;
    let export = move |_| export_unsaved(connection);
    let retry = move |_| connection.retry_now();
    let exports = move || view! { <button class="button" on:click=export>"Export"</button> };
    view! {
        <section class="indicator" aria-label="What stands in the way">
            <Strip name="unkept" class="danger" when=Signal::derive(unkept) text=Signal::derive(|| NOT_KEPT.to_owned())>
                {exports()}
            </Strip>
            <Strip name="ended" class="danger" when=Signal::derive(ended) text=Signal::derive(why)>
                <When when=pending>{exports()}</When>
            </Strip>
            <Strip name="outdated" class="danger" when=Signal::derive(outdated) text=Signal::derive(sentence)>
                <When when=move || unkept() && pending()>{exports()}</When>
                <button class="button" on:click=move |_| reload()>"Reload"</button>
            </Strip>
            <Strip
                name="refused"
                class="danger"
                when=Signal::derive(refused)
                text=Signal::derive(move || not_accepted(connection.refused.with(Vec::len)))
            >
                <button class="button" on:click=move |_| connection.panel.set(true)>"Show"</button>
            </Strip>
            <Strip name="network" when=Signal::derive(network) text=Signal::derive(sentence)>
                <When when=move || matches!(standing.get(), Standing::ViewOnly(_))>{exports()}</When>
                <When when=captive>
                    <a class="button" href=LOG_IN target="_blank" rel="noopener">"Log in"</a>
                </When>
                <When when=move || standing.get().can_retry()>
                    <button class="button link narrow-only" on:click=retry>"Retry now"</button>
                </When>
            </Strip>
            <Strip name="down" class="narrow-only" when=Signal::derive(down) text=Signal::derive(sentence)>
                <button class="button link" on:click=retry>"Retry now"</button>
            </Strip>
        </section>
    }
    .into_any()
}

/// One strip, with what can be done about it. Renders nothing while `when` does not hold.
#[component]
fn Strip(
    name: &'static str,
    #[prop(optional)] class: &'static str,
    #[prop(into)] when: Signal<bool>,
    #[prop(into)] text: Signal<String>,
    children: ChildrenFn,
) -> impl IntoView {
    let children = StoredValue::new(children);
    let icon = if class == "danger" { URGENT } else { SIGNAL };
    view! {
        <When when>
            <div class=format!("strip {class}") data-strip=name>
                <Icon path=icon />
                <p>{sole_text(text)}</p>
                {children.with_value(|children| children())}
            </div>
        </When>
    }
    .into_any()
}
