//! The service worker, which lets the app open with no network, and the offer to reload when there is a new version.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use send_wrapper::SendWrapper;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RegistrationOptions, ServiceWorkerContainer, ServiceWorkerRegistration, ServiceWorkerUpdateViaCache};

use super::connection::use_connection;
use super::reload::reload;
use super::toast::{Toast, use_toasts};

/// How often a page that stays open asks for a new version.
const ASK_EVERY: Duration = Duration::from_secs(60 * 60);

/// The name of the toast that offers a new version.
const NAME: &str = "version";

/// The worker is registered so long after the page has come alive: what it fetches would take the line from the board.
const REGISTER_AFTER: Duration = Duration::from_secs(2);

/// Time limit for a newer worker to take over.
const TAKE_OVER: Duration = Duration::from_secs(3);

/// A new version is offered once nothing was under way for this long.
const IDLE: Duration = Duration::from_secs(2);

/// What is known of the worker. Cheap to copy.
#[derive(Clone, Copy)]
struct Worker {
    /// A newer one is there, and waits.
    waits: RwSignal<bool>,
    registration: StoredValue<Option<SendWrapper<ServiceWorkerRegistration>>>,
}

/// Registers the service worker, once the page has come alive, if the page is to have one; and follows whether a newer one waits.
/// On the server nothing is registered.
pub fn provide_worker() {
    let worker = Worker { waits: RwSignal::new(false), registration: StoredValue::new(None) };
    provide_context(worker);
    Effect::new(move |_| set_timeout(move || spawn_local(async move { worker.register().await }), REGISTER_AFTER));
}

/// Offers to reload when there is a new version: once nothing is under way, and never while something is not saved. It never reloads
/// by itself.
///
/// Renders nothing, on the server and in the browser: the offer is a toast.
#[component]
pub fn NewVersion() -> impl IntoView {
    let (connection, toasts) = (use_connection(), use_toasts());
    let worker = expect_context::<Worker>();
    let status = connection.status;
    let another = Memo::new(move |_| status.with(|status| is_another(&status.server_build)));
    Effect::new(move |_| {
        if another.get() {
            worker.ask();
        }
    });
    let offers = Memo::new(move |_| {
        (another.get() || worker.waits.get()) && status.with(|status| status.pending == 0) && connection.kept.get()
    });
    let shown = StoredValue::new(false);
    on_cleanup(move || toasts.dismiss_named(NAME));
    Effect::new(move |timer: Option<Option<TimeoutHandle>>| {
        if let Some(timer) = timer.flatten() {
            timer.clear();
        }
        if !offers.get() {
            toasts.dismiss_named(NAME);
            shown.set_value(false);
            return None;
        }
        let offer = move || {
            if shown.try_get_value() == Some(false) {
                shown.set_value(true);
                toasts.show(
                    Toast::new("There is a new version.")
                        .action("Reload", move || worker.activate())
                        .lasting()
                        .named(NAME),
                );
            }
        };
        set_timeout_with_handle(offer, IDLE).ok()
    });
}

/// Whether the server goes by another build than the one that this page came with.
fn is_another(server_build: &str) -> bool {
    let page = document().document_element().and_then(|root| root.get_attribute("data-build"));
    !server_build.is_empty() && page.is_some_and(|page| page != server_build)
}

impl Worker {
    async fn register(self) {
        let wanted = document().document_element().is_some_and(|root| root.has_attribute("data-worker"));
        let Some(container) = container().filter(|_| wanted) else { return };
        let options = RegistrationOptions::new();
        options.set_update_via_cache(ServiceWorkerUpdateViaCache::None);
        // Without one, the app opens while the server answers.
        let Ok(registered) = JsFuture::from(container.register_with_options("/sw.js", &options)).await else { return };
        // Browsers and extensions that block workers may answer with nothing.
        let Ok(registration) = registered.dyn_into::<ServiceWorkerRegistration>() else { return };
        self.registration.set_value(Some(SendWrapper::new(registration.clone())));
        self.look(&container, &registration);
        let found = {
            let (container, registration) = (container.clone(), registration.clone());
            Closure::<dyn FnMut()>::new(move || {
                let Some(installing) = registration.installing() else { return };
                let (container, registration) = (container.clone(), registration.clone());
                let changed = Closure::<dyn FnMut()>::new(move || self.look(&container, &registration));
                installing.set_onstatechange(Some(changed.as_ref().unchecked_ref()));
                // For as long as the worker is there.
                changed.forget();
            })
        };
        registration.set_onupdatefound(Some(found.as_ref().unchecked_ref()));
        // For as long as the page is there: it is registered once.
        found.forget();
        set_interval(move || self.ask(), ASK_EVERY);
    }

    /// Looks whether a newer worker waits for this page's.
    fn look(self, container: &ServiceWorkerContainer, registration: &ServiceWorkerRegistration) {
        let waits = container.controller().is_some() && registration.waiting().is_some();
        let _ = self.waits.try_set(waits);
    }

    /// Asks whether there is a newer one.
    fn ask(self) {
        if let Some(registration) = self.registration.get_value()
            && let Ok(asked) = registration.update()
        {
            spawn_local(async move {
                // Without a network there is none.
                let _ = JsFuture::from(asked).await;
            });
        }
    }

    /// Lets the newer worker take over, and loads the page again.
    fn activate(self) {
        let waiting = self.registration.get_value().and_then(|registration| registration.waiting());
        let (Some(container), Some(waiting)) = (container(), waiting) else { return reload() };
        let taken = Closure::<dyn FnMut()>::new(reload);
        container.set_oncontrollerchange(Some(taken.as_ref().unchecked_ref()));
        // The page goes with it.
        taken.forget();
        if waiting.post_message(&JsValue::from_str("activate")).is_err() {
            return reload();
        }
        // A worker that does not answer must not hold the person up.
        set_timeout(reload, TAKE_OVER);
    }
}

/// The browser's workers; `None` where it has none, as outside secure contexts.
fn container() -> Option<ServiceWorkerContainer> {
    let container: JsValue = window().navigator().service_worker().into();
    container.is_object().then(|| container.unchecked_into())
}
