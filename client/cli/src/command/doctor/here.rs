//! The client side: the program, its settings, its terminal.

use std::env::{self, consts};
use std::hash::Hasher;
use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice};
use halfopen_proto::v1::Event;
use prost::Message;
use siphasher::sip::SipHasher13;

use super::VERSION;
use super::findings::Finding;
use crate::args::GlobalArgs;
use crate::output;

/// Narrower terminals have no room for a ladder.
const NARROW: usize = 80;

/// The program itself.
pub(super) fn program() -> Finding {
    let text = format!("halfopen {VERSION}, {} {}", consts::OS, consts::ARCH);
    match cfg!(debug_assertions) {
        true => {
            Finding::warning("client", format!("{text}, a debug build: runs inside this process are slow"))
                .help("build it with --release")
        }
        false => Finding::ok("client", text),
    }
}

/// The options that do not come from the arguments.
pub(super) fn settings(global: &GlobalArgs) -> Finding {
    let file = match &global.config {
        Some(file) => file.display().to_string(),
        None => "no halfopen.toml".to_owned(),
    };
    match global.settings.is_empty() {
        true => Finding::ok("config", file),
        false => Finding::ok("config", format!("{file}; set: {}", global.settings.join(", "))),
    }
}

/// What the terminal can show.
pub(super) fn terminal() -> Finding {
    let stdout = io::stdout();
    let (terminal, width) = (stdout.is_terminal(), output::width());
    let colours = match AutoStream::choice(&stdout) {
        ColorChoice::Never => "no colours",
        _ => "colours",
    };
    if !terminal {
        return Finding::ok("terminal", format!("none; {width} columns, {colours}"));
    }
    let text = format!("{width} columns, {colours}");
    if let Some(locale) = output::other_charset(|name| env::var(name).ok()) {
        let text = format!("{text}, but not UTF-8 ({locale}): pictures are drawn in ASCII");
        return Finding::warning("terminal", text)
            .help("set LC_ALL=C.UTF-8 if the terminal can show Unicode");
    }
    match width < NARROW {
        true => Finding::warning("terminal", format!("{text}, UTF-8: too narrow for most ladders"))
            .help(format!("make it at least {NARROW} columns wide")),
        false => Finding::ok("terminal", format!("{text}, UTF-8")),
    }
}

/// A short digest of events: equal digests, equal events.
pub(super) fn digest(events: &[Event]) -> String {
    let mut hasher = SipHasher13::new();
    for event in events {
        hasher.write(&event.encode_length_delimited_to_vec());
    }
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_of_every_event_and_of_their_order() {
        let event = |sequence| Event { sequence, ..Event::default() };
        let digests: Vec<String> =
            [&[event(1)][..], &[event(2)], &[event(1), event(2)], &[event(2), event(1)], &[]]
                .map(digest)
                .into();
        for (at, one) in digests.iter().enumerate() {
            assert!(digests[at + 1..].iter().all(|other| other != one), "{digests:?}");
        }
        assert_eq!(digest(&[event(1)]), digests[0]);
    }
}
