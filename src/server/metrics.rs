//! What can be seen of a server from outside: counters, gauges and times, in the text format of OpenMetrics.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Why something was counted: one label.
pub(super) type Labelled = Family<[(&'static str, &'static str); 1], Counter>;

/// A server's measurements. Their names, with `sheetbend_` in front, and what they mean are in docs/operations.md.
pub(super) struct Metrics {
    registry: Registry,
    /// Connections of any kind.
    pub(super) connections: Gauge,
    /// Those that follow a document.
    pub(super) sockets: Gauge,
    /// Documents in memory.
    pub(super) rooms: Gauge,
    /// Bytes that wait for clients.
    pub(super) queued: Gauge,
    /// Bytes of entries that are kept in memory.
    pub(super) recent: Gauge,
    /// Entries that were made durable.
    pub(super) commits: Counter,
    /// Of these, such as say that a change was refused.
    pub(super) refusals: Counter,
    /// From a batch's being taken to its being durable.
    pub(super) commit_seconds: Histogram,
    /// From an entry's being durable to its being handed to a client's socket.
    pub(super) fan_out_seconds: Histogram,
    /// Appends that failed and are tried again.
    pub(super) append_failures: Counter,
    /// `sync_request`s, by what answered them.
    pub(super) syncs: Labelled,
    /// Requests of clients that have no socket.
    pub(super) polls: Counter,
    /// Sockets that ended, by why.
    pub(super) ended: Labelled,
    /// Connections that were turned away, by why.
    pub(super) turned_away: Labelled,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("sheetbend");
        let times =
            || Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        let metrics = Self {
            registry: Registry::default(),
            connections: Gauge::default(),
            sockets: Gauge::default(),
            rooms: Gauge::default(),
            queued: Gauge::default(),
            recent: Gauge::default(),
            commits: Counter::default(),
            refusals: Counter::default(),
            commit_seconds: times(),
            fan_out_seconds: times(),
            append_failures: Counter::default(),
            syncs: Family::default(),
            polls: Counter::default(),
            ended: Family::default(),
            turned_away: Family::default(),
        };
        registry.register("connections", "Open connections of any kind", metrics.connections.clone());
        registry.register("sockets", "Open connections that follow a board", metrics.sockets.clone());
        registry.register("rooms", "Boards in memory", metrics.rooms.clone());
        registry.register_with_unit("queue", "Waiting for clients to take them", Unit::Bytes, metrics.queued.clone());
        registry.register_with_unit("recent", "Changes kept in memory", Unit::Bytes, metrics.recent.clone());
        registry.register("commits", "Changes made durable", metrics.commits.clone());
        registry.register("refusals", "Changes refused, which are durable too", metrics.refusals.clone());
        let (commit, fan_out) = (metrics.commit_seconds.clone(), metrics.fan_out_seconds.clone());
        registry.register_with_unit("commit", "From taking changes to having them durable", Unit::Seconds, commit);
        registry.register_with_unit("fan_out", "From durable to handed to a client's socket", Unit::Seconds, fan_out);
        registry.register(
            "append_failures",
            "Times the database did not take changes",
            metrics.append_failures.clone(),
        );
        registry.register("syncs", "Clients brought up to date, by what they were sent", metrics.syncs.clone());
        registry.register("polls", "Requests of clients whose network blocks WebSockets", metrics.polls.clone());
        registry.register("sockets_ended", "Sockets that ended, by why", metrics.ended.clone());
        registry.register("turned_away", "Connections turned away, by why", metrics.turned_away.clone());
        Self { registry, ..metrics }
    }

    /// One more of a kind.
    pub(super) fn count(family: &Labelled, name: &'static str, value: &'static str) {
        family.get_or_create(&[(name, value)]).inc();
    }

    /// All of it as text, in the format of [OpenMetrics 1.0](https://prometheus.io/docs/specs/om/open_metrics_spec/).
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// A gauge's share of one thing, taken back when that is gone.
#[derive(Debug)]
pub(super) struct Share {
    gauge: Gauge,
    amount: i64,
}

impl Share {
    /// Adds `amount`, which may change.
    pub(super) fn of(gauge: &Gauge, amount: i64) -> Self {
        gauge.inc_by(amount);
        Self { gauge: gauge.clone(), amount }
    }

    /// What it is.
    pub(super) fn get(&self) -> usize {
        usize::try_from(self.amount).unwrap_or_default()
    }

    /// All shares together.
    pub(super) fn of_all(&self) -> usize {
        usize::try_from(self.gauge.get()).unwrap_or_default()
    }

    /// It is `amount` now.
    pub(super) fn set(&mut self, amount: usize) {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        self.gauge.inc_by(amount - self.amount);
        self.amount = amount;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.gauge.dec_by(self.amount);
    }
}

/// Seconds, for a histogram.
pub(super) fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_counted() {
        let metrics = Metrics::new();
        metrics.commits.inc_by(3);
        Metrics::count(&metrics.ended, "reason", "gone");
        let mut share = Share::of(&metrics.queued, 0);
        share.set(70);
        metrics.commit_seconds.observe(0.002);
        let text = metrics.text();
        for line in [
            "sheetbend_commits_total 3",
            "sheetbend_sockets_ended_total{reason=\"gone\"} 1",
            "sheetbend_queue_bytes 70",
            "sheetbend_commit_seconds_bucket{le=\"0.0025\"} 1",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        drop(share);
        assert!(metrics.text().contains("sheetbend_queue_bytes 0"));
    }

    #[test]
    fn the_dashboard_asks_for_what_there_is() {
        let (dashboard, metrics) = (include_str!("../../docs/grafana.json"), Metrics::new());
        for (family, name) in [(&metrics.ended, "reason"), (&metrics.syncs, "by"), (&metrics.turned_away, "reason")] {
            Metrics::count(family, name, "some");
        }
        let text = metrics.text();
        let mut asked = 0;
        for rest in dashboard.split("sheetbend_").skip(1) {
            let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().expect("a name");
            let name = name.trim_end_matches("_total").trim_end_matches("_bucket");
            assert!(text.contains(&format!("# TYPE sheetbend_{name} ")), "{name} is not in {text}");
            asked += 1;
        }
        assert!(asked >= 14, "{asked}");
    }
}
