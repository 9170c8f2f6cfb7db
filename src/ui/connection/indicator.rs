//! The strip that says what stands in the way.

use leptos::prelude::*;

use super::handle::{NOT_KEPT, not_accepted, use_connection};
use super::outbox::export_unsaved;
use super::standing::{Standing, unsaved};
use crate::sync::client::Connection;
use crate::ui::dynamic::When;
use crate::ui::icon::{Icon, SIGNAL, URGENT};
use crate::ui::reload::reload;

/// What stands in the way of the person's work being saved, in a strip at the foot of the window: the device's storage, the link,
/// the server's version, refused changes, the network. It stands in a place of its own that is always there, so nothing moves when
/// it comes and goes.
///
/// Renders nothing on the server and before hydration.
#[component]
pub fn NetworkIndicator() -> impl IntoView {
    let connection = use_connection();
    let standing = connection.standing;
    let unkept = move || !connection.kept.get();
    let ended = move || matches!(standing.get(), Standing::Ended(_));
    let outdated = move || matches!(standing.get(), Standing::Outdated(_));
    let refused = move || connection.refused.with(|refused| !refused.is_empty());
    let network = move || {
        matches!(
            standing.get(),
            Standing::Offline(_)
                | Standing::Captive(_)
                | Standing::Unreachable(_)
                | Standing::GaveUp(_)
                | Standing::ViewOnly(_)
        )
    };
    // On a narrow window the pill has no room for it.
    let reconnecting = move || matches!(standing.get(), Standing::Reconnecting { .. });
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
    view! {
        <section class="indicator" aria-label="What stands in the way">
            <When when=unkept>
                <div class="strip danger" data-strip="unkept">
                    <Icon path=URGENT />
                    <p>{NOT_KEPT}</p>
                    <button class="button" on:click=export>"Export"</button>
                </div>
            </When>
            <When when=ended>
                <div class="strip danger" data-strip="ended">
                    <Icon path=URGENT />
                    <p>{Signal::derive(why)}</p>
                    <When when=pending>
                        <button class="button" on:click=export>"Export"</button>
                    </When>
                </div>
            </When>
            <When when=outdated>
                <div class="strip danger" data-strip="outdated">
                    <Icon path=URGENT />
                    <p>{Signal::derive(sentence)}</p>
                    <When when=move || unkept() && pending()>
                        <button class="button" on:click=export>"Export"</button>
                    </When>
                    <button class="button" on:click=move |_| reload()>"Reload"</button>
                </div>
            </When>
            <When when=refused>
                <div class="strip danger" data-strip="refused">
                    <Icon path=URGENT />
                    <p>{Signal::derive(move || not_accepted(connection.refused.with(Vec::len)))}</p>
                    <button class="button" on:click=move |_| connection.panel.set(true)>"Show"</button>
                </div>
            </When>
            <When when=network>
                <div class="strip" data-strip="network">
                    <Icon path=SIGNAL />
                    <p>{Signal::derive(sentence)}</p>
                    <When when=move || matches!(standing.get(), Standing::ViewOnly(_))>
                        <button class="button" on:click=export>"Export"</button>
                    </When>
                    <When when=move || standing.get().can_retry()>
                        <button class="button link narrow-only" on:click=move |_| connection.retry_now()>"Retry now"</button>
                    </When>
                </div>
            </When>
            <When when=reconnecting>
                <div class="strip narrow-only" data-strip="reconnecting">
                    <Icon path=SIGNAL />
                    <p>{Signal::derive(sentence)}</p>
                    <button class="button link" on:click=move |_| connection.retry_now()>"Retry now"</button>
                </div>
            </When>
        </section>
    }
    .into_any()
}
