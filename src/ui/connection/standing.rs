//! Where a person stands, in one word of ours: what all the connection's components show. Pure.

use std::time::Duration;

use crate::sync::client::{Connection, Status};
use crate::sync::message::{Access, ByeCode};
use crate::sync::network::Network;
use crate::sync::time::Moment;

/// Where a person stands. The number is that of own changes that are not saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// The page is not ready: no connection was started yet.
    #[default]
    Quiet,
    /// Connecting for the first time.
    Connecting,
    /// The line is live, and the device has not said yet whether it keeps changes that the server has not.
    Reading,
    /// The line is live, and the server has everything.
    Saved,
    /// The line is live, nothing is pending, and the server rejected so many changes whose author has not decided.
    Attention(usize),
    /// Not saved any more, for too short a time to speak of it.
    Settling,
    /// The line is live, and changes are on their way.
    Saving(usize),
    /// The line is live, and the server's disk takes nothing.
    NotSaving(usize),
    /// The line is gone, and not for long, for all that is known.
    Reconnecting {
        /// Own changes that are not saved.
        pending: usize,
        /// When the next attempt starts; `None` while one is under way.
        until: Option<Moment>,
    },
    /// The device has no network.
    Offline(usize),
    /// A log-in page answers in the server's place.
    Captive(usize),
    /// The device has a network, and the server does not answer.
    Unreachable(usize),
    /// As many attempts failed as may.
    GaveUp(usize),
    /// The server said that trying again cannot help.
    Ended(usize),
    /// The server does not allow its pages at the address that this one was opened at.
    WrongAddress(usize),
    /// This link can only view; the changes were made with another.
    ViewOnly(usize),
    /// The server is newer than this page.
    Outdated(usize),
}

impl Standing {
    /// What a status comes to.
    #[must_use]
    pub fn of(status: &Status) -> Self {
        let pending = status.pending;
        match (&status.connection, status.network) {
            (Connection::Off, _) => Self::Quiet,
            (Connection::Refused(bye), _) if bye.code == ByeCode::OriginRefused => Self::WrongAddress(pending),
            (Connection::Refused(_), _) => Self::Ended(pending),
            (Connection::Outdated, _) => Self::Outdated(pending),
            (_, Network::Offline) => Self::Offline(pending),
            (Connection::Live, _) if pending > 0 && status.access == Access::View => Self::ViewOnly(pending),
            (Connection::Live, _) if pending > 0 && !status.server_saves => Self::NotSaving(pending),
            (Connection::Live, _) if pending > 0 => Self::Saving(pending),
            (Connection::Live, _) if status.reading => Self::Reading,
            (Connection::Live, _) if status.attention > 0 => Self::Attention(status.attention),
            (Connection::Live, _) => Self::Saved,
            (_, Network::Captive) => Self::Captive(pending),
            (_, Network::Unreachable) => Self::Unreachable(pending),
            (Connection::GaveUp { .. }, _) => Self::GaveUp(pending),
            (Connection::Connecting { .. }, _) if status.last_sync == 0 => Self::Connecting,
            (Connection::Waiting { until, .. }, _) => Self::Reconnecting { pending, until: Some(*until) },
            (Connection::Connecting { .. } | Connection::Suspended { .. }, _) => {
                Self::Reconnecting { pending, until: None }
            }
        }
    }

