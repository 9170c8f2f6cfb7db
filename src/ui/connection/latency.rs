//! How long the line takes, as a small chart.

use std::fmt::Write as _;
use std::time::Duration;

use leptos::prelude::*;

use super::handle::use_connection;
use crate::ui::text::sole_text;

const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 44.0;

/// A chart of how long the line took, there and back, measured every other second while this is on the page.
///
/// Renders an empty chart of the same size on the server and until something was measured.
#[component]
pub fn LatencyChart() -> impl IntoView {
    let connection = use_connection();
    Effect::new(move |_| {
        let measure = move || {
            if let Some(driver) = connection.driver() {
                driver.measure();
            }
        };
        measure();
        if let Ok(timer) = set_interval_with_handle(measure, Duration::from_secs(2)) {
            on_cleanup(move || timer.clear());
        }
    });
    let latency = connection.latency;
    let now = move || latency.with(|latency| latency.last().map_or("–".to_owned(), |ms| format!("{ms} ms")));
    let path = move || latency.with(|latency| path(latency));
    let range = move || {
        latency.with(|latency| {
            let (least, most) = (latency.iter().min().copied(), latency.iter().max().copied());
            least.zip(most).map(|(least, most)| format!("{least} to {most} ms")).unwrap_or_default()
        })
    };
    view! {
        <div class="latency">
            <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
                <path d=path></path>
            </svg>
            <p>
                <strong>{sole_text(Signal::derive(now))}</strong>
                <span class="hint">{sole_text(Signal::derive(range))}</span>
            </p>
        </div>
    }
    .into_any()
}

/// A line through the measurements, the newest at the right edge, with the greatest at the top.
fn path(latency: &[u32]) -> String {
    let most = f64::from(latency.iter().max().copied().unwrap_or_default()).max(1.0);
    let mut path = String::new();
    for (age, ms) in latency.iter().rev().enumerate() {
        let x = (age as f64).mul_add(-4.0, WIDTH - 2.0);
        let y = (f64::from(*ms) / most).mul_add(4.0 - HEIGHT, HEIGHT - 2.0);
        let command = if age == 0 { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _ = write!(path, "{command}{x:.1} {y:.1}");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_at_the_right_and_the_greatest_at_the_top() {
        assert_eq!(path(&[]), "");
        assert_eq!(path(&[50, 100]), "M238.0 2.0L234.0 22.0");
    }
}
