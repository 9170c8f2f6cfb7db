//! A board exported from Trello (its menu's "Print, export and share", "Export as JSON").
//!
//! Lists refer to nothing, cards to their list, checklists to their card; order is by `pos`. Of every field that is read
//! both absence and `null` are tolerated.

use std::collections::HashMap;

use serde::Deserialize;

use super::{ImportError, ImportedCard, ImportedList, Raw, UNTITLED, counted, listed, one_line};
use crate::board::model::Date;

/// The list for cards whose list is not in the file.
const STRAYS: &str = "Cards without a list";

#[derive(Deserialize)]
struct Board {
    name: Option<String>,
    desc: Option<String>,
    lists: Option<Vec<List>>,
    cards: Option<Vec<Card>>,
    checklists: Option<Vec<Checklist>>,
    actions: Option<Vec<Action>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    id: Option<String>,
    name: Option<String>,
    closed: Option<bool>,
    pos: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Card {
    id: Option<String>,
    id_list: Option<String>,
    name: Option<String>,
    desc: Option<String>,
    closed: Option<bool>,
    pos: Option<f64>,
    due: Option<String>,
    due_complete: Option<bool>,
    start: Option<String>,
    labels: Option<Vec<Label>>,
    /// The checklists, in exports of single cards; those of boards have them at the top, with `idCard`.
    checklists: Option<Vec<Checklist>>,
    attachments: Option<Vec<Attachment>>,
    id_members: Option<Vec<serde::de::IgnoredAny>>,
    custom_field_items: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct Label {
    name: Option<String>,
    color: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checklist {
    id_card: Option<String>,
    name: Option<String>,
    pos: Option<f64>,
    check_items: Option<Vec<CheckItem>>,
}

#[derive(Deserialize)]
struct CheckItem {
    name: Option<String>,
    state: Option<String>,
    pos: Option<f64>,
    due: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    name: Option<String>,
    url: Option<String>,
    is_upload: Option<bool>,
}

#[derive(Deserialize)]
struct Action {
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// What a board here has no place for.
#[derive(Default)]
struct LeftOut {
    descriptions: usize,
    attachments: usize,
    comments: usize,
    members: usize,
    custom_fields: usize,
    start_dates: usize,
    due_dates: usize,
}

pub(super) fn read(text: &str) -> Result<Raw, ImportError> {
    let board: Board = serde_json::from_str(text).map_err(|error| ImportError::unreadable("Trello", &error))?;
    let mut left_out = LeftOut {
        descriptions: usize::from(board.desc.is_some_and(|desc| !desc.trim().is_empty())),
        comments: board.actions.iter().flatten().filter(|action| action.kind.as_deref() == Some("commentCard")).count(),
        ..LeftOut::default()
    };
    let mut checklists: HashMap<String, Vec<Checklist>> = HashMap::new();
    for checklist in board.checklists.into_iter().flatten() {
        checklists.entry(checklist.id_card.clone().unwrap_or_default()).or_default().push(checklist);
    }

    let mut lists = board.lists.unwrap_or_default();
    lists.sort_by(|a, b| by_pos(a.pos, b.pos));
    let mut at: HashMap<String, usize> = HashMap::new();
    let mut imported = Raw { title: one_line(&board.name.unwrap_or_default()), ..Raw::default() };
    for (index, list) in lists.into_iter().enumerate() {
        at.entry(list.id.unwrap_or_default()).or_insert(index);
        imported.lists.push(ImportedList {
            title: one_line(&list.name.unwrap_or_default()),
            archived: list.closed.unwrap_or_default(),
            cards: Vec::new(),
        });
    }

    let mut cards = board.cards.unwrap_or_default();
    cards.sort_by(|a, b| by_pos(a.pos, b.pos));
    let mut strays = Vec::new();
    for mut card in cards {
        let own = card.id.as_ref().and_then(|id| checklists.remove(id)).unwrap_or_default();
        card.checklists.get_or_insert_default().extend(own);
        let list = card.id_list.as_ref().and_then(|id| at.get(id));
        let cards = list.and_then(|list| imported.lists.get_mut(*list)).map_or(&mut strays, |list| &mut list.cards);
        cards.push(read_card(card, &mut left_out));
    }
    if !strays.is_empty() {
        imported.remarks.push(format!("{} had no list; see \"{STRAYS}\".", counted(strays.len(), "card")));
        imported.lists.push(ImportedList { title: STRAYS.to_owned(), archived: false, cards: strays });
    }
    imported.remarks.extend(left_out.remark());
    Ok(imported)
}

impl LeftOut {
    fn remark(&self) -> Option<String> {
        let parts: Vec<_> = [
            (self.descriptions, "board description"),
            (self.attachments, "attachment"),
            (self.comments, "comment"),
            (self.members, "member assignment"),
            (self.custom_fields, "custom field"),
            (self.start_dates, "start date"),
            (self.due_dates, "due date"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| counted(count, what))
        .collect();
        let all = self.descriptions
            + self.attachments
            + self.comments
            + self.members
            + self.custom_fields
            + self.start_dates
            + self.due_dates;
        let verb = if all == 1 { "was" } else { "were" };
        (all > 0).then(|| format!("{} {verb} not imported.", listed(&parts)))
    }
}

/// Without a place is last; equal ones stay as they are in the file.
fn by_pos(a: Option<f64>, b: Option<f64>) -> std::cmp::Ordering {
    a.unwrap_or(f64::INFINITY).total_cmp(&b.unwrap_or(f64::INFINITY))
}

fn read_card(card: Card, left_out: &mut LeftOut) -> ImportedCard {
    let due = card.due.as_deref().map(day);
    left_out.due_dates += usize::from(due == Some(None));
    left_out.start_dates += usize::from(card.start.is_some());
    left_out.members += card.id_members.map_or(0, |members| members.len());
    left_out.custom_fields += card.custom_field_items.map_or(0, |fields| fields.len());
    let (links, uploads): (Vec<_>, Vec<_>) =
        card.attachments.unwrap_or_default().into_iter().partition(Attachment::is_link);
    left_out.attachments += uploads.len();

    let mut notes = vec![card.desc.unwrap_or_default().trim_end().to_owned()];
    let mut checklists = card.checklists.unwrap_or_default();
    checklists.sort_by(|a, b| by_pos(a.pos, b.pos));
    notes.extend(checklists.into_iter().map(flatten));
    notes.push(links.iter().map(Attachment::line).collect::<Vec<_>>().join("\n"));
    notes.retain(|part| !part.is_empty());

    let title = one_line(&card.name.unwrap_or_default());
    ImportedCard {
        title: if title.is_empty() { UNTITLED.to_owned() } else { title },
        notes: notes.join("\n\n"),
        done: card.due_complete.unwrap_or_default(),
        urgent: false,
        labels: card.labels.unwrap_or_default().iter().filter_map(Label::word).collect(),
        due: due.flatten(),
        archived: card.closed.unwrap_or_default(),
    }
}

/// The day of an ISO time such as `2026-11-24T17:00:00.000Z`, in UTC as Trello writes it.
fn day(time: &str) -> Option<Date> {
    time.get(..10)?.parse().ok()
}

impl Label {
    /// Its name; of a label that is only a colour, the colour (`sky_light` is "sky light").
    fn word(&self) -> Option<String> {
        let name = one_line(self.name.as_deref().unwrap_or_default());
        let word = if name.is_empty() { one_line(&self.color.as_deref()?.replace('_', " ")) } else { name };
        (!word.is_empty()).then_some(word)
    }
}

impl Attachment {
    /// A link can be followed from anywhere; an uploaded file only by who is logged in at Trello.
    fn is_link(&self) -> bool {
        let link = self.url.as_deref().is_some_and(|url| url.starts_with("https://") || url.starts_with("http://"));
        link && !self.is_upload.unwrap_or_default()
    }

    fn line(&self) -> String {
        let (url, name) = (self.url.as_deref().unwrap_or_default(), one_line(self.name.as_deref().unwrap_or_default()));
        if name.is_empty() || name == url { url.to_owned() } else { format!("{name}: {url}") }
    }
}

/// A checklist as lines of text.
fn flatten(checklist: Checklist) -> String {
    let mut items = checklist.check_items.unwrap_or_default();
    items.sort_by(|a, b| by_pos(a.pos, b.pos));
    let mut lines = vec![one_line(&checklist.name.unwrap_or_default())];
    lines.extend(items.iter().map(|item| {
        let tick = if item.state.as_deref() == Some("complete") { 'x' } else { ' ' };
        let due = item.due.as_deref().and_then(day).map(|day| format!(" (due {day})")).unwrap_or_default();
        format!("- [{tick}] {}{due}", one_line(item.name.as_deref().unwrap_or_default()))
    }));
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(json: &str) -> (ImportedCard, LeftOut) {
        let mut left_out = LeftOut::default();
        let card = serde_json::from_str(json).expect("a card");
        (read_card(card, &mut left_out), left_out)
    }

    #[test]
    fn fields_may_be_null_or_missing() {
        let nothing = ImportedCard { title: UNTITLED.into(), ..ImportedCard::default() };
        for json in [
            "{}",
            r#"{"id":null,"idList":null,"name":null,"desc":null,"closed":null,"pos":null,"due":null,"dueComplete":null,
                "start":null,"labels":null,"checklists":null,"attachments":null,"idMembers":null,"customFieldItems":null}"#,
            r#"{"labels":[{}],"checklists":[{}],"attachments":[]}"#,
        ] {
            assert_eq!(card(json).0, nothing, "{json}");
        }
    }

    #[test]
    fn a_label_without_a_name_is_its_colour() {
        let (card, _) =
            card(r#"{"labels":[{"name":"","color":"sky_light"},{"name":"Bug","color":"red"},{"name":""}]}"#);
        assert_eq!(card.labels.into_iter().collect::<Vec<_>>(), ["Bug", "sky light"]);
    }

    #[test]
    fn links_go_into_the_notes_and_uploads_are_counted() {
        let (card, left_out) = card(
            r#"{"desc":"See\n","attachments":[
                {"name":"Map","url":"https://example.org/map","isUpload":false},
                {"name":"https://example.org/","url":"https://example.org/","isUpload":false},
                {"name":"a.png","url":"https://trello.com/1/cards/5f/attachments/a.png","isUpload":true},
                {"name":"odd","url":"javascript:alert(1)","isUpload":false}]}"#,
        );
        assert_eq!(card.notes, "See\n\nMap: https://example.org/map\nhttps://example.org/");
        assert_eq!(left_out.attachments, 2);
    }

    #[test]
    fn a_due_date_is_its_day_or_is_counted() {
        let (fine, none) = card(r#"{"due":"2026-11-24T17:00:00.000Z","dueComplete":true}"#);
        assert_eq!((fine.due.map(|due| due.to_string()).as_deref(), fine.done), (Some("2026-11-24"), true));
        assert_eq!(none.remark(), None);
        let (_, odd) = card(r#"{"due":"12026-é1-24"}"#);
        assert_eq!(odd.remark().as_deref(), Some("1 due date was not imported."));
    }
}
