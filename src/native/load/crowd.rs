//! People on plain sockets, and what they measure together.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use indicatif::ProgressBar;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::super::socket;
use super::dialect::{Lasting, SentAway, Speaker};
use super::figures::Times;

/// Most changes that one person has on their way, as the page holds to.
const IN_FLIGHT: usize = 64;

/// Stands around what a change says: when it was to be sent, in microseconds of the run, and by whom.
const MARK: u8 = b'@';

/// Why a person is not there.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// There is no line.
    #[error("the connection broke: {0}")]
    Broken(#[from] tungstenite::Error),
    /// The server ended it without a word.
    #[error("the server closed the connection")]
    Closed,
    /// The server ended it with these words.
    #[error("the server said: {0}")]
    SentAway(String),
}

impl From<SentAway> for Lost {
    fn from(SentAway(words): SentAway) -> Self {
        Self::SentAway(words)
    }
}

/// Someone with a board open.
#[derive(Debug)]
pub(super) struct Person<S> {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(super) speaker: S,
    answers: Vec<Message>,
    /// Bytes that it took to bring them there.
    pub(super) bytes: usize,
}

impl<S: Speaker> Person<S> {
    /// Opens a board, and hears what it takes to be up to date; `heard` is given all that.
    pub(super) async fn join(mut speaker: S, mut heard: impl FnMut(&[u8])) -> Result<Self, Lost> {
        let socket = socket::connect(speaker.request()?).await?;
        let hello = speaker.hello();
        let mut person = Self { socket, speaker, answers: Vec::new(), bytes: 0 };
        person.send(hello).await?;
        while !person.speaker.is_there() {
            let frame = person.next().await?;
            person.bytes += frame.len();
            heard(&frame);
        }
        Ok(person)
    }

    /// Says changes, and waits until this person hears of all of them.
    pub(super) async fn save(&mut self, run: &Run, who: usize, changes: usize, lasting: Lasting) -> Result<(), Lost> {
        let now = run.now();
        self.say((0..changes).map(|_| now), who, lasting).await?;
        let mut missing = changes;
        while missing > 0 {
            let frame = self.next().await?;
            missing -= marks(&frame).filter(|mark| mark.who == who).count().min(missing);
        }
        run.delivered.record((0..changes).map(|_| run.now() - now));
        Ok(())
    }

    /// Says so many lasting changes, some at a time, and waits until this person has heard of all.
    pub(super) async fn fill(&mut self, run: &Run, changes: usize, bar: &ProgressBar) -> Result<(), Lost> {
        let mut left = changes;
        while left > 0 {
            let count = left.min(IN_FLIGHT);
            self.save(run, 0, count, Lasting::Yes).await?;
            left -= count;
            bar.inc(count as u64);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Says changes that were to be sent then.
    async fn say(&mut self, due: impl Iterator<Item = u64>, who: usize, lasting: Lasting) -> Result<(), Lost> {
        let texts = due.map(|due| mark(due, who)).collect();
        let messages = self.speaker.say(texts, lasting);
        self.send(messages).await
    }

    async fn send(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<(), Lost> {
        for message in messages {
            self.socket.feed(message).await?;
        }
        Ok(self.socket.flush().await?)
    }

    /// The next frame; what it asks for is answered.
    pub(super) async fn next(&mut self) -> Result<tungstenite::Bytes, Lost> {
        let frame = loop {
            match self.socket.next().await {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => break message.into_data(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Lost::Closed),
            }
        };
        self.speaker.hear(&frame, &mut self.answers)?;
        if !self.answers.is_empty() {
            let answers = std::mem::take(&mut self.answers);
            self.send(answers).await?;
        }
        Ok(frame)
    }

    /// Listens, until the connection ends.
    pub(super) async fn idle(&mut self) -> Lost {
        loop {
            if let Err(lost) = self.next().await {
                return lost;
            }
        }
    }

    /// Listens, and writes what `writing` says to, until the connection ends; `told` is given how many changes each frame told of.
    pub(super) async fn take_part(
        &mut self,
        run: &Run,
        who: usize,
        mut writing: Option<Writing>,
        told: impl Fn(usize),
    ) -> Lost {
        let mut waiting: VecDeque<u64> = VecDeque::new();
        let mut in_flight = 0;
        loop {
            let due = writing.as_ref().and_then(Writing::due).map(|due| run.start + Duration::from_micros(due));
            tokio::select! {
                frame = self.next() => match frame {
                    Ok(frame) => {
                        let heard = run.hear(&frame, who);
                        told(heard.all);
                        in_flight -= heard.own.min(in_flight);
                    }
                    Err(lost) => return lost,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let now = run.now();
                    waiting.extend(writing.iter_mut().flat_map(|writing| writing.take(now)));
                }
            }
            let count = waiting.len().min(IN_FLIGHT.saturating_sub(in_flight));
            if count > 0 {
                in_flight += count;
                run.sent.fetch_add(count as u64, Relaxed);
                if let Err(lost) = self.say(waiting.drain(..count), who, Lasting::No).await {
                    return lost;
                }
            }
        }
    }
}

/// When one person is to write: every so often, between two times of the run, in microseconds.
#[derive(Clone, Debug)]
pub(super) struct Writing {
    pub(super) next: f64,
    pub(super) every: f64,
    pub(super) until: f64,
}

impl Writing {
    fn due(&self) -> Option<u64> {
        (self.next < self.until).then_some(self.next as u64)
    }

    /// The times that have come by now.
    fn take(&mut self, now: u64) -> Vec<u64> {
        let mut due = Vec::new();
        while let Some(at) = self.due().filter(|at| *at <= now) {
            due.push(at);
            self.next += self.every;
        }
        due
    }
}

/// What a crowd measures together.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) start: Instant,
    /// From when a change was to be sent to when somebody heard of it: one for each that heard it.
    pub(super) delivered: Times,
    /// Changes that were sent.
    pub(super) sent: AtomicU64,
}

/// How many changes a frame told somebody of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) all: usize,
    /// Their own ones.
    pub(super) own: usize,
}

impl Run {
    pub(super) fn start() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), delivered: Times::new(), sent: AtomicU64::new(0) })
    }

    /// Takes the times of what is in a frame.
    pub(super) fn hear(&self, frame: &[u8], who: usize) -> Told {
        let now = self.now();
        let mut told = Told::default();
        let times = marks(frame).map(|mark| {
            told.all += 1;
            told.own += usize::from(mark.who == who);
            now.saturating_sub(mark.due)
        });
        self.delivered.record(times);
        told
    }

    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// What a change says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    due: u64,
    who: usize,
}

