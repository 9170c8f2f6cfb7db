//! A line over plain HTTP, for a [`Client`](super::client::Client) that knows of no difference: what it says goes out in requests,
//! what it is to hear comes in their answers.
//!
//! A browser has six connections to a server over HTTP/1.1, for all its tabs. So requests that wait are few: only a page that holds
//! one of the browser's [`SLOTS`] keeps a request waiting ([`Pace::Waits`]). Other pages that can be seen ask now and then, and when
//! another page of the browser has heard something ([`Pace::Asks`]); such a request is answered at once. Hidden pages ask for nothing
//! ([`Pace::Rests`]). Whatever the pace, there is one more request while the client has something to say, which is answered as soon
//! as that is decided on.
//!
//! The server keeps nothing between requests; each says where the line stands. An answer that two of them bring is heard twice, which
//! is harmless, and a request may be given up at any time.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::id::DocumentId;
use super::message::{Limits, Resume};

/// Maximum number of waiting requests of a browser: half of its six connections to a server.
pub const SLOTS: usize = 3;

/// How often a page asks that has no request waiting.
pub const ASKS_EVERY: Duration = Duration::from_secs(2);

/// The nonce of the `ping` with which a request asks for an answer at once. Clients begin theirs at 1.
const ASKING: u64 = 0;

/// How a page hears what the server says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// A request is always waiting.
    Waits,
    /// Short requests, when [`Polling::look`] says so.
    Asks,
    /// No requests but those that carry what the client says.
    #[default]
    Rests,
}

/// A page has heard of the log up to here. Pages of a browser tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The document.
    pub document: DocumentId,
    /// The version of its last entry that was heard.
    pub version: u64,
}

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
    document: Option<DocumentId>,
    outgoing: VecDeque<String>,
    pace: Pace,
    /// A short request is due.
    looks: bool,
    down: bool,
    up: bool,
}

#[derive(Deserialize)]
struct Tagged<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    document: Option<DocumentId>,
}

fn read(text: &str) -> Option<Tagged<'_>> {
    serde_json::from_str(text).ok()
}

