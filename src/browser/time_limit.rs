//! Time limits for what a browser may never answer.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;

/// Runs `work` for at most `limit_ms`. `None` if it has not ended by then; it is dropped.
pub async fn within<T>(limit_ms: u32, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), TimeoutFuture::new(limit_ms)).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
