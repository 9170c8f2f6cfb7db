//! What the tools' panel has.

use leptos::prelude::*;

use super::chart::{SequenceChart, use_sequence};
use crate::browser::simulator::Simulator;
use crate::sync::faults::{Conditions, Connect, Directions, Fault, Level, Preset, Script, Way};
use crate::ui::connection::use_connection;
use crate::ui::dynamic::{When, root_class};
use crate::ui::icon::{CLOSE, Icon};
use crate::ui::text::{sole_text, typed_text};

const PRESETS: [(&str, Preset); 6] = [
    ("Go offline", Preset::Offline),
    ("Slow 3G", Preset::Slow3g),
    ("Fast 3G", Preset::Fast3g),
    ("30 % loss", Preset::Lossy),
    ("Flapping", Preset::Flapping),
    ("Tunnel", Preset::Tunnel),
];

const FAULTS: [(&str, Fault); 7] = [
    ("Half-open to the server", Fault::HalfOpen { direction: Directions::ToServer }),
    ("Half-open to the page", Fault::HalfOpen { direction: Directions::ToClient }),
    ("Half-open both ways", Fault::HalfOpen { direction: Directions::Both }),
    ("Refuse", Fault::Refuse),
    ("Silent handshake", Fault::SilentHandshake),
    ("Captive portal", Fault::Portal),
    ("Cut", Fault::Cut),
];

/// The tools.
#[component]
pub fn Tools() -> impl IntoView {
    let connection = use_connection();
    let sequence = use_sequence();
    let wrong = sequence.wrong;
    // On a narrow window they would cover the page.
    let open = RwSignal::new(window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or_default() >= 640.0);
    // Whoever leaves the page, or puts the tools away, leaves no trace.
    on_cleanup(|| Simulator::of_page().reset());
    // Then the toasts stand on the other side.
    root_class("with-tools", || true);
    let presets = || {
        PRESETS.map(|(name, preset)| {
            let play = move |_| Simulator::of_page().play(preset.script());
            view! { <button class="button small-text" on:click=play>{name}</button> }
        })
    };
    let faults = || {
        FAULTS.map(|(name, fault)| {
            let apply = move |_| Simulator::of_page().apply(&fault);
            view! { <button class="button small-text" on:click=apply>{name}</button> }
        })
    };
    view! {
        <section class="network-tools" class:closed=move || !open.get() aria-label="Network tools">
            <When when=move || wrong.with(|wrong| !wrong.is_empty())>
                <p class="fault-sign">
                    <span>"Simulated: " {wrong}</span>
                    <button class="button link" on:click=|_| Simulator::of_page().reset()>"Reset"</button>
                </p>
            </When>
            <div class="panel-head">
                <button
                    class="button quiet"
                    aria-expanded=move || open.get().to_string()
                    on:click=move |_| open.update(|open| *open = !*open)
                >
                    "Network tools"
                </button>
                <button
                    class="button quiet square"
                    aria-label="Put the network tools away"
                    on:click=move |_| connection.tools.set(false)
                >
                    <Icon path=CLOSE />
                </button>
            </div>
            <When when=open>
                <div class="tools-body">
                    <div class="row">
                        {presets()}
                        <button class="button small-text" on:click=|_| Simulator::of_page().apply(&Fault::Clear)>"Go online"</button>
                        <button class="button small-text" on:click=|_| Simulator::of_page().reset()>"Reset"</button>
                    </div>
                    <div class="row">{faults()}</div>
                    <Amounts />
                    <Timeline />
                    <SequenceChart sequence />
                </div>
            </When>
        </section>
    }
    .into_any()
}

/// Faults that come in amounts.
#[component]
fn Amounts() -> impl IntoView {
    const BOTH: Directions = Directions::Both;
    let share = |percent: u64| f64::from(u32::try_from(percent.min(100)).unwrap_or(100)) / 100.0;
    view! {
        <div class="amounts">
            <Amount name="Latency, ms" start=300 fault=|ms| Fault::Delay { ms, jitter_ms: 0, direction: BOTH } />
            <Amount name="Jitter, ms" start=300 fault=|jitter_ms| Fault::Delay { ms: 0, jitter_ms, direction: BOTH } />
            <Amount name="Bandwidth, kbit/s" start=50 fault=|kbit_per_s| Fault::Bandwidth { kbit_per_s, direction: BOTH } />
            <Amount name="Lose, %" start=30 fault=move |lost| Fault::Lose { share: share(lost), direction: BOTH } />
            <Amount name="Duplicate, %" start=30 fault=move |twice| Fault::Duplicate { share: share(twice), direction: BOTH } />
            <Amount
                name="Reorder, %"
                start=30
                fault=move |late| Fault::Reorder { share: share(late), within_ms: 500, direction: BOTH }
            />
            <Amount
                name="Close with code"
                start=1012
                fault=|code| Fault::Close { code: u16::try_from(code).unwrap_or(1006) }
            />
        </div>
    }
    .into_any()
}

