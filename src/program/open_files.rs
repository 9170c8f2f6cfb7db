//! How many files the system lets the process have open: each connection is one.

/// Files that are not connections: the database, the listeners, the logs.
const OTHERS: u64 = 128;

/// Raises the limit for this process to what `connections` take, as far as the system lets it. Returns how many connections there is
/// room for, at most `connections`: past them a client is told that there are too many, which it could not be without a file.
#[cfg(unix)]
pub(super) fn allow(connections: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let limit = getrlimit(Resource::Nofile);
    let now = limit.current.unwrap_or(u64::MAX);
    let most = limit.maximum.unwrap_or(u64::MAX).min(wanted);
    let raised = most > now && setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit }).is_ok();
    let room = room(if raised { most } else { now }, connections);
    if room < connections {
        tracing::info!(
            room,
            connections,
            "the system allows fewer open files than all connections would take (ulimit -n)"
        );
    }
    room
}

#[cfg(not(unix))]
pub(super) fn allow(connections: usize) -> usize {
    connections
}

/// The connections there is room for in `files`: half of them, if there are hardly any.
#[cfg(unix)]
fn room(files: u64, connections: usize) -> usize {
    let room = files.saturating_sub(OTHERS).max(files / 2);
    usize::try_from(room).unwrap_or(usize::MAX).min(connections)
}

#[cfg(all(test, unix))]
mod tests {
    use super::room;

    #[test]
    fn some_files_are_left_for_the_rest() {
        assert_eq!(room(1_024, 20_000), 896);
        assert_eq!(room(64, 20_000), 32);
        assert_eq!(room(1_048_576, 20_000), 20_000);
    }
}
