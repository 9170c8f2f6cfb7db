//! The server that is put under load.

use std::io::{self, IsTerminal as _};

use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;
use super::crowd::Person;
use super::dialect::Dialect;
use super::figures::Meter;

/// Most people who join at a time.
const JOINING: usize = 50;

/// A server, and its process if that is on this machine. Where standard error is a terminal, progress is shown on it.
#[derive(Clone, Debug)]
pub struct Target<D> {
    /// How to talk to it.
    pub dialect: D,
    /// Its process: what that takes is told too.
    pub pid: Option<u32>,
}

impl<D: Dialect> Target<D> {
    pub(super) fn meter(&self) -> Meter {
        Meter::start(self.pid)
    }

    /// So many people on each of so many boards, in the order of the boards.
    pub(super) async fn gather(&self, boards: usize, people: usize) -> Result<Vec<Person<D::Speaker>>, Failure> {
        let bar = bar("Joining", (boards * people) as u64);
        let mut crowd = Vec::new();
        for _ in 0..boards {
            let board = self.dialect.make().await?;
            crowd.append(&mut self.enter(&board, people, &bar).await?);
        }
        bar.finish_and_clear();
        Ok(crowd)
    }

    /// So many people on one board.
    pub(super) async fn enter(
        &self,
        board: &D::Board,
        people: usize,
        bar: &ProgressBar,
    ) -> Result<Vec<Person<D::Speaker>>, Failure> {
        let join = |_| Person::join(self.dialect.speaker(board), |_| ());
        let mut joins = stream::iter(0..people).map(join).buffered(JOINING);
        let mut crowd = Vec::with_capacity(people);
        while let Some(person) = joins.next().await {
            crowd.push(person?);
            bar.inc(1);
        }
        Ok(crowd)
    }
}

/// Shows a person how far it is.
pub(super) fn bar(what: &'static str, length: u64) -> ProgressBar {
    shown(what, ProgressBar::new(length), "{spinner} {prefix} {pos} of {len}")
}

/// Shows a person that it goes on.
pub(super) fn spinner(what: &'static str) -> ProgressBar {
    let spinner = shown(what, ProgressBar::new_spinner(), "{spinner} {prefix} {elapsed} {msg}");
    spinner.enable_steady_tick(std::time::Duration::from_millis(120));
    spinner
}

fn shown(what: &'static str, bar: ProgressBar, template: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_prefix(what);
    bar
}