    /// Its name, for the stylesheet and for tests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Connecting => "connecting",
            Self::Reading => "reading",
            Self::Saved => "saved",
            Self::Attention(_) => "attention",
            Self::Settling => "settling",
            Self::Saving(_) => "saving",
            Self::NotSaving(_) => "not-saving",
            Self::Reconnecting { .. } => "reconnecting",
            Self::Offline(_) => "offline",
            Self::Captive(_) => "captive",
            Self::Unreachable(_) => "unreachable",
            Self::GaveUp(_) => "gave-up",
            Self::Ended(_) => "ended",
            Self::WrongAddress(_) => "wrong-address",
            Self::ViewOnly(_) => "view-only",
            Self::Outdated(_) => "outdated",
        }
    }

    /// Own changes that are not saved, as far as the state tells.
    #[must_use]
    pub const fn pending(self) -> usize {
        match self {
            Self::Quiet | Self::Connecting | Self::Reading | Self::Saved | Self::Attention(_) | Self::Settling => 0,
            Self::Saving(pending)
            | Self::NotSaving(pending)
            | Self::Reconnecting { pending, .. }
            | Self::Offline(pending)
            | Self::Captive(pending)
            | Self::Unreachable(pending)
            | Self::GaveUp(pending)
            | Self::Ended(pending)
            | Self::WrongAddress(pending)
            | Self::ViewOnly(pending)
            | Self::Outdated(pending) => pending,
        }
    }

    /// Whether trying at once is of use.
    #[must_use]
    pub const fn can_retry(self) -> bool {
        matches!(
            self,
            Self::Reconnecting { .. }
                | Self::Offline(_)
                | Self::Captive(_)
                | Self::Unreachable(_)
                | Self::GaveUp(_)
                | Self::Ended(_)
                | Self::WrongAddress(_)
        )
    }

    /// Whether there is no line, and that was said.
    #[must_use]
    pub const fn is_down(self) -> bool {
        !matches!(
            self,
            Self::Quiet
                | Self::Connecting
                | Self::Reading
                | Self::Saved
                | Self::Attention(_)
                | Self::Settling
                | Self::Saving(_)
                | Self::ViewOnly(_)
        )
    }

    /// In a few words, for the status button. Neither a countdown nor the number of pending changes is in it.
    #[must_use]
    pub fn in_short(self) -> String {
        match self {
            Self::Quiet => "Starting…",
            Self::Settling => "",
            Self::Connecting => "Connecting…",
            Self::Reading => "Checking this device…",
            Self::Saved => "Saved",
            Self::Attention(1) => "1 needs attention",
            Self::Attention(count) => return format!("{count} need attention"),
            Self::Saving(count) => return format!("Saving {count}…"),
            Self::NotSaving(_) => "Server can't save",
            Self::Reconnecting { until: Some(_), .. } => "Reconnecting",
            Self::Reconnecting { until: None, .. } => "Reconnecting…",
            Self::Offline(_) => "Offline",
            Self::Captive(_) => "Log in to this network",
            Self::Unreachable(_) => "Can't reach the server",
            Self::GaveUp(_) => "Not connected",
            Self::Ended(_) => "Link no longer works",
            Self::WrongAddress(_) => "Address not allowed",
            Self::ViewOnly(_) => "View only",
            Self::Outdated(_) => "New version",
        }
        .to_owned()
    }

    /// In a word or two, for a narrow status button.
    #[must_use]
    pub const fn in_brief(self) -> &'static str {
        match self {
            Self::Quiet => "Starting…",
            Self::Settling => "",
            Self::Attention(_) => "Attention",
            Self::Connecting => "Connecting…",
            Self::Reading => "Checking…",
            Self::Saved => "Saved",
            Self::Saving(_) => "Saving…",
            Self::NotSaving(_) => "Not saved",
            Self::Reconnecting { .. } => "Waiting…",
            Self::Offline(_) => "Offline",
            Self::Captive(_) => "Log in",
            Self::Unreachable(_) => "No server",
            Self::GaveUp(_) | Self::Ended(_) => "Ended",
            Self::WrongAddress(_) => "Not allowed",
            Self::ViewOnly(_) => "View only",
            Self::Outdated(_) => "Outdated",
        }
    }

    /// In a sentence or two. `kept` is whether this device keeps every change.
    #[must_use]
    pub fn in_full(self, kept: bool) -> String {
        let kept = |state: &str, count| match unsaved(count, kept) {
            None => state.to_owned(),
            Some(kept) => format!("{state} {kept}"),
        };
        match self {
            Self::Quiet => "The page is not ready yet.".to_owned(),
            Self::Settling => String::new(),
            Self::Connecting => "Connecting to the server.".to_owned(),
            Self::Reading => {
                "Still reading what this device keeps: there may be changes that are not saved.".to_owned()
            }
            Self::Saved => "Everything is saved.".to_owned(),
            Self::Attention(count) => not_accepted(count),
            Self::Saving(1) => "1 change is on its way.".to_owned(),
            Self::Saving(count) => format!("{count} changes are on their way."),
            Self::NotSaving(count) => kept("The server can't save just now; it goes on when it can.", count),
            Self::Reconnecting { pending, .. } => kept("Reconnecting.", pending),
            Self::Offline(count) => kept("This device has no network.", count),
            Self::Captive(count) => kept("This network wants you to log in first.", count),
            Self::Unreachable(count) => kept("The server does not answer.", count),
            Self::GaveUp(count) => kept("The connection could not be made.", count),
            Self::Ended(count) => kept("This page is not connected any more.", count),
            Self::WrongAddress(count) => kept("The server does not allow its pages at this address.", count),
            Self::ViewOnly(count) => kept("This link can only view.", count),
            Self::Outdated(count) => kept("This page is older than the server. Reload it to go on.", count),
        }
    }

    /// What a toast says of an outage that ends by itself; `None` for all else. It says neither what the status button says nor what
    /// [`Standing::in_full`] does, which may be on the screen beside it.
    #[must_use]
    pub const fn outage(self) -> Option<&'static str> {
        match self {
            Self::Offline(_) => Some("You're offline. Changes will sync when you're back online."),
            Self::Unreachable(_) => Some("No answer from the server. Changes will sync when it is back."),
            _ => None,
        }
    }

    /// How long the state must last before it is shown in place of `shown`, so that a line that blinks does not make the page
    /// flicker.
    #[must_use]
    pub const fn patience(self, shown: Self) -> Duration {
        match (self, shown) {
            (Self::Saving(_), Self::Saved | Self::Attention(_) | Self::Settling) => Duration::from_millis(300),
            // What was said to be under way is said for long enough to be read.
            (Self::Connecting, _) | (Self::Saved, Self::Saving(_) | Self::Reading) => Duration::from_millis(400),
            // A database that is away for a moment is a blink too.
            (
                Self::Reconnecting { .. } | Self::NotSaving(_),
                Self::Saved | Self::Attention(_) | Self::Settling | Self::Saving(_),
            ) => Duration::from_secs(2),
            _ => Duration::ZERO,
        }
    }
}

