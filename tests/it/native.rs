//! The engine against the server, over real sockets: the native client runs what the page runs.

use std::time::Duration;

use sheetbend::board::{Board, Change};
use sheetbend::native::{Fate, Opening, Session, session::EditError};
use sheetbend::server::{NewBoard, Server, Settings, store::sqlite::Sqlite};
use sheetbend::sync::backoff::Backoff;
use sheetbend::sync::client::Connection;
use sheetbend::sync::id::Key;
use sheetbend::sync::link;

use crate::support::boards::{add_list, make_board};
use crate::support::ids::{document_id, key};
use crate::support::program::Running;

fn opening(address: std::net::SocketAddr, key: Key, name: &str) -> Opening {
    // As patient as ever, and quicker.
    let backoff = Backoff { base: Duration::from_millis(20), cap: Duration::from_millis(200) };
    let link = link::Settings { backoff, ..link::Settings::default() };
    Opening { link, ..Opening::new(format!("ws://{address}/api/sync"), key, name) }
}

#[tokio::test]
async fn two_people_plan_together_and_a_third_looks_on() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(data.path());
    make_board(&running).await;
    let open = |key: Key, name| Session::<Board>::open(opening(running.address, key, name));
    let (ada, bob, eve) = (open(key(1), "Ada"), open(key(1), "Bob"), open(key(1).view_key(), "Eve"));

    let renamed = ada.edit(Change::RenameBoard { title: "Harbour fair".into() }).await.expect("is taken");
    let added = bob.edit(add_list(2, 1)).await.expect("is taken");
    assert_eq!((renamed.await, added.await), (Ok(Fate::Saved), Ok(Fate::Saved)));
    for person in [&ada, &bob, &eve] {
        let view = person.wait_for(|view| view.cursor.version == 2).await.expect("goes on");
        assert_eq!((view.document.title.as_str(), view.document.lists.len()), ("Harbour fair", 1));
    }

    let refused = ada.edit(add_list(2, 1)).await.expect("is taken").await.expect("is answered");
    assert!(matches!(&refused, Fate::Refused(why) if why.code == "list_exists"), "{refused:?}");
    let looked_on = eve.edit(Change::RenameBoard { title: "Mine".into() }).await;
    assert!(matches!(looked_on.map(drop), Err(EditError::Refused(why)) if why.code == "view_only"));
}

#[tokio::test]
async fn a_wrong_key_is_final() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(data.path());
    let session = Session::<Board>::open(opening(running.address, key(9), "Ada"));
    let view = session.wait_for(|view| matches!(view.status.connection, Connection::Refused(_))).await.expect("ends");
    let Connection::Refused(bye) = view.status.connection else { panic!("refused") };
    assert!(bye.message.contains("opens no board"), "{bye:?}");
}

/// The heart of it: people type, the server is killed again and again, and every change arrives once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_it_loses_and_doubles_nothing() {
    const LIVES: u64 = 6;
    const EACH: u64 = 25;
    let data = tempfile::tempdir().expect("a folder");
    let mut running = Running::start(data.path());
    make_board(&running).await;
    let people =
        [1_u8, 2].map(|who| (who, Session::<Board>::open(opening(running.address, key(1), &format!("Person {who}")))));
    let mut fates = Vec::new();
    for life in 0..LIVES {
        for n in 0..EACH {
            for (who, session) in &people {
                fates.push(session.edit(add_list(*who, life * EACH + n)).await.expect("is taken"));
            }
        }
        // Some of it is saved, some is on its way.
        let some = life * EACH * 2 + 5;
        people[0].1.wait_for(|view| view.cursor.version >= some).await.expect("goes on");
        running.restart(data.path());
        people[1].1.retry_now();
    }
    for fate in fates {
        assert_eq!(fate.await, Ok(Fate::Saved));
    }

    let all = LIVES * EACH * 2;
    let mut views = Vec::new();
    for (_, session) in &people {
        let view =
            session.wait_for(|view| view.cursor.version >= all && view.status.pending == 0).await.expect("goes on");
        assert_eq!(view.cursor.version, all, "each change has one place: a second would have been refused");
        assert_eq!(view.document.lists.len() as u64, all);
        views.push((view.document, view.cursor));
    }
    assert_eq!(views[0], views[1]);

    drop(running);
    let store = Sqlite::open(data.path()).expect("opens");
    let server: Server<Board, Sqlite> = Server::new(store, Settings::default());
    let opened = server.open(&key(1)).await.expect("works").expect("there");
    assert_eq!((opened.view, opened.cursor), views[0].clone(), "as on the server's disk");
    let again = NewBoard { id: document_id(1), edit_key: key(1), view_key: key(1).view_key() };
    assert_eq!(server.create(again).await.expect("works"), sheetbend::server::store::Creation::Existed);
}
