//! What becomes of people's changes when the server's disk does not do its duty.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sheetbend::board::{Board, Change};
use sheetbend::server::store::sqlite;
use sheetbend::sync::link;

use crate::support::boards::{add_card, add_list, card_id, make_board, on_disk};
use crate::support::people::{Person, agree, quick};
use crate::support::program::{PROGRAM, Running};

/// Quick, but for the heartbeat, which is the server's.
fn person(running: &Running, name: &str) -> Person<Board> {
    let link = link::Settings { silence: Duration::from_secs(60), ..quick() };
    Person::at(running.address, name, link)
}

/// Adds a card with 2 kB of notes.
fn bulky(who: u8, n: u64) -> Change {
    let Change::AddCard { card, mut content } = add_card(who, n) else { unreachable!("it adds a card") };
    content.notes = "x".repeat(2_000);
    Change::AddCard { card, content }
}

/// Each of two people adds so many: more than there is room for.
const MANY: u64 = 400;

/// With the list for the cards.
const ALL: u64 = 1 + 2 * MANY;

async fn fill(people: &mut [Person<Board>; 2]) {
    people[0].edit(add_list(1, 1)).await;
    people[0].is_saved().await;
    for n in 0..MANY {
        for (person, who) in people.iter_mut().zip(1..) {
            person.edit(bulky(who, n)).await;
        }
    }
}

/// Writes fail: the server ends, since it cannot tell what is on disk. With room again it is started again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_may_not_grow_and_then_may() {
    let data = tempfile::tempdir().expect("a folder");
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$@\"", "sh", PROGRAM])
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .current_dir(std::env::temp_dir());
    let mut running = Running::run(&mut limited);
    make_board(&running).await;
    let mut people = [person(&running, "Ada"), person(&running, "Bob")];
    fill(&mut people).await;
    let status = running.process.wait().expect("ends");
    assert_eq!(status.code(), Some(74));
    let waiting: usize = people.iter().map(|person| person.session.view().status.pending).sum();
    assert!(waiting > 0, "not all of it can have been saved");

    running.start_again(data.path());
    let view = agree(&mut people, ALL).await;
    drop(running);
    assert_eq!(on_disk(data.path()).await, (view.document, view.cursor));
}

/// A small disk, which goes when this does.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where one may not be made: that takes root, on Linux.
    fn of(kib: u32) -> Option<Self> {
        let place = tempfile::tempdir().expect("a folder");
        let size = format!("size={kib}k");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(place.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(place))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that is being killed may still hold it.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// There is no room: the server goes on, saves nothing more and says so to nobody; with room again it goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_that_is_given_room() {
    let Some(disk) = SmallDisk::of(16 * 1024) else {
        eprintln!("not tested: a small disk cannot be made here (it takes root on Linux)");
        return;
    };
    let data = disk.path().join("data");
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; 15 * 1024 * 1024]).expect("fits");
    let mut running = Running::start(&data);
    make_board(&running).await;
    let mut people = [person(&running, "Ada"), person(&running, "Bob")];
    fill(&mut people).await;
    running.says("no room left").await;
    let views = people.each_ref().map(|person| person.session.view());
    let pending: usize = views.iter().map(|view| view.status.pending).sum();
    assert!(pending > 0, "not all of it fits");
    assert!(views.iter().all(|view| view.status.attention == 0), "nothing is refused for it");

    std::fs::remove_file(&ballast).expect("is there");
    let view = agree(&mut people, ALL).await;
    drop(running);
    assert_eq!(on_disk(&data).await, (view.document, view.cursor));
}

/// An older copy of the data is put back: the chain of digests tells, and what people still hold of what it
/// lacks comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_put_back() {
    let data = tempfile::tempdir().expect("a folder");
    let file = data.path().join(sqlite::FILE);
    let copy = tempfile::tempdir().expect("a folder");
    let copy = copy.path().join("copy.db");
    let mut running = Running::start(data.path());
    make_board(&running).await;
    let mut people = [person(&running, "Ada"), person(&running, "Bob")];
    people[0].edit(add_list(1, 1)).await;
    for n in 1..20 {
        people[0].edit(add_card(1, n)).await;
    }
    agree(&mut people, 20).await;
    let shell = rusqlite::Connection::open(&file).expect("opens");
    shell.execute("VACUUM INTO ?1", [copy.to_str().expect("text")]).expect("copies");
    drop(shell);
    for n in 20..40 {
        people[1].edit(add_card(2, n)).await;
    }
    agree(&mut people, 40).await;

    running.stop();
    for (person, who) in people.iter_mut().zip(1..) {
        for n in 40..50 {
            person.edit(add_card(who, n)).await;
        }
    }
    for end in ["-wal", "-shm"] {
        // They belong to what is replaced.
        let _ = std::fs::remove_file(data.path().join(format!("{}{end}", sqlite::FILE)));
    }
    std::fs::copy(&copy, &file).expect("copies");
    running.start_again(data.path());

    // The copy's 20, the 20 that it lacks and that their author still holds, and the 20 that were pending.
    let view = agree(&mut people, 60).await;
    let made = (1..20).map(|n| (1, n)).chain((20..40).map(|n| (2, n))).chain((40..50).flat_map(|n| [(1, n), (2, n)]));
    let cards: BTreeSet<_> = made.map(|(who, n)| card_id(who, n)).collect();
    assert_eq!(view.document.cards.keys().copied().collect::<BTreeSet<_>>(), cards);
    let fresh = person(&running, "Eve").sees(|view| view.cursor.version == 60).await;
    assert_eq!((fresh.document, fresh.cursor), (view.document.clone(), view.cursor));
    drop((people, running));
    assert_eq!(on_disk(data.path()).await, (view.document, view.cursor));
}
