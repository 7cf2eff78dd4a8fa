//! The import arrows of ARCHITECTURE.md: who may depend on whom, and where each foreign library may be used.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What each crate of the project may use of the project.
const ARROWS: [(&str, &[&str]); 14] = [
    ("halfopen-tcp", &[]),
    ("halfopen-units", &[]),
    ("halfopen-scenario", &["halfopen-tcp", "halfopen-units"]),
    ("halfopen-trace", &["halfopen-scenario", "halfopen-tcp"]),
    ("halfopen-network", &["halfopen-scenario", "halfopen-tcp", "halfopen-trace"]),
    ("halfopen-verdict", &["halfopen-scenario", "halfopen-tcp", "halfopen-trace"]),
    (
        "halfopen-sim",
        &["halfopen-network", "halfopen-scenario", "halfopen-tcp", "halfopen-trace", "halfopen-verdict"],
    ),
    ("halfopen-history", &[]),
    ("halfopen-proto", &[]),
    (
        "halfopend",
        &[
            "halfopen-history",
            "halfopen-proto",
            "halfopen-scenario",
            "halfopen-settings",
            "halfopen-sim",
            "halfopen-tcp",
            "halfopen-trace",
            "halfopen-units",
            "halfopen-view",
        ],
    ),
    ("halfopen-view", &["halfopen-proto", "halfopen-units"]),
    ("halfopen-settings", &["halfopen-view"]),
    ("halfopen-client", &["halfopen-proto", "halfopen-view"]),
    (
        "halfopen",
        &[
            "halfopen-client",
            "halfopen-proto",
            "halfopen-settings",
            "halfopen-units",
            "halfopen-view",
            "halfopend",
        ],
    ),
];

/// Libraries, by the beginning of their names, that only some crates may use.
const ONLY_IN: [(&str, &[&str]); 7] = [
    ("turmoil", &["halfopen-sim"]),
    ("serde_yaml", &["halfopen-scenario"]),
    ("saphyr", &["halfopen-scenario"]),
    ("sqlx", &["halfopen-history"]),
    ("prost", &["halfopen-proto", "halfopend", "halfopen"]),
    ("tonic", &["halfopen-proto", "halfopend", "halfopen-client"]),
    ("clap", &["halfopen", "halfopen-settings", "halfopend"]),
];

/// What the TCP may not use: it has no clock, no thread, no randomness, and no form on disk.
const NOT_IN_TCP: [&str; 5] = ["tokio", "turmoil", "serde", "rand", "getrandom"];

/// What the network may not use: it is sans-IO too, and its randomness comes from a seed.
const NOT_IN_NETWORK: [&str; 3] = ["tokio", "turmoil", "getrandom"];

#[test]
fn imports_go_one_way() {
    let packages = dependencies();
    let names: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for name in packages.keys() {
        assert!(names.contains(&name.as_str()), "{name} is new: say in ARROWS what it may use");
    }
    for (name, allowed) in ARROWS {
        let own = packages[name].iter().filter(|dependency| names.contains(&dependency.as_str()));
        for dependency in own {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not use {dependency}");
        }
    }
}

#[test]
fn foreign_libraries_stay_where_they_belong() {
    for (name, dependencies) in dependencies() {
        for dependency in dependencies {
            for (library, allowed) in ONLY_IN {
                let here = !dependency.starts_with(library) || allowed.contains(&name.as_str());
                assert!(here, "{name} must not use {dependency}");
            }
            let forbidden: &[&str] = match name.as_str() {
                "halfopen-tcp" => &NOT_IN_TCP,
                "halfopen-network" => &NOT_IN_NETWORK,
                _ => &[],
            };
            let pure = !forbidden.iter().any(|library| dependency.starts_with(library));
            assert!(pure, "{name} must not use {dependency}");
        }
    }
}

