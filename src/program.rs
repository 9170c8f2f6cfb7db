//! Puts the server together and runs it.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;

use axum::Router;
use leptos::config::errors::LeptosConfigError;
use leptos::config::{Env, LeptosOptions, get_config_from_str};
use leptos::context::provide_context;
use leptos_axum::{LeptosRoutes as _, generate_route_list, render_app_to_stream_with_context};
use sheetbend::board::Board;
use sheetbend::server::site::{self, Bundle};
use sheetbend::server::store::sqlite::{OpenError, Sqlite};
use sheetbend::server::{Server, Settings};
use sheetbend::ui::app::{self, Build};
use tokio::net::TcpListener;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tracing_subscriber::EnvFilter;

use super::cli::Serve;

/// Why the server did not start. Each is a sentence for the person who started it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("cannot read Leptos.toml or the LEPTOS_* variables: {0}.")]
    Configuration(#[from] LeptosConfigError),
    #[error("\"{0}\" is not an address to listen on. Write one like 127.0.0.1:3000.")]
    Address(String),
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("port {} is taken on {}. Stop what uses it, or choose another with --listen.", .0.port(), .0.ip())]
    PortTaken(SocketAddr),
    #[error("cannot listen on {0}: {1}. Choose another address with --listen.")]
    Listen(SocketAddr, io::Error),
    #[error("cannot start: {0}.")]
    Runtime(io::Error),
}

/// Serves until told to stop.
pub(crate) fn serve(options: Serve) -> Result<(), StartError> {
    log_to_standard_error();
    let leptos = configuration()?;
    let address = match &options.listen {
        Some(listen) => resolve(listen).ok_or_else(|| StartError::Address(listen.clone()))?,
        None => leptos.site_addr,
    };
    let store = Sqlite::open(&options.data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(StartError::Runtime)?;
    runtime.block_on(run(address, &leptos, store, options))
}

async fn run(address: SocketAddr, leptos: &LeptosOptions, store: Sqlite, options: Serve) -> Result<(), StartError> {
    let bundle = bundle(leptos);
    let mut settings = Settings { allowed_origins: options.allowed_origins, ..Settings::default() };
    if let Some(bundle) = &bundle {
        settings.build = format!("{}+{}", settings.build, bundle.version);
    }
    let server = Server::new(store, settings);
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::PortTaken(address),
        _ => StartError::Listen(address, error),
    })?;
    let stop = stop().map_err(StartError::Runtime)?;

    let app = routes(&server, leptos, bundle.as_ref(), !options.no_service_worker);
    println!("Sheetbend serves on http://{}", listener.local_addr().unwrap_or(address));
    tracing::info!(data = %options.data.display(), "serving");

    let drain = async {
        stop.await;
        tracing::info!("stopping");
        if !server.drain().await {
            tracing::warn!("some connections did not end in time");
        }
    };
    tokio::join!(server.serve(listener, app), drain);
    Ok(())
}

/// Every route there is. Where there is to be no service worker, one that is in a browser is taken out.
fn routes(server: &Server<Board, Sqlite>, leptos: &LeptosOptions, bundle: Option<&Bundle>, worker: bool) -> Router {
    let root = Path::new(&*leptos.site_root);
    let build = Build {
        name: server.settings().build.clone(),
        worker: worker && bundle.is_some(),
        start: bundle.map(Bundle::start),
    };
    let worker = match bundle.filter(|_| worker) {
        Some(bundle) => site::worker(bundle, app::offline_shell(&build, &bundle.css, &bundle.js, site::SHELL_SCRIPT)),
        None => site::no_worker(),
    };
    let (pages, missing) = pages(server, leptos, build);
    let routes = server
        .router()
        .merge(worker)
        .merge(site::package(root, &leptos.site_pkg_dir))
        .merge(pages)
        .fallback_service(site::files(root, missing));
    site::with_security_headers(routes)
}

/// The pages, rendered here, with the server functions that they call; and the page that stands where there is none.
///
/// They are compressed while they are sent: what is in a page is known to whoever may put something into it, so its length
/// gives nothing away.
fn pages(server: &Server<Board, Sqlite>, leptos: &LeptosOptions, build: Build) -> (Router, Router) {
    let server = server.clone();
    let context = move || provide_context(server.clone());
    let shell = {
        let leptos = leptos.clone();
        move || app::shell(leptos.clone(), &build)
    };
    let compressed = CompressionLayer::new().quality(CompressionLevel::Precise(4));
    let missing = Router::new().fallback(render_app_to_stream_with_context(context.clone(), shell.clone()));
    let pages = Router::new()
        .leptos_routes_with_context(leptos, generate_route_list(app::App), context, shell)
        .with_state(leptos.clone());
    (pages.layer(compressed.clone()), missing.layer(compressed))
}

/// The files that pages are made of; `None` if they are not there, as before the first build, and while developing, when they are
/// others at every change.
fn bundle(leptos: &LeptosOptions) -> Option<Bundle> {
    if leptos.env == Env::DEV {
        return None;
    }
    let hashes = match leptos.hash_files {
        true => std::fs::read_to_string(std::env::current_exe().ok()?.with_file_name(&*leptos.hash_file)).ok()?,
        false => String::new(),
    };
    let bundle = Bundle::read(Path::new(&*leptos.site_root), &leptos.site_pkg_dir, &leptos.output_name, &hashes);
    bundle
        .inspect_err(|error| {
            tracing::warn!("boards will not open without a network: {} cannot be read: {error}", leptos.site_root);
        })
        .ok()
}

/// What the `LEPTOS_*` variables say (`cargo leptos` sets them), else `Leptos.toml` in the folder the program is started in,
/// else the one it was built with.
fn configuration() -> Result<LeptosOptions, LeptosConfigError> {
    let beside = std::fs::read_to_string("Leptos.toml").ok();
    let mut leptos = get_config_from_str(beside.as_deref().unwrap_or(include_str!("../Leptos.toml")))?;
    let hashes = std::env::current_exe().map(|program| program.with_file_name(&*leptos.hash_file));
    if leptos.hash_files && !hashes.is_ok_and(|hashes| hashes.exists()) {
        // Leptos panics over a missing file with each page. Without it pages can still be read.
        tracing::warn!(
            "{} is not beside the program, so pages will not come alive: build it with `make`",
            leptos.hash_file
        );
        leptos.hash_files = false;
    }
    Ok(leptos)
}

/// The address that is written, or that of the name that is.
pub(crate) fn resolve(address: &str) -> Option<SocketAddr> {
    address.to_socket_addrs().ok()?.next()
}

/// Ends when the process is told to stop.
pub(crate) fn stop() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// `RUST_LOG` says what is logged: `sheetbend=debug` for what each connection does.
pub(crate) fn log_to_standard_error() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
}
