//! A file that a person has chosen.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use super::clock::within;

/// Time limit for reading a file, which may have to come from the network first, in milliseconds.
const LIMIT_MS: u32 = 60_000;
/// What a person is told if the browser cannot read it.
const UNREADABLE: &str = "The file can't be read. Check that it is still there.";

/// A file that a person has chosen in a field.
#[derive(Debug)]
pub struct ChosenFile(web_sys::File);

impl ChosenFile {
    /// The file that was chosen in the field that `event` is of. The field is emptied, so that the same can be chosen again.
    #[must_use]
    pub fn of(event: &web_sys::Event) -> Option<Self> {
        let field = event.target()?.dyn_into::<web_sys::HtmlInputElement>().ok()?;
        let file = field.files()?.get(0)?;
        field.set_value("");
        Some(Self(file))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// How many bytes it has.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn bytes(&self) -> usize {
        self.0.size() as usize
    }

    /// Its bytes.
    ///
    /// # Errors
    /// A sentence for the person.
    pub async fn contents(&self) -> Result<Vec<u8>, String> {
        let read = within(LIMIT_MS, JsFuture::from(self.0.array_buffer())).await;
        let buffer = read.and_then(Result::ok).ok_or_else(|| UNREADABLE.to_owned())?;
        Ok(js_sys::Uint8Array::new(&buffer).to_vec())
    }

    /// Its text.
    ///
    /// # Errors
    /// A sentence for the person.
    pub async fn text(&self) -> Result<String, String> {
        let read = within(LIMIT_MS, JsFuture::from(self.0.text())).await;
        let text = read.and_then(Result::ok).and_then(|text| text.as_string());
        text.ok_or_else(|| UNREADABLE.to_owned())
    }
}
