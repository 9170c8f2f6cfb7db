//! Bare axum: what somebody says goes to everybody on the same path. The floor: nothing is parsed, kept, numbered or sent again; who
//! does not keep up misses what was said, and is not told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::routing::any;
use axum::serve::ListenerExt as _;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpListener;
use tokio::sync::broadcast::{self, error::RecvError};

const CAPACITY: usize = 4096;

type Rooms = Arc<Mutex<HashMap<String, broadcast::Sender<Utf8Bytes>>>>;

#[tokio::main]
async fn main() {
    let app = Router::new()
        .route(
            "/{room}",
            any(|upgrade: WebSocketUpgrade, Path(room): Path<String>, State(rooms): State<Rooms>| async move {
                let room = rooms.lock().unwrap().entry(room).or_insert_with(|| broadcast::channel(CAPACITY).0).clone();
                upgrade.read_buffer_size(4096).on_upgrade(|socket| serve(socket, room))
            }),
        )
        .with_state(Rooms::default());
    let port = std::env::var("PORT").expect("PORT");
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("binds");
    println!("listening");
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    axum::serve(listener, app).await.expect("serves");
}

async fn serve(socket: WebSocket, room: broadcast::Sender<Utf8Bytes>) {
    let mut inbox = room.subscribe();
    let (mut sink, mut stream) = socket.split();
    let writing = async {
        loop {
            match inbox.recv().await {
                Ok(text) => {
                    if sink.feed(Message::Text(text)).await.is_err() {
                        return;
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
            // What else is there goes into the same write.
            while let Ok(text) = inbox.try_recv() {
                if sink.feed(Message::Text(text)).await.is_err() {
                    return;
                }
            }
            if sink.flush().await.is_err() {
                return;
            }
        }
    };
    let reading = async {
        while let Some(Ok(message)) = stream.next().await {
            if let Message::Text(text) = message {
                let _ = room.send(text);
            }
        }
    };
    tokio::select! {
        () = writing => {}
        () = reading => {}
    }
}
