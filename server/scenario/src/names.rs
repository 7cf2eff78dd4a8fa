//! Names with a fixed set: states, errors, profiles and the like.

use halfopen_tcp::{CongestionAlgorithm, Errno, Flags, Profile, State};
use schemars::Schema;

use crate::forms;
use crate::parse::{Mistake, Parse, expected};
use crate::wording::{fold, list, short, suggest};
use crate::{
    Distribution, Field, FlagsMatch, Invalid, KeepaliveOutcome, OnEnd, OnExpiry, OnFull, OnReuse, Preset,
    SequenceNumbers, Strays, Unreachable,
};

fn unknown(what: &str, word: &str, names: &[&str]) -> Mistake {
    let help = suggest(word, names.iter().copied())
        .unwrap_or_else(|| format!("there are {}", list(names.iter().copied())));
    Mistake::new(format!("no {what} is called `{}`", short(word)), help)
}

impl Parse for State {
    const WHAT: &'static str = "a state such as `ESTABLISHED`";

    fn schema() -> Schema {
        forms::words(State::ALL.map(State::name))
    }

    fn parse(text: &str) -> Result<State, Mistake> {
        State::from_name(text).ok_or_else(|| {
            // What Linux and netstat call them.
            let name = match fold(text).as_str() {
                "syn-recv" | "syn-rcvd" => Some(State::SynReceived),
                "fin-wait1" => Some(State::FinWait1),
                "fin-wait2" | "finwait-2" => Some(State::FinWait2),
                "close" => Some(State::Closed),
                "estab" => Some(State::Established),
                _ => None,
            };
            match name {
                Some(state) => Mistake::new(
                    format!("no state is called `{text}`"),
                    format!("did you mean `{state}`? states are spelt as in RFC 9293"),
                ),
                None => unknown("state", text, &State::ALL.map(State::name)),
            }
        })
    }
}

impl Parse for Errno {
    const WHAT: &'static str = "an error such as `ETIMEDOUT`";

    fn schema() -> Schema {
        forms::words(Errno::ALL.map(Errno::name))
    }

    fn parse(text: &str) -> Result<Errno, Mistake> {
        Errno::from_name(text).ok_or_else(|| unknown("error", text, &Errno::ALL.map(Errno::name)))
    }
}

impl Parse for Profile {
    const WHAT: &'static str = "a profile such as `linux`";

    fn schema() -> Schema {
        forms::words(Profile::ALL.map(Profile::name))
    }

    fn parse(text: &str) -> Result<Profile, Mistake> {
        Profile::from_name(text).ok_or_else(|| unknown("profile", text, &Profile::ALL.map(Profile::name)))
    }
}

impl Parse for CongestionAlgorithm {
    const WHAT: &'static str = "a congestion control algorithm such as `cubic`";

    fn schema() -> Schema {
        forms::words(CongestionAlgorithm::ALL.map(CongestionAlgorithm::name))
    }

    fn parse(text: &str) -> Result<CongestionAlgorithm, Mistake> {
        let all = CongestionAlgorithm::ALL.map(CongestionAlgorithm::name);
        CongestionAlgorithm::from_name(text)
            .ok_or_else(|| unknown("congestion control algorithm", text, &all))
    }
}

impl Parse for KeepaliveOutcome {
    const WHAT: &'static str = "what keepalive finds out, such as `dead`";

    fn schema() -> Schema {
        forms::words(KeepaliveOutcome::ALL.map(KeepaliveOutcome::name))
    }

    fn parse(text: &str) -> Result<KeepaliveOutcome, Mistake> {
        let all = KeepaliveOutcome::ALL;
        all.into_iter()
            .find(|outcome| outcome.name() == text)
            .ok_or_else(|| unknown("keepalive outcome", text, &all.map(KeepaliveOutcome::name)))
    }
}

impl Parse for Unreachable {
    const WHAT: &'static str = "`host`, `net`, `port` or `fragmentation-needed`";

    fn schema() -> Schema {
        forms::words(Unreachable::ALL.map(Unreachable::name))
    }

    fn parse(text: &str) -> Result<Unreachable, Mistake> {
        let all = Unreachable::ALL;
        all.into_iter()
            .find(|code| code.name() == text)
            .ok_or_else(|| unknown("code", text, &all.map(Unreachable::name)))
    }
}

impl Parse for Field {
    const WHAT: &'static str = "a part of a segment such as `payload`";

    fn schema() -> Schema {
        forms::words(Field::ALL.map(Field::name))
    }

    fn parse(text: &str) -> Result<Field, Mistake> {
        let all = Field::ALL;
        let found = all.into_iter().find(|field| field.name() == text);
        found.ok_or_else(|| unknown("part of a segment", text, &all.map(Field::name)))
    }
}

impl Parse for Distribution {
    const WHAT: &'static str = "a distribution such as `even` or `normal`";

    fn schema() -> Schema {
        forms::words(Distribution::ALL.map(Distribution::name))
    }

    fn parse(text: &str) -> Result<Distribution, Mistake> {
        let all = Distribution::ALL;
        all.into_iter()
            .find(|distribution| distribution.name() == text)
            .ok_or_else(|| unknown("distribution", text, &all.map(Distribution::name)))
    }
}

impl Parse for Preset {
    const WHAT: &'static str = "a preset such as `aws-nlb`";

