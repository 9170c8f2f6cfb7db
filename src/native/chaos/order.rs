//! Faults as lines of text, for whoever steers a proxy from another process.

use std::str::FromStr;

use serde_json::{Value, json};

use crate::sync::faults::script::ScriptError;
use crate::sync::faults::{Fault, Preset, Script};

/// What one line says: `offline`, a preset; `{"fault": "half_open"}`; or a script, `{"steps": [...]}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// This happens now, on top of what holds.
    Apply(Fault),
    /// Play this from its start, in place of what is playing.
    Play(Script),
}

/// Why an order is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// It is neither a word that is known nor JSON that is.
    #[error(
        "\"{line}\" is neither a preset ({presets}) nor a fault like {{\"fault\": \"half_open\"}} nor a script: {why}",
        presets = Preset::ALL.map(Preset::name).join(", ")
    )]
    Unknown {
        /// It.
        line: String,
        /// What is wrong with it.
        why: serde_json::Error,
    },
    /// It cannot be played, or not by a proxy.
    #[error(transparent)]
    Script(#[from] ScriptError),
}

impl FromStr for Order {
    type Err = OrderError;

    fn from_str(line: &str) -> Result<Self, OrderError> {
        let line = line.trim();
        let unknown = |why| OrderError::Unknown { line: line.to_owned(), why };
        if let Ok(preset) = line.parse::<Preset>() {
            return Ok(Self::Play(preset.script()));
        }
        if !line.starts_with('{') {
            // A fault that needs nothing said about it may be said in a word: `cut`.
            return serde_json::from_value(json!({ "fault": line })).map(Self::Apply).map_err(unknown);
        }
        let value: Value = serde_json::from_str(line).map_err(unknown)?;
        if value.get("fault").is_some() {
            serde_json::from_value(value).map(Self::Apply).map_err(unknown)
        } else {
            serde_json::from_value(value).map(Self::Play).map_err(unknown)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::faults::Directions;

    #[test]
    fn lines_say_presets_faults_and_scripts() {
        let read = |line: &str| line.parse::<Order>().expect("an order");
        assert_eq!(read(" tunnel\n"), Order::Play(Preset::Tunnel.script()));
        assert_eq!(read("cut"), Order::Apply(Fault::Cut));
        let half_open = Fault::HalfOpen { direction: Directions::ToClient };
        assert_eq!(read(r#"{"fault": "half_open", "direction": "to_client"}"#), Order::Apply(half_open));
        let script = r#"{"steps": [{"at_ms": 0, "do": {"fault": "refuse"}}]}"#;
        assert_eq!(read(script), Order::Play(Script::of(Fault::Refuse)));
    }

    #[test]
    fn a_line_that_says_nothing_known_is_answered_with_what_there_is() {
        for line in ["fog", "delay", "{", r#"{"fault": "fog"}"#, r#"{"steps": 3}"#] {
            let why = line.parse::<Order>().expect_err("not an order").to_string();
            assert!(why.contains("tunnel") && why.contains("half_open") && !why.contains('\n'), "{why}");
        }
    }
}
