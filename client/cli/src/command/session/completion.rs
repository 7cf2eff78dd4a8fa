//! What can be typed next.

use std::fs;

use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::commands::names;
use super::keys::{FAULT, Keys, OPTIONS};

/// Completes words of commands, keys of their mappings, and names of files.
pub(super) struct Completion {
    keys: Keys,
    hosts: Vec<String>,
    sockets: Vec<u32>,
}

impl Completion {
    pub(super) fn new(hosts: Vec<String>) -> Completion {
        Completion { keys: Keys::new(), hosts, sockets: Vec::new() }
    }

    /// The sockets that are open now.
    pub(super) fn set_sockets(&mut self, sockets: Vec<u32>) {
        self.sockets = sockets;
    }

    /// Where what is typed last begins, and what it may become.
    fn candidates(&self, typed: &str) -> (usize, Vec<String>) {
        let (words, called) = match typed.split_whitespace().next() {
            Some("fault") => (1, Some(FAULT)),
            Some("listen" | "set") => (2, Some(OPTIONS)),
            Some("connect") => (3, Some(OPTIONS)),
            Some("export") => (1, None),
            Some(_) | None => (usize::MAX, None),
        };
        match (behind(typed, words), called) {
            (Some(begin), Some(called)) => {
                let (at, keys) = self.keys.next(called, &typed[begin..]);
                (begin + at, keys.into_iter().map(|key| format!("{key}: ")).collect())
            }
            (Some(begin), None) => (begin, files(&typed[begin..])),
            (None, _) => {
                let begin = typed.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
                (begin, self.words(&typed[..begin].split_whitespace().collect::<Vec<_>>()))
            }
        }
    }

    /// What may come after these words, with a blank if it is a whole word.
    fn words(&self, before: &[&str]) -> Vec<String> {
        let sockets = || self.sockets.iter().map(|socket| format!("{socket} ")).collect();
        let hosts_and = |end: &str| self.hosts.iter().map(|host| format!("{host}{end}")).collect();
        match before {
            [] | ["help"] => names().map(|name| format!("{name} ")).collect(),
            ["connect"] | ["advance", .., "until", "keepalive" | "host"] => hosts_and(" "),
            ["listen"] | ["connect", _] => hosts_and(":"),
            ["accept" | "send" | "receive" | "shutdown" | "close" | "abort" | "set"]
            | ["advance", .., "until", "readable" | "writable"] => sockets(),
            ["advance", .., "until"] => {
                let kinds = ["segment", "readable", "writable", "fault", "keepalive", "host"];
                let states: Vec<String> = hosts_and(": ");
                kinds.into_iter().map(|kind| format!("{kind} ")).chain(states).collect()
            }
            ["advance", ..] if !before.contains(&"until") => vec!["until ".to_owned()],
            _ => Vec::new(),
        }
    }
}

impl Helper for Completion {}
impl Highlighter for Completion {}
impl Validator for Completion {}
impl Hinter for Completion {
    type Hint = String;
}

impl Completer for Completion {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = line.get(..position).unwrap_or_default();
        let (begin, mut words) = self.candidates(typed);
        words.retain(|known| known.starts_with(&typed[begin..]));
        Ok((begin, words))
    }
}

/// Where the text after the first `words` words begins; `None` if it has not begun.
fn behind(text: &str, words: usize) -> Option<usize> {
    let mut rest = text.trim_start();
    for _ in 0..words {
        let end = rest.find(char::is_whitespace)?;
        rest = rest[end..].trim_start();
    }
    Some(text.len() - rest.len())
}

/// The files and folders whose paths begin so, sorted. Hidden ones only if they are asked for.
fn files(typed: &str) -> Vec<String> {
    let (folder, name) = typed.split_at(typed.rfind('/').map_or(0, |slash| slash + 1));
    let entries = fs::read_dir(if folder.is_empty() { "." } else { folder });
    let path = |entry: fs::DirEntry| {
        let known = entry.file_name().into_string().ok()?;
        let is_meant = known.starts_with(name) && (name.starts_with('.') || !known.starts_with('.'));
        let end = if entry.path().is_dir() { "/" } else { "" };
        is_meant.then(|| format!("{folder}{known}{end}"))
    };
    let mut paths: Vec<String> = entries.into_iter().flatten().flatten().filter_map(path).collect();
    paths.sort_unstable();
    paths
}

#[cfg(test)]
mod tests {
    use rustyline::history::MemHistory;

    use super::*;

    #[test]
    fn commands_hosts_and_sockets_are_completed() {
        let mut completion = Completion::new(vec!["client".to_owned(), "server".to_owned()]);
        completion.set_sockets(vec![1, 12]);
        let history = MemHistory::new();
        let complete = |line: &str| {
            let (begin, words) = completion.complete(line, line.len(), &Context::new(&history)).unwrap();
            (begin, words.join("|"))
        };
        for (line, begin, words) in [
            ("se", 0, "send |set "),
            ("  ladd", 2, "ladder "),
            ("listen ", 7, "client:|server:"),
            ("connect ", 8, "client |server "),
            ("connect client s", 15, "server:"),
            ("receive 1", 8, "1 |12 "),
            ("advance ", 8, "until "),
            ("advance 5s u", 11, "until "),
            ("advance until s", 14, "segment |server: "),
            ("advance 5s until readable ", 26, "1 |12 "),
            ("advance until host c", 19, "client "),
            ("help adv", 5, "advance "),
            ("send 1 he", 7, ""),
            ("set 1 {no", 7, "nodelay: |notsent-lowat: "),
            ("set 1 keepalive: {idle: 1s, int", 28, "interval: "),
            ("listen server:80 {nodelay: on, c", 31, "cork: "),
            ("connect client server:80 li", 25, "linger: "),
            ("connect client server:80", 15, ""),
            ("fault {power", 7, "power-loss: "),
            ("fault drop: FIN, fi", 17, "first: "),
            ("fault {drop: FI", 13, ""),
        ] {
            assert_eq!(complete(line), (begin, words.to_owned()), "{line}");
        }
    }

    #[test]
    fn files_and_folders_are_completed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["two.yaml", "two words.yaml", ".hidden"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("twigs")).unwrap();
        let folder = folder.path().to_str().unwrap().to_owned();
        let completion = Completion::new(Vec::new());
        let found = |typed: &str| {
            let line = format!("export {folder}/{typed}");
            let (begin, words) =
                completion.complete(&line, line.len(), &Context::new(&MemHistory::new())).unwrap();
            assert_eq!(begin, 7);
            words.iter().map(|word| word[folder.len() + 1..].to_owned()).collect::<Vec<_>>().join("|")
        };
        assert_eq!(found("tw"), "twigs/|two words.yaml|two.yaml");
        assert_eq!(found("two w"), "two words.yaml");
        assert_eq!(found(""), "twigs/|two words.yaml|two.yaml");
        assert_eq!(found("."), ".hidden");
        assert_eq!(found("none/"), "");
    }
}
