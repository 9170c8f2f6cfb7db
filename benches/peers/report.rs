//! Figures, as a page with tables and plots.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use super::servers::Peer;

/// Rounds, in which servers are measured in turn.
pub(crate) const ROUNDS: usize = 3;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    OneBoard,
    FiftyBoards,
    Saved,
    SavedTogether,
    Processor,
    Idle,
    StormTime,
    StormProcessor,
    CatchUp,
    CatchUpBytes,
    Chaos,
}

impl Column {
    pub(crate) const ALL: [Self; 11] = [
        Self::OneBoard,
        Self::FiftyBoards,
        Self::Saved,
        Self::SavedTogether,
        Self::Processor,
        Self::Idle,
        Self::StormTime,
        Self::StormProcessor,
        Self::CatchUp,
        Self::CatchUpBytes,
        Self::Chaos,
    ];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::OneBoard => "most deliveries a second, 1 board × 200 people, 10 writing",
            Self::FiftyBoards => "most deliveries a second, 50 boards × 10 people, 2 writing on each",
            Self::Saved => "changes a second, 50 writers on 50 boards, each waiting for its own",
            Self::SavedTogether => "changes a second, 50 writers on one board, each waiting for its own",
            Self::Processor => "server's processor time a delivery, 1 board × 200 people, 200 changes a second (µs)",
            Self::Idle => "server's memory an idle connection, of 5,000 (KiB)",
            Self::StormTime => "storm: killed and started again, until all of 1,000 are there (s)",
            Self::StormProcessor => "storm: the server's processor time until then (s)",
            Self::CatchUp => "catch-up after 10,000 missed changes (ms)",
            Self::CatchUpBytes => "catch-up: what the server sends (MB)",
            Self::Chaos => "chaos: 1,000 lines cut every 15 s for 2 s, p99 from line back to caught up (s)",
        }
    }

    /// Its plot's name.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::OneBoard => "one-board",
            Self::FiftyBoards => "fifty-boards",
            Self::Saved => "saved",
            Self::SavedTogether => "saved-together",
            Self::Processor => "processor",
            Self::Idle => "idle",
            Self::StormTime => "storm",
            Self::StormProcessor => "storm-processor",
            Self::CatchUp => "catch-up",
            Self::CatchUpBytes => "catch-up-bytes",
            Self::Chaos => "chaos",
        }
    }

    /// How often it is measured, at most [`ROUNDS`] times: a search is many tries by itself, saves are some ten thousand and storms a
    /// thousand in each round, memory is the same each time, and in catch-up and chaos each server is met many times.
    pub(crate) const fn rounds(self) -> usize {
        match self {
            Self::Idle | Self::CatchUp | Self::CatchUpBytes | Self::Chaos => 1,
            Self::Processor => ROUNDS,
            _ => 2,
        }
    }

    /// What is measured when it is found: another, of some.
    pub(crate) const fn measured_as(self) -> Self {
        match self {
            Self::SavedTogether => Self::Saved,
            Self::StormProcessor => Self::StormTime,
            Self::CatchUpBytes => Self::CatchUp,
            _ => self,
        }
    }

    /// Whether it can be asked of this server: what was missed, only of those that send it again.
    pub(crate) const fn is_of(self, peer: Peer) -> bool {
        let merges = matches!(peer, Peer::YWebsocket | Peer::Hocuspocus);
        match self {
            Self::OneBoard | Self::FiftyBoards | Self::Processor | Self::Idle => !merges,
            Self::StormTime | Self::StormProcessor => !merges && !matches!(peer, Peer::SocketIoRecovery),
            Self::Saved | Self::SavedTogether => true,
            Self::CatchUp | Self::CatchUpBytes => merges || matches!(peer, Peer::SocketIoRecovery | Peer::Sheetbend),
            Self::Chaos => matches!(peer, Peer::Sheetbend),
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(Column, Peer, f64)>);

impl Report {
    pub(crate) fn add(&mut self, column: Column, peer: Peer, figure: f64) {
        eprintln!("  {}", readable(figure));
        self.0.push((column, peer, figure));
    }

    pub(crate) fn median(&self, column: Column, peer: Peer) -> Option<f64> {
        let figures = self.figures(column, peer);
        let [low, high] = [figures.len().checked_sub(1)? / 2, figures.len() / 2];
        Some(f64::midpoint(figures[low], figures[high]))
    }

    fn figures(&self, column: Column, peer: Peer) -> Vec<f64> {
        let mut figures: Vec<f64> =
            self.0.iter().filter(|found| (found.0, found.1) == (column, peer)).map(|found| found.2).collect();
        figures.sort_by(f64::total_cmp);
        figures
    }

    /// Writes `peers.md` and the plots in `peers/`.
    pub(crate) fn write(&self, docs: &Path) -> io::Result<()> {
        fs::create_dir_all(docs.join("peers"))?;
        let mut page = String::from(HEAD);
        page.push_str("| | on disk before it is sent on | there once if it is resent | sent again to who missed it |\n|---|---|---|---|\n");
        for peer in Peer::ALL {
            let [disk, once, again] = peer.promises();
            // Writing to a text cannot fail.
            let _ = writeln!(page, "| {} | {disk} | {once} | {again} |", peer.name());
        }
        for column in Column::ALL {
            page.push_str(&self.table(column));
            let plot = format!("peers/{}.svg", column.file());
            fs::write(docs.join(&plot), self.plot(column))?;
            let _ = writeln!(page, "\n![{}]({plot})", capitalised(column.title()));
        }
        fs::write(docs.join("peers.md"), page)
    }

    /// Tables of what was measured.
    pub(crate) fn tables(&self) -> String {
        let found = |column: &Column| self.0.iter().any(|found| found.0 == *column);
        Column::ALL.into_iter().filter(found).map(|column| self.table(column)).collect()
    }

    fn table(&self, column: Column) -> String {
        let mut table =
            format!("\n## {}\n\n| | median | range | of ours |\n|---|---|---|---|\n", capitalised(column.title()));
        let ours = self.median(column, Peer::Sheetbend);
        for peer in Peer::ALL {
            let figures = self.figures(column, peer);
            if let (Some(median), [first, .., last] | [first @ last]) = (self.median(column, peer), &figures[..]) {
                let share = ours.map_or_else(String::new, |ours| format!("{:.2}", median / ours));
                let range = format!("{}–{}", readable(*first), readable(*last));
                let _ = writeln!(table, "| {} | {} | {range} | {share} |", peer.name(), readable(median));
            }
        }
        table
    }

    /// A bar a server, as long as its median, with a line from its least figure to its greatest.
    fn plot(&self, column: Column) -> String {
        const ROW: f64 = 26.0;
        const LEFT: f64 = 200.0;
        const WIDTH: f64 = 420.0;
        let rows: Vec<_> = Peer::ALL
            .into_iter()
            .filter_map(|peer| Some((peer, self.median(column, peer)?, self.figures(column, peer))))
            .collect();
        let longest = rows.iter().filter_map(|row| row.2.last().copied()).fold(f64::MIN_POSITIVE, f64::max);
        let height = ROW.mul_add(rows.len() as f64, 8.0);
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" role="img" font-family="system-ui, sans-serif" font-size="13"><title>{}</title><rect width="720" height="{height}" fill="#fff"/>"##,
            capitalised(column.title())
        );
        for (row, (peer, median, figures)) in rows.iter().enumerate() {
            let (top, at) = (ROW.mul_add(row as f64, 6.0), |figure: f64| figure / longest * WIDTH);
            let colour = if *peer == Peer::Sheetbend { "#2f6f4f" } else { "#b9c2cc" };
            let (low, high) =
                (figures.first().copied().unwrap_or_default(), figures.last().copied().unwrap_or_default());
            let (middle, bar) = (top + 9.0, at(*median));
            let _ = write!(
                svg,
                r##"<text x="{}" y="{}" text-anchor="end">{}</text><rect x="{LEFT}" y="{top}" width="{bar:.1}" height="18" fill="{colour}"/><path d="M{:.1} {middle}H{:.1}" stroke="#333"/><text x="{:.1}" y="{}">{}</text>"##,
                LEFT - 8.0,
                top + 14.0,
                peer.name(),
                LEFT + at(low),
                LEFT + at(high),
                LEFT + at(high) + 8.0,
                top + 14.0,
                readable(*median),
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

const HEAD: &str = "# Beside the peers\n\n\
    `make bench-peers` wrote this page: the same load, by one generator over raw WebSockets, on Sheetbend and on minimal servers of what \
    people would pick instead, with their recommended settings and pinned versions (`benches/peers`), those in Rust compiled with the \
    same settings. Each server has one core and the \
    generator the other; rounds are interleaved; figures are medians, and ranges, of two \
    rounds; processor time of three; memory, catch-up (eleven times) and chaos of one. Sheetbend always has every change in SQLite \
    (`synchronous=FULL`) before it sends it on. What is said is a text of some 15 bytes; with Sheetbend it is the title of a board or of a \
    card, and an entry has an id, an author, a time and a digest too, which is what makes its catch-up larger. What the figures mean for us is in [performance.md](performance.md).\n\n\
    What is and is not promised of a change that was sent on:\n\n";

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Three digits that mean something, and separators.
fn readable(figure: f64) -> String {
    if figure < 100.0 {
        return format!("{figure:.*}", if figure < 10.0 { 2 } else { 1 });
    }
    let scale = 10f64.powf(figure.log10().floor() - 2.0).max(1.0);
    let digits = format!("{:.0}", (figure / scale).round() * scale);
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
