//! Which pages may connect. Browsers send the `Origin` of the page; other programs need not.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::sync::{Mutex, PoisonError};

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};

use crate::server::settings::Settings;
use crate::sync::message::{Bye, ByeCode};

/// Maximum number of refused origins that are remembered, so that a stranger cannot fill the log.
const REMEMBERED: usize = 32;

/// Longest origin that is remembered, in bytes. A host name has at most 253.
const ORIGIN_BYTES: usize = 300;

/// Origins that were refused and logged.
#[derive(Debug, Default)]
pub(in crate::server) struct Refused(Mutex<BTreeSet<String>>);

impl Refused {
    /// Whether `origin` is refused for the first time. False for all once the set is full.
    fn is_new(&self, origin: &str) -> bool {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        origin.len() <= ORIGIN_BYTES && refused.len() < REMEMBERED && refused.insert(origin.to_owned())
    }
}

/// Lets a request pass if it comes from no page, from a page of the host that it is sent to, or from an allowed origin.
/// Schemes are not compared, and default ports are removed: a proxy may encrypt in front of the server.
///
/// # Errors
/// What the page is told. Each refused origin is logged once, with the option that allows it.
pub(super) fn check(headers: &HeaderMap, uri: &Uri, settings: &Settings, refused: &Refused) -> Result<(), Bye> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    // HTTP/2 has the host in the address of the request.
    let host =
        headers.get(HOST).and_then(|host| host.to_str().ok()).or_else(|| uri.authority().map(|host| host.as_str()));
    if is_allowed(origin, host, &settings.allowed_origins) {
        return Ok(());
    }
    let authority = authority(origin).unwrap_or_default();
    if refused.is_new(origin) {
        tracing::warn!(
            origin,
            host = host.unwrap_or_default(),
            "refused a page of another address. If people reach this server at that address, let the proxy pass the Host header \
             unchanged (nginx: proxy_set_header Host $http_host), or start with --allow-origin {authority}"
        );
    }
    Err(Bye::new(
        ByeCode::OriginRefused,
        "This server does not allow its pages at this address. Open the board at the server's own address, or ask whoever runs it \
         to allow this one: the server's log says how.",
    ))
}

fn is_allowed(origin: &str, host: Option<&str>, allowed: &[String]) -> bool {
    let Some(page) = origin.split_once("://").and_then(|_| authority(origin)) else { return false };
    host.into_iter().chain(allowed.iter().map(String::as_str)).any(|known| authority(known).as_ref() == Some(&page))
}

/// Host and port of an origin or a `Host` header, in one spelling: lower case, an IPv6 address in its shortest form, and no
/// port 80 or 443. `None` if there is no host.
fn authority(text: &str) -> Option<String> {
    let text = text.split_once("://").map_or(text, |(_, authority)| authority);
    let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
    // The colons of an IPv6 address stand in brackets.
    let port_at = text.rfind(':').filter(|colon| text.rfind(']').is_none_or(|bracket| bracket < *colon));
    let (host, port) = port_at.map_or((text.as_str(), ""), |colon| (&text[..colon], &text[colon + 1..]));
    if host.is_empty() {
        return None;
    }
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')?.parse::<Ipv6Addr>().ok());
    let host = v6.map_or_else(|| host.to_owned(), |v6| format!("[{v6}]"));
    Some(if matches!(port, "" | "80" | "443") { host } else { format!("{host}:{port}") })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allows(host: &str, origin: &str) -> bool {
        is_allowed(origin, Some(host), &["app.example".to_owned(), "https://[2001:DB8:0::1]/".to_owned()])
    }

    #[test]
    fn default_ports_schemes_and_spellings_make_no_difference() {
        for (host, origin) in [
            ("board.example:8443", "https://board.example:8443"),
            ("board.example:8443", "http://BOARD.example:8443"),
            ("Board.Example", "https://board.example"),
            ("board.example:443", "https://board.example"),
            ("board.example:80", "http://board.example"),
            ("board.example", "https://board.example:443"),
            ("board.example", "http://board.example:80"),
            // The proxy encrypts, and tells the server its own port.
            ("board.example:80", "https://board.example"),
            ("[::1]:3000", "http://[::1]:3000"),
            ("[::1]", "http://[::1]:80"),
            ("[0:0:0:0:0:0:0:1]:443", "https://[::1]"),
            ("other.example", "https://app.example"),
            ("other.example", "https://app.example:443"),
            ("other.example", "https://[2001:db8::1]"),
        ] {
            assert!(allows(host, origin), "{host} {origin}");
        }
    }

    #[test]
    fn pages_of_strangers_are_refused() {
        for (host, origin) in [
            ("board.example:8443", "https://board.example"),
            // A proxy that drops the port from `Host`.
            ("board.example", "https://board.example:8443"),
            ("board.example", "https://evil.example"),
            ("board.example:8443", "https://board.example:8443.evil.example"),
            ("board.example", "https://board.example.evil.example"),
            ("board.example", "null"),
            ("board.example", ""),
            ("board.example", "https://"),
            ("board.example", "board.example"),
            ("", "https://"),
            ("[::1]:3000", "http://[::1]:3001"),
            ("[::1]:3000", "http://[::2]:3000"),
        ] {
            assert!(!allows(host, origin), "{host} {origin}");
        }
        assert!(!is_allowed("https://board.example", None, &[]), "no host is no match");
    }

    #[test]
    fn programs_need_no_origin_and_http_2_has_its_host_in_the_uri() {
        let (settings, refused) = (Settings::default(), Refused::default());
        let uri: Uri = "https://board.example/api/sync".parse().expect("a URI");
        let mut headers = HeaderMap::new();
        assert!(check(&headers, &uri, &settings, &refused).is_ok());
        headers.insert(ORIGIN, HeaderValue::from_static("https://board.example"));
        assert!(check(&headers, &uri, &settings, &refused).is_ok());
        headers.insert(ORIGIN, HeaderValue::from_static("https://evil.example"));
        let bye = check(&headers, &uri, &settings, &refused).expect_err("a stranger");
        assert_eq!(bye.code, ByeCode::OriginRefused);
    }

    #[test]
    fn each_origin_is_logged_once_and_so_many_at_most() {
        let refused = Refused::default();
        assert!(refused.is_new("https://a.example"));
        assert!(!refused.is_new("https://a.example"));
        assert!(!refused.is_new(&"x".repeat(ORIGIN_BYTES + 1)));
        let logged = (0..1_000).filter(|n| refused.is_new(&format!("https://{n}.example"))).count();
        assert_eq!(logged, REMEMBERED - 1);
    }
}
