//! docs/rfc9293.md: it lists every requirement once, and names tests that exist.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The tags of RFC 9293's appendix B, with the highest number of each.
const TAGS: [(&str, u32); 4] = [("MUST", 69), ("SHLD", 31), ("MAY", 18), ("REC", 1)];

struct Row {
    tag: String,
    status: String,
    /// The tests that show it, or the reason.
    why: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("docs/rfc9293.md")).unwrap();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    text.lines()
        .map(cells)
        .filter(|cells| TAGS.iter().any(|(kind, _)| cells.get(1).is_some_and(|tag| is_tag(tag, kind))))
        .map(|cells| {
            let [_, tag, _, status, why, _] = &cells[..] else { panic!("four columns: {cells:?}") };
            Row { tag: tag.clone(), status: status.clone(), why: why.clone() }
        })
        .collect()
}

fn is_tag(text: &str, kind: &str) -> bool {
    text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('-')).is_some_and(|n| n.parse::<u32>().is_ok())
}

/// Every test of this crate.
fn tests(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut lines = text.lines().map(str::trim);
            while let Some(line) = lines.next() {
                if line == "#[test]" {
                    let name = lines.next().and_then(|line| line.strip_prefix("fn "));
                    found.extend(name.and_then(|name| name.split('(').next()).map(str::to_owned));
                }
            }
        }
    }
}

#[test]
fn the_table_lists_every_requirement_once() {
    let mut listed = BTreeMap::new();
    for row in rows() {
        *listed.entry(row.tag).or_insert(0) += 1;
    }
    let all = TAGS.iter().flat_map(|(kind, last)| (1..=*last).map(move |number| format!("{kind}-{number}")));
    assert_eq!(listed, all.map(|tag| (tag, 1)).collect());
}

#[test]
fn what_is_done_names_tests_that_exist_and_what_is_not_says_why() {
    let mut known = Vec::new();
    tests(&root().join("server/tcp/src"), &mut known);
    assert!(known.len() > 100, "{}", known.len());
    for Row { tag, status, why } in rows() {
        let named: Vec<&str> = why.split('`').skip(1).step_by(2).collect();
        match status.as_str() {
            "done" => {
                assert!(!named.is_empty(), "{tag} names no test");
                for name in named {
                    assert!(known.iter().any(|test| test == name), "{tag}: there is no test {name}");
                }
            }
            "not applicable" => assert!(why.len() > 20, "{tag} does not say why"),
            "not done" => {
                assert!(why.len() > 20, "{tag} does not say why");
                assert!(!tag.starts_with("MUST"), "{tag} must be done");
            }
            other => panic!("{tag}: {other}?"),
        }
    }
}
