//! Tools that make the network bad, in the page.

#[cfg(feature = "hydrate")]
pub mod chart;
#[cfg(feature = "hydrate")]
pub mod panel;

use leptos::prelude::*;

use super::handle::use_connection;
use crate::ui::dynamic::When;

/// Makes the network bad: every fault of [`crate::sync::faults`], applied to the page's real sockets and requests; presets,
/// timelines with a seed, recording and replay; and a chart of what goes over the line. While something is wrong, a sign says so.
/// "Reset" leaves no trace, and so does putting the tools away.
///
/// They are on the page in development builds; elsewhere the switch in the panel of
/// [`ConnectionStatus`](super::ConnectionStatus) brings them. Nothing is wrong until someone says so.
///
/// Renders nothing on the server and before hydration.
#[component]
pub fn DevNetworkTools() -> impl IntoView {
    let tools = use_connection().tools;
    view! { <When when=tools>{page_part()}</When> }
}

#[cfg(feature = "hydrate")]
fn page_part() -> AnyView {
    view! { <panel::Tools /> }.into_any()
}

#[cfg(not(feature = "hydrate"))]
fn page_part() -> AnyView {
    ().into_any()
}