#[component]
fn Amount(
    name: &'static str,
    start: u64,
    fault: impl Fn(u64) -> Fault + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let amount = RwSignal::new(start.to_string());
    let apply = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if let Ok(amount) = amount.get_untracked().trim().parse() {
            Simulator::of_page().apply(&fault(amount));
        }
    };
    view! {
        <form on:submit=apply>
            <label>
                <span>{name}</span>
                <input inputmode="numeric" prop:value=amount on:input=move |event| amount.set(event_target_value(&event)) />
            </label>
            <button class="button small-text" aria-label=format!("Apply {name}")>"Apply"</button>
        </form>
    }
    .into_any()
}

/// Faults on a timeline: written, recorded, played.
#[component]
fn Timeline() -> impl IntoView {
    let text = RwSignal::new(String::new());
    let seed = RwSignal::new("1".to_owned());
    let problem = RwSignal::new(String::new());
    let recording = RwSignal::new(false);
    let play = move |_| match read(&text.get_untracked(), &seed.get_untracked()) {
        Ok(script) => {
            problem.set(String::new());
            Simulator::of_page().play(script);
        }
        Err(why) => problem.set(why),
    };
    let record = move |_| {
        let simulator = Simulator::of_page();
        if recording.get_untracked() {
            let script = simulator.recorded().and_then(|script| serde_json::to_string_pretty(&script).ok());
            text.set(script.unwrap_or_default());
        } else {
            simulator.record();
        }
        recording.update(|recording| *recording = !*recording);
    };
    view! {
        <details class="timeline">
            <summary>"Timeline"</summary>
            <label class="field">
                <span>"Steps, as for sheetbend chaos"</span>
                <textarea
                    rows="4"
                    spellcheck="false"
                    placeholder=r#"{"steps": [{"at_ms": 0, "do": {"fault": "offline"}}, {"at_ms": 5000, "do": {"fault": "clear"}}]}"#
                    prop:value=text
                    on:input=move |event| {
                        if let Some(typed) = typed_text(&event) {
                            text.set(typed);
                        }
                    }
                ></textarea>
            </label>
            <div class="row">
                <label class="seed">
                    <span>"Seed"</span>
                    <input inputmode="numeric" prop:value=seed on:input=move |event| seed.set(event_target_value(&event)) />
                </label>
                <button class="button small-text" on:click=play>"Play"</button>
                <button class="button small-text" aria-pressed=move || recording.get().to_string() on:click=record>
                    {sole_text(Signal::derive(move || if recording.get() { "Stop recording" } else { "Record" }.to_owned()))}
                </button>
            </div>
            <p class="hint" role="status">{sole_text(problem)}</p>
        </details>
    }
    .into_any()
}

/// The script that was written, with the seed that goes with it. An error is a sentence for the person.
fn read(text: &str, seed: &str) -> Result<Script, String> {
    let script: Script = serde_json::from_str(text).map_err(|why| format!("This is no timeline: {why}."))?;
    script.check_for(Level::Messages).map_err(|why| format!("{why}."))?;
    let seed = seed.trim().parse().map_err(|_| "The seed is a number.".to_owned())?;
    Ok(script.with_seed(seed))
}

/// What is wrong, in words; empty if nothing is.
pub(super) fn in_words(conditions: &Conditions, offline: bool, playing: bool) -> String {
    let connect = match conditions.connect {
        Connect::Refuse if offline => "offline",
        Connect::Refuse => "connections refused",
        Connect::Silent => "connections not answered",
        Connect::Portal => "captive portal",
        Connect::Accept => "",
    };
    let (up, down) = (way(&conditions.to_server), way(&conditions.to_client));
    let ways = if up == down {
        up
    } else {
        [("to the server ", up), ("to the page ", down)]
            .into_iter()
            .filter(|(_, what)| !what.is_empty())
            .map(|(way, what)| format!("{way}{what}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let playing = if playing { "a timeline" } else { "" };
    let parts = [connect, &ways, playing];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn way(way: &Way) -> String {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let mut parts = Vec::new();
    if way.silent {
        parts.push("silent".to_owned());
    }
    if way.delay_ms + way.jitter_ms > 0 {
        parts.push(format!(
            "{} ms late",
            if way.jitter_ms == 0 {
                way.delay_ms.to_string()
            } else {
                format!("{} to {}", way.delay_ms, way.delay_ms + way.jitter_ms)
            }
        ));
    }
    if way.kbit_per_s > 0 {
        parts.push(format!("{} kbit/s", way.kbit_per_s));
    }
    for (share, what) in [(way.lose, "lost"), (way.duplicate, "twice"), (way.reorder, "out of order")] {
        if share > 0.0 {
            parts.push(format!("{} {what}", percent(share)));
        }
    }
    parts.join(", ")
}
