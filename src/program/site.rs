//! The site: its files, which are in the program, and its pages, which are rendered here.

use std::io;
use std::path::Path;

use axum::Router;
use axum::middleware::from_fn;
use leptos::config::{Env, LeptosOptions};
use leptos::context::provide_context;
use leptos_axum::{
    LeptosRoutes as _, file_and_error_handler_with_context, generate_route_list, render_app_to_stream_with_context,
};
use sheetbend::server::site::{self, Assets, Bundle};
use sheetbend::ui::api::BoardServer;
use sheetbend::ui::app::{self, Build, Program};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

/// The site's files, put into the release program as it is built. A debug build reads them when it starts, from where it was built.
#[derive(rust_embed::Embed)]
#[folder = "target/site"]
#[cfg_attr(debug_assertions, allow_missing = true)]
struct Embedded;

/// The site's files.
#[derive(Debug)]
pub(super) enum Site {
    /// As they were built.
    Built(Assets, Bundle),
    /// There are none: pages can be read, and do not come alive.
    Bare,
    /// As they are at each moment; `cargo leptos watch` makes them anew at every change.
    Developing,
}

impl Site {
    /// The site in `folder`, if one is named, else the program's own.
    pub(super) fn open(folder: Option<&Path>, leptos: &LeptosOptions) -> io::Result<Self> {
        if leptos.env == Env::DEV {
            return Ok(Self::Developing);
        }
        let assets = match folder {
            Some(folder) => Assets::read(folder)?,
            None => Assets::new(Embedded::iter().filter_map(|path| {
                let file = Embedded::get(&path)?;
                let bytes = match file.data {
                    std::borrow::Cow::Borrowed(bytes) => bytes.into(),
                    std::borrow::Cow::Owned(bytes) => bytes.into(),
                };
                Some((path.into_owned(), bytes))
            })),
        };
        Ok(match Bundle::of(&assets, &leptos.site_pkg_dir, &leptos.output_name) {
            Some(bundle) => Self::Built(assets, bundle),
            None => Self::Bare,
        })
    }

    /// Names what is in the files, if they stay as they are.
    pub(super) fn version(&self) -> Option<&str> {
        match self {
            Self::Built(_, bundle) => Some(&bundle.version),
            Self::Bare | Self::Developing => None,
        }
    }

    /// Every page and file there is. Where there is to be no service worker, one that is in a browser is taken out.
    pub(super) fn routes(self, server: &BoardServer, leptos: &LeptosOptions, worker: bool) -> Router {
        let name = server.settings().build.clone();
        let bundle = match &self {
            Self::Built(_, bundle) => Some(bundle.clone()),
            Self::Bare | Self::Developing => None,
        };
        let program = bundle.as_ref().map(|bundle| Program { css: bundle.css.clone(), start: bundle.start() });
        let build = Build { name, worker: worker && bundle.is_some(), program };
        let worker = match bundle.filter(|_| worker) {
            Some(bundle) => {
                site::worker(&bundle, app::offline_shell(&build, &bundle.css, &bundle.js, site::SHELL_SCRIPT))
            }
            None => site::no_worker(),
        };
        let mut leptos = leptos.clone();
        // The names of the files are known here, and need not be looked up in a file beside the program.
        leptos.hash_files &= matches!(self, Self::Developing);

        let context = {
            let server = server.clone();
            move || provide_context(server.clone())
        };
        let (options, of) = (leptos.clone(), build.clone());
        let shell = move || app::shell(options.clone(), &of);
        // Pages are compressed while they are sent: what is in one is known to whoever may put something into it, so its length
        // gives nothing away.
        let compressed = CompressionLayer::new().quality(CompressionLevel::Precise(4));
        let missing = Router::new().fallback(render_app_to_stream_with_context(context.clone(), shell.clone()));
        let missing = missing.layer(from_fn(site::state_shape)).layer(compressed.clone());
        let files = match self {
            Self::Built(assets, _) => assets.router(&leptos.site_pkg_dir, missing),
            Self::Bare => missing,
            Self::Developing => {
                let shell = move |leptos: LeptosOptions| app::shell(leptos, &build);
                let found = file_and_error_handler_with_context::<LeptosOptions, _>(context.clone(), shell);
                Router::new().fallback(found).with_state(leptos.clone())
            }
        };
        let pages = Router::new()
            .leptos_routes_with_context(&leptos, generate_route_list(app::App), context, shell)
            .with_state(leptos.clone());
        worker
            .merge(server.bound_functions(pages.layer(from_fn(site::state_shape)).layer(compressed)))
            .fallback_service(files)
    }
}
