//! "Open a link": the way to a board for an app that has no address bar.

use leptos::ev::KeyboardEvent;
use leptos::html::Input;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;

use super::dynamic::When;
use super::home::page_of;
use super::text::sole_text;
use crate::sync::id::Key;

/// A text that opens no board here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotALink {
    /// Nothing was written.
    #[error("Paste the link of a board, or its key.")]
    Empty,
    /// There is no key in it.
    #[error("This is not the link of a board. It may be incomplete: copy the whole of it.")]
    NoKey,
    /// The link leads to this other server.
    #[error("This link leads to another server, {0}. Open it in a browser.")]
    Elsewhere(String),
}

/// The key in a board's link, in a message around such a link, or in a key alone. `host` is this server's name, with its port unless
/// that is the default.
///
/// # Errors
/// [`NotALink`], for the person.
pub fn key_in(text: &str, host: &str) -> Result<Key, NotALink> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NotALink::Empty);
    }
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let (before, behind) = text.split_once("/b/").ok_or(NotALink::NoKey)?;
    let of_key = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let end = behind.find(|letter| !of_key(letter)).unwrap_or(behind.len());
    let key = behind[..end].parse().map_err(|_| NotALink::NoKey)?;
    // Words of a message may stand before the link.
    let address = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let (scheme, rest) = address.rsplit_once("://").unwrap_or(("", address));
    let found = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let default_port = if scheme.to_ascii_lowercase().ends_with("https") { ":443" } else { ":80" };
    let found = found.strip_suffix(default_port).unwrap_or(&found);
    if found.is_empty() || found == host.to_ascii_lowercase() {
        Ok(key)
    } else {
        Err(NotALink::Elsewhere(found.to_owned()))
    }
}

/// A field for a board's link and the button that opens it.
///
/// Renders the same on the server and in the browser; what was typed before hydration stays.
#[component]
pub fn OpenLink() -> impl IntoView {
    let field = NodeRef::<Input>::new();
    let problem = RwSignal::new(None::<NotALink>);
    let navigate = StoredValue::new(use_navigate());
    let open = move || {
        let Some(field) = field.get_untracked() else { return };
        match key_in(&field.value(), &location().host().unwrap_or_default()) {
            Ok(key) => navigate.with_value(|navigate| navigate(&page_of(&key), Default::default())),
            Err(why) => {
                problem.set(Some(why));
                let _ = field.focus();
            }
        }
    };
    let keys = move |event: KeyboardEvent| {
        // Filling in a form, Chromium tells of keys that are none. Safari ends a composition by a key with the code 229, and
        // `isComposing` false.
        let is_key = event.is_instance_of::<KeyboardEvent>() && !event.is_composing() && event.key_code() != 229;
        if is_key && event.key() == "Enter" {
            open();
        }
    };
    view! {
        <div class="open-link needs-script">
            <label for="link">"Open a link"</label>
            <div class="row">
                <input
                    id="link"
                    node_ref=field
                    inputmode="url"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    placeholder="A board's link or key"
                    aria-describedby="link-problem"
                    on:keydown=keys
                    on:input=move |_| problem.set(None)
                />
                <button class="button" on:click=move |_| open()>"Open"</button>
            </div>
            <div id="link-problem" role="alert">
                <When when=move || problem.with(Option::is_some)>
                    <p class="problem">
                        {sole_text(Signal::derive(move || problem.get().map(|why| why.to_string()).unwrap_or_default()))}
                    </p>
                </When>
            </div>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdefABCD-_";

    #[test]
    fn a_link_in_any_form_has_its_key() {
        for text in [
            "0123456789abcdefABCD-_",
            "https://boards.example/b/0123456789abcdefABCD-_",
            "  https://boards.example/b/0123456789abcdefABCD-_\n",
            "HTTPS://Boards.Example:443/b/0123456789abcdefABCD-_?x=1#y",
            "http://boards.example:80/b/0123456789abcdefABCD-_/",
            "boards.example/b/0123456789abcdefABCD-_",
            "/b/0123456789abcdefABCD-_",
            "Our board: https://boards.example/b/0123456789abcdefABCD-_.",
            "<https://boards.example/b/0123456789abcdefABCD-_>",
        ] {
            assert_eq!(
                key_in(text, "boards.example").map(|key| key.as_str().to_owned()),
                Ok(KEY.to_owned()),
                "{text:?}"
            );
        }
        let local = "http://127.0.0.1:3000/b/0123456789abcdefABCD-_";
        assert!(key_in(local, "127.0.0.1:3000").is_ok());
    }

    #[test]
    fn a_text_that_opens_no_board_says_why() {
        assert_eq!(key_in("  ", "boards.example"), Err(NotALink::Empty));
        for text in ["hello", "https://boards.example/", "https://boards.example/b/0123", "https://boards.example/b/"] {
            assert_eq!(key_in(text, "boards.example"), Err(NotALink::NoKey), "{text:?}");
        }
        for (text, server) in [
            ("https://other.example/b/0123456789abcdefABCD-_", "other.example"),
            ("https://boards.example:8443/b/0123456789abcdefABCD-_", "boards.example:8443"),
            ("other.example/b/0123456789abcdefABCD-_", "other.example"),
        ] {
            assert_eq!(key_in(text, "boards.example"), Err(NotALink::Elsewhere(server.to_owned())));
        }
    }
}
