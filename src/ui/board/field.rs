//! A field that a person types in: nobody overwrites it, and its text is stored until it became a change or was discarded.

use leptos::prelude::*;

use super::handle::BoardHandle;
use super::place::{Left, Place};
use crate::ui::device::drafts;
use crate::ui::dynamic::Alive;
use crate::ui::text::typed_text;
use crate::ui::toast::Toast;

/// A field's text, and how it stands to the board's value. Cheap to copy.
///
/// From the first key, or once it has the focus, the field is the person's: changes of others are not put into it. Leaving it makes
/// one change. Every method does nothing once the component that made the field is gone; the text is a draft then, and the next field
/// for the same place shows it.
#[derive(Clone, Copy)]
pub struct Field {
    /// What is in the field.
    pub text: RwSignal<String>,
    /// Why the text cannot be saved as it is.
    pub problem: RwSignal<Option<String>>,
    place: Place,
    board: BoardHandle,
    /// The value that the person started from; `None` while the field is not theirs.
    from: StoredValue<Option<String>>,
    /// The board's value.
    now: Signal<String>,
    alive: Alive,
}

impl Field {
    /// A field for `place`, where the board has the value `now`. Shows the draft of this place, if there is one.
    #[must_use]
    pub fn new(board: BoardHandle, place: Place, now: Signal<String>) -> Self {
        let field = Self {
            text: RwSignal::new(now.get_untracked()),
            problem: RwSignal::new(None),
            place,
            board,
            from: StoredValue::new(None),
            now,
            alive: Alive::here(),
        };
        field.take_draft();
        Effect::new(move |_| {
            let now = now.get();
            if !field.is_mine() && field.text.get_untracked() != now {
                field.text.set(now);
            }
        });
        Effect::new(move |_| {
            board.drafts_came.track();
            field.take_draft();
        });
        field
    }

    /// Whether the field is the person's: others' changes are not shown in it.
    #[must_use]
    pub fn is_mine(self) -> bool {
        self.from.try_with_value(Option::is_some).unwrap_or_default()
    }

    /// Whether there is text that is not on the board.
    #[must_use]
    pub fn has_draft(self) -> bool {
        self.alive.holds() && drafts::get(self.board.id, &self.place.to_string()).is_some()
    }

    /// The person went into the field.
    pub fn enter(self) {
        if self.alive.holds() && !self.is_mine() {
            self.from.set_value(Some(self.now.get_untracked()));
        }
    }

    /// The person typed: takes the text of the field that the `input` event is of.
    pub fn take_input(self, event: &web_sys::Event) {
        if let Some(text) = typed_text(event) {
            self.typed(text);
        }
    }

    /// The person typed: `text` is in the field now. Stored at once.
    pub fn typed(self, text: String) {
        if self.alive.holds() {
            self.store(&text);
            self.problem.set(None);
            self.text.set(text);
        }
    }

    fn store(self, text: &str) {
        self.enter();
        let from = self.from.get_value().unwrap_or_default();
        let place = self.place.to_string();
        if text == from {
            drafts::remove(self.board.id, &place);
        } else {
            self.board.store_draft(self.place, text.to_owned(), from);
        }
    }

    /// The person left the field, or pressed Enter. Makes the change, and tells whom it overwrote. Returns whether the field can go;
    /// if not, it says why.
    #[must_use]
    pub fn leave(self) -> bool {
        if !self.alive.holds() {
            return true;
        }
        let Some(from) = self.from.get_value() else { return true };
        match self.place.leave(&from, &self.text.get_untracked(), &self.now.get_untracked()) {
            Left::Same => {}
            Left::Held(why) => {
                self.problem.set(Some(why));
                return false;
            }
            Left::Changed { change, over } => {
                if !self.board.edit(change) {
                    return false;
                }
                if let Some(theirs) = over {
                    self.tell_replaced(&theirs);
                }
            }
        }
        self.done();
        true
    }

    /// The text is on the board, or not wanted: the field is the board's again.
    pub fn done(self) {
        drafts::remove(self.board.id, &self.place.to_string());
        if self.alive.holds() {
            self.from.set_value(None);
            self.problem.set(None);
            self.text.set(self.now.get_untracked());
        }
    }

