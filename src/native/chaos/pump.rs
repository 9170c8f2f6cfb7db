//! One way of a connection: what is read on one side arrives on the other as the line lets it.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::Shared;
use crate::sync::faults::{Direction, Verdict};
use crate::sync::time::Moment;

/// Bytes that travel together: what fits into an Ethernet frame.
const PACKET: usize = 1_460;

/// Most packets on their way. Then the sender has to wait, as TCP's window makes it.
const ON_THE_WAY: usize = 512;

/// How one way of a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// One side said that it has no more to say, and the other was told.
    Finished,
    /// A side is gone.
    Broken,
    /// The line cut it.
    Cut,
}

/// What is on its way.
enum Packet {
    Bytes(Vec<u8>, Moment),
    /// The last bytes before the line cuts the connection.
    LastBytes(Vec<u8>, Moment),
    Finish(Moment),
}

/// Carries one way until it ends. Returns [`End::Finished`], or the end of the whole connection as an error.
pub(super) async fn pump(
    shared: &Shared,
    direction: Direction,
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    carried: &mut u64,
) -> Result<(), End> {
    let (send, arriving) = mpsc::channel(ON_THE_WAY);
    let (read, written) =
        tokio::join!(read(shared, direction, from, send), write(shared, direction, to, arriving, carried),);
    let end = match (read, written) {
        (Ok(()), Ok(End::Finished)) => return Ok(()),
        (_, Ok(End::Cut)) => return Err(End::Cut),
        (_, Err(_)) => {
            // The far side is gone, and the near side hears of it no sooner than of anything else from there.
            shared.voice(direction.opposite()).await;
            End::Broken
        }
        _ => End::Broken,
    };
    Err(end)
}

/// Reads until there is no more. When the far side's reader is gone, so is the use of reading.
async fn read(
    shared: &Shared,
    direction: Direction,
    mut from: ReadHalf<'_>,
    send: mpsc::Sender<Packet>,
) -> io::Result<()> {
    let mut buffer = [0; PACKET];
    loop {
        let size = tokio::select! {
            size = from.read(&mut buffer) => size,
            () = send.closed() => return Ok(()),
        };
        let size = match size {
            Ok(size) => size,
            Err(error) => {
                // The line carries a reset no sooner than anything else.
                shared.voice(direction).await;
                return Err(error);
            }
        };
        let bytes = &buffer[..size];
        let packet = match ask(shared, direction, size).await {
            Verdict::Cut { bytes: few, at } => Packet::LastBytes(bytes[..few.min(size)].to_vec(), at),
            Verdict::Deliver(at) if size == 0 => Packet::Finish(at),
            Verdict::Deliver(at) | Verdict::Twice(at, _) => Packet::Bytes(bytes.to_vec(), at),
            // Not of a stream.
            Verdict::Lost | Verdict::Held => continue,
        };
        let last = !matches!(packet, Packet::Bytes(..));
        if send.send(packet).await.is_err() || last {
            return Ok(());
        }
    }
}

/// What becomes of so many bytes; once the line is not silent.
async fn ask(shared: &Shared, direction: Direction, size: usize) -> Verdict {
    loop {
        let verdict = shared.lock().line.carry(direction, size, shared.now());
        match verdict {
            Verdict::Held => shared.voice(direction).await,
            verdict => return verdict,
        }
    }
}

async fn write(
    shared: &Shared,
    direction: Direction,
    mut to: WriteHalf<'_>,
    mut arriving: mpsc::Receiver<Packet>,
    carried: &mut u64,
) -> io::Result<End> {
    while let Some(packet) = arriving.recv().await {
        let (Packet::Bytes(_, at) | Packet::LastBytes(_, at) | Packet::Finish(at)) = &packet;
        sleep_until(shared.clock.instant(*at)).await;
        // What was on its way when the line went silent does not arrive either.
        shared.voice(direction).await;
        match packet {
            Packet::Bytes(bytes, _) => {
                to.write_all(&bytes).await?;
                *carried += bytes.len() as u64;
            }
            Packet::LastBytes(bytes, _) => {
                to.write_all(&bytes).await?;
                *carried += bytes.len() as u64;
                return Ok(End::Cut);
            }
            Packet::Finish(_) => {
                to.shutdown().await?;
                return Ok(End::Finished);
            }
        }
    }
    Ok(End::Broken)
}
