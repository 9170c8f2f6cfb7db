//! A line over plain HTTP, for a [`Client`](super::client::Client) that knows of no difference: what it says goes out in requests,
//! what it is to hear comes in their answers.
//!
//! One request is always under way that waits for something to be said, and one more while there is something to say: an answer
//! then is not held up by what goes the other way. The server keeps nothing between them; each request says where the line stands.
//! An answer that both bring is heard twice, which is harmless.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::{Value, json};

use super::message::{Limits, Resume};

/// Which way a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// It waits for what the server says.
    Down,
    /// It carries what the client says.
    Up,
}

/// An answer is not the server's, or not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not the server's, or not whole")]
pub struct Broken;

/// The line.
#[derive(Clone, Debug, Default)]
pub struct Polling {
    /// The client's `sync_request`.
    first: Option<Value>,
    /// How far the line is; `None` before the first answer.
    resume: Option<Resume>,
    outgoing: VecDeque<String>,
    down: bool,
    up: bool,
}

#[derive(Deserialize)]
struct Tagged<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
}

fn kind(text: &str) -> Option<&str> {
    serde_json::from_str(text).ok().map(|Tagged { kind }| kind)
}

impl Polling {
    /// The client says something. To a `ping` its next request is answer enough.
    pub fn say(&mut self, text: String) {
        match kind(&text) {
            Some("pong") => {}
            Some("sync_request") => self.first = serde_json::from_str(&text).ok(),
            _ => self.outgoing.push_back(text),
        }
    }

    /// The next request to make, with its body; `None` if there is none for now.
    pub fn ask(&mut self) -> Option<(Lane, String)> {
        let first = self.first.as_ref()?;
        if !self.down {
            self.down = true;
            return Some((Lane::Down, opening(first, self.resume)));
        }
        if self.up || self.outgoing.is_empty() || self.resume.is_none() {
            return None;
        }
        self.up = true;
        let mut body = opening(first, self.resume);
        let most = Limits::default().message_bytes;
        let mut bytes = 0;
        while let Some(text) = self.outgoing.pop_front_if(|text| bytes == 0 || bytes + text.len() <= most) {
            bytes += text.len();
            body.push_str(&text);
            body.push('\n');
        }
        Some((Lane::Up, body))
    }

    /// A request was answered. Returns what the server says, message by message.
    ///
    /// # Errors
    /// [`Broken`]: then the line is.
    pub fn answered(&mut self, lane: Lane, body: &str) -> Result<Vec<String>, Broken> {
        match lane {
            Lane::Down => self.down = false,
            Lane::Up => self.up = false,
        }
        let mut lines: Vec<_> = body.lines().map(str::to_owned).collect();
        let last = lines.last().ok_or(Broken)?;
        match kind(last) {
            Some("bye") => {}
            Some("resume") => {
                let resume: Resume = serde_json::from_str(last).map_err(|_| Broken)?;
                // The other request may have come further.
                if self.resume.is_none_or(|known| known.version <= resume.version) {
                    self.resume = Some(resume);
                }
                lines.pop();
            }
            _ => return Err(Broken),
        }
        Ok(lines)
    }
}

/// The `sync_request` of a request.
fn opening(first: &Value, resume: Option<Resume>) -> String {
    let mut request = first.clone();
    if let (Some(resume), Some(fields)) = (resume, request.as_object_mut()) {
        fields.remove("witness");
        fields.insert("resume".into(), json!(resume));
    }
    format!("{request}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"{"type":"sync_request","key":"k","version":3,"witness":{"version":9}}"#;

    fn resume(version: u64) -> String {
        format!(r#"{{"type":"resume","version":{version},"digest":"{}","saving":true}}"#, "0".repeat(32))
    }

    fn lines(body: &str) -> Vec<Value> {
        body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// A line that has had its first answer.
    fn begun() -> Polling {
        let mut line = Polling::default();
        line.say(REQUEST.into());
        let (lane, body) = line.ask().expect("asks");
        assert_eq!((lane, lines(&body)), (Lane::Down, lines(REQUEST)), "as the client says it");
        assert_eq!(line.ask(), None, "one at a time");
        let answer = format!("{{\"type\":\"sync_response\"}}\n{}\n", resume(7));
        assert_eq!(line.answered(lane, &answer), Ok(vec![r#"{"type":"sync_response"}"#.to_owned()]));
        line
    }

    #[test]
    fn says_where_it_stands_each_time() {
        let mut line = begun();
        let (lane, body) = line.ask().expect("waits for more");
        let request = &lines(&body)[0];
        assert_eq!((lane, &request["resume"]["version"], &request["key"]), (Lane::Down, &json!(7), &json!("k")));
        assert_eq!(request.get("witness"), None, "it was looked at");
        line.answered(lane, &resume(8)).expect("whole");
        assert_eq!(lines(&line.ask().expect("again").1)[0]["resume"]["version"], 8);
    }

    #[test]
    fn what_the_client_says_goes_beside_what_it_waits_for() {
        let mut line = begun();
        line.ask().expect("waits");
        line.say(r#"{"type":"pong","nonce":1}"#.into());
        assert_eq!(line.ask(), None, "a pong is not worth a request");
        line.say(r#"{"type":"changes","n":1}"#.into());
        line.say(r#"{"type":"ping","nonce":2}"#.into());
        let (lane, body) = line.ask().expect("says it");
        let kinds: Vec<_> = lines(&body).iter().map(|line| line["type"].clone()).collect();
        assert_eq!((lane, kinds), (Lane::Up, vec![json!("sync_request"), json!("changes"), json!("ping")]));
        line.say(r#"{"type":"changes","n":2}"#.into());
        assert_eq!(line.ask(), None, "one after the other, or they might arrive in another order");
        line.answered(Lane::Up, &resume(9)).expect("whole");
        line.answered(Lane::Down, &resume(8)).expect("whole");
        let requests = [line.ask().expect("waits"), line.ask().expect("says the rest")];
        for (lane, body) in requests {
            assert_eq!(lines(&body)[0]["resume"]["version"], 9, "{lane:?}");
        }
    }

    #[test]
    fn nothing_is_said_before_the_first_answer() {
        let mut line = Polling::default();
        assert_eq!(line.ask(), None);
        line.say(r#"{"type":"changes"}"#.into());
        line.say(REQUEST.into());
        assert_eq!(line.ask().map(|(lane, _)| lane), Some(Lane::Down));
        assert_eq!(line.ask(), None);
    }

    #[test]
    fn much_to_say_goes_in_parts() {
        let mut line = begun();
        line.ask().expect("waits");
        let large = format!(r#"{{"type":"changes","text":"{}"}}"#, "x".repeat(300_000));
        line.say(large.clone());
        line.say(large);
        assert_eq!(lines(&line.ask().expect("says it").1).len(), 2);
    }

    #[test]
    fn an_answer_from_elsewhere_or_cut_short_breaks_the_line() {
        for body in ["", "<html>Log in</html>", r#"{"type":"committed","entries":[]}"#, r#"{"type":"resume"}"#] {
            assert_eq!(begun().answered(Lane::Down, body), Err(Broken), "{body:?}");
        }
        let bye = r#"{"type":"bye","code":"draining"}"#;
        assert_eq!(begun().answered(Lane::Down, bye), Ok(vec![bye.to_owned()]));
    }
}
