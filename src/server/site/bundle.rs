//! The files that a page is made of.

use super::assets::Assets;

/// The files that a page is made of, by their paths on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The script.
    pub js: String,
    /// The program.
    pub wasm: String,
    /// The style.
    pub css: String,
    /// Icons and the manifest.
    pub others: Vec<String>,
    /// Names what is in them.
    pub version: String,
}

impl Bundle {
    /// The script, program and style among `assets` that are in the folder `pkg` and called `name`, with or without a hash behind
    /// that, and what is outside of the folder; `None` if one is missing.
    #[must_use]
    pub fn of(assets: &Assets, pkg: &str, name: &str) -> Option<Self> {
        let (inside, prefix) = (format!("/{pkg}/"), format!("/{pkg}/{name}."));
        let find = |ending: &str| {
            let is_it = |path: &&str| {
                let rest = path.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(ending));
                rest.is_some_and(|hash| !hash.trim_end_matches('.').contains('.'))
            };
            assets.paths().find(is_it).map(str::to_owned)
        };
        Some(Self {
            js: find("js")?,
            wasm: find("wasm")?,
            css: find("css")?,
            others: assets.paths().filter(|path| !path.starts_with(&inside)).map(str::to_owned).collect(),
            version: assets.version(),
        })
    }

    /// The module script that loads the program, hydrates the page with it, and says so when one of them fails. It is in every page,
    /// so its comments and indentation are left out.
    #[must_use]
    pub fn start(&self) -> String {
        let names = format!("const JS = {};\nconst WASM = {};", script_literal(&self.js), script_literal(&self.wasm));
        let lines = include_str!("start.js").lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .fold(names, |script, line| script + "\n" + line)
    }

    /// All of them.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        [&self.js, &self.wasm, &self.css].into_iter().chain(&self.others).map(String::as_str)
    }
}

/// A value as a JavaScript literal that may stand in a `<script>` element: no text in it can end the element.
pub(super) fn script_literal(value: &impl serde::Serialize) -> String {
    // Strings and lists of them cannot fail.
    serde_json::to_string(value).unwrap_or_default().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_script_stays_a_string() {
        let name = "/pkg/a\"</script><script>alert(1)//.js";
        let literal = script_literal(&name);
        assert!(!literal.contains('<'), "{literal}");
        assert_eq!(serde_json::from_str::<String>(&literal).expect("a string"), name);
    }

    #[test]
    fn finds_what_a_page_is_made_of() {
        let names =
            ["pkg/app.1a.js", "pkg/app.2b.wasm", "pkg/app.2b.wasm.br", "pkg/app.css", "pkg/app.d.3c.js", "icon.svg"];
        let assets = Assets::new(names.map(|name| (name.to_owned(), name.into())));
        let bundle = Bundle::of(&assets, "pkg", "app").expect("complete");
        let paths: Vec<_> = bundle.paths().collect();
        assert_eq!(paths, ["/pkg/app.1a.js", "/pkg/app.2b.wasm", "/pkg/app.css", "/icon.svg"]);
        assert_eq!(Bundle::of(&assets, "pkg", "other"), None);
    }
}