    /// The part of the text that was typed so far is on the board: what comes starts from it.
    pub fn written(self, text: String) {
        drafts::remove(self.board.id, &self.place.to_string());
        self.from.set_value(Some(text));
    }

    /// The value that the person started from; `None` while the field is not theirs.
    #[must_use]
    pub fn from(self) -> Option<String> {
        self.from.try_get_value().flatten()
    }

    /// The person gave the text up: the board's value shows again. The text can be had back.
    pub fn discard(self) {
        if !self.alive.holds() {
            return;
        }
        let (from, text) = (self.from().unwrap_or_default(), self.text.get_untracked());
        let value = self.place.value(&text);
        let lost = self.is_mine() && value != self.place.value(&from) && !value.is_empty();
        self.done();
        if lost {
            self.board.tell_discarded(self.place, text, from);
        }
    }

    fn tell_replaced(self, theirs: &str) {
        let (board, place) = (self.board, self.place);
        let text = format!(
            "{} was changed to {} by somebody while you typed; yours replaced it.",
            place.name(),
            place.spoken(theirs)
        );
        let use_theirs = place.change("", theirs);
        let act = move || {
            if let Some(change) = use_theirs.clone() {
                board.edit(change);
            }
        };
        let name = format!("replaced {place}");
        board.offers.update_value(|offers| offers.push(name.clone()));
        board.toasts.show(Toast::new(text).action("Use theirs", act).lasting().named(name));
    }

    /// Shows the draft. What the person types here is the draft already, unless text was put behind it.
    fn take_draft(self) {
        let draft = drafts::get(self.board.id, &self.place.to_string());
        if let Some(draft) = draft.filter(|draft| !self.is_mine() || draft.text != self.text.get_untracked()) {
            self.from.set_value(Some(draft.from));
            self.text.set(draft.text);
        }
    }
}

/// The fields of a dialog, which are all left before it closes. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Fields(StoredValue<Vec<Field>>);

impl Fields {
    /// No fields yet, for the current owner.
    #[must_use]
    pub fn here() -> Self {
        Self(StoredValue::new(Vec::new()))
    }

    /// One more field: see [`Field::new`].
    #[must_use]
    pub fn add(self, board: BoardHandle, place: Place, now: Signal<String>) -> Field {
        let field = Field::new(board, place, now);
        self.0.update_value(|fields| {
            fields.retain(|field| field.alive.holds());
            fields.push(field);
        });
        field
    }

    /// Leaves all fields. Returns whether all can go.
    #[must_use]
    pub fn leave(self) -> bool {
        self.0.get_value().into_iter().filter(|field| !field.leave()).count() == 0
    }

    /// Whether any text cannot be saved as it is, as far as the person was told. Follows the fields.
    #[must_use]
    pub fn have_problem(self) -> bool {
        self.0.get_value().into_iter().any(|field| field.problem.try_get().flatten().is_some())
    }

    /// Gives up what was typed in all fields, and offers it back; but for notes, which are on the board already, or too long for it.
    pub fn discard(self) {
        for field in self.0.get_value() {
            if !matches!(field.place, Place::CardNotes(_)) {
                field.discard();
            }
        }
    }
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Field").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Why a field's text cannot be saved as it is; else how much room is left in it, near the end.
///
/// Renders nothing on the server: nobody types there.
#[component]
pub fn FieldRemark(
    /// The field.
    field: Field,
    /// The limit does not hold for the text as it is: only problems are shown.
    #[prop(optional, into)]
    unlimited: Signal<bool>,
) -> impl IntoView {
    let place = field.place;
    let problem = Memo::new(move |_| field.problem.get());
    let remark = Memo::new(move |_| field.text.with(|text| place.remark(text)).filter(|_| !unlimited.get()));
    move || {
        let problem = problem.get().map(|why| (why, true));
        let shown = problem.or_else(|| remark.get().map(|remark| (remark.text, remark.over)));
        shown.map(|(text, bad)| {
            let class = if bad { "field-remark bad" } else { "field-remark" };
            view! { <p class=class role=if bad { "alert" } else { "status" }>{text}</p> }
        })
    }
}
