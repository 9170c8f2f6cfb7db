//! The fields of Trello's JSON that are read.

use serde::Deserialize;

use crate::board::import::extra::{self, Comment};
use crate::board::import::instant::{Zone, day};
use crate::board::import::json::{Cards, Lists};
use crate::board::import::raw::by_place;
use crate::board::import::{ImportedList, one_line};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Board {
    pub(super) name: Option<String>,
    pub(super) desc: Option<String>,
    #[serde(default)]
    pub(super) lists: Lists<List>,
    #[serde(default)]
    pub(super) cards: Cards<Card>,
    pub(super) checklists: Option<Vec<Checklist>>,
    pub(super) actions: Option<Vec<Action>>,
    pub(super) members: Option<Vec<Member>>,
    pub(super) custom_fields: Option<Vec<CustomField>>,
}

#[derive(Deserialize)]
pub(super) struct List {
    id: Option<String>,
    name: Option<String>,
    closed: Option<bool>,
    pub(super) pos: Option<f64>,
}

impl List {
    pub(super) fn read(self) -> (Option<String>, ImportedList) {
        let title = one_line(&self.name.unwrap_or_default());
        (self.id, ImportedList { title, archived: self.closed.unwrap_or_default(), cards: Vec::new() })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Card {
    pub(super) id: Option<String>,
    pub(super) id_list: Option<String>,
    pub(super) name: Option<String>,
    pub(super) desc: Option<String>,
    pub(super) closed: Option<bool>,
    pub(super) pos: Option<f64>,
    pub(super) due: Option<String>,
    pub(super) due_complete: Option<bool>,
    pub(super) start: Option<String>,
    pub(super) labels: Option<Vec<Label>>,
    pub(super) checklists: Option<Vec<Checklist>>,
    pub(super) attachments: Option<Vec<Attachment>>,
    pub(super) id_members: Option<Vec<String>>,
    pub(super) custom_field_items: Option<Vec<FieldItem>>,
}

#[derive(Deserialize)]
pub(super) struct Label {
    name: Option<String>,
    color: Option<String>,
}

impl Label {
    /// Its name; of a label that is only a colour, the colour (`sky_light` is "sky light").
    pub(super) fn word(&self) -> Option<String> {
        let name = one_line(self.name.as_deref().unwrap_or_default());
        let word = if name.is_empty() { one_line(&self.color.as_deref()?.replace('_', " ")) } else { name };
        (!word.is_empty()).then_some(word)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checklist {
    id: Option<String>,
    pub(super) id_card: Option<String>,
    name: Option<String>,
    pub(super) pos: Option<f64>,
    check_items: Option<Vec<CheckItem>>,
}

#[derive(Deserialize)]
struct CheckItem {
    name: Option<String>,
    state: Option<String>,
    pos: Option<f64>,
    due: Option<String>,
}

impl Checklist {
    pub(super) fn read(self, zone: Zone<'_>) -> extra::Checklist {
        let mut items = self.check_items.unwrap_or_default();
        items.sort_by(|a, b| by_place(a.pos, b.pos));
        let items = items.into_iter().map(|item| {
            let due = item.due.as_deref().and_then(|due| day(due, zone));
            let due = due.map(|day| format!(" (due {day})")).unwrap_or_default();
            let done = item.state.as_deref() == Some("complete");
            (done, format!("{}{due}", one_line(item.name.as_deref().unwrap_or_default())))
        });
        extra::Checklist { id: self.id, title: self.name.unwrap_or_default(), items: items.collect() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attachment {
    name: Option<String>,
    url: Option<String>,
    is_upload: Option<bool>,
}

impl Attachment {
    /// A link can be followed from anywhere; an uploaded file only by who is logged in at Trello.
    pub(super) fn is_link(&self) -> bool {
        let link = self.url.as_deref().is_some_and(|url| url.starts_with("https://") || url.starts_with("http://"));
        link && !self.is_upload.unwrap_or_default()
    }

    pub(super) fn line(&self) -> String {
        let text = |field: &Option<String>| one_line(field.as_deref().unwrap_or_default());
        match (text(&self.name), text(&self.url)) {
            (name, url) if !self.is_link() => format!("File: {name} ({url})"),
            (name, url) if name.is_empty() || name == url => url,
            (name, url) => format!("{name}: {url}"),
        }
    }
}

/// Something that somebody did to the board.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Action {
    #[serde(rename = "type")]
    kind: Option<String>,
    date: Option<String>,
    pub(super) data: Option<ActionData>,
    member_creator: Option<Member>,
}

#[derive(Deserialize)]
pub(super) struct ActionData {
    text: Option<String>,
    pub(super) card: Option<CardId>,
}

#[derive(Deserialize)]
pub(super) struct CardId {
    pub(super) id: Option<String>,
}

impl Action {
    pub(super) fn is_comment(&self) -> bool {
        matches!(self.kind.as_deref(), Some("commentCard" | "copyCommentCard"))
    }

    pub(super) fn comment(self) -> Comment {
        Comment {
            at: self.date.unwrap_or_default(),
            author: self.member_creator.map(|member| member.shown()).unwrap_or_default(),
            text: self.data.and_then(|data| data.text).unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Member {
    pub(super) id: Option<String>,
    full_name: Option<String>,
    username: Option<String>,
}

impl Member {
    pub(super) fn shown(&self) -> String {
        extra::name(self.full_name.as_deref().or(self.username.as_deref()).unwrap_or_default())
    }
}

#[derive(Deserialize)]
pub(super) struct CustomField {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) options: Option<Vec<FieldOption>>,
}

#[derive(Deserialize)]
pub(super) struct FieldOption {
    pub(super) id: Option<String>,
    pub(super) value: Option<FieldValue>,
}

/// What a card has in a custom field.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FieldItem {
    pub(super) id_custom_field: Option<String>,
    /// The id of an option, in a field that offers some.
    pub(super) id_value: Option<String>,
    pub(super) value: Option<FieldValue>,
}

#[derive(Deserialize)]
pub(super) struct FieldValue {
    text: Option<String>,
    number: Option<String>,
    checked: Option<String>,
    date: Option<String>,
}

impl FieldValue {
    pub(super) fn shown(&self, zone: Zone<'_>) -> String {
        let date = self.date.as_deref().and_then(|date| day(date, zone)).map(|day| day.spoken());
        let text = [&self.text, &self.number, &self.checked, &self.date].into_iter().flatten().next();
        date.or_else(|| Some(one_line(text?))).unwrap_or_default()
    }
}
