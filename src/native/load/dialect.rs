//! How people talk to a server.

use std::fmt::Debug;
use std::time::Duration;

use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::super::boards::NotMade;

/// A server, by the way people talk to it over a WebSocket.
pub trait Dialect: Clone + Debug + Send + Sync + 'static {
    /// What somebody needs to open a board.
    type Board: Clone + Debug + Send + Sync + 'static;
    /// Somebody with a board.
    type Speaker: Speaker;

    /// Makes a board that nobody else has.
    ///
    /// # Errors
    /// [`NotMade`].
    fn make(&self) -> impl Future<Output = Result<Self::Board, NotMade>> + Send;

    /// Somebody who has never been on `board`.
    fn speaker(&self, board: &Self::Board) -> Self::Speaker;
}

/// Somebody's end of a conversation, whatever sockets it goes over: a clone of one who has been there comes back to where that was.
pub trait Speaker: Clone + Debug + Send + 'static {
    /// What opens a socket.
    ///
    /// # Errors
    /// That the server's address is none.
    fn request(&self) -> Result<Request, Error>;

    /// What is said first on a new socket.
    fn hello(&mut self) -> Vec<Message>;

    /// Whether the server has brought this person up to date on this socket.
    fn is_there(&self) -> bool;

    /// After the server's side drops the line, the first attempt to come back is made at some time within this.
    fn spread(&self) -> Duration;

    /// Hears a frame; what it asks for goes to `answers`.
    ///
    /// # Errors
    /// [`SentAway`].
    fn hear(&mut self, frame: &[u8], answers: &mut Vec<Message>) -> Result<(), SentAway>;

    /// Words changes that say `texts`, to be found in what everybody is sent as they are.
    fn say(&mut self, texts: Vec<String>, lasting: Lasting) -> Vec<Message>;
}

/// Whether a change takes room on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// It takes the place of the one before, however often it is made.
    No,
    /// It stays beside the others.
    Yes,
}

/// The server does not want to serve somebody; it said this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentAway(pub String);
