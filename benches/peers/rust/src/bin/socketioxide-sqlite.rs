//! Socketioxide with SQLite: every change is on disk (`synchronous=FULL`, all that waits in one transaction) before it is acknowledged and
//! sent on. A change that is resent is there twice, and who comes back is not told what was missed: both are the app's.

use std::path::Path;
use std::thread;

use axum::Router;
use axum::serve::ListenerExt as _;
use rusqlite::Connection;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, Extension, SocketRef, State};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// What is to be kept: a room's change.
struct Job {
    room: String,
    content: String,
    done: oneshot::Sender<()>,
}

#[derive(Clone)]
struct Writer(mpsc::UnboundedSender<Job>);

impl Writer {
    fn start(file: &Path) -> Self {
        let db = Connection::open(file).expect("opens");
        db.pragma_update(None, "journal_mode", "WAL").expect("takes it");
        db.pragma_update(None, "synchronous", "FULL").expect("takes it");
        db.execute_batch("CREATE TABLE IF NOT EXISTS messages (seq INTEGER PRIMARY KEY, room TEXT, content TEXT)")
            .expect("a table");
        let (queue, mut jobs) = mpsc::unbounded_channel::<Job>();
        thread::spawn(move || {
            while let Some(first) = jobs.blocking_recv() {
                let mut group = vec![first];
                while group.len() < 512
                    && let Ok(job) = jobs.try_recv()
                {
                    group.push(job);
                }
                db.execute_batch("BEGIN").expect("begins");
                let mut insert =
                    db.prepare_cached("INSERT INTO messages (room, content) VALUES (?1, ?2)").expect("prepares");
                for job in &group {
                    insert.execute((&job.room, &job.content)).expect("inserts");
                }
                db.execute_batch("COMMIT").expect("commits");
                for job in group {
                    let _ = job.done.send(());
                }
            }
        });
        Self(queue)
    }

    async fn keep(&self, room: String, content: String) {
        let (done, kept) = oneshot::channel();
        let _ = self.0.send(Job { room, content, done });
        kept.await.expect("is kept");
    }
}

#[derive(Clone)]
struct Room(String);

async fn connected(socket: SocketRef) {
    socket.on("join", async |socket: SocketRef, Data(room): Data<String>, acknowledge: AckSender| {
        socket.join(room.clone());
        socket.extensions.insert(Room(room));
        let _ = acknowledge.send(&());
    });
    socket.on(
        "change",
        async |io: SocketIo,
               Extension(Room(room)): Extension<Room>,
               Data((_id, content)): Data<(String, String)>,
               State(writer): State<Writer>,
               acknowledge: AckSender| {
            writer.keep(room.clone(), content.clone()).await;
            let _ = io.to(room).emit("change", &content).await;
            let _ = acknowledge.send(&());
        },
    );
}

#[tokio::main]
async fn main() {
    let data = std::env::var("DATA").expect("DATA");
    let writer = Writer::start(&Path::new(&data).join("socketioxide.db"));
    let (layer, io) = SocketIo::builder().with_state(writer).max_buffer_size(4096).build_layer();
    io.ns("/", connected);
    let port = std::env::var("PORT").expect("PORT");
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("binds");
    println!("listening");
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    axum::serve(listener, Router::new().layer(layer)).await.expect("serves");
}
