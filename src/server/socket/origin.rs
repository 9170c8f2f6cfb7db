//! Whose pages may open the socket. Browsers send the `Origin` of the page; other programs need not.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Whether a request is from no page, from a page of the host it is sent to, or of an allowed one.
pub(super) fn is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Some(authority) =
        origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority)
    else {
        return false;
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.into_iter().chain(allowed.iter().map(String::as_str)).any(|known| known.eq_ignore_ascii_case(authority))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn pages_of_strangers_are_turned_away() {
        let allowed = ["app.example".to_owned()];
        let cases = [
            (None, true),
            (Some("https://board.example:8443"), true),
            (Some("http://BOARD.example:8443"), true),
            (Some("https://app.example"), true),
            (Some("https://board.example"), false),
            (Some("https://evil.example"), false),
            (Some("https://board.example:8443.evil.example"), false),
            (Some("null"), false),
            (Some(""), false),
        ];
        for (origin, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("board.example:8443"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_allowed(&headers, &allowed), expected, "{origin:?}");
        }
    }
}
