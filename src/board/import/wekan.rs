//! A board exported from WeKan as JSON (`wekan-board-1.0.0`).
//!
//! As Trello's, but with other names, and with everything at the top: checklists refer to their card, and items to their
//! checklist. Order is by `sort`. An end date says that a card is done.

mod format;

use std::collections::{BTreeMap, HashMap};

use self::format::{Board, Card, List, Time};
use super::extra::{self, Checklist, Comment, Counts, Extra, files_remark};
use super::instant::{Zone, day};
use super::raw::{Raw, by_place};
use super::{ImportError, ImportedCard, UNTITLED, one_line};

pub(super) fn read(text: &str, zone: Zone<'_>) -> Result<Raw, ImportError> {
    let mut board: Board = serde_json::from_str(text).map_err(|error| ImportError::unreadable("WeKan", &error))?;
    let mut lists = std::mem::take(&mut board.lists).all(|found| ImportError::TooManyLists { found })?;
    let mut cards = std::mem::take(&mut board.cards).all(|found| ImportError::TooManyCards { found })?;
    lists.sort_by(|a, b| by_place(a.sort, b.sort));
    cards.sort_by(|a, b| by_place(a.sort, b.sort));

    let mut imported = Raw { title: one_line(board.title.as_deref().unwrap_or_default()), ..Raw::default() };
    if let Some(description) = board.description.as_ref().filter(|text| !text.trim().is_empty()) {
        imported.leave("The board's description", description.trim());
    }
    let mut reader = Reader::new(board, zone);
    let lists = lists.into_iter().map(List::read);
    imported.fill(lists, cards.into_iter().map(|mut card| (card.list_id.take(), reader.card(card))));
    reader.finish(&mut imported);
    Ok(imported)
}

/// Names by id.
type Names = HashMap<String, String>;

struct Reader<'a> {
    zone: Zone<'a>,
    labels: Names,
    /// Empty if the board has one swimlane only, which says nothing of a card.
    swimlanes: Names,
    users: Names,
    fields: Names,
    /// What belongs to a card, by its id. What is left at the end belongs to cards that are not in the file.
    extras: BTreeMap<String, Extra>,
    in_notes: Counts,
    files: usize,
}

impl<'a> Reader<'a> {
    fn new(board: Board, zone: Zone<'a>) -> Self {
        let labels = board.labels.into_iter().flatten().filter_map(|label| {
            let name = one_line(label.name.as_deref().unwrap_or_default());
            let word = if name.is_empty() { label.color?.replace('_', " ") } else { name };
            Some((label.id?, extra::name(&word)))
        });
        let named = |all: Option<Vec<format::Named>>| -> Names {
            all.into_iter().flatten().filter_map(|one| Some((one.id?, extra::name(&one.title?)))).collect()
        };
        let users = board.users.into_iter().flatten().filter_map(|user| {
            let full = user.profile.and_then(|profile| profile.fullname).filter(|name| !name.is_empty());
            Some((user.id?, extra::name(&full.or(user.username)?)))
        });
        let mut reader = Self {
            zone,
            labels: labels.collect(),
            swimlanes: Some(named(board.swimlanes)).filter(|lanes| lanes.len() > 1).unwrap_or_default(),
            users: users.collect(),
            fields: named(board.custom_fields),
            extras: BTreeMap::new(),
            in_notes: Counts::default(),
            files: 0,
        };
        reader.sort_checklists(board.checklists.unwrap_or_default(), board.checklist_items.unwrap_or_default());
        reader.sort_comments(board.comments.unwrap_or_default());
        for file in board.attachments.into_iter().flatten() {
            let line = format!("File: {}", one_line(file.name.as_deref().unwrap_or("without a name")));
            reader.extra(file.card_id).facts.push(line);
            reader.files += 1;
        }
        reader
    }

    fn extra(&mut self, card: Option<String>) -> &mut Extra {
        self.extras.entry(card.unwrap_or_default()).or_default()
    }

