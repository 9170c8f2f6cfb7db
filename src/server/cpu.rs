//! Work that takes a processor for longer than a moment, apart from the threads that serve everybody.
//!
//! Few such pieces run at a time, each for a short while, and then it is the next one's turn: a document whose changes cost much
//! holds up itself, and the others hardly.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};

/// How long one piece of work has a processor before others have their turn.
const SLICE: Duration = Duration::from_millis(5);

/// Turns at the processors, in the order of asking. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Cpu(Arc<Semaphore>);

impl Cpu {
    /// Half of the machine's processors, at least one: the others serve.
    pub(super) fn new() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(processors.div_ceil(2))))
    }

    /// Does work that cannot be divided.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _turn = self.turn().await;
        finished(spawn_blocking(work).await).await
    }

    /// Takes `step` after `step` until one returns false, and returns what they worked on.
    pub(super) async fn run_in_steps<T: Send + 'static>(
        &self,
        mut state: T,
        mut step: impl FnMut(&mut T) -> bool + Send + 'static,
    ) -> T {
        loop {
            let turn = self.turn().await;
            let slice = spawn_blocking(move || {
                let start = Instant::now();
                let mut goes_on = true;
                while goes_on && start.elapsed() < SLICE {
                    goes_on = step(&mut state);
                }
                (state, step, goes_on)
            });
            let goes_on;
            (state, step, goes_on) = finished(slice.await).await;
            drop(turn);
            if !goes_on {
                return state;
            }
        }
    }

    async fn turn(&self) -> tokio::sync::SemaphorePermit<'_> {
        match self.0.acquire().await {
            Ok(turn) => turn,
            // Nobody closes it.
            Err(_) => std::future::pending().await,
        }
    }
}

/// What a piece of work came to. Its panic is passed on. If the runtime ends first, nobody waits for it any more.
async fn finished<T>(work: Result<T, JoinError>) -> T {
    match work.map_err(JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(_)) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn what_is_long_does_not_hold_up_what_is_short() {
        let cpu = Cpu(Arc::new(Semaphore::new(1)));
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |what: &'static str| {
            let order = Arc::clone(&order);
            move || order.lock().expect("no panic").push(what)
        };
        let (long, short) = (note("long"), note("short"));
        let long = async {
            let step = |left: &mut u32| {
                std::thread::sleep(SLICE);
                *left -= 1;
                *left > 0
            };
            assert_eq!(cpu.run_in_steps(20, step).await, 0);
            long();
        };
        tokio::join!(long, cpu.run(short));
        assert_eq!(*order.lock().expect("no panic"), ["short", "long"]);
    }

    #[tokio::test]
    #[should_panic(expected = "the work failed")]
    async fn a_panic_is_passed_on() {
        Cpu::new().run(|| panic!("the work failed")).await;
    }
}
