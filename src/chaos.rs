//! Runs a bad network: `sheetbend chaos`.

use std::io::{self, BufRead as _};
use std::net::SocketAddr;
use std::path::Path;
use std::thread;

use sheetbend::native::Chaos;
use sheetbend::native::chaos::{Order, OrderError};
use sheetbend::sync::faults::script::ScriptError;
use sheetbend::sync::faults::{Level, Preset, Script};
use tokio::sync::mpsc;

use super::{cli, program};

/// Why it did not start. Each is a sentence for the person who started it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("\"{0}\" is not an address. Write one like 127.0.0.1:3000.")]
    Address(String),
    #[error("\"{0}\" is neither a preset nor a file that can be read ({1}). See sheetbend chaos --help.")]
    NoScript(String, io::Error),
    #[error("{0} is not a script: {1}. See sheetbend chaos --help.")]
    Script(String, serde_json::Error),
    #[error("the script cannot be played: {0}.")]
    Unplayable(#[from] ScriptError),
    #[error("the script cannot be played: {0}.")]
    Order(#[from] OrderError),
    #[error("cannot listen on {0}: {1}. Choose another address with --listen.")]
    Listen(SocketAddr, io::Error),
    #[error("cannot start: {0}.")]
    Runtime(io::Error),
}

/// Is a bad network until told to stop.
pub(crate) fn run(options: &cli::Chaos) -> Result<(), StartError> {
    program::log_to_standard_error();
    let address = |text: &str| program::resolve(text).ok_or_else(|| StartError::Address(text.to_owned()));
    let (listen, to) = (address(&options.listen)?, address(&options.to)?);
    let script = script(&options.script, options.seed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Runtime)?;
    runtime.block_on(async {
        let chaos = Chaos::start(listen, to).await.map_err(|error| StartError::Listen(listen, error))?;
        let stop = program::stop().map_err(StartError::Runtime)?;
        chaos.play(script)?;
        println!("Chaos listens on {}", chaos.address());
        if options.control {
            tokio::select! {
                () = take_orders(&chaos) => {}
                () = stop => {}
            }
        } else {
            stop.await;
        }
        Ok(())
    })
}

/// The script of a preset or a file.
fn script(name: &str, seed: Option<u64>) -> Result<Script, StartError> {
    let script = match name.parse::<Preset>() {
        Ok(preset) => preset.script(),
        Err(_) => {
            let text = std::fs::read_to_string(Path::new(name))
                .map_err(|error| StartError::NoScript(name.to_owned(), error))?;
            serde_json::from_str(&text).map_err(|error| StartError::Script(name.to_owned(), error))?
        }
    };
    let script = match seed {
        Some(seed) => script.with_seed(seed),
        None => script,
    };
    script.check_for(Level::Stream)?;
    Ok(script)
}

/// Takes orders until standard input ends, and answers each.
async fn take_orders(chaos: &Chaos) {
    let (send, mut orders) = mpsc::unbounded_channel();
    // Reading standard input cannot be interrupted: the thread ends with the process.
    thread::spawn(move || {
        let lines = io::stdin().lock().lines().map_while(Result::ok);
        lines.filter(|line| !line.trim().is_empty()).try_for_each(|line| send.send(line))
    });
    while let Some(line) = orders.recv().await {
        match line.parse::<Order>().and_then(|order| chaos.obey(order)) {
            Ok(()) => println!("ok"),
            Err(error) => println!("error: {error}"),
        }
    }
}