/// What a change says that was to be sent then, by this person.
fn mark(due: u64, who: usize) -> String {
    let mark = char::from(MARK);
    format!("{mark}{due}:{who}{mark}")
}

/// What the changes in a frame say. A frame may be of bytes that mean anything else.
fn marks(frame: &[u8]) -> impl Iterator<Item = Mark> {
    let mut rest = frame;
    std::iter::from_fn(move || {
        loop {
            rest = &rest[memchr::memchr(MARK, rest)? + 1..];
            if let Some((mark, after)) = read_mark(rest) {
                rest = after;
                return Some(mark);
            }
        }
    })
}

/// What follows a mark's first sign, and what follows that.
fn read_mark(text: &[u8]) -> Option<(Mark, &[u8])> {
    let (due, rest) = read_number(text)?;
    let (who, rest) = read_number(rest.strip_prefix(b":")?)?;
    Some((Mark { due, who: usize::try_from(who).ok()? }, rest.strip_prefix(&[MARK])?))
}

fn read_number(text: &[u8]) -> Option<(u64, &[u8])> {
    const DIGITS: usize = 19;
    let digits = text.iter().take(DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    let value = number.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    (digits > 0).then_some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_in_what_the_server_sends() {
        let frame = br#"{"type":"committed","entries":[{"change":{"kind":"rename_board","title":"@17:3@"}},{"title":"@18:4@"}]}"#;
        assert_eq!(marks(frame).collect::<Vec<_>>(), [Mark { due: 17, who: 3 }, Mark { due: 18, who: 4 }]);
        assert_eq!(marks(br#"{"type":"committed","entries":[]}"#).count(), 0);
        assert_eq!(marks(b"@@@17:\0@1:@17:3@\xff@18:4@@").count(), 2, "among bytes that mean something else");
        assert_eq!(marks(mark(u64::MAX / 2, 9).as_bytes()).next(), Some(Mark { due: u64::MAX / 2, who: 9 }));
    }

    #[test]
    fn writing_keeps_to_its_times_however_late_it_is() {
        let mut writing = Writing { next: 0.0, every: 100.0, until: 1_000.0 };
        assert_eq!(writing.take(250), [0, 100, 200]);
        assert_eq!(writing.due(), Some(300));
        assert_eq!(writing.take(5_000).len(), 7);
        assert_eq!(writing.due(), None);
    }
}
