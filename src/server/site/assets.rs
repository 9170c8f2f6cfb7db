//! Files in memory, served as small and for as long as can be.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

/// Files in memory, by their paths on the server. A file beside another, with `.br` or `.gz` behind its name, is the same file
/// compressed, and served in its place to those who can read it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Assets(Arc<BTreeMap<String, Asset>>);

#[derive(Clone, Debug)]
struct Asset {
    content_type: HeaderValue,
    etag: String,
    plain: Bytes,
    /// What it is called as a content coding, and the file; the best first.
    compressed: Vec<(&'static str, Bytes)>,
}

/// Content codings, and what files are called that are in them; the smallest first.
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

impl Assets {
    /// These files, by their paths below `/`.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = (String, Bytes)>) -> Self {
        let mut files: BTreeMap<String, Bytes> = files.into_iter().collect();
        let plain: Vec<String> =
            files.keys().filter(|path| !CODINGS.iter().any(|(_, ending)| path.ends_with(ending))).cloned().collect();
        let assets = plain.into_iter().filter_map(|path| {
            let plain = files.remove(&path)?;
            let compressed = CODINGS
                .iter()
                .filter_map(|(coding, ending)| Some((*coding, files.remove(&format!("{path}{ending}"))?)));
            let asset = Asset::new(&path, plain, compressed.collect());
            Some((format!("/{path}"), asset))
        });
        let assets = assets.collect();
        Self(Arc::new(assets))
    }

    /// All files in a folder, and in those below it.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        let mut folders = vec![(folder.to_owned(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            for entry in folder.read_dir()? {
                let entry = entry?;
                let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if entry.file_type()?.is_dir() {
                    folders.push((entry.path(), path + "/"));
                } else {
                    files.push((path, std::fs::read(entry.path())?.into()));
                }
            }
        }
        Ok(Self::new(files))
    }

    /// Where the files are on the server, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Names what is in these files: eight hexadecimal digits of a hash.
    #[must_use]
    pub fn version(&self) -> String {
        let mut hash = Sha256::new();
        for (path, asset) in &*self.0 {
            hash.update(path);
            hash.update(&asset.etag);
        }
        hex(&hash.finalize()[..4])
    }

    /// Serves them. Those in the folder `lasting` have a hash of what is in them in their names, so browsers may keep them for
    /// ever; the others for a short time. What is not here is left to `missing`. For a router's fallback.
    pub fn router(&self, lasting: &str, missing: Router) -> Router {
        let (assets, lasting) = (self.clone(), format!("/{lasting}/"));
        Router::new().fallback(move |request: Request| {
            let asset = assets.0.get(request.uri().path()).cloned();
            let for_ever = request.uri().path().starts_with(&lasting);
            let missing = missing.clone();
            async move {
                let Some(asset) = asset else { return answered(missing.oneshot(request).await) };
                asset.answer(request.method(), request.headers(), for_ever)
            }
        })
    }
}

fn answered(response: Result<Response, std::convert::Infallible>) -> Response {
    response.unwrap_or_else(|never| match never {})
}

impl Asset {
    fn new(path: &str, plain: Bytes, compressed: Vec<(&'static str, Bytes)>) -> Self {
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        let text = kind.type_() == mime_guess::mime::TEXT || kind.subtype() == "javascript" || kind.subtype() == "json";
        let content_type = if text { format!("{kind}; charset=utf-8") } else { kind.to_string() };
        let content_type =
            HeaderValue::try_from(content_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
        let etag = hex(&Sha256::digest(&plain)[..16]);
        Self { content_type, etag, plain, compressed }
    }

    fn answer(self, method: &Method, headers: &HeaderMap, for_ever: bool) -> Response {
        if method != Method::GET && method != Method::HEAD {
            return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response();
        }
        let best = self.compressed.into_iter().find(|(coding, _)| accepts(headers, coding));
        let (coding, body) = best.map_or((None, self.plain), |(coding, body)| (Some(coding), body));
        // A strong tag: it names the bytes that are sent, so each coding has its own.
        let etag = format!("\"{}{}\"", self.etag, coding.map(|coding| format!("-{coding}")).unwrap_or_default());
        let known = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
        let known = known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
        let how = if for_ever { "public, max-age=31536000, immutable" } else { "public, max-age=600" };

        let mut response = Response::new(if known { Body::empty() } else { Body::from(body) });
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let to = response.headers_mut();
        to.insert(CONTENT_TYPE, self.content_type);
        to.insert(CACHE_CONTROL, HeaderValue::from_static(how));
        to.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(etag) = HeaderValue::try_from(etag) {
            to.insert(ETAG, etag);
        }
        if let Some(coding) = coding {
            to.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    }
}

/// Whether a request says that it reads a content coding (RFC 9110 §12.5.3).
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let said = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case(coding) && !refused
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets() -> Assets {
        let files = [("pkg/app.1a.js", "plain"), ("pkg/app.1a.js.br", "brotli"), ("icon.svg", "<svg/>")];
        Assets::new(files.map(|(path, text)| (path.to_owned(), Bytes::from_static(text.as_bytes()))))
    }

    async fn ask(method: Method, path: &str, headers: &[(&'static str, &str)]) -> Response {
        let missing = Router::new().fallback(|| async { (StatusCode::NOT_FOUND, "a page says so") });
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a value"));
        }
        answered(assets().router("pkg", missing).oneshot(request).await)
    }

    #[tokio::test]
    async fn those_who_can_read_it_get_the_smaller_file() {
        for (said, coding) in
            [("gzip, br", "br"), ("br;q=0.5", "br"), ("br;q=0, gzip", ""), ("gzip", ""), ("brotli", ""), ("", "")]
        {
            let answer = ask(Method::GET, "/pkg/app.1a.js", &[("accept-encoding", said)]).await;
            let got = answer.headers().get(CONTENT_ENCODING).map_or("", |coding| coding.to_str().expect("text"));
            assert_eq!((answer.status(), got), (StatusCode::OK, coding), "{said:?}");
        }
    }

    #[tokio::test]
    async fn what_a_browser_has_is_not_sent_again() {
        let first = ask(Method::GET, "/icon.svg", &[]).await;
        let tag = first.headers()[ETAG].to_str().expect("text").to_owned();
        assert_eq!(first.headers()[CONTENT_TYPE], "image/svg+xml");
        let tags = format!("\"other\", W/{tag}");
        let again = ask(Method::GET, "/icon.svg", &[("if-none-match", &tags)]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let other = ask(Method::GET, "/icon.svg", &[("if-none-match", "\"other\"")]).await;
        assert_eq!(other.status(), StatusCode::OK);
        assert_eq!(ask(Method::POST, "/icon.svg", &[]).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[tokio::test]
    async fn what_is_not_there_is_left_to_others() {
        for path in ["/nothing", "/pkg/app.1a.js.br", "/icon.svg/", "/pkg/../icon.svg"] {
            assert_eq!(ask(Method::GET, path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