/// What is said of so many rejected changes.
#[must_use]
pub fn not_accepted(count: usize) -> String {
    match count {
        1 => "1 change needs attention: it was not accepted.".to_owned(),
        _ => format!("{count} changes need attention: they were not accepted."),
    }
}

/// That so many changes are not saved, and whether this device keeps them; `None` for none.
#[must_use]
pub fn unsaved(count: usize, kept: bool) -> Option<String> {
    match (count, kept) {
        (0, _) => None,
        (1, true) => Some("1 change is kept on this device.".to_owned()),
        (_, true) => Some(format!("{count} changes are kept on this device.")),
        (1, false) => Some("1 change is not saved anywhere.".to_owned()),
        (_, false) => Some(format!("{count} changes are not saved anywhere.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::link::Loss;
    use crate::sync::message::{Bye, Retry};

    fn status(connection: Connection, network: Network, pending: usize) -> Status {
        Status { connection, network, pending, last_sync: 1, ..Status::initial(Access::Edit, 1) }
    }

    fn waiting() -> Connection {
        Connection::Waiting { until: Moment::from_millis(8_000), attempt: 1, why: Loss::Dropped }
    }

    #[test]
    fn saved_is_said_of_a_live_line_with_nothing_pending_alone() {
        let bye = Bye { code: ByeCode::UnknownKey, message: String::new(), retry: Retry::Never, retry_after_ms: 0 };
        let connections = [
            Connection::Off,
            Connection::Connecting { attempt: 0 },
            Connection::Live,
            waiting(),
            Connection::Suspended { why: Loss::Dropped },
            Connection::GaveUp { attempts: 3 },
            Connection::Refused(bye),
            Connection::Outdated,
        ];
        let networks = [Network::Unknown, Network::Online, Network::Offline, Network::Captive, Network::Unreachable];
        for connection in connections {
            for network in networks {
                for pending in [0, 3] {
                    let standing = Standing::of(&status(connection.clone(), network, pending));
                    let in_sync = connection == Connection::Live && pending == 0 && network != Network::Offline;
                    assert_eq!(standing == Standing::Saved, in_sync, "{connection:?} {network:?} {pending}");
                    let tells = matches!(standing, Standing::Quiet) || standing.pending() == pending;
                    assert!(tells || standing == Standing::Connecting, "{standing:?} hides {pending}");
                }
            }
        }
    }

    #[test]
    fn an_address_that_the_server_does_not_allow_is_said_to_be_that() {
        let refused = Connection::Refused(Bye::new(ByeCode::OriginRefused, ""));
        let standing = Standing::of(&status(refused, Network::Online, 2));
        assert_eq!((standing, standing.in_short().as_str()), (Standing::WrongAddress(2), "Address not allowed"));
        assert!(standing.can_retry() && standing.is_down());
        assert_eq!(
            standing.in_full(true),
            "The server does not allow its pages at this address. 2 changes are kept on this device."
        );
    }

    #[test]
    fn saved_is_not_said_while_the_device_may_keep_more() {
        let reading = |pending| Status { reading: true, ..status(Connection::Live, Network::Online, pending) };
        assert_eq!(Standing::of(&reading(0)), Standing::Reading);
        assert_eq!(Standing::of(&reading(2)), Standing::Saving(2));
    }

    #[test]
    fn saved_is_not_said_while_a_rejected_change_waits_for_its_author() {
        let rejected = |pending| Status { attention: 2, ..status(Connection::Live, Network::Online, pending) };
        assert_eq!(Standing::of(&rejected(0)), Standing::Attention(2));
        assert_eq!(Standing::of(&rejected(1)), Standing::Saving(1));
        assert_eq!(
            (Standing::Attention(1).in_short(), Standing::Attention(2).in_short()),
            ("1 needs attention".into(), "2 need attention".into())
        );
    }

    #[test]
    fn no_two_surfaces_say_the_same() {
        for standing in [Standing::Offline(2), Standing::Unreachable(2), Standing::Captive(2), Standing::GaveUp(2)] {
            let said = [Some(standing.in_short()), Some(standing.in_full(true)), standing.outage().map(str::to_owned)];
            let said: Vec<_> = said.into_iter().flatten().collect();
            for (n, one) in said.iter().enumerate() {
                let another =
                    said.iter().enumerate().find(|(m, other)| n != *m && other.contains(one.trim_end_matches('.')));
                assert_eq!(another, None, "{one}");
            }
        }
    }

    #[test]
    fn a_server_that_cannot_save_says_so_while_something_is_to_be_saved() {
        for (pending, expected) in [(0, Standing::Saved), (2, Standing::NotSaving(2))] {
            let full = Status { server_saves: false, ..status(Connection::Live, Network::Online, pending) };
            assert_eq!(Standing::of(&full), expected);
        }
        assert_eq!(
            Standing::NotSaving(2).in_full(true),
            "The server can't save just now; it goes on when it can. 2 changes are kept on this device."
        );
    }

    #[test]
    fn a_blink_is_not_shown_and_a_word_can_be_read() {
        let lost = Standing::of(&status(waiting(), Network::Unknown, 0));
        assert_eq!(lost.patience(Standing::Saved), Duration::from_secs(2));
        assert_eq!(lost.patience(Standing::Offline(0)), Duration::ZERO, "it was said already that there is no line");
        assert_eq!(Standing::Saving(1).patience(Standing::Saved), Duration::from_millis(300));
        assert_eq!(Standing::Saved.patience(Standing::Saving(1)), Duration::from_millis(400));
        assert_eq!(Standing::Saved.patience(lost), Duration::ZERO);
        assert_eq!(Standing::Offline(1).patience(Standing::Saved), Duration::ZERO);
    }

    #[test]
    fn sentences_count_and_do_not_say_that_is_kept_what_is_not() {
        let unkept = Standing::Unreachable(2).in_full(false);
        assert_eq!(unkept, "The server does not answer. 2 changes are not saved anywhere.");
        assert_eq!(
            Standing::Unreachable(12).in_full(true),
            "The server does not answer. 12 changes are kept on this device."
        );
        assert_eq!(
            Standing::Unreachable(1).in_full(true),
            "The server does not answer. 1 change is kept on this device."
        );
        assert_eq!(Standing::Unreachable(0).in_full(false), "The server does not answer.");
        assert_eq!(
            (Standing::Saving(1).in_short(), Standing::Saving(2).in_short()),
            ("Saving 1…".into(), "Saving 2…".into())
        );
    }
}
