//! The same load on Sheetbend and on what people would pick instead: `make bench-peers`.
//!
//! Every server is a process of its own, pinned to one core, and this generator to another. Rounds are interleaved: each measures
//! everybody once, so that what else the machine does meanwhile meets all alike. What is told is medians and ranges.

mod dialects;
#[path = "../../src/program/planner.rs"]
mod planner;
mod report;
mod servers;

use std::path::PathBuf;
use std::time::Duration;

use sheetbend::native::load::{Cuts, Dialect, Failure, Meter, Sheetbend, Target, Traffic};

use self::dialects::{Plain, SocketIo, Yjs};
use self::planner::Planner;
use self::report::{Column, ROUNDS, Report};
use self::servers::{Peer, Places, Running};

// Searches begin at about half of what the slowest keeps up with.
const ONE_BOARD: Traffic = Traffic { boards: 1, people: 200, writers: 10, rate: 200.0, seconds: 1 };
const FIFTY_BOARDS: Traffic = Traffic { boards: 50, people: 10, writers: 2, rate: 1_000.0, seconds: 1 };

fn main() {
    let setting = |name: &str| PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("{name} is set by make")));
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let places = Places {
        peers: root.join("benches/peers"),
        rust: setting("SHEETBEND_PEERS"),
        sheetbend: setting("SHEETBEND_BIN"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let wanted = Wanted::of(std::env::args().skip(1).collect());
    let mut report = Report::default();
    for round in 0..ROUNDS {
        let due =
            |column: &Column| column.measured_as() == *column && round < column.rounds() && wanted.column(*column);
        for column in Column::ALL.into_iter().filter(due) {
            for peer in Peer::ALL.into_iter().filter(|peer| column.is_of(*peer) && wanted.peer(*peer)) {
                let before = report.median(column, peer);
                eprintln!("Round {} of {}: {}, {}", round + 1, column.rounds(), column.title(), peer.name());
                match runtime.block_on(measure(column, peer, &places, before)) {
                    Ok(figures) => figures.into_iter().for_each(|(column, figure)| report.add(column, peer, figure)),
                    Err(failure) => eprintln!("  {failure}"),
                }
            }
        }
        // What was found so far is not lost with what comes.
        if wanted.everything() {
            report.write(&root.join("docs")).expect("docs can be written");
        }
    }
    if wanted.everything() {
        println!("docs/peers.md and its plots are written.");
    } else {
        print!("{}", report.tables());
    }
}

/// What is to be measured: everything, or columns and peers by the names in `docs/peers.md` (`storm`, `bare axum`).
#[derive(Debug)]
struct Wanted {
    columns: Vec<Column>,
    peers: Vec<Peer>,
}

impl Wanted {
    fn of(names: Vec<String>) -> Self {
        let mut wanted = Self { columns: Vec::new(), peers: Vec::new() };
        for name in names {
            let column = Column::ALL.into_iter().find(|column| column.file() == name);
            let peer = Peer::ALL.into_iter().find(|peer| peer.name() == name);
            assert!(column.is_some() || peer.is_some(), "\"{name}\" is neither a plot's name nor a server's");
            wanted.columns.extend(column.map(Column::measured_as));
            wanted.peers.extend(peer);
        }
        wanted
    }

    fn everything(&self) -> bool {
        self.columns.is_empty() && self.peers.is_empty()
    }

    fn column(&self, column: Column) -> bool {
        self.columns.is_empty() || self.columns.contains(&column)
    }

    fn peer(&self, peer: Peer) -> bool {
        self.peers.is_empty() || self.peers.contains(&peer)
    }
}

/// What one measurement finds.
type Figures = Vec<(Column, f64)>;

async fn measure(column: Column, peer: Peer, places: &Places, before: Option<f64>) -> Result<Figures, Failure> {
    let mut running = Running::start(peer, places);
    let (address, pid) = (running.address.clone(), Some(running.pid()));
    match peer {
        Peer::Axum | Peer::Ws => {
            let target = Target { dialect: Plain(address), pid };
            find(column, &target, &mut running, places, before).await
        }
        Peer::SocketIo | Peer::SocketIoRecovery | Peer::SocketIoSqlite | Peer::SocketioxideSqlite => {
            let target = Target { dialect: SocketIo(address), pid };
            find(column, &target, &mut running, places, before).await
        }
        Peer::YWebsocket | Peer::Hocuspocus => {
            let target = Target { dialect: Yjs { address, hocuspocus: peer == Peer::Hocuspocus }, pid };
            find(column, &target, &mut running, places, before).await
        }
        Peer::Sheetbend => {
            let target = Target { dialect: Sheetbend::at(&[format!("http://{address}")], Planner::default()), pid };
            find(column, &target, &mut running, places, before).await
        }
    }
}

async fn find<D: Dialect>(
    column: Column,
    target: &Target<D>,
    running: &mut Running,
    places: &Places,
    before: Option<f64>,
) -> Result<Figures, Failure> {
    const PEOPLE_IN_STORM: usize = 1_000;
    // What a server compiles when it is first used has been compiled; but memory that was used and freed would not be counted.
    if column != Column::Idle {
        target.fan_out(Traffic { rate: 100.0, ..ONE_BOARD }).await?;
    }
    // The search begins near what was found the last time, if it was.
    let most = async |traffic: Traffic| {
        let deliveries = traffic.people as f64;
        let rate = before.map_or(traffic.rate, |before| before / deliveries * 0.7);
        Ok::<_, Failure>(target.most(Traffic { rate, ..traffic }).await?.most.delivered_per_second)
    };
    let figure = match column {
        Column::OneBoard => most(ONE_BOARD).await?,
        Column::FiftyBoards => most(FIFTY_BOARDS).await?,
        Column::Saved | Column::SavedTogether => {
            let mut found = Vec::new();
            for (column, boards) in [(Column::Saved, 50), (Column::SavedTogether, 1)] {
                found.push((column, target.durable(boards, 50, 2).await?.saved_per_second));
            }
            return Ok(found);
        }
        Column::Processor => {
            let found = target.fan_out(Traffic { rate: 200.0, seconds: 3, ..ONE_BOARD }).await?;
            found.spent.server_cores.unwrap_or_default() * 1e6 / found.delivered_per_second
        }
        Column::Idle => target.idle(5_000, 2).await?.server_kib_each.unwrap_or_default(),
        Column::StormTime | Column::StormProcessor => {
            let mut meter = None;
            let restart = || {
                running.restart(places);
                meter = Some((Meter::start(Some(running.pid())), std::time::Instant::now()));
            };
            let storm = target.storm(PEOPLE_IN_STORM, restart).await?;
            let (meter, since) = meter.expect("it was restarted");
            let processor = meter.read().server_cores.unwrap_or_default() * since.elapsed().as_secs_f64();
            return Ok(vec![(Column::StormTime, storm.all_ms / 1e3), (Column::StormProcessor, processor)]);
        }
        Column::CatchUp | Column::CatchUpBytes => {
            let found = target.catch_up(10_000, 11).await?;
            let bytes = found.bytes as f64 / 1e6;
            return Ok(vec![(Column::CatchUp, found.latency.p50_ms), (Column::CatchUpBytes, bytes)]);
        }
        Column::Chaos => {
            let every = Duration::from_secs(15);
            let away = Duration::from_secs(2);
            let cuts = Cuts { people: 1_000, writers: 10, rate: 10.0, every, away, seconds: 20 };
            let found = target.chaos(cuts).await?;
            assert_eq!((found.missing, found.doubled), (0, 0), "everybody hears of every change once");
            found.caught_up.p99_ms / 1e3
        }
    };
    Ok(vec![(column, figure)])
}
