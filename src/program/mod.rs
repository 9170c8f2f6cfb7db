//! Puts the server together and runs it.

pub(crate) mod load;
mod log;
pub(crate) mod maintenance;
mod open_files;
mod planner;
pub(crate) mod remote;
mod site;
mod tls;

use std::future::{Future, IntoFuture as _};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::time::Duration;

use leptos::config::errors::LeptosConfigError;
use leptos::config::{LeptosOptions, get_config_from_str};
use sheetbend::server::site::{refuse_sub_path, with_security_headers};
use sheetbend::server::store::database::Database;
use sheetbend::server::store::postgres::{self, Postgres};
use sheetbend::server::store::sqlite::{self, Sqlite};
use sheetbend::server::{Server, Settings};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;

pub(crate) use self::log::log_to_standard_error;
use self::site::Site;
use self::tls::TlsError;
use super::cli::{Place, Serve};

/// Connections that the system keeps until they are accepted. Of all that come back at once, those past it would be reset. It is what
/// Linux allows at most by default (`net.core.somaxconn`).
const BACKLOG: u32 = 4_096;

/// Why the server did not start. Each is a sentence for the person who started it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("cannot read Leptos.toml or the LEPTOS_* variables: {0}.")]
    Configuration(#[from] LeptosConfigError),
    #[error("\"{0}\" is not an address to listen on. Write one like 127.0.0.1:3000.")]
    Address(String),
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenError),
    #[error(transparent)]
    Postgres(#[from] postgres::OpenError),
    #[error("cannot read the site in {}: {source}. Build it with `make build`, or leave --site out.", folder.display())]
    Site { folder: PathBuf, source: io::Error },
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("port {} is taken on {}. Stop what uses it, or choose another with {option}.", address.port(), address.ip())]
    PortTaken { address: SocketAddr, option: &'static str },
    #[error("cannot listen on {address}: {source}. Choose another address with {option}.")]
    Listen { address: SocketAddr, source: io::Error, option: &'static str },
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
    runtime()?.block_on(run(address, &leptos, options))
}

fn runtime() -> Result<Runtime, StartError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(StartError::Runtime)
}

async fn run(address: SocketAddr, leptos: &LeptosOptions, options: Serve) -> Result<(), StartError> {
    let store = open(&options.place).await?;
    let site = Site::open(options.site.as_deref(), leptos)
        .map_err(|source| StartError::Site { folder: options.site.clone().unwrap_or_default(), source })?;
    if matches!(site, Site::Bare) {
        tracing::warn!("the site is not in this program, so pages will not come alive: build it with `make`");
    }
    let tls = tls::config(&options.encryption)?;
    let encrypted = tls.is_some() || options.encryption.behind_https;
    let connections = open_files::allow(options.limits.max_connections);
    let server = Server::new(store, Settings { connections, ..settings(&options, site.version()) });
    let listener = listen(address, "--listen")?;
    let monitors = match &options.metrics_listen {
        Some(address) => {
            let address = resolve(address).ok_or_else(|| StartError::Address(address.clone()))?;
            Some(listen(address, "--metrics-listen")?)
        }
        None => None,
    };
    let stop = stop().map_err(StartError::Runtime)?;

    let app = server.router().merge(site.routes(&server, leptos, !options.no_service_worker));
    let app = with_security_headers(refuse_sub_path(app), encrypted);
    let scheme = if tls.is_some() { "https" } else { "http" };
    println!("Sheetbend serves on {scheme}://{}", listener.local_addr().unwrap_or(address));
    tracing::info!(data = %options.place, "serving");
    if let Some(monitors) = monitors {
        tracing::info!(address = ?monitors.local_addr(), "monitors are served");
        tokio::spawn(axum::serve(monitors, server.monitoring()).into_future());
    }

    let drain = async {
        stop.await;
        tracing::info!("stopping");
        if !server.drain().await {
            tracing::warn!("some connections did not end in time");
        }
    };
    let serve = async {
        match tls {
            Some(tls) => server.serve_tls(listener, tls, app).await,
            None => server.serve(listener, app).await,
        }
    };
    tokio::join!(serve, drain);
    Ok(())
}

/// Opens the store that was chosen.
async fn open(place: &Place) -> Result<Database, StartError> {
    Ok(match &place.database {
        Some(address) => Database::Postgres(Postgres::open(address, place.database_ca.as_deref()).await?),
        None => Database::Sqlite(Sqlite::open(&place.data)?),
    })
}

fn settings(options: &Serve, site: Option<&str>) -> Settings {
    let (limits, defaults) = (&options.limits, Settings::default());
    Settings {
        build: site.map_or_else(|| defaults.build.clone(), |site| format!("{}+{site}", defaults.build)),
        allowed_origins: options.allowed_origins.clone(),
        trust_proxy: options.encryption.trust_proxy,
        connections: limits.max_connections,
        sockets_per_client: limits.max_sockets_per_address,
        documents_per_hour: limits.max_boards_per_hour,
        rooms: limits.max_rooms,
        bytes_per_second: limits.max_rate * 1024,
        outbound_bytes: limits.max_queue as usize * 1024,
        drain_within: Duration::from_secs(limits.drain_within),
        ..defaults
    }
}

fn listen(address: SocketAddr, option: &'static str) -> Result<TcpListener, StartError> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Or the address would be taken for a minute after the last server on it.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortTaken { address, option },
        _ => StartError::Listen { address, source, option },
    })
}

/// What the `LEPTOS_*` variables say (`cargo leptos` sets them), else `Leptos.toml` in the folder the program is started in,
/// else the one it was built with.
fn configuration() -> Result<LeptosOptions, LeptosConfigError> {
    let beside = std::fs::read_to_string("Leptos.toml").ok();
    get_config_from_str(beside.as_deref().unwrap_or(include_str!("../../Leptos.toml")))
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