    fn sort_checklists(&mut self, mut checklists: Vec<format::CardChecklist>, mut items: Vec<format::Item>) {
        items.sort_by(|a, b| by_place(a.sort, b.sort));
        checklists.sort_by(|a, b| by_place(a.sort, b.sort));
        let mut by_list: HashMap<String, Vec<(bool, String)>> = HashMap::new();
        for item in items {
            let line = (item.is_finished.unwrap_or_default(), one_line(&item.title.unwrap_or_default()));
            by_list.entry(item.checklist_id.unwrap_or_default()).or_default().push(line);
        }
        for checklist in checklists {
            let items = checklist.id.as_ref().and_then(|id| by_list.remove(id)).unwrap_or_default();
            let title = checklist.title.unwrap_or_default();
            self.extra(checklist.card_id).checklists.push(Checklist { id: checklist.id, title, items });
        }
        for items in by_list.into_values() {
            self.extra(None).checklists.push(Checklist { items, ..Checklist::default() });
        }
    }

    fn sort_comments(&mut self, comments: Vec<format::CardComment>) {
        for comment in comments {
            let read = Comment {
                at: comment.created_at.and_then(Time::text).unwrap_or_default(),
                author: self.user(comment.user_id.as_deref().unwrap_or_default()),
                text: comment.text.unwrap_or_default(),
            };
            self.extra(comment.card_id).comments.push(read);
        }
    }

    /// A person's name. Of one who is not in the file, the id.
    fn user(&self, id: &str) -> String {
        self.users.get(id).cloned().unwrap_or_else(|| extra::name(id))
    }

    fn card(&mut self, card: Card) -> ImportedCard {
        let mut extra = self.extras.remove(card.id.as_deref().unwrap_or_default()).unwrap_or_default();
        self.in_notes.add("comment", extra.comments.len());
        let end = card.end_at.and_then(Time::text);
        let done = card.due_complete.unwrap_or_else(|| end.is_some());
        for (what, time) in [("Received", card.received_at), ("Start", card.start_at)] {
            if let Some(time) = time.and_then(Time::text) {
                extra.facts.push(format!("{what}: {}", self.spoken(&time)));
                self.in_notes.add("start date", 1);
            }
        }
        if let Some(end) = end {
            extra.facts.push(format!("Ended: {}", self.spoken(&end)));
        }
        let due = card.due_at.and_then(Time::text).map(|due| day(&due, self.zone).ok_or(due));
        if let Some(Err(odd)) = &due {
            extra.facts.push(format!("Due: {}", extra::name(odd)));
            self.in_notes.add("due date", 1);
        }
        for (what, ids) in [("Members", card.members), ("Assigned to", card.assignees)] {
            let ids = ids.unwrap_or_default();
            self.in_notes.add("member assignment", ids.len());
            extra.names(what, ids.iter().map(|id| self.user(id)));
        }
        extra.names("Swimlane", card.swimlane_id.and_then(|id| self.swimlanes.get(&id).cloned()));
        for item in card.custom_fields.into_iter().flatten() {
            let Some(value) = item.value.filter(|value| value.get() != "null") else { continue };
            let text = serde_json::from_str::<String>(value.get());
            let value = text.map_or_else(|_| value.get().to_owned(), |text| one_line(&text));
            let name = item.id.as_ref().and_then(|id| self.fields.get(id)).map_or("Custom field", String::as_str);
            extra.facts.push(format!("{name}: {value}"));
            self.in_notes.add("custom field", 1);
        }
        let labels = card.label_ids.into_iter().flatten().flatten();
        let title = one_line(&card.title.unwrap_or_default());
        ImportedCard {
            title: if title.is_empty() { UNTITLED.to_owned() } else { title },
            notes: extra.below(&card.description.unwrap_or_default(), self.zone),
            done,
            urgent: false,
            labels: labels.filter_map(|id| self.labels.get(&id).cloned()).filter(|label| !label.is_empty()).collect(),
            due: due.and_then(Result::ok),
            archived: card.archived.unwrap_or_default(),
        }
    }

    fn spoken(&self, time: &str) -> String {
        day(time, self.zone).map_or_else(|| extra::name(time), |day| day.spoken())
    }

    fn finish(self, imported: &mut Raw) {
        let mut orphans = Extra::default();
        for extra in self.extras.into_values() {
            orphans.checklists.extend(extra.checklists);
            orphans.facts.extend(extra.facts);
            orphans.comments.extend(extra.comments);
        }
        let orphans = orphans.below("", self.zone);
        if !orphans.is_empty() {
            imported.leave("Of cards that are not in the file", &orphans);
        }
        imported.remarks.extend(self.in_notes.remark());
        imported.remarks.extend(files_remark(self.files, "WeKan"));
    }
}
