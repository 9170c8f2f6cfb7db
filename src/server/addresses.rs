//! Who a client is counted as, and how much one may have of what all share.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use tokio::time::Instant;

use super::bucket::Bucket;

/// Whose address a request came from, as an extension of the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// An address as it is counted. Of IPv6 it is the first 64 bits: one household has all that begin so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client(IpAddr);

impl Client {
    pub(super) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
            v4 => v4,
        })
    }

    /// The client behind a request: who the proxy in front says it is, if one is trusted, else who has connected. Programs on the
    /// same machine are not counted.
    pub(super) fn behind(peer: Option<Peer>, headers: &HeaderMap, trust_proxy: bool) -> Option<Self> {
        let forwarded = || {
            // Each proxy adds whom it got the request from at the end: the last is what the trusted one says.
            let last = headers.get_all("x-forwarded-for").into_iter().next_back()?.to_str().ok()?;
            last.rsplit(',').next()?.trim().parse().ok()
        };
        let address = if trust_proxy { forwarded() } else { None };
        address.or(peer.map(|peer| peer.0.ip())).filter(|address| !address.to_canonical().is_loopback()).map(Self::of)
    }
}

/// What each client has at the moment, and what it made lately.
#[derive(Debug, Default)]
pub(super) struct Addresses(Arc<Mutex<HashMap<Client, Counted>>>);

#[derive(Debug, Default)]
struct Counted {
    connections: usize,
    sockets: usize,
    made: Option<Bucket>,
}

/// What a client may have several of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Connections, whatever they are for.
    Connection,
    /// Those that follow a board.
    Socket,
}

impl Addresses {
    /// Counts one more of a client's, until what is returned is dropped; `None` if that would be more than `most`.
    pub(super) fn enter(&self, client: Client, kind: Kind, most: usize) -> Option<Counting> {
        let mut all = self.lock();
        let count = all.entry(client).or_default().of(kind);
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(all);
        Some(Counting { all: Arc::clone(&self.0), client, kind })
    }

    /// Whether a client may make one more board now, of `hourly` an hour; if not, after what time it may.
    pub(super) fn may_make(&self, client: Client, hourly: u32) -> Result<(), Duration> {
        let now = Instant::now();
        let mut all = self.lock();
        let burst = f64::from(hourly);
        // Those who are at rest again are nobody to remember.
        if all.len() > 10_000 {
            all.retain(|_, counted| !counted.is_idle(now));
        }
        let bucket =
            all.entry(client).or_default().made.get_or_insert_with(|| Bucket::full(burst, burst / 3_600.0, now));
        bucket.take(1.0, now)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Client, Counted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    const fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Connection => &mut self.connections,
            Kind::Socket => &mut self.sockets,
        }
    }

    fn is_idle(&self, now: Instant) -> bool {
        let rested = self.made.as_ref().is_none_or(|made| made.is_full(now));
        self.connections == 0 && self.sockets == 0 && rested
    }
}

/// One that counts.
#[derive(Debug)]
pub(super) struct Counting {
    all: Arc<Mutex<HashMap<Client, Counted>>>,
    client: Client,
    kind: Kind,
}

impl Drop for Counting {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counted) = all.get_mut(&self.client) {
            *counted.of(self.kind) -= 1;
            if counted.is_idle(Instant::now()) {
                all.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> Client {
        Client::of(address.parse().expect("an address"))
    }

    #[test]
    fn a_household_is_one_client() {
        assert_eq!(client("2001:db8:1:2:3::4"), client("2001:db8:1:2:ffff::1"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_eq!(client("::ffff:192.0.2.7"), client("192.0.2.7"));
        assert_ne!(client("192.0.2.7"), client("192.0.2.8"));
    }

    #[test]
    fn only_a_trusted_proxy_says_who_is_behind_it() {
        let peer = |address: &str| Some(Peer(SocketAddr::new(address.parse().expect("an address"), 1)));
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "203.0.113.1".parse().expect("a value"));
        headers.append("x-forwarded-for", "198.51.100.1, 203.0.113.9".parse().expect("a value"));
        assert_eq!(Client::behind(peer("192.0.2.7"), &headers, true), Some(client("203.0.113.9")));
        assert_eq!(Client::behind(peer("192.0.2.7"), &headers, false), Some(client("192.0.2.7")));
        assert_eq!(Client::behind(peer("127.0.0.1"), &headers, true), Some(client("203.0.113.9")));
        assert_eq!(Client::behind(peer("127.0.0.1"), &headers, false), None);
        assert_eq!(Client::behind(peer("::1"), &HeaderMap::new(), true), None);
    }

    #[test]
    fn what_a_client_has_is_counted_while_it_has_it() {
        let addresses = Addresses::default();
        let (ada, bo) = (client("192.0.2.7"), client("192.0.2.8"));
        let first = addresses.enter(ada, Kind::Socket, 2).expect("room");
        let second = addresses.enter(ada, Kind::Socket, 2).expect("room");
        assert!(addresses.enter(ada, Kind::Socket, 2).is_none());
        assert!(addresses.enter(ada, Kind::Connection, 2).is_some() && addresses.enter(bo, Kind::Socket, 2).is_some());
        drop(first);
        let third = addresses.enter(ada, Kind::Socket, 2);
        assert!(third.is_some());
        drop((second, third));
        assert!(addresses.lock().is_empty(), "nobody is remembered");
    }

    #[tokio::test(start_paused = true)]
    async fn boards_are_made_at_a_rate() {
        let (addresses, ada) = (Addresses::default(), client("192.0.2.7"));
        for _ in 0..60 {
            addresses.may_make(ada, 60).expect("the first hour's");
        }
        let wait = addresses.may_make(ada, 60).expect_err("no more");
        assert_eq!(wait.as_secs(), 60);
        tokio::time::advance(wait + Duration::from_millis(1)).await;
        addresses.may_make(ada, 60).expect("one a minute");
    }
}
