//! A board exported from Trello, by its menu or its API.
//!
//! Lists refer to nothing, cards to their list, checklists and comments to their card; order is by `pos`. The API's export
//! has each checklist twice, at the top and in its card. Of every field that is read both absence and `null` are tolerated.

mod format;

use std::collections::{BTreeMap, HashMap};

use self::format::{Action, Board, Card, Checklist, CustomField, FieldItem, Label, List};
use super::extra::{self, Counts, Extra, files_remark};
use super::instant::{Zone, day};
use super::raw::{Raw, by_place};
use super::{ImportError, ImportedCard, UNTITLED, one_line};

pub(super) fn read(text: &str, zone: Zone<'_>) -> Result<Raw, ImportError> {
    let board: Board = serde_json::from_str(text).map_err(|error| ImportError::unreadable("Trello", &error))?;
    let mut lists = board.lists.all(|found| ImportError::TooManyLists { found })?;
    let mut cards = board.cards.all(|found| ImportError::TooManyCards { found })?;
    if !cards.is_empty() && cards.iter().all(|card| card.id_list.is_none()) {
        return Err(ImportError::UnknownBoard);
    }
    lists.sort_by(|a, b| by_place(a.pos, b.pos));
    cards.sort_by(|a, b| by_place(a.pos, b.pos));

    let mut imported = Raw { title: one_line(&board.name.unwrap_or_default()), ..Raw::default() };
    if let Some(description) = board.desc.filter(|desc| !desc.trim().is_empty()) {
        imported.leave("The board's description", description.trim());
    }
    let mut reader = Reader::new(zone, &board.members, &board.custom_fields);
    reader.checklists = by_card(board.checklists, |checklist| checklist.id_card.clone());
    let comments = board.actions.unwrap_or_default().into_iter().filter(Action::is_comment);
    reader.comments = by_card(Some(comments.collect()), |action| action.data.as_ref()?.card.as_ref()?.id.clone());
    let lists = lists.into_iter().map(List::read);
    imported.fill(lists, cards.into_iter().map(|mut card| (card.id_list.take(), reader.card(card))));
    reader.finish(&mut imported);
    Ok(imported)
}

fn by_card<T>(all: Option<Vec<T>>, card: impl Fn(&T) -> Option<String>) -> BTreeMap<String, Vec<T>> {
    let mut found: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for one in all.into_iter().flatten() {
        found.entry(card(&one).unwrap_or_default()).or_default().push(one);
    }
    found
}

struct Reader<'a> {
    zone: Zone<'a>,
    members: HashMap<&'a str, String>,
    /// Names of custom fields, and the values of their options.
    fields: HashMap<&'a str, String>,
    options: HashMap<&'a str, String>,
    /// By the id of their card. What is left at the end belongs to cards that are not in the file.
    checklists: BTreeMap<String, Vec<Checklist>>,
    comments: BTreeMap<String, Vec<Action>>,
    in_notes: Counts,
    files: usize,
}

impl<'a> Reader<'a> {
    fn new(zone: Zone<'a>, members: &'a Option<Vec<format::Member>>, fields: &'a Option<Vec<CustomField>>) -> Self {
        let members = members.iter().flatten().filter_map(|member| Some((member.id.as_deref()?, member.shown())));
        let options = fields.iter().flatten().flat_map(|field| field.options.iter().flatten());
        let options = options
            .filter_map(|option| Some((option.id.as_deref()?, extra::name(&option.value.as_ref()?.shown(zone)))));
        let fields = fields
            .iter()
            .flatten()
            .filter_map(|field| Some((field.id.as_deref()?, extra::name(field.name.as_deref()?))));
        Self {
            zone,
            members: members.collect(),
            fields: fields.collect(),
            options: options.collect(),
            checklists: BTreeMap::new(),
            comments: BTreeMap::new(),
            in_notes: Counts::default(),
            files: 0,
        }
    }