#[test]
fn the_view_opens_no_file_and_reads_no_clock() {
    for file in rust_files(&root().join("client/view/src")) {
        let code = fs::read_to_string(&file).unwrap();
        for outside in ["std::fs", "std::env::", "std::process", "std::thread", "Instant", "SystemTime"] {
            assert!(!code.contains(outside), "{} has {outside}", file.display());
        }
    }
}

#[test]
fn what_may_be_replaced_one_day_is_known_to_one_file() {
    let cases =
        [("server/scenario/src", "serde_yaml::", "document.rs"), ("server/sim/src", "turmoil::", "world.rs")];
    for (folder, library, only) in cases {
        let users: Vec<PathBuf> = rust_files(&root().join(folder))
            .into_iter()
            .filter(|file| {
                let code = fs::read_to_string(file).unwrap();
                code.lines().any(|line| line.contains(library) && !line.trim_start().starts_with("//"))
            })
            .collect();
        assert_eq!(users, [root().join(folder).join(only)], "who uses {library}");
    }
}

/// What the client compares texts with although it is English: words of libraries, which have no types for them.
const FOREIGN_WORDS: [&str; 5] = [
    "grpc-status header missing",
    "HTTP/2 was not negotiated",
    "tcp connect error",
    "dns error",
    "security properties do not meet minimum requirements",
];

#[test]
fn the_client_parses_no_english() {
    let folders = ["client/view/src", "client/rust/src", "client/cli/src"].map(|folder| root().join(folder));
    let mut found = Vec::new();
    for file in folders.iter().flat_map(|folder| rust_files(folder)) {
        // Unit tests compare what comes out.
        if file.ends_with("tests.rs") {
            continue;
        }
        let code = fs::read_to_string(&file).unwrap();
        let code = code.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let compared = compared(line).into_iter().filter(|text| is_prose(text));
            found.extend(compared.map(|text| format!("{}: {text:?}", file.display())));
        }
    }
    assert_eq!(found, Vec::<String>::new(), "compare types of the protocol instead");
}

/// The texts that a line of code compares something with: `== "…"`, `starts_with("…")`, `"…" =>` and the like.
fn compared(line: &str) -> Vec<&str> {
    const BEFORE: [&str; 10] = [
        "== ",
        "!= ",
        "starts_with(",
        "ends_with(",
        "strip_prefix(",
        "strip_suffix(",
        "contains(",
        "find(",
        "split_once(",
        "trim_start_matches(",
    ];
    let parts: Vec<&str> = line.split('"').collect();
    // Every second part is within quotes.
    let quoted = (1..parts.len()).step_by(2).filter(|at| {
        let after = parts.get(at + 1).map_or("", |part| part.trim_start());
        BEFORE.iter().any(|before| parts[at - 1].ends_with(before))
            || after.starts_with("=>")
            || (after.starts_with('|') && line.contains("=>"))
    });
    quoted.map(|at| parts[at]).collect()
}

/// Whether a text has words with a blank between or beside them, and is not a library's.
fn is_prose(text: &str) -> bool {
    let letters = text.chars().filter(char::is_ascii_alphabetic).count();
    letters > 1 && text.contains(' ') && !text.contains("://") && !FOREIGN_WORDS.contains(&text)
}

#[test]
fn prose_in_comparisons_is_found() {
    let cases = [
        (r#"if dropped == "received before" {"#, 1),
        (r#"let name = cause.strip_suffix(" timer: gave up")?;"#, 1),
        (r#"    "host is down" => Place::Receiver,"#, 1),
        (r#"    "a" | "b c" => Some("d e"),"#, 1),
        (r#"format!("{} is down", host == "server")"#, 0),
    ];
    for (line, expected) in cases {
        assert_eq!(compared(line).into_iter().filter(|text| is_prose(text)).count(), expected, "{line}");
    }
}

/// The crates of the workspace with the names of what they use; what only tests use does not count.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter().map(|package| {
        let used = package["dependencies"].as_array().unwrap().iter();
        let used =
            used.filter(|dependency| dependency["kind"] != "dev").map(|dependency| text(&dependency["name"]));
        (text(&package["name"]), used.collect())
    });
    packages.collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}
