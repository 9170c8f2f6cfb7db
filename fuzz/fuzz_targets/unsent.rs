//! A file of unsent changes: it is refused with a sentence, or what is read is written and read the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sheetbend::board::Change;
use sheetbend::sync::id::DocumentId;
use sheetbend::sync::message::Limits;
use sheetbend::sync::unsent::Unsent;
use uuid::Uuid;

fuzz_target!(|text: &str| {
    match Unsent::<Change>::read(text, DocumentId(Uuid::nil()), &Limits::default()) {
        Ok(unsent) => {
            let again = Unsent::read(&unsent.to_json(), DocumentId(Uuid::nil()), &Limits::default());
            assert_eq!(again.as_ref(), Ok(&unsent));
        }
        Err(error) => assert!(error.to_string().ends_with('.'), "a sentence"),
    }
});
