//! The log on standard error. Keys and contents are in it at no level.

use std::any::Any;
use std::io;
use std::panic::PanicHookInfo;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

/// `RUST_LOG` says what is logged: `sheetbend=debug` for what each connection does.
///
/// Only warnings and errors of other crates are logged, whatever `RUST_LOG` says. Below that some of them print what passes through:
/// tungstenite prints frames, and tokio-postgres the parameters of statements.
pub(crate) fn log_to_standard_error() {
    let asked = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let written = fmt::layer().with_writer(io::stderr).with_filter(asked).with_filter(discreet());
    tracing_subscriber::registry().with(written).init();
    std::panic::set_hook(Box::new(report_panic));
}

/// Lets all events of this program pass, and of other crates those that say nothing of contents.
fn discreet() -> Targets {
    Targets::new().with_target("sheetbend", LevelFilter::TRACE).with_default(LevelFilter::WARN)
}

/// Logs where a panic happened. Its message only if that was there when the program was compiled: others may quote what people
/// wrote, as a failed slice of a text does.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, backtrace = %std::backtrace::Backtrace::capture(), "panicked: {}", words(panic.payload()));
}

fn words(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(the message is left out, since it may quote contents)")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    #[test]
    fn a_panic_that_quotes_a_text_is_logged_without_it() {
        assert_eq!(words(&"the room is gone"), "the room is gone");
        let quoting = std::panic::catch_unwind(|| {
            let text = String::from("Zoë buys rope");
            text[..3].len()
        });
        let payload = quoting.expect_err("not between characters");
        assert!(payload.downcast_ref::<String>().is_some_and(|text| text.contains("rope")), "it quotes the text");
        assert!(!words(&*payload).contains("rope"));
    }

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn other_crates_say_nothing_below_warnings() {
        let written = Written::default();
        let writer = written.clone();
        let layer = fmt::layer().with_writer(move || writer.clone()).with_filter(EnvFilter::new("trace"));
        let log = tracing_subscriber::registry().with(layer.with_filter(discreet()));
        tracing::subscriber::with_default(log, || {
            tracing::trace!(target: "sheetbend::server", "ours");
            tracing::info!(target: "tungstenite::protocol", "a frame");
            tracing::debug!(target: "tokio_postgres", "a parameter");
            tracing::warn!(target: "rustls", "a warning");
        });
        let text = String::from_utf8(written.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("text");
        assert!(text.contains("ours") && text.contains("a warning"), "{text}");
        assert!(!text.contains("a frame") && !text.contains("a parameter"), "{text}");
    }
}
