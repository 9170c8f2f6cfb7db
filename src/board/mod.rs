//! This app's document: a board of lists of cards.
//!
//! | module | what it is |
//! |---|---|
//! | [`model`] | board, list, card |
//! | [`change`] | what people can do to them |
//! | [`apply`] | what each change does, and the conflict rules |
//! | [`notes`] | three-way merge of texts |
//! | [`position`] | places between places |
//! | [`undo`] | takes back only what its person did |
//! | [`import`], [`export`] | boards from and to files |

pub mod apply;
pub mod change;
pub mod export;
pub mod import;
pub mod model;
pub mod notes;
pub mod position;
pub mod undo;

pub use change::Change;
pub use model::{Board, Card, CardId, Date, List, ListId};
