//! The files that a page is made of.

use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

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
    /// Names what is in them: eight hexadecimal digits of a hash.
    pub version: String,
}

impl Bundle {
    /// Reads the site in `root`, whose script, program and style are in the folder `pkg` and are called `name`. `hashes` is what
    /// the build wrote of the hashes in their names (`js: …`, one a line); empty if there are none.
    ///
    /// # Errors
    /// If a file is not there or cannot be read.
    pub fn read(root: &Path, pkg: &str, name: &str, hashes: &str) -> io::Result<Self> {
        let path = |ending: &str| {
            let hash = hashes.lines().filter_map(|line| line.split_once(':')).find(|(kind, _)| kind.trim() == ending);
            match hash {
                Some((_, hash)) => format!("/{pkg}/{name}.{}.{ending}", hash.trim()),
                None => format!("/{pkg}/{name}.{ending}"),
            }
        };
        let (js, wasm, css) = (path("js"), path("wasm"), path("css"));
        let mut others = Vec::new();
        for entry in root.read_dir()? {
            let entry = entry?;
            let file = entry.file_name().to_string_lossy().into_owned();
            // What is beside a file compressed is the same file.
            if entry.file_type()?.is_file() && !file.ends_with(".br") && !file.ends_with(".gz") {
                others.push(format!("/{file}"));
            }
        }
        others.sort_unstable();
        let mut hash = Sha256::new();
        for path in [&js, &wasm, &css].into_iter().chain(&others) {
            hash.update(path);
            hash.update(std::fs::read(root.join(path.trim_start_matches('/')))?);
        }
        let version = hash.finalize()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { js, wasm, css, others, version })
    }

    /// The script, as of a module, that brings the page to life: once it was painted, so that what is read does not wait for what
    /// moves; in two turns, so that a tap between them is not kept waiting; and again and again while there is no network, since a
    /// page whose line breaks in the middle would stay dead.
    #[must_use]
    pub fn start(&self) -> String {
        let names = format!("const JS = \"{}\";\nconst WASM = \"{}\";\n", self.js, self.wasm);
        names + include_str!("start.js")
    }

    /// All of them.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        [&self.js, &self.wasm, &self.css].into_iter().chain(&self.others).map(String::as_str)
    }
}
