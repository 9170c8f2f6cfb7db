//! One board: its page and its parts.

pub mod archive;
pub mod block;
pub mod blocks;
pub mod card;
pub mod card_mark;
pub mod details;
pub mod dialog;
pub mod drafts;
pub mod drag;
pub mod field;
pub mod focus;
pub mod handle;
pub mod in_place;
pub mod label;
pub mod list;
pub mod mirror;
pub mod move_to;
pub mod new;
pub mod page;
pub mod place;
pub mod share;
pub mod shortcuts;
pub mod typing;
pub mod words;
