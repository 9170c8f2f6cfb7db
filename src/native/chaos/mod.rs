//! A TCP proxy that makes the faults of [`crate::sync::faults`] for real, between any client and any server.
//!
//! | module | what it is |
//! |---|---|
//! | `connection` | one connection, from the client's first byte to its end |
//! | `pump` | one way of it |
//! | `portal` | the captive portal |
//! | [`order`] | faults as lines of text, for whoever steers a proxy |

mod connection;
pub mod order;
mod portal;
mod pump;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::order::{Order, OrderError};

use super::clock::Clock;
use crate::sync::faults::{Direction, Fault, Incident, Level, Line, Script};
use crate::sync::time::Moment;

/// Wait before accepting again when the system has no sockets left.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(200);

/// A proxy under faults. Dropping it cuts all that goes through it.
#[derive(Debug)]
pub struct Chaos {
    address: SocketAddr,
    shared: Arc<Shared>,
    _running: DropGuard,
}

/// What all connections of a proxy share.
#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    clock: Clock,
    state: Mutex<State>,
    /// Tells those who wait that the line's conditions, or its script, are others.
    changed: watch::Sender<()>,
    /// Connections that are open now.
    open: watch::Sender<usize>,
}

#[derive(Debug)]
struct State {
    line: Line,
    /// Breaks every connection that is open now.
    cut: CancellationToken,
}

impl Chaos {
    /// Starts a proxy from `listen` to the server at `to`, with nothing wrong yet. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// It cannot listen there.
    pub async fn start(listen: SocketAddr, to: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let running = CancellationToken::new();
        let state = State { line: Line::new(Level::Stream, 0), cut: CancellationToken::new() };
        let shared = Arc::new(Shared {
            to,
            clock: Clock::start(),
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
            open: watch::Sender::new(0),
        });
        let tasks = [tokio::spawn(Arc::clone(&shared).accept(listener)), tokio::spawn(Arc::clone(&shared).follow())];
        let (ending, stop) = (Arc::clone(&shared), running.clone());
        tokio::spawn(async move {
            stop.cancelled().await;
            tasks.iter().for_each(tokio::task::JoinHandle::abort);
            ending.cut();
        });
        Ok(Self { address, shared, _running: running.drop_guard() })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A fault happens now, on top of what holds. When this returns, it has.
    ///
    /// # Errors
    /// Why a proxy cannot make it happen.
    pub fn apply(&self, fault: Fault) -> Result<(), OrderError> {
        Script::of(fault.clone()).check_for(Level::Stream)?;
        let incident = self.shared.lock().line.apply(&fault);
        self.shared.happened(&fault, incident);
        self.shared.changed.send_replace(());
        Ok(())
    }

    /// Plays a script from its start, in place of one that is still playing. Steps that are due at once have happened when
    /// this returns.
    ///
    /// # Errors
    /// Why a proxy cannot play it.
    pub fn play(&self, script: Script) -> Result<(), OrderError> {
        script.check_for(Level::Stream)?;
        self.shared.lock().line.play(script, self.shared.clock.now());
        self.shared.advance();
        Ok(())
    }

    /// Does what a line of text says.
    ///
    /// # Errors
    /// Why not.
    pub fn obey(&self, order: Order) -> Result<(), OrderError> {
        match order {
            Order::Apply(fault) => self.apply(fault),
            Order::Play(script) => self.play(script),
        }
    }

    /// Waits until so many connections are open that `enough` says yes; returns how many.
    pub async fn wait_for_open(&self, enough: impl FnMut(&usize) -> bool) -> usize {
        let mut open = self.shared.open.subscribe();
        // The sender is in `self`, so it does not go.
        open.wait_for(enough).await.map_or(0, |open| *open)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        for number in 1_u64.. {
            match listener.accept().await {
                Ok((client, _)) => {
                    let (connect, cut) = {
                        let state = self.lock();
                        (state.line.connect(), state.cut.clone())
                    };
                    tokio::spawn(connection::carry(Arc::clone(&self), client, connect, cut, number));
                }
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    sleep(OUT_OF_SOCKETS).await;
                }
            }
        }
    }

    /// Follows the script's timeline.
    async fn follow(self: Arc<Self>) {
        let mut changed = self.changed.subscribe();
        loop {
            let due = self.lock().line.deadline().map(|due| self.clock.instant(due));
            tokio::select! {
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.advance(),
                _ = changed.changed() => {}
            }
        }
    }

    fn advance(&self) {
        let taken = self.lock().line.advance(self.clock.now());
        for (fault, incident) in taken {
            self.happened(&fault, incident);
        }
        self.changed.send_replace(());
    }

    fn happened(&self, fault: &Fault, incident: Option<Incident>) {
        tracing::info!(?fault, "the line changes");
        // Scripts with other incidents are not taken.
        if incident == Some(Incident::Cut) {
            self.cut();
        }
    }

    /// Breaks all that is open.
    fn cut(&self) {
        let mut state = self.lock();
        std::mem::replace(&mut state.cut, CancellationToken::new()).cancel();
    }

    fn now(&self) -> Moment {
        self.clock.now()
    }

    fn is_silent(&self, direction: Direction) -> bool {
        self.lock().line.conditions().way(direction).silent
    }

    /// Waits until something gets through that way.
    async fn voice(&self, direction: Direction) {
        let mut changed = self.changed.subscribe();
        while self.is_silent(direction) {
            // The sender is in `self`, so it does not go.
            let _ = changed.changed().await;
        }
    }
}
