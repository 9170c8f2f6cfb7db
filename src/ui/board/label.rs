//! A label's chip.

use leptos::prelude::*;

/// How many hues the stylesheet has for labels.
const HUES: u32 = 8;

/// A label, in a hue that its name decides, so that it is the same everywhere. The name is the sign; the hue only helps.
///
/// Renders the same on the server and in the browser.
#[component]
pub fn LabelChip(
    /// Its name.
    name: String,
) -> impl IntoView {
    let hue = name.chars().fold(0_u32, |sum, letter| sum.wrapping_mul(31).wrapping_add(u32::from(letter))) % HUES;
    view! { <li class="label" dir="auto" translate="no" data-hue=hue.to_string()>{name}</li> }
}
