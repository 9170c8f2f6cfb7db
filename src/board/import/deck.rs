//! Boards exported from Nextcloud Deck as JSON: one, or all of a person.
//!
//! Stacks are lists, inside their board, and cards are inside their stack. Arrays may be objects with ids as keys. Order is by
//! `order`, then as in the file. What was deleted, but can be brought back there, is archived here.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::extra::{self, Comment, Counts, Extra, files_remark};
use super::instant::{Zone, day};
use super::json::{Cards, Lists, Many};
use super::raw::{Raw, by_place};
use super::{ImportError, ImportedCard, ImportedList, UNTITLED, one_line};

#[derive(Deserialize)]
struct File {
    boards: Option<Lists<Board>>,
}

#[derive(Deserialize)]
struct Board {
    title: Option<String>,
    #[serde(default)]
    stacks: Lists<Stack>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stack {
    title: Option<String>,
    order: Option<f64>,
    deleted_at: Option<f64>,
    #[serde(default)]
    cards: Cards<Card>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Card {
    title: Option<String>,
    description: Option<String>,
    order: Option<f64>,
    archived: Option<bool>,
    deleted_at: Option<f64>,
    duedate: Option<String>,
    startdate: Option<String>,
    /// The time at which it was done, or in some versions whether it is.
    done: Option<Done>,
    labels: Option<Vec<Label>>,
    assigned_users: Option<Vec<Assignment>>,
    #[serde(default)]
    attachments: Many<IgnoredAny, 0>,
    comments: Option<Vec<CardComment>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Done {
    Flag(bool),
    Time(IgnoredAny),
}

#[derive(Deserialize)]
struct Label {
    title: Option<String>,
}

#[derive(Deserialize)]
struct Assignment {
    participant: Option<Person>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Person {
    Name(String),
    User { displayname: Option<String>, uid: Option<String> },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CardComment {
    message: Option<String>,
    actor_display_name: Option<String>,
    creation_date_time: Option<String>,
}

pub(super) fn read(text: &str, zone: Zone<'_>) -> Result<Raw, ImportError> {
    let unreadable = |error| ImportError::unreadable("Nextcloud Deck", &error);
    let file: File = serde_json::from_str(text).map_err(unreadable)?;
    let boards = match file.boards {
        Some(boards) => boards.all(|found| ImportError::TooManyLists { found })?,
        None => vec![serde_json::from_str(text).map_err(unreadable)?],
    };
    let several = boards.len() > 1;
    let mut imported = Raw::default();
    let mut reader = Reader { zone, in_notes: Counts::default(), files: 0 };
    for board in boards {
        let title = one_line(&board.title.unwrap_or_default());
        let mut stacks = board.stacks.all(|found| ImportError::TooManyLists { found })?;
        stacks.sort_by(|a, b| by_place(a.order, b.order));
        for stack in stacks {
            let mut list = reader.list(stack)?;
            if several {
                list.title = format!("{}: {}", extra::name(&title), list.title);
            }
            imported.lists.push(list);
        }
        if !several {
            imported.title = title;
        }
    }
    imported.remarks.extend(reader.in_notes.remark());
    imported.remarks.extend(files_remark(reader.files, "Nextcloud"));
    Ok(imported)
}

struct Reader<'a> {
    zone: Zone<'a>,
    in_notes: Counts,
    files: usize,
}

impl Reader<'_> {
    fn list(&mut self, stack: Stack) -> Result<ImportedList, ImportError> {
        let mut cards = stack.cards.all(|found| ImportError::TooManyCards { found })?;
        cards.sort_by(|a, b| by_place(a.order, b.order));
        Ok(ImportedList {
            title: one_line(&stack.title.unwrap_or_default()),
            archived: is_deleted(stack.deleted_at),
            cards: cards.into_iter().map(|card| self.card(card)).collect(),
        })
    }

    fn card(&mut self, card: Card) -> ImportedCard {
        let mut extra = Extra::default();
        let due = card.duedate.map(|due| day(&due, self.zone).ok_or(due));
        if let Some(Err(odd)) = &due {
            extra.facts.push(format!("Due: {}", extra::name(odd)));
            self.in_notes.add("due date", 1);
        }
        if let Some(start) = card.startdate {
            let day = day(&start, self.zone).map_or_else(|| extra::name(&start), |day| day.spoken());
            extra.facts.push(format!("Start: {day}"));
            self.in_notes.add("start date", 1);
        }
        let people = card.assigned_users.unwrap_or_default();
        self.in_notes.add("member assignment", people.len());
        extra.names("Assigned to", people.into_iter().filter_map(Assignment::name));
        let comments = card.comments.unwrap_or_default();
        self.in_notes.add("comment", comments.len());
        extra.comments = comments.into_iter().map(CardComment::read).collect();
        // Their names are not in the file.
        self.files += card.attachments.found;
        if card.attachments.found > 0 {
            extra.facts.push(format!("{} in Nextcloud", super::counted(card.attachments.found, "file")));
        }
        let labels = card.labels.into_iter().flatten();
        let title = one_line(&card.title.unwrap_or_default());
        ImportedCard {
            title: if title.is_empty() { UNTITLED.to_owned() } else { title },
            notes: extra.below(&card.description.unwrap_or_default(), self.zone),
            done: card.done.is_some_and(|done| !matches!(done, Done::Flag(false))),
            urgent: false,
            labels: labels
                .map(|label| one_line(&label.title.unwrap_or_default()))
                .filter(|label| !label.is_empty())
                .collect(),
            due: due.and_then(Result::ok),
            archived: card.archived.unwrap_or_default() || is_deleted(card.deleted_at),
        }
    }
}

/// Whether a time of deletion says that something is deleted: 0 says that it is not.
fn is_deleted(at: Option<f64>) -> bool {
    at.is_some_and(|at| at > 0.0)
}

impl Assignment {
    fn name(self) -> Option<String> {
        match self.participant? {
            Person::Name(name) => Some(extra::name(&name)),
            Person::User { displayname, uid } => Some(extra::name(&displayname.or(uid)?)),
        }
    }
}

impl CardComment {
    fn read(self) -> Comment {
        Comment {
            at: self.creation_date_time.unwrap_or_default(),
            author: self.actor_display_name.unwrap_or_default(),
            text: self.message.unwrap_or_default(),
        }
    }
}