    fn schema() -> Schema {
        forms::words(Preset::ALL.map(Preset::name))
    }

    fn parse(text: &str) -> Result<Preset, Mistake> {
        let all = Preset::ALL;
        all.into_iter()
            .find(|preset| preset.name() == text)
            .ok_or_else(|| unknown("preset", text, &all.map(Preset::name)))
    }
}

impl Parse for OnExpiry {
    const WHAT: &'static str = "`silent` or `reset-both`";

    fn schema() -> Schema {
        forms::words(OnExpiry::ALL.map(OnExpiry::name))
    }

    fn parse(text: &str) -> Result<OnExpiry, Mistake> {
        let all = OnExpiry::ALL;
        all.into_iter().find(|choice| choice.name() == text).ok_or_else(|| {
            let mut mistake = expected::<OnExpiry>(text);
            if text.starts_with("reset") {
                mistake.help = "did you mean `reset-both`? `strays: reset` answers a late segment".to_owned();
            }
            mistake
        })
    }
}

/// Reads a choice of a few words.
macro_rules! choices {
    ($($Choice:ident: $what:literal,)+) => {$(
        impl Parse for $Choice {
            const WHAT: &'static str = $what;

            fn schema() -> Schema {
                forms::words($Choice::ALL.map($Choice::name))
            }

            fn parse(text: &str) -> Result<$Choice, Mistake> {
                let mut all = $Choice::ALL.into_iter();
                all.find(|choice| choice.name() == text).ok_or_else(|| expected::<$Choice>(text))
            }
        }
    )+};
}

choices! {
    OnFull: "`drop`, `reset` or `forget-oldest`",
    OnReuse: "`pass` or `drop-first-syn`",
    SequenceNumbers: "`kept`, `randomised` or `randomised-except-sack`",
    OnEnd: "`passed` or `closes-both`",
    Strays: "`drop`, `reset`, `adopt` or `untranslated`",
    Invalid: "`pass`, `drop` or `untranslated`",
}

impl Parse for FlagsMatch {
    const WHAT: &'static str = "control bits such as `SYN`, `SYN+ACK` or `only ACK`";

    fn schema() -> Schema {
        let names = Flags::NAMES.map(|(_, name)| name).join("|");
        forms::text(&format!(r"(only )?\s*({names})(\s*\+\s*({names}))*"), ["SYN", "SYN+ACK", "only ACK"])
    }

    fn parse(text: &str) -> Result<FlagsMatch, Mistake> {
        let (only, names) = match text.strip_prefix("only ") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut flags = Flags::NONE;
        for name in names.split('+').map(str::trim) {
            let known = Flags::NAMES.iter().find(|(_, known)| *known == name);
            let Some((flag, _)) = known else {
                if name.contains([',', '|', '/', ' ']) {
                    let joined: Vec<&str> =
                        name.split([',', '|', '/', ' ']).filter(|name| !name.is_empty()).collect();
                    let message = format!("no control bit is called `{}`", short(name));
                    return Err(Mistake::new(
                        message,
                        format!("several are joined by +: `{}`", short(&joined.join("+"))),
                    ));
                }
                return Err(joined(name)
                    .unwrap_or_else(|| unknown("control bit", name, &Flags::NAMES.map(|(_, name)| name))));
            };
            flags |= *flag;
        }
        Ok(if only { FlagsMatch::Only(flags) } else { FlagsMatch::AtLeast(flags) })
    }
}

/// Several control bits written as one word, as in `SYNACK` or `FIN-ACK`.
fn joined(name: &str) -> Option<Mistake> {
    let folded: String = name.chars().filter(|c| *c != '-' && *c != '_').collect();
    let (mut rest, mut names) = (folded.to_ascii_uppercase(), Vec::new());
    while let Some((_, known)) = Flags::NAMES.iter().find(|(_, known)| rest.starts_with(*known)) {
        names.push(*known);
        rest.drain(..known.len());
    }
    (rest.is_empty() && names.len() > 1).then(|| {
        let message = format!("no control bit is called `{}`", short(name));
        Mistake::new(message, format!("several are joined by +: `{}`", names.join("+")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_words_are_suggested_and_others_are_not() {
        let cases = [
            ("ESTABLISHD", Some("ESTABLISHED")),
            ("fin_wait_2", Some("FIN-WAIT-2")),
            ("SYN_RECV", Some("SYN-RECEIVED")),
            ("banana", None),
        ];
        for (word, expected) in cases {
            let mistake = State::parse(word).expect_err(word);
            match expected {
                Some(name) => assert!(mistake.help.contains(&format!("did you mean `{name}`?")), "{word}"),
                None => assert!(mistake.help.starts_with("there are `CLOSED`"), "{word}"),
            }
        }
    }

    #[test]
    fn flags_are_at_least_or_only() {
        let syn_ack = Flags::SYN | Flags::ACK;
        assert_eq!(FlagsMatch::parse("SYN+ACK").ok(), Some(FlagsMatch::AtLeast(syn_ack)));
        assert_eq!(FlagsMatch::parse("only ACK").ok(), Some(FlagsMatch::Only(Flags::ACK)));
        assert!(FlagsMatch::parse("SYN+AKC").is_err());
        assert!(FlagsMatch::parse("").is_err());
    }
}
