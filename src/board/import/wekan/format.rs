//! The fields of WeKan's JSON that are read.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::board::import::json::{Cards, Lists};
use crate::board::import::{ImportedList, one_line};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Board {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) lists: Lists<List>,
    #[serde(default)]
    pub(super) cards: Cards<Card>,
    pub(super) labels: Option<Vec<Label>>,
    pub(super) swimlanes: Option<Vec<Named>>,
    pub(super) users: Option<Vec<User>>,
    pub(super) custom_fields: Option<Vec<Named>>,
    pub(super) comments: Option<Vec<CardComment>>,
    pub(super) checklists: Option<Vec<CardChecklist>>,
    pub(super) checklist_items: Option<Vec<Item>>,
    pub(super) attachments: Option<Vec<Attachment>>,
}

#[derive(Deserialize)]
pub(super) struct List {
    #[serde(rename = "_id")]
    id: Option<String>,
    title: Option<String>,
    archived: Option<bool>,
    pub(super) sort: Option<f64>,
}

impl List {
    pub(super) fn read(self) -> (Option<String>, ImportedList) {
        let title = one_line(&self.title.unwrap_or_default());
        (self.id, ImportedList { title, archived: self.archived.unwrap_or_default(), cards: Vec::new() })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Card {
    #[serde(rename = "_id")]
    pub(super) id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) archived: Option<bool>,
    pub(super) list_id: Option<String>,
    pub(super) swimlane_id: Option<String>,
    pub(super) label_ids: Option<Vec<Option<String>>>,
    pub(super) members: Option<Vec<String>>,
    pub(super) assignees: Option<Vec<String>>,
    pub(super) sort: Option<f64>,
    pub(super) received_at: Option<Time>,
    pub(super) start_at: Option<Time>,
    pub(super) due_at: Option<Time>,
    pub(super) end_at: Option<Time>,
    pub(super) due_complete: Option<bool>,
    pub(super) custom_fields: Option<Vec<FieldItem>>,
}

/// A time as text, or as MongoDB writes it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Time {
    Text(String),
    Mongo {
        #[serde(rename = "$date")]
        date: String,
    },
    Other(IgnoredAny),
}

#[derive(Deserialize)]
pub(super) struct Label {
    #[serde(rename = "_id")]
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) color: Option<String>,
}

/// A swimlane or a custom field.
#[derive(Deserialize)]
pub(super) struct Named {
    #[serde(rename = "_id")]
    pub(super) id: Option<String>,
    #[serde(alias = "name")]
    pub(super) title: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct User {
    #[serde(rename = "_id")]
    pub(super) id: Option<String>,
    pub(super) username: Option<String>,
    pub(super) profile: Option<Profile>,
}

#[derive(Deserialize)]
pub(super) struct Profile {
    pub(super) fullname: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct FieldItem {
    #[serde(rename = "_id")]
    pub(super) id: Option<String>,
    pub(super) value: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CardComment {
    pub(super) card_id: Option<String>,
    pub(super) text: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) created_at: Option<Time>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CardChecklist {
    #[serde(rename = "_id")]
    pub(super) id: Option<String>,
    pub(super) card_id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) sort: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) checklist_id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) is_finished: Option<bool>,
    pub(super) sort: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attachment {
    pub(super) card_id: Option<String>,
    pub(super) name: Option<String>,
}

impl Time {
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Mongo { date: text } => Some(text),
            Self::Other(_) => None,
        }
    }
}
