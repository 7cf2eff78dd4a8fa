//! What can be typed next.

use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::commands::names;

/// Completes words of commands.
pub(super) struct Completion {
    hosts: Vec<String>,
    sockets: Vec<u32>,
}

impl Completion {
    pub(super) fn new(hosts: Vec<String>) -> Completion {
        Completion { hosts, sockets: Vec::new() }
    }

    /// The sockets that are open now.
    pub(super) fn set_sockets(&mut self, sockets: Vec<u32>) {
        self.sockets = sockets;
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
        let begin = typed.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
        let (before, word) = typed.split_at(begin);
        let mut words = self.words(&before.split_whitespace().collect::<Vec<_>>());
        words.retain(|known| known.starts_with(word));
        Ok((begin, words))
    }
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
        ] {
            assert_eq!(complete(line), (begin, words.to_owned()), "{line}");
        }
    }
}
