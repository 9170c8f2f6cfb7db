//! The document's shell and the routes.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use leptos_meta::MetaTags;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::hooks::use_navigate;
use leptos_router::{NavigateOptions, SsrMode, path};

use super::board::page::BoardRoute;
use super::focus::keep_focus_on_page;
use super::home::{Handover, Home};
use super::text::sole_text;
use super::toast::{Toaster, provide_toasts};
use super::worker;

/// The HTML document around the app, rendered on the server only.
///
/// It sets the page's own headers: a content security policy that lets no script run but the page's, and that no cache keeps
/// the page, since what is in it changes and its address is a key.
#[cfg(feature = "ssr")]
#[must_use]
pub fn shell(options: LeptosOptions, build: &Build) -> impl IntoView + use<> {
    set_headers(&options);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-build=build.name.clone() data-worker=build.worker>
            {head(view! {
                <AutoReload options=options.clone() />
                {program(options, build)}
                <MetaTags />
            })}
            <body>
                <App />
            </body>
        </html>
    }
}

/// The program that a page came with.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Its name: when the server goes by another, there is a new version.
    pub name: String,
    /// Whether there is a service worker for it.
    pub worker: bool,
    /// What it is fetched by; without it, as Leptos does.
    pub program: Option<Program>,
}

/// What a page fetches its program by.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where the style is.
    pub css: String,
    /// The script, as of a module, that brings the page to life.
    pub start: String,
}

/// The page that the service worker shows when there is no network: nothing in it but what brings the app, which is mounted then
/// and not hydrated. `css`, `js` and `script` are where the style, the program's script and the one that starts it are.
#[cfg(feature = "ssr")]
#[must_use]
pub fn offline_shell(build: &Build, css: &str, js: &str, script: &'static str) -> String {
    let page = view! {
        <html lang="en" data-build=build.name.clone() data-worker=build.worker data-shell=true>
            {head(view! {
                <title>"Sheetbend"</title>
                <link rel="stylesheet" href=css.to_owned() />
                <link rel="modulepreload" href=js.to_owned() />
                <script type="module" src=script></script>
            })}
            <body></body>
        </html>
    };
    format!("<!DOCTYPE html>{}", page.to_html())
}

/// Hydrates the page that the server rendered.
#[cfg(feature = "hydrate")]
pub fn hydrate() {
    leptos::mount::hydrate_body(App);
}

/// Renders the app into an empty page. The data that the server sent along is used if it is there, so nothing is fetched twice.
#[cfg(feature = "hydrate")]
pub fn mount() {
    use hydration_context::{HydrateSharedContext, SharedContext as _};
    use leptos::reactive::owner::Owner;

    let sent = js_sys::Reflect::has(&js_sys::global(), &"__RESOLVED_RESOURCES".into()).unwrap_or(false);
    if !sent {
        return leptos::mount::mount_to_body(App);
    }
    let context = std::sync::Arc::new(HydrateSharedContext::new());
    let owner = Owner::new_root(Some(context.clone()));
    owner.with(|| leptos::mount::mount_to_body(App));
    context.hydration_complete();
    // For as long as the page is there.
    Box::leak(Box::new(owner));
}

/// The page's style, and what brings it to life.
#[cfg(feature = "ssr")]
fn program(options: LeptosOptions, build: &Build) -> AnyView {
    let Some(program) = &build.program else {
        let style = view! { <leptos_meta::HashedStylesheet options=options.clone() id="leptos" /> };
        return (style, view! { <HydrationScripts options /> }).into_any();
    };
    view! {
        <link rel="stylesheet" href=program.css.clone() />
        <script type="module" nonce=leptos::nonce::use_nonce() inner_html=program.start.clone()></script>
    }
    .into_any()
}

/// The head of every page, with the `rest` of this one's.
#[cfg(feature = "ssr")]
fn head(rest: impl IntoView) -> impl IntoView {
    view! {
        <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <meta name="format-detection" content="telephone=no, date=no, address=no, email=no" />
            <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f6f5f2" />
            <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#161719" />
            <meta name="description" content="A shared board that keeps working when the network does not." />
            <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
            <link rel="apple-touch-icon" href="/icon-192.png" />
            <link rel="manifest" href="/manifest.webmanifest" />
            {rest}
        </head>
    }
}

/// The app: its routes. Renders the same on the server and in the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_context(Handover::default());
    let _ = provide_toasts();
    worker::provide_worker();
    keep_focus_on_page();
    view! {
        <Title formatter=window_title />
        <Router>
            <FollowHistory />
            <Routes fallback=|| view! { <NotFound /> }>
                <Route path=path!("/") view=Home />
                <Route path=path!("/b/:key") view=BoardRoute ssr=SsrMode::Async />
            </Routes>
        </Router>
        <Toaster />
    }
}

/// Tells the router which address the browser is at after Back and Forward.
///
/// leptos_router (0.8.17) pushes an address only if it differs from the last one that it pushed itself. After Forward it would show
/// another page and leave the address as it is. To replace the address by itself makes it the last one.
///
/// Renders nothing.
#[component]
fn FollowHistory() -> impl IntoView {
    let navigate = use_navigate();
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let listener = window_event_listener(leptos::ev::popstate, move |_| {
            let options = NavigateOptions { replace: true, scroll: false, ..Default::default() };
            // It fails only for a page that is being left.
            if let Ok(address) = location().href() {
                navigate(&address, options);
            }
        });
        on_cleanup(move || listener.remove());
    });
}

/// The text of the `<title>` element for a page of this title.
///
/// On the server `leptos_meta` writes what its formatter returns into the HTML without escaping it (0.8.7), so it is escaped
/// here. In the browser the text is set as `document.title`, which is no HTML. Every `<Title>` goes through this one formatter.
fn window_title(title: String) -> String {
    let text = if title.is_empty() { "Sheetbend".to_owned() } else { format!("{title} · Sheetbend") };
    #[cfg(feature = "ssr")]
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text
}

/// What stands where there is no page; on the server it sets the status 404.
#[component]
pub fn NotFound(
    /// What is still being done about it, if anything is; nothing on the server.
    #[prop(optional, into)]
    remark: Signal<&'static str>,
) -> impl IntoView {
    not_found();
    view! {
        <Title text="There is nothing here" />
        <main class="plain-page">
            <h1>"There is nothing here"</h1>
            <p>"The link may be incomplete: copy the whole of it. If it used to work, ask whoever shared it for a new one."</p>
            <p>
                <a class="button" href="/">"Your boards"</a>
            </p>
            <p class="hint" role="status">{sole_text(Signal::derive(move || remark.get().to_owned()))}</p>
        </main>
    }
}

#[cfg(feature = "ssr")]
fn set_headers(options: &LeptosOptions) {
    use axum::http::HeaderValue;
    use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
    use leptos::config::Env;

    let Some(response) = use_context::<leptos_axum::ResponseOptions>() else { return };
    // Proxies that change pages on the way, as Cloudflare does to e-mail addresses, leave this one alone.
    response.insert_header(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    let nonce = leptos::nonce::use_nonce().map(|nonce| format!("'nonce-{nonce}'")).unwrap_or_default();
    // While developing, the page listens for builds on another port.
    let reload = match options.env {
        Env::DEV => format!(" ws://{}:{}", options.site_addr.ip(), options.reload_port),
        Env::PROD => String::new(),
    };
    let policy = format!(
        "default-src 'none'; script-src 'self' {nonce} 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'{reload}; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
}

fn not_found() {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(axum::http::StatusCode::NOT_FOUND);
    }
}
