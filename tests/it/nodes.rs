//! Several servers on one PostgreSQL, behind a balancer that sends each connection to another one.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sheetbend::board::Board;
use sheetbend::sync::client::Connection;
use tokio::net::{TcpListener, TcpStream};

use crate::support::boards::{add_card, add_list, make_board};
use crate::support::cluster::Cluster;
use crate::support::people::{Person, agree, quick};
use crate::support::program::{PROGRAM, Running};

/// Changes of each person between two misfortunes.
const EACH: u64 = 20;

fn serve(database: &str, listen: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", listen, "--database", database]);
    command.env("RUST_LOG", "error").current_dir(std::env::temp_dir());
    command
}

/// Servers, and the address of the balancer in front of them.
struct Nodes {
    database: String,
    running: Vec<Running>,
    balancer: SocketAddr,
}

impl Nodes {
    async fn start(database: String, count: usize) -> Self {
        let running: Vec<_> = (0..count).map(|_| Running::run(&mut serve(&database, "127.0.0.1:0"))).collect();
        let addresses = running.iter().map(|node| node.address).collect();
        Self { database, running, balancer: balance(addresses).await }
    }

    fn start_again(&mut self, node: usize) {
        let address = self.running[node].address.to_string();
        self.running[node] = Running::run(&mut serve(&self.database, &address));
    }
}

/// Sends each connection to the next server that takes it.
async fn balance(nodes: Vec<SocketAddr>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut turn = 0;
        while let Ok((mut client, _)) = listener.accept().await {
            turn += 1;
            let order: Vec<_> = (0..nodes.len()).map(|n| nodes[(turn + n) % nodes.len()]).collect();
            tokio::spawn(async move {
                for node in order {
                    if let Ok(mut server) = TcpStream::connect(node).await {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                        return;
                    }
                }
            });
        }
    });
    address
}

async fn people(at: SocketAddr, count: u8) -> Vec<Person<Board>> {
    let mut people: Vec<_> = (1..=count).map(|who| Person::at(at, &format!("Person {who}"), quick())).collect();
    for person in &people {
        person.is_live().await;
    }
    people[0].edit(add_list(1, 1)).await;
    people[0].is_saved().await;
    people
}

async fn type_some(people: &mut [Person<Board>], round: u64) {
    for n in 1..=EACH {
        for (who, person) in people.iter_mut().enumerate() {
            person.edit(add_card(who as u8 + 1, round * EACH + n)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_killed_and_postgres_too_and_nothing_is_lost_or_doubled() {
    const PEOPLE: u8 = 6;
    let Some(mut cluster) = Cluster::start().await else { return };
    let database = cluster.database().await;
    let mut nodes = Nodes::start(database.clone(), 3).await;
    make_board(&nodes.running[0]).await;
    let mut people = people(nodes.balancer, PEOPLE).await;
    let mut round = 0;
    for node in [0, 1, 2, 0] {
        // A server is killed in the middle of it, and people go to the others.
        type_some(&mut people, round).await;
        nodes.running[node].stop();
        type_some(&mut people, round + 1).await;
        nodes.start_again(node);

        // The database's connections are cut: appends break off, and hints are lost.
        type_some(&mut people, round + 2).await;
        cluster
            .run(
                "postgres",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sheetbend'",
            )
            .await;

        // The database crashes, and is there again.
        type_some(&mut people, round + 3).await;
        cluster.crash().await;
        round += 4;
    }
    let entries = 1 + round * EACH * u64::from(PEOPLE);
    let view = agree(&mut people, entries).await;
    assert_eq!(view.document.cards.len() as u64 + 1, entries, "each change once");
    let whole = Command::new(PROGRAM).args(["check", "--database", &database]).output().expect("runs");
    assert!(whole.status.success(), "{whole:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_replaced_one_after_the_other_and_hardly_anybody_notices() {
    const PEOPLE: u8 = 6;
    let Some(cluster) = Cluster::start().await else { return };
    let mut nodes = Nodes::start(cluster.database().await, 3).await;
    make_board(&nodes.running[0]).await;
    let mut people = people(nodes.balancer, PEOPLE).await;
    let longest = Arc::new(Mutex::new(Duration::ZERO));
    for looker in (0..PEOPLE).map(|n| Person::<Board>::at(nodes.balancer, &format!("Looker {n}"), quick())) {
        looker.is_live().await;
        let longest = Arc::clone(&longest);
        tokio::spawn(async move {
            let is_live = |view: &sheetbend::native::session::View<Board>| view.status.connection == Connection::Live;
            while looker.session.wait_for(|view| !is_live(view)).await.is_ok() {
                let lost = Instant::now();
                if looker.session.wait_for(is_live).await.is_err() {
                    return;
                }
                let mut longest = longest.lock().expect("no test panicked");
                *longest = (*longest).max(lost.elapsed());
            }
        });
    }
    for node in 0..3 {
        type_some(&mut people, node as u64).await;
        assert!(nodes.running[node].terminate(), "it ends well");
        nodes.start_again(node);
    }
    let entries = 1 + 3 * EACH * u64::from(PEOPLE);
    agree(&mut people, entries).await;
    let longest = *longest.lock().expect("no test panicked");
    println!("The longest that anybody was without a line while three servers were replaced: {longest:?}");
    assert!(longest > Duration::ZERO, "somebody was sent away");
    assert!(longest < Duration::from_secs(2), "{longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_are_replaced_at_one_server_stop_at_the_others() {
    let Some(cluster) = crate::support::cluster::shared().await else { return };
    let nodes = Nodes::start(cluster.database().await, 2).await;
    make_board(&nodes.running[0]).await;
    let ada = Person::<Board>::at(nodes.running[1].address, "Ada", quick());
    ada.is_live().await;
    let (old, new) = (crate::support::ids::key(1), crate::support::ids::key(7));
    let body = serde_json::json!({ "edit_key": old, "new_edit_key": new }).to_string();
    let answer = crate::support::http::ask(nodes.running[0].address, "POST /api/keys", &[], &body).await;
    assert_eq!(answer.status, 200);
    ada.sees(|view| matches!(view.status.connection, Connection::Refused(_))).await;
}