    fn card(&mut self, card: Card) -> ImportedCard {
        let id = card.id.unwrap_or_default();
        let mut extra = Extra::default();
        let mut checklists = card.checklists.unwrap_or_default();
        checklists.extend(self.checklists.remove(&id).unwrap_or_default());
        checklists.sort_by(|a, b| by_place(a.pos, b.pos));
        extra.checklists = checklists.into_iter().map(|checklist| checklist.read(self.zone)).collect();
        for attachment in card.attachments.unwrap_or_default() {
            self.files += usize::from(!attachment.is_link());
            extra.facts.push(attachment.line());
        }

        let due = card.due.map(|due| day(&due, self.zone).ok_or(due));
        if let Some(Err(odd)) = &due {
            extra.facts.push(format!("Due: {}", extra::name(odd)));
            self.in_notes.add("due date", 1);
        }
        let members = card.id_members.unwrap_or_default();
        self.in_notes.add("member assignment", members.len());
        extra.names("Members", members.iter().map(|id| self.member(id)));
        if let Some(start) = card.start {
            let day = day(&start, self.zone).map_or_else(|| extra::name(&start), |day| day.spoken());
            extra.facts.push(format!("Start: {day}"));
            self.in_notes.add("start date", 1);
        }
        let fields = card.custom_field_items.unwrap_or_default();
        self.in_notes.add("custom field", fields.len());
        extra.facts.extend(fields.iter().map(|item| self.field(item)));
        let comments = self.comments.remove(&id).unwrap_or_default();
        self.in_notes.add("comment", comments.len());
        extra.comments = comments.into_iter().map(Action::comment).collect();

        let title = one_line(&card.name.unwrap_or_default());
        ImportedCard {
            title: if title.is_empty() { UNTITLED.to_owned() } else { title },
            notes: extra.below(&card.desc.unwrap_or_default(), self.zone),
            done: card.due_complete.unwrap_or_default(),
            urgent: false,
            labels: card.labels.unwrap_or_default().iter().filter_map(Label::word).collect(),
            due: due.and_then(Result::ok),
            archived: card.closed.unwrap_or_default(),
        }
    }

    /// A member's name. Of one that is not in the file, the id.
    fn member(&self, id: &str) -> String {
        self.members.get(id).cloned().unwrap_or_else(|| extra::name(id))
    }

    fn field(&self, item: &FieldItem) -> String {
        let field = item.id_custom_field.as_deref().and_then(|id| self.fields.get(id));
        let option = || Some(self.options.get(item.id_value.as_deref()?)?.clone());
        let value = item.value.as_ref().map(|value| value.shown(self.zone)).or_else(option);
        format!("{}: {}", field.map_or("Custom field", String::as_str), value.unwrap_or_default())
    }

    fn finish(self, imported: &mut Raw) {
        let Self { zone, checklists, comments, in_notes, files, .. } = self;
        let checklists = checklists.into_values().flatten().map(|checklist| checklist.read(zone)).collect();
        let comments = comments.into_values().flatten().map(Action::comment).collect();
        let orphans = Extra { checklists, comments, ..Extra::default() }.below("", zone);
        if !orphans.is_empty() {
            imported.leave("Of cards that are not in the file", &orphans);
        }
        imported.remarks.extend(in_notes.remark());
        imported.remarks.extend(files_remark(files, "Trello"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(json: &str) -> (ImportedCard, Vec<String>) {
        let mut reader = Reader::new(&|_| 0, &None, &None);
        let card = reader.card(serde_json::from_str(json).expect("a card"));
        let mut imported = Raw::default();
        reader.finish(&mut imported);
        (card, imported.remarks)
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
    fn links_are_in_the_notes_and_files_are_told() {
        let (card, remarks) = card(
            r#"{"desc":"See\n","attachments":[
                {"name":"Map","url":"https://example.org/map","isUpload":false},
                {"name":"https://example.org/","url":"https://example.org/","isUpload":false},
                {"name":"a.png","url":"https://trello.com/1/cards/5f/attachments/a.png","isUpload":true},
                {"name":"odd","url":"javascript:alert(1)","isUpload":false}]}"#,
        );
        assert_eq!(
            card.notes,
            "See\n\nMap: https://example.org/map\nhttps://example.org/\n\
             File: a.png (https://trello.com/1/cards/5f/attachments/a.png)\nFile: odd (javascript:alert(1))"
        );
        assert!(remarks[0].starts_with("2 files were not imported"), "{remarks:?}");
    }

    #[test]
    fn a_due_date_is_its_day_or_stays_in_the_notes() {
        let (fine, none) = card(r#"{"due":"2026-11-24T17:00:00.000Z","dueComplete":true}"#);
        assert_eq!((fine.due.map(|due| due.to_string()).as_deref(), fine.done), (Some("2026-11-24"), true));
        assert!(none.is_empty());
        let (odd, remarks) = card(r#"{"due":"12026-é1-24"}"#);
        assert_eq!((odd.notes.as_str(), odd.due), ("Due: 12026-é1-24", None));
        assert_eq!(remarks, ["1 due date is in the notes of its card."]);
    }
}
