//! A deadline for the bodies of requests, as there is one for headers.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

/// Lowest rate at which a body may come, in bytes per second: that of the slowest network that is served. It extends the deadline,
/// so that a large body on a slow network is not cut off, and a body that trickles is.
const SLOWEST: f64 = 4.0 * 1024.0;

/// The body did not come within its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request's body came too slowly")]
pub(in crate::server) struct TooSlow;

impl TooSlow {
    /// Whether it is among the causes of `error`.
    pub(in crate::server) fn caused(error: &(dyn Error + 'static)) -> bool {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if error.is::<Self>() {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

/// Gives a request's body a deadline: `within` from now, and more as it comes. Reading the body fails with [`TooSlow`] after that.
pub(super) fn limit(request: Request<Incoming>, within: Duration) -> Request<Body> {
    request.map(|body| {
        if hyper::body::Body::is_end_stream(&body) {
            return Body::empty();
        }
        paced(Body::new(body), within)
    })
}

fn paced(body: Body, within: Duration) -> Body {
    let begun = Instant::now();
    let next = move |(mut stream, bytes): (axum::body::BodyDataStream, usize)| async move {
        #[allow(clippy::cast_precision_loss)]
        let due = begun + within + Duration::from_secs_f64(bytes as f64 / SLOWEST);
        match timeout_at(due, stream.next()).await {
            Ok(Some(Ok(chunk))) => {
                let bytes = bytes + chunk.len();
                Some((Ok::<Bytes, axum::Error>(chunk), (stream, bytes)))
            }
            Ok(Some(Err(error))) => Some((Err(error), (stream, bytes))),
            Ok(None) => None,
            Err(_) => Some((Err(axum::Error::new(TooSlow)), (stream, bytes))),
        }
    };
    Body::from_stream(unfold((body.into_data_stream(), 0), next))
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    /// A body of `chunks` chunks of `bytes` bytes, one each second.
    fn slow(chunks: usize, bytes: usize) -> Body {
        Body::from_stream(unfold(0, move |sent| async move {
            sleep(Duration::from_secs(1)).await;
            (sent < chunks).then(|| (Ok::<_, axum::Error>(vec![b'x'; bytes]), sent + 1))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_ends_and_one_on_a_slow_network_arrives() {
        let read = async |body| axum::body::to_bytes(paced(body, Duration::from_secs(10)), usize::MAX).await;
        let begun = Instant::now();
        let error = read(slow(1_000_000, 1)).await.expect_err("too slow");
        assert!(TooSlow::caused(&error), "{error:?}");
        assert_eq!(begun.elapsed().as_secs(), 10);
        assert_eq!(read(slow(100, 4 * 1024)).await.expect("arrives").len(), 400 * 1024);
        assert_eq!(read(slow(8, 1)).await.expect("arrives").len(), 8, "small, and within the time");
    }
}
