//! States in each page the shape that the server gave it, so that the page can tell before it hydrates whether something on the way has
//! changed it.
//!
//! Hydration walks through the document and takes the nodes in order. A wrong kind of node is a trap; one node more or less makes it take
//! the wrong elements without a word. Proxies, extensions, translators and detectors of telephone numbers put nodes in and take nodes out.
//! The shape is a hash of the nodes' kinds in document order, without texts and attributes. It is in a comment at the end of `<body>`;
//! `start.js` compares it with the document, and mounts the page anew if they differ.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Elements that have no end tag.
const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// Elements in which a parser finds nothing but text.
const RAW: [&str; 4] = ["script", "style", "textarea", "noscript"];

/// A middleware that puts the shape of each page at its end.
pub async fn state_shape(request: Request, next: Next) -> Response {
    let asked = request.method() == Method::GET;
    let response = next.run(request).await;
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !asked || !kind.is_some_and(|kind| kind.starts_with("text/html")) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The page is whole in memory before it is sent in any case.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    parts.headers.remove(CONTENT_LENGTH);
    let page = std::str::from_utf8(&bytes).ok().and_then(with_shape);
    Response::from_parts(parts, page.map_or_else(|| Body::from(bytes), Body::from))
}

/// The page with its shape at the end of `<body>`; `None` if it has no body.
fn with_shape(page: &str) -> Option<String> {
    let start = page.find("<body")?;
    let start = start + page[start..].find('>')? + 1;
    let end = page.rfind("</body>").filter(|end| *end >= start)?;
    Some(format!("{}<!--shape:{}-->{}", &page[..end], shape(&page[start..end]), &page[end..]))
}

/// The shape of HTML as our own views render it: every element but void ones has its end tag.
fn shape(html: &str) -> u32 {
    let mut hash = Hash(0);
    let mut rest = html;
    // How many elements are open from a block of cards on: hydration does not look into it.
    let mut inside = 0_usize;
    while !rest.is_empty() {
        let Some(tag) = rest.strip_prefix('<') else {
            hash.add_if(inside == 0, "#");
            rest = &rest[rest.find('<').unwrap_or(rest.len())..];
            continue;
        };
        if let Some(comment) = tag.strip_prefix('!') {
            hash.add_if(inside == 0, "!");
            rest = comment.strip_prefix("--").map_or_else(|| after(comment, ">"), |comment| after(comment, "-->"));
        } else if let Some(tag) = tag.strip_prefix('/') {
            inside = inside.saturating_sub(1);
            hash.add_if(inside == 0, "/");
            rest = after(tag, ">");
        } else {
            let (name, attributes, behind) = start_tag(tag);
            hash.add_if(inside == 0, name);
            rest = behind;
            if VOID.contains(&name) || attributes.ends_with('/') {
                hash.add_if(inside == 0, "/");
                continue;
            }
            if inside > 0 || attributes.contains(" data-block=") {
                inside += 1;
            }
            if RAW.contains(&name) {
                let text = rest.find(&format!("</{name}")).unwrap_or(rest.len());
                hash.add_if(inside == 0 && text > 0, "#");
                rest = &rest[text..];
            }
        }
    }
    hash.0
}

/// What is behind the first `end`.
fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, behind)| behind)
}

/// The name and the attributes of a start tag, and what is behind it. `>` in a quoted value does not end it.
fn start_tag(tag: &str) -> (&str, &str, &str) {
    let mut quoted = false;
    let ends = |letter: char| {
        quoted ^= letter == '"';
        letter == '>' && !quoted
    };
    let (inside, behind) = tag.split_once(ends).unwrap_or((tag, ""));
    let name = inside.find([' ', '/']).unwrap_or(inside.len());
    (&inside[..name], &inside[name..], behind)
}

/// A hash that JavaScript computes as easily: `hash * 31 + letter`, of 32 bits.
struct Hash(u32);

impl Hash {
    fn add_if(&mut self, counts: bool, text: &str) {
        if counts {
            self.0 = text.bytes().fold(self.0, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "<main class=\"a>b\"> text<!>more<br><svg><path d=\"M0\"></path></svg><p><!----></p></main>";

    #[test]
    fn shape_does_not_depend_on_texts_and_attributes() {
        let other = "<main data-x>other<!--a>b-->words<br/><svg><path></path></svg><p><!></p></main>";
        assert_eq!(shape(BODY), shape(other));
    }

    #[test]
    fn every_node_more_or_less_is_another_shape() {
        let changed = [
            BODY.replace(" text", "<font> text</font>"),
            BODY.replace(" text", ""),
            BODY.replace("<!>", ""),
            BODY.replace("<!---->", ""),
            BODY.replace("more", "<a href=\"tel:1\">more</a>"),
            BODY.replace("<p>", "<p> "),
            BODY.replace("<br>", "<hr>"),
            format!("<div></div>{BODY}"),
        ];
        for changed in changed {
            assert_ne!(shape(BODY), shape(&changed), "{changed}");
        }
    }

    #[test]
    fn what_is_in_a_block_of_cards_does_not_count() {
        let block = |inside: &str| format!("<ol><div class=\"block\" data-block=\"1\">{inside}</div><p>end</p></ol>");
        let cards = "<div><input><!><b>x</b></div><svg><path/></svg>";
        assert_eq!(shape(&block("")), shape(&block(cards)));
        assert_ne!(shape(&block(cards)), shape(&block(cards).replace("<p>end</p>", "<p></p>")));
    }

    #[test]
    fn markup_in_a_script_is_text() {
        assert_eq!(shape("<script>x = \"<p>\"</script><p></p>"), shape("<script>1</script><p></p>"));
    }

    #[test]
    fn a_page_gets_its_shape_at_the_end_of_its_body() {
        let page = "<html><head><title>body</title></head><body class=\"x\"><p>one</p></body></html>";
        let stated = format!("<p>one</p><!--shape:{}--></body></html>", shape("<p>one</p>"));
        assert!(with_shape(page).is_some_and(|page| page.ends_with(&stated)));
        assert_eq!(with_shape("<html></html>"), None);
        assert_eq!(with_shape(""), None);
    }

    #[test]
    fn hostile_markup_ends() {
        for html in
            ["<", "<!", "<!--", "</", "<a", "<a b=\"", "<script>", "<script", "</a></a>", "<a/", "\u{e9}<\u{e9}"]
        {
            let _ = shape(html);
        }
    }
}
