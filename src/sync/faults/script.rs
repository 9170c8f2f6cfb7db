//! Faults on a timeline.

use serde::{Deserialize, Serialize};

use super::Level;
use super::fault::Fault;

/// A timeline of faults, with the seed of all that is random on it: played again, it is the same again.
///
/// ```
/// # use sheetbend::sync::faults::Script;
/// let script = r#"{
///     "seed": 7,
///     "repeat_ms": 17000,
///     "steps": [
///         {"at_ms": 0, "do": {"fault": "delay", "ms": 100, "jitter_ms": 50}},
///         {"at_ms": 15000, "within_ms": 1000, "do": {"fault": "offline"}},
///         {"at_ms": 17000, "do": {"fault": "clear"}}
///     ]
/// }"#;
/// let script: Script = serde_json::from_str(script)?;
/// # assert_eq!(script.steps.len(), 3);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Script {
    /// Feeds all that is random.
    #[serde(default)]
    pub seed: u64,
    /// Starts again after this time, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_ms: Option<u64>,
    /// In the order of their times.
    pub steps: Vec<Step>,
}

/// A fault and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// From the script's start, or from that of its repetition.
    pub at_ms: u64,
    /// And up to so much later, uniformly; but before the next step.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub within_ms: u64,
    /// What happens.
    #[serde(rename = "do")]
    pub fault: Fault,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(ms: &u64) -> bool {
    *ms == 0
}

/// Why a script cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// Steps are not in the order of their times.
    #[error("step {0} is before the one above it: put steps in the order of at_ms")]
    Order(usize),
    /// It would start again before its last step, or at once.
    #[error("repeat_ms must be more than 0, and not before the last step")]
    Repeat,
    /// A share is not between 0 and 1.
    #[error("step {0} has a share that is not between 0 and 1")]
    Share(usize),
    /// The driver cannot make it happen.
    #[error("step {0} cannot be made here: {1}")]
    Beyond(usize, &'static str),
}

impl Script {
    /// One fault, at once.
    #[must_use]
    pub fn of(fault: Fault) -> Self {
        Self { steps: vec![Step { at_ms: 0, within_ms: 0, fault }], ..Self::default() }
    }

    /// The same with another seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Whether it can be played.
    ///
    /// # Errors
    /// [`ScriptError`], with the number of the step, counted from 1.
    pub fn check(&self) -> Result<(), ScriptError> {
        let unordered = self.steps.windows(2).position(|pair| pair[1].at_ms < pair[0].at_ms);
        if let Some(at) = unordered {
            return Err(ScriptError::Order(at + 2));
        }
        let last = self.steps.last().map_or(0, |step| step.at_ms);
        if self.repeat_ms.is_some_and(|repeat| repeat == 0 || repeat < last) {
            return Err(ScriptError::Repeat);
        }
        let no_share = |step: &Step| match step.fault {
            Fault::Lose { share, .. } | Fault::Duplicate { share, .. } | Fault::Reorder { share, .. } => {
                !(0.0..=1.0).contains(&share)
            }
            _ => false,
        };
        self.steps.iter().position(no_share).map_or(Ok(()), |at| Err(ScriptError::Share(at + 1)))
    }

    /// Whether a driver at `level` can play it.
    ///
    /// # Errors
    /// The first step that it cannot make happen, and why.
    pub fn check_for(&self, level: Level) -> Result<(), ScriptError> {
        self.check()?;
        let beyond = self.steps.iter().zip(1..).find_map(|(step, n)| step.fault.beyond(level).map(|why| (n, why)));
        beyond.map_or(Ok(()), |(n, why)| Err(ScriptError::Beyond(n, why)))
    }
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    #[serde(default)]
    seed: u64,
    repeat_ms: Option<u64>,
    steps: Vec<Step>,
}

impl TryFrom<Unchecked> for Script {
    type Error = ScriptError;

    fn try_from(Unchecked { seed, repeat_ms, steps }: Unchecked) -> Result<Self, ScriptError> {
        let script = Self { seed, repeat_ms, steps };
        script.check().map(|()| script)
    }
}
