//! What goes over the line, as a sequence: the page at the left, the server at the right.

use std::collections::VecDeque;
use std::rc::Rc;

use leptos::prelude::*;

use super::panel::in_words;
use crate::browser::simulator::{Seen, Simulator, What};
use crate::sync::faults::Direction;
use crate::ui::connection::use_connection;
use crate::ui::dynamic::{Each, Item};

/// Rows that are kept.
const MOST: usize = 60;

/// A row of the chart.
#[derive(Clone, Debug)]
struct Row {
    number: u64,
    time: String,
    way: &'static str,
    text: String,
    fate: &'static str,
}

/// What the chart shows.
#[derive(Clone, Copy, Debug)]
pub struct Sequence {
    rows: RwSignal<VecDeque<Row>>,
    /// What is wrong with the line, in words.
    pub wrong: RwSignal<String>,
}

/// Follows the line, and the connection's state.
pub fn use_sequence() -> Sequence {
    let sequence = Sequence { rows: RwSignal::new(VecDeque::new()), wrong: RwSignal::new(String::new()) };
    let connection = use_connection();
    let simulator = Simulator::of_page();
    simulator.watch(Some(Rc::new(move |seen| sequence.see(seen))));
    on_cleanup(|| Simulator::of_page().watch(None));
    let state = Memo::new(move |_| connection.status.with(|status| format!("{:?}", status.connection)));
    Effect::new(move |_| {
        let state = state.get();
        let name = state.split([' ', '(']).next().unwrap_or_default().to_lowercase();
        sequence.push("state", name, "");
    });
    sequence
}

impl Sequence {
    fn see(&self, seen: Seen) {
        let Seen { socket, what, .. } = seen;
        match what {
            What::Opened => self.push("state", format!("socket {socket} opened"), ""),
            What::Closed(code) => self.push("state", format!("socket {socket} closed, {code}"), ""),
            What::Frame { direction, kind, bytes, fate } => {
                let way = match direction {
                    Direction::ToServer => "to-server",
                    Direction::ToClient => "to-page",
                };
                self.push(way, format!("{kind} · {bytes} B"), fate);
            }
            What::Changed => {
                let simulator = Simulator::of_page();
                // Asked a moment later: who tells is not done yet.
                let wrong = self.wrong;
                queue_microtask(move || {
                    let playing = simulator.is_playing();
                    let _ = wrong.try_set(in_words(&simulator.conditions(), simulator.is_offline(), playing));
                });
            }
        }
    }

    fn push(&self, way: &'static str, text: String, fate: &'static str) {
        let now = js_sys::Date::new_0();
        let time = format!(
            "{:02}:{:02}:{:02}.{:03}",
            now.get_hours(),
            now.get_minutes(),
            now.get_seconds(),
            now.get_milliseconds()
        );
        let _ = self.rows.try_update(|rows| {
            let number = rows.front().map_or(0, |row| row.number + 1);
            rows.push_front(Row { number, time, way, text, fate });
            rows.truncate(MOST);
        });
    }
}

/// The chart. The last row is the first.
#[component]
pub fn SequenceChart(
    /// What it shows.
    sequence: Sequence,
) -> impl IntoView {
    let item = |row: &Row| {
        let row = row.clone();
        Item::by_name(row.number.to_string(), move || {
            let Row { time, way, text, fate, .. } = row.clone();
            view! {
                <li data-way=way data-fate=fate>
                    <time>{time}</time>
                    <span class="arrow">{text}</span>
                    <span class="fate">{fate}</span>
                </li>
            }
            .into_any()
        })
    };
    let items = move || sequence.rows.with(|rows| rows.iter().map(item).collect::<Vec<_>>());
    view! {
        <div class="sequence" tabindex="0" role="region" aria-label="What goes over the line">
            <p aria-hidden="true">
                <span>"page"</span>
                <span>"server"</span>
            </p>
            <ol>
                <Each items />
            </ol>
        </div>
    }
    .into_any()
}