fn kind(text: &str) -> Option<&str> {
    read(text).map(|tagged| tagged.kind)
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

    /// The page goes on at this pace. Returns whether the request that waits is to be given up.
    pub fn set_pace(&mut self, pace: Pace) -> bool {
        let gives_up = self.pace == Pace::Waits && pace != Pace::Waits && self.down && self.resume.is_some();
        // A page that is seen again may have missed something.
        self.looks |= self.pace == Pace::Rests && pace == Pace::Asks;
        self.pace = pace;
        if gives_up {
            self.down = false;
        }
        gives_up
    }

    /// It is time to ask whether there is anything to hear.
    pub fn look(&mut self) {
        self.looks = self.pace == Pace::Asks;
    }

    /// Another page of the browser has heard something: if it is news here, it is worth a request.
    pub fn heard_elsewhere(&mut self, heard: Heard) {
        if self.heard().is_some_and(|here| here.document == heard.document && here.version < heard.version) {
            self.look();
        }
    }

    /// How far this page is; `None` before the first answer.
    #[must_use]
    pub fn heard(&self) -> Option<Heard> {
        Some(Heard { document: self.document?, version: self.resume?.version })
    }

    /// The next request to make, with its body; `None` if there is none for now.
    pub fn ask(&mut self) -> Option<(Lane, String)> {
        let first = self.first.as_ref()?;
        let begins = self.resume.is_none();
        let speaks = !self.up && !self.outgoing.is_empty() && !begins;
        if !self.down && (begins || self.pace == Pace::Waits) {
            self.down = true;
            return Some((Lane::Down, opening(first, self.resume)));
        }
        // What carries something else brings what is new too.
        if !self.down && self.looks && !self.up && !speaks {
            (self.down, self.looks) = (true, false);
            return Some((
                Lane::Down,
                opening(first, self.resume) + &json!({ "type": "ping", "nonce": ASKING }).to_string(),
            ));
        }
        if !speaks {
            return None;
        }
        (self.up, self.looks) = (true, false);
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
        if self.document.is_none() {
            self.document = lines.first().and_then(|line| read(line)?.document);
        }
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
        for name in ["version", "digest", "witness"] {
            fields.remove(name);
        }
        fields.insert("resume".into(), json!(resume));
    }
    format!("{request}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"{"type":"sync_request","key":"k","version":3,"digest":"d","witness":{"version":9}}"#;
    const DOCUMENT: &str = "0193a5d0-7c00-7000-8000-00000000b0a2";

    fn resume(version: u64) -> String {
        format!(r#"{{"type":"resume","version":{version},"digest":"{}","saving":true}}"#, "0".repeat(32))
    }

    fn lines(body: &str) -> Vec<Value> {
        body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// A line that has had its first answer, and keeps a request waiting.
    fn begun() -> Polling {
        let mut line = Polling::default();
        line.set_pace(Pace::Waits);
        line.say(REQUEST.into());
        let (lane, body) = line.ask().expect("asks");
        assert_eq!((lane, lines(&body)), (Lane::Down, lines(REQUEST)), "as the client says it");
        assert_eq!(line.ask(), None, "one at a time");
        let response = format!(r#"{{"type":"sync_response","document":"{DOCUMENT}"}}"#);
        let answer = format!("{response}\n{}\n", resume(7));
        assert_eq!(line.answered(lane, &answer), Ok(vec![response]));
        line
    }

    #[test]
    fn says_where_it_stands_each_time() {
        let mut line = begun();
        let (lane, body) = line.ask().expect("waits for more");
        let request = &lines(&body)[0];
        assert_eq!((lane, &request["resume"]["version"], &request["key"]), (Lane::Down, &json!(7), &json!("k")));
        let replaced = ["version", "digest", "witness"].map(|name| request.get(name));
        assert_eq!(replaced, [None; 3], "resume takes their place");
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

    /// What a request says after its `sync_request`.
    fn rest(request: Option<(Lane, String)>) -> Vec<Value> {
        lines(&request.expect("asks").1).split_off(1)
    }

    #[test]
    fn without_a_slot_a_page_asks_now_and_then_and_is_answered_at_once() {
        let mut line = begun();
        line.set_pace(Pace::Asks);
        assert_eq!(line.ask(), None);
        line.look();
        let asked = line.ask();
        assert_eq!(rest(asked), [json!({ "type": "ping", "nonce": 0 })]);
        line.look();
        assert_eq!(line.ask(), None, "one at a time");
        line.answered(Lane::Down, &resume(8)).expect("whole");
        assert!(line.ask().is_some(), "it was due meanwhile");
        line.answered(Lane::Down, &resume(8)).expect("whole");
        assert_eq!(line.ask(), None);
        line.look();
        line.say(r#"{"type":"changes","n":1}"#.into());
        assert_eq!(line.ask().map(|(lane, _)| lane), Some(Lane::Up), "which brings what is new as well");
        assert_eq!(line.ask(), None);
    }

    #[test]
    fn what_another_page_has_heard_is_asked_for() {
        let mut line = begun();
        line.set_pace(Pace::Asks);
        let document: DocumentId = DOCUMENT.parse().expect("an id");
        let other = DocumentId(uuid::Uuid::nil());
        assert_eq!(line.heard(), Some(Heard { document, version: 7 }));
        for (document, version) in [(document, 7), (document, 6), (other, 9)] {
            line.heard_elsewhere(Heard { document, version });
            assert_eq!(line.ask(), None, "{document} {version}");
        }
        line.heard_elsewhere(Heard { document, version: 8 });
        assert!(line.ask().is_some());
    }

    #[test]
    fn a_page_that_rests_says_what_it_has_to_say_and_no_more() {
        let mut line = begun();
        line.ask().expect("waits");
        assert!(line.set_pace(Pace::Rests), "the request that waits is given up");
        line.look();
        assert_eq!(line.ask(), None);
        line.say(r#"{"type":"changes","n":1}"#.into());
        assert_eq!(line.ask().map(|(lane, _)| lane), Some(Lane::Up));
        line.answered(Lane::Up, &resume(8)).expect("whole");
        assert_eq!(line.ask(), None);
        assert!(!line.set_pace(Pace::Asks), "nothing waits");
        assert!(line.ask().is_some(), "it may have missed something");
        assert!(!line.set_pace(Pace::Waits));
        assert_eq!(line.ask(), None, "until that is answered");
        line.answered(Lane::Down, &resume(8)).expect("whole");
        assert!(rest(line.ask()).is_empty(), "then it waits");
    }

    #[test]
    fn a_page_begins_whatever_its_pace() {
        let mut line = Polling::default();
        line.say(REQUEST.into());
        assert!(line.ask().is_some());
        assert!(!line.set_pace(Pace::Rests), "the first answer is waited for");
        line.answered(Lane::Down, &resume(7)).expect("whole");
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
