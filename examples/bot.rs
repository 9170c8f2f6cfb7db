//! A bot on a board: whoever adds a card that ends with a question mark gets it labelled "question".
//!
//! ```sh
//! cargo run --features ssr --example bot -- http://127.0.0.1:3000/b/KEY
//! ```
//!
//! What it has not got saved when it ends is in `bot.outbox`, and is sent when it is started again.

use std::error::Error;
use std::path::Path;

use sheetbend::board::{Board, Change};
use sheetbend::native::{Disk, Fate, Opening, Session};
use sheetbend::sync::message::Body;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let link = std::env::args().nth(1).ok_or("Name a board's link.")?;
    let mut opening = Opening::of_link(&link, "Bot")?;
    opening.disk = Some(Disk::open(Path::new("bot.outbox"), &opening.key)?);
    let session = Session::<Board>::open(opening);

    let mut entries = session.follow()?;
    println!("The bot listens.");
    while let Some(entry) = entries.recv().await {
        let (Body::Known(Change::AddCard { card, content }), None) = (entry.change, entry.refused) else { continue };
        if !content.title.ends_with('?') {
            continue;
        }
        let label = Change::SetLabel { card, label: "question".into(), on: true };
        match session.edit(label).await?.await? {
            Fate::Saved => println!("Labelled “{}”.", content.title),
            Fate::Refused(why) => eprintln!("“{}” was not labelled: {}", content.title, why.message),
        }
    }
    Ok(())
}
