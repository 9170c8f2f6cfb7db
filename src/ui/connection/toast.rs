//! The toast for the line going and coming back.

use std::time::Duration;

use leptos::prelude::*;

use super::handle::use_connection;
use super::standing::Standing;
use crate::ui::toast::{Kind, Toast, use_toasts};

const NAME: &str = "connection";

/// One toast that stays while the device is offline or the server out of reach, and is replaced by "You're back online!". However
/// often the line comes and goes, it is one toast. It is said aloud with the rest of what the connection says.
///
/// Renders nothing, on the server and in the browser: the toast is in the [`Toaster`](crate::ui::toast::Toaster).
#[component]
pub fn ConnectionToast() -> impl IntoView {
    let (standing, toasts) = (use_connection().standing, use_toasts());
    // On the next page nobody follows this connection: what it last said would stand there.
    on_cleanup(move || toasts.dismiss_named(NAME));
    Effect::new(move |was_down: Option<bool>| {
        let was_down = was_down.unwrap_or_default();
        let standing = standing.get();
        if let Some(text) = standing.outage() {
            // How many changes wait is left to the status button: a toast that grows would move.
            toasts.show_silently(Toast::new(text).kind(Kind::Warning).lasting().named(NAME));
            return true;
        }
        match standing {
            Standing::Reading
            | Standing::Saved
            | Standing::Attention(_)
            | Standing::Saving(_)
            | Standing::NotSaving(_)
            | Standing::ViewOnly(_)
                if was_down =>
            {
                let back = Toast::new("You're back online!").kind(Kind::Success).for_time(Duration::from_secs(4));
                toasts.show_silently(back.named(NAME));
                false
            }
            Standing::Captive(_) | Standing::Ended(_) | Standing::WrongAddress(_) | Standing::Outdated(_)
                if was_down =>
            {
                toasts.dismiss_named(NAME);
                false
            }
            _ => was_down,
        }
    });
}
