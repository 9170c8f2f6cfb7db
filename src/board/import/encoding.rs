//! A file's bytes as text: UTF-8, UTF-16 or Windows-1252. Other encodings are refused rather than guessed.

use std::borrow::Cow;

use super::ImportError;

/// Bytes that are looked at to recognise UTF-16 without a byte order mark.
const SAMPLE: usize = 4096;

/// A file's text.
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    /// The encoding was concluded from the bytes, and may be another one.
    pub(super) guessed: bool,
}

/// Decodes a file. Line ends stay as they are; a byte order mark is left out.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, ImportError> {
    if let Some(what) = other_kind(bytes) {
        return Err(ImportError::NoText { what });
    }
    let known = |text| Ok(Decoded { text, guessed: false });
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Err(ImportError::Encoding { reason: "it is UTF-32" }),
        [0xff, 0xfe, rest @ ..] => known(utf16(rest, u16::from_le_bytes)?.into()),
        [0xfe, 0xff, rest @ ..] => known(utf16(rest, u16::from_be_bytes)?.into()),
        _ => match unmarked_utf16(bytes) {
            Some(unit) => known(utf16(bytes, unit)?.into()),
            None => utf8_or_windows_1252(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
        },
    }
}

/// Files that people choose by mistake, by the bytes that they begin with.
fn other_kind(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 7] = [
        (b"PK\x03\x04", "a ZIP archive or an Office document (.xlsx, .docx, .ods). Unpack it, or save it as CSV"),
        (b"\xd0\xcf\x11\xe0", "an old Office document (.xls, .doc). Save it as CSV or plain text"),
        (b"%PDF-", "a PDF. Copy its text into a plain text file"),
        (b"\x89PNG", "a picture"),
        (b"\xff\xd8\xff", "a picture"),
        (b"GIF8", "a picture"),
        (b"\x1f\x8b", "a compressed file. Unpack it"),
    ];
    KINDS.into_iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, what)| what)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, ImportError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect::<Result<String, _>>();
    match text {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => Err(ImportError::Encoding { reason: "it begins as UTF-16, but is damaged or incomplete" }),
    }
}

/// How to read the units of UTF-16 without a mark. In texts of people and in JSON, line feeds, spaces and digits are common,
/// each of which has one zero byte: in UTF-16 these are all on one side, and no other encoding has any.
fn unmarked_utf16(bytes: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    let zeros = |side| bytes.iter().take(SAMPLE).skip(side).step_by(2).filter(|byte| **byte == 0).count();
    match (zeros(0), zeros(1)) {
        _ if !bytes.len().is_multiple_of(2) => None,
        (0, odd) if odd > 0 => Some(u16::from_le_bytes),
        (even, 0) if even > 0 => Some(u16::from_be_bytes),
        _ => None,
    }
}

fn utf8_or_windows_1252(bytes: &[u8]) -> Result<Decoded<'_>, ImportError> {
    let has_zero = bytes.contains(&0);
    match std::str::from_utf8(bytes) {
        _ if has_zero => Err(ImportError::NoText { what: "binary data" }),
        Ok(text) => Ok(Decoded { text: text.into(), guessed: false }),
        Err(_) if is_damaged_utf8(bytes) => {
            Err(ImportError::Encoding { reason: "it is UTF-8 with damaged characters in it" })
        }
        Err(_) => windows_1252(bytes),
    }
}

/// Whether there is more proper UTF-8 beyond ASCII than there are errors.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut proper, mut errors) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        proper += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        errors += usize::from(!chunk.invalid().is_empty());
    }
    proper > errors
}

fn windows_1252(bytes: &[u8]) -> Result<Decoded<'static>, ImportError> {
    // Western texts have fewer accented letters and signs than plain letters; Cyrillic, Greek or Japanese have more.
    let (high, letters) = bytes.iter().fold((0_usize, 0_usize), |(high, letters), byte| {
        (high + usize::from(!byte.is_ascii()), letters + usize::from(byte.is_ascii_alphabetic()))
    });
    let text = bytes.iter().map(|byte| windows_1252_letter(*byte)).collect::<Option<String>>();
    match text {
        Some(text) if high <= letters + 1 => Ok(Decoded { text: text.into(), guessed: true }),
        _ => Err(ImportError::Encoding { reason: "it is neither UTF-8, UTF-16 nor Windows-1252" }),
    }
}

/// `None` for the five bytes that stand for nothing.
fn windows_1252_letter(byte: u8) -> Option<char> {
    const FROM_80: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“', '”',
        '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => Some(FROM_80[usize::from(byte - 0x80)]).filter(|letter| *letter != '\0'),
        _ => Some(char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn text_of(bytes: &[u8]) -> String {
        decode(bytes).unwrap_or_else(|error| panic!("{error}")).text.into_owned()
    }

    #[test]
    fn utf_16_is_read_with_and_without_a_mark() {
        let text = "# Einkauf\n- [ ] Käse 🧀\n";
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            assert_eq!(text_of(&units(text, bytes)), text);
            assert_eq!(text_of(&units(&format!("\u{feff}{text}"), bytes)), text);
        }
        assert_eq!(text_of(&units("買い物\n牛乳\n", u16::to_le_bytes)), "買い物\n牛乳\n");
        assert_eq!(text_of("\u{feff}a".as_bytes()), "a");
    }

    #[test]
    fn windows_1252_is_read_and_marked_as_guessed() {
        let decoded = decode(b"K\xe4se \x96 3 \x80").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((decoded.text.as_ref(), decoded.guessed), ("Käse – 3 €", true));
        assert!(!decode("Käse".as_bytes()).is_ok_and(|decoded| decoded.guessed));
    }

    #[test]
    fn what_cannot_be_known_is_refused_with_the_reason() {
        for (bytes, reason) in [
            (b"\xff\xfea\0b".as_slice(), "it begins as UTF-16, but is damaged or incomplete"),
            (b"\xff\xfe\x00\xd8", "it begins as UTF-16, but is damaged or incomplete"),
            (b"\xff\xfe\0\0a\0\0\0", "it is UTF-32"),
            ("Käse, Brötchen und \u{fc}".as_bytes(), ""),
            (b"K\xc3\xa4se, Br\xc3\xb6tchen, M\xc3", "it is UTF-8 with damaged characters in it"),
            // Windows-1251: "Список"; Shift-JIS: katakana.
            (b"\xd1\xef\xe8\xf1\xee\xea", "it is neither UTF-8, UTF-16 nor Windows-1252"),
            (b"\x83\x8a\x83\x58\x83\x67", "it is neither UTF-8, UTF-16 nor Windows-1252"),
            (b"Price \x81 5", "it is neither UTF-8, UTF-16 nor Windows-1252"),
        ] {
            match decode(bytes) {
                Ok(_) => assert_eq!(reason, ""),
                Err(error) => assert_eq!(error, ImportError::Encoding { reason }),
            }
        }
    }

    #[test]
    fn files_that_are_no_text_are_named() {
        for (bytes, what) in
            [(b"PK\x03\x04...".as_slice(), "a ZIP archive"), (b"%PDF-1.7", "a PDF"), (b"a\0b\0\0", "binary data")]
        {
            match decode(bytes) {
                Err(ImportError::NoText { what: told }) => assert!(told.starts_with(what), "{told}"),
                other => panic!("{:?}", other.map(|decoded| decoded.text)),
            }
        }
    }
}
