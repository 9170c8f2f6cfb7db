//! JSON files: which program wrote one, and bounds on what a hostile one can cost.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

use super::instant::Zone;
use super::raw::Raw;
use super::{Format, ImportError, deck, own, trello, wekan};
use crate::board::model::{MAX_CARDS, MAX_LISTS};

/// Most objects in a file. Each costs up to some 400 bytes of memory, in a file that may say no more than `{}` of it.
const MAX_OBJECTS: usize = 1_000_000;
/// Most commas in a file. Each stands before a value.
const MAX_VALUES: usize = 8_000_000;

/// Reads a board of any program that is known. Nesting is bounded by `serde_json`, at 128 levels.
pub(super) fn read(text: &str, zone: Zone<'_>) -> Result<(Format, Raw), ImportError> {
    let (objects, values) = text.bytes().fold((0, 0), |(objects, values), byte| {
        (objects + usize::from(byte == b'{'), values + usize::from(byte == b','))
    });
    if objects > MAX_OBJECTS || values > MAX_VALUES {
        return Err(ImportError::TooComplex);
    }
    // Whether it is JSON at all is asked first: of a text that is, what a reader misses is worth telling.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| ImportError::not_json(&error))?;
    let shape: Shape = serde_json::from_str(text).map_err(|_| ImportError::NoBoard { missing: "lists" })?;
    let text_of = |tag: Option<Tag>| match tag {
        Some(Tag::Text(text)) => text,
        _ => String::new(),
    };
    let (own_tag, wekan_tag) = (text_of(shape.format), text_of(shape.wekan_format));
    match (shape.lists, shape.cards) {
        _ if own_tag.starts_with("sheetbend.") => Ok((Format::Sheetbend, own::read(&own_tag, text)?)),
        _ if wekan_tag.starts_with("wekan-board-") => Ok((Format::Wekan, wekan::read(text, zone)?)),
        _ if shape.boards.is_some() || shape.stacks.is_some() => Ok((Format::Deck, deck::read(text, zone)?)),
        (None, _) => Err(ImportError::NoBoard { missing: "lists" }),
        (_, None) => Err(ImportError::NoBoard { missing: "cards" }),
        (Some(_), Some(cards)) if cards.is_foreign() => Err(ImportError::UnknownBoard),
        _ => Ok((Format::Trello, trello::read(text, zone)?)),
    }
}

/// Enough of a JSON file to tell what it is.
#[derive(Deserialize)]
struct Shape {
    #[serde(default)]
    format: Option<Tag>,
    #[serde(default, rename = "_format")]
    wekan_format: Option<Tag>,
    lists: Option<IgnoredAny>,
    cards: Option<Sample>,
    boards: Option<IgnoredAny>,
    stacks: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Tag {
    Text(String),
    Other(IgnoredAny),
}

/// Enough of the cards to tell whether Trello wrote them.
struct Sample(Vec<SampleCard>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SampleCard {
    id_list: Option<IgnoredAny>,
    name: Option<IgnoredAny>,
}

impl Sample {
    /// Whether there are cards, and none has a field that Trello's have.
    fn is_foreign(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|card| card.id_list.is_none() && card.name.is_none())
    }
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(Many::<_, 20>::deserialize(from)?.items))
    }
}

/// The elements of an array, or the values of an object. Of more than `MOST` the rest is counted only.
pub(super) struct Many<T, const MOST: usize> {
    pub(super) items: Vec<T>,
    /// How many there are in the file.
    pub(super) found: usize,
}

/// Lists of a board.
pub(super) type Lists<T> = Many<T, MAX_LISTS>;
/// Cards of a board, or of a list.
pub(super) type Cards<T> = Many<T, MAX_CARDS>;

impl<T, const MOST: usize> Many<T, MOST> {
    /// The elements, unless there are more than `MOST`.
    pub(super) fn all(self, too_many: impl FnOnce(usize) -> ImportError) -> Result<Vec<T>, ImportError> {
        if self.found > self.items.len() { Err(too_many(self.found)) } else { Ok(self.items) }
    }
}

impl<T, const MOST: usize> Default for Many<T, MOST> {
    fn default() -> Self {
        Self { items: Vec::new(), found: 0 }
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Many<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ManyVisitor(PhantomData))
    }
}

struct ManyVisitor<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for ManyVisitor<T, MOST> {
    type Value = Many<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Many::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut many = Many::default();
        while many.found < MOST {
            let Some(item) = seq.next_element()? else { return Ok(many) };
            many.items.push(item);
            many.found += 1;
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            many.found += 1;
        }
        Ok(many)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut many = Many::default();
        while map.next_key::<IgnoredAny>()?.is_some() {
            if many.found < MOST {
                many.items.push(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            many.found += 1;
        }
        Ok(many)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_stored_than_asked_for() {
        for json in ["[1, 2, 3]", r#"{"a": 1, "b": 2, "c": 3}"#] {
            let many: Many<u8, 2> = serde_json::from_str(json).expect("JSON");
            assert_eq!((many.items, many.found), (vec![1, 2], 3));
            let many: Many<u8, 3> = serde_json::from_str(json).expect("JSON");
            assert_eq!(many.all(|found| ImportError::TooManyCards { found }), Ok(vec![1, 2, 3]));
        }
        let none: Many<u8, 2> = serde_json::from_str("null").expect("JSON");
        assert!(none.items.is_empty());
    }
}
