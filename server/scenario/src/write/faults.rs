//! What goes wrong.

use std::time::Duration;

use halfopen_units::{format_percentage, format_size};

use super::hosts::{address as written, or};
use super::yaml::{Map, Yaml};
use super::{Writer, name, size};
use crate::{
    AddressMove, Base, BlackHole, Cut, Effect, Fault, ForgedOptions, ForgedTimestamps, Forgery,
    MiddleboxFault, NewValue, Number, Renumber, Rewrite, SegmentAction, Unreachable, When, Which,
};

impl Writer<'_> {
    pub(super) fn fault(self, fault: &Fault) -> Yaml {
        let Fault { effect, when, may_not_happen, location: _, text: _ } = fault;
        self.effect(effect).and(self.when(when)).on("may-not-happen", *may_not_happen).item()
    }

    fn effect(self, effect: &Effect) -> Map {
        let word = effect.name();
        match effect {
            Effect::Segment { matching, skip, which: some, action } => Map::new()
                .with(word, self.matching(matching))
                .and(segment_action(*action))
                .unless(&0, "skip", *skip)
                .and(which(*some)),
            Effect::Inject(forgery) => Map::new().with(word, self.forgery(forgery)),
            Effect::PowerLoss(host) => Map::new().with(word, self.host(*host)),
            Effect::Kill { host, program, restarts_after } => {
                let program = program.and_then(|program| self.scenario.programs.get(program));
                let processes = match program {
                    None => self.host(*host),
                    Some(program) => {
                        Yaml::Map(Map::new().with(&self.scenario.host(*host).name, name(&program.name)))
                    }
                };
                Map::new().with(word, processes).maybe("restarts-after", *restarts_after)
            }
            Effect::Reboot { host, back_after } => {
                Map::new().with(word, self.host(*host)).with("back-after", *back_after)
            }
            Effect::Freeze { host, resumes_after } => {
                Map::new().with(word, self.host(*host)).maybe("resumes-after", *resumes_after)
            }
            Effect::Pause { host, resumes_after, clock_stops } => Map::new()
                .with(word, self.host(*host))
                .maybe("resumes-after", *resumes_after)
                .maybe("clock", clock_stops.then_some("stops")),
            Effect::ClockJump { host, by } => Map::new().with(word, self.host(*host)).with("by", *by),
            Effect::CablePull { host, replug_after } => {
                Map::new().with(word, self.host(*host)).maybe("replug-after", *replug_after)
            }
            Effect::BlackHole { hole, heals_after } => {
                Map::new().with(word, self.black_hole(*hole)).maybe("heals-after", *heals_after)
            }
            Effect::Partition { cut, heals_after } => {
                Map::new().with(word, self.cut(cut)).maybe("heals-after", *heals_after)
            }
            Effect::Address { change: AddressMove { address, from, to, announced }, returns_after } => {
                Map::new()
                    .with(word, written(*address))
                    .maybe("from", from.map(|host| self.host(host)))
                    .maybe("to", to.map(|host| self.host(host)))
                    .unless(&true, "announced", *announced)
                    .maybe("returns-after", *returns_after)
            }
            Effect::Middlebox { middlebox, fault } => {
                Map::new().with(word, self.middlebox(*middlebox)).and(middlebox_fault(*fault))
            }
        }
    }

    fn forgery(self, forgery: &Forgery) -> Map {
        let Forgery {
            from,
            to,
            connection,
            port,
            flags,
            sequence,
            acknowledgment,
            window,
            payload,
            is_unchecked,
            options,
        } = forgery;
        let ForgedOptions { mss, window_scale, sack_permitted, sack, timestamps } = options;
        let block = |[left, right]: &[Number; 2]| Yaml::List(vec![number(*left), number(*right)]);
        Map::new()
            .with("from", self.host(*from))
            .with("to", self.host(*to))
            .maybe("on", connection.map(|connection| self.connection(connection)))
            .maybe("port", port.map(u32::from))
            .with("flags", flags.to_string())
            .with("sequence", number(*sequence))
            .maybe("acknowledgment", acknowledgment.map(number))
            .maybe("window", window.map(size))
            .maybe("payload", payload.as_ref().map(super::programs::payload))
            .maybe("content", is_unchecked.then_some("unchecked"))
            .maybe("mss", mss.map(size))
            .maybe("window-scale", window_scale.map(u32::from))
            .on("sack-permitted", *sack_permitted)
            .maybe("sack", (!sack.is_empty()).then(|| Yaml::List(sack.iter().map(block).collect())))
            .maybe("timestamps", timestamps.map(forged_timestamps))
    }

    fn black_hole(self, BlackHole { larger_than, from, to }: BlackHole) -> Yaml {
        if from.is_none() && to.is_none() {
            return Yaml::Word(format!("larger than {}", format_size(larger_than)));
        }
        let map = Map::new().with("larger-than", size(larger_than));
        let [from, to] = [from, to].map(|end| end.map(|host| self.host(host)));
        Yaml::Map(map.maybe("from", from).maybe("to", to))
    }

    fn cut(self, cut: &Cut) -> Yaml {
        match cut {
            Cut::Between(hosts) => self.host_list(hosts),
            Cut::OneWay { from, to } => {
                Yaml::Map(Map::new().with("from", self.host(*from)).with("to", self.host(*to)))
            }
            Cut::Isolate(host) => self.host(*host),
        }
    }

    fn when(self, when: &When) -> Map {
        match *when {
            When::Always => Map::new(),
            When::At(time) => Map::new().with("at", time),
            When::Between(from, to) => {
                Map::new().with("between", Yaml::List(vec![Yaml::from(from), Yaml::from(to)]))
            }
            When::State { host, state, lasted } => Map::new()
                .with("when", self.host_in_state(host, state))
                .unless(&Duration::ZERO, "for", lasted),
        }
    }
}

/// What stands beside the word.
fn segment_action(action: SegmentAction) -> Map {
    match action {
        SegmentAction::Drop => Map::new(),
        SegmentAction::Delay { by } => Map::new().with("by", by),
        SegmentAction::Duplicate { copies, spacing } => {
            Map::new().unless(&1, "copies", copies).unless(&Duration::ZERO, "spacing", spacing)
        }
        SegmentAction::Reorder { behind } => Map::new().unless(&1, "behind", behind),
        SegmentAction::Corrupt { bits, field } => {
            Map::new().unless(&1, "bits", bits).maybe("field", field.map(crate::Field::name))
        }
        SegmentAction::Rewrite(rewrite) => Map::new().with("set", self::rewrite(&rewrite)),
        SegmentAction::Unreachable(code) => {
            let mtu = match code {
                Unreachable::FragmentationNeeded { mtu } => Some(size(mtu)),
                Unreachable::Net | Unreachable::Host | Unreachable::Port => None,
            };
            Map::new().unless(&Unreachable::default().name(), "code", code.name()).maybe("mtu", mtu)
        }
    }
}

fn which(which: Which) -> Map {
    match which {
        Which::All => Map::new(),
        Which::First(number) => Map::new().with("first", number),
        Which::Nth(number) => Map::new().with("nth", number),
        Which::Every(number) => Map::new().with("every", number),
        Which::Probability(millionths) => Map::new().with("probability", format_percentage(millionths)),
    }
}

fn middlebox_fault(fault: MiddleboxFault) -> Map {
    match fault {
        MiddleboxFault::Forget | MiddleboxFault::PowerLoss => Map::new(),
        MiddleboxFault::BlocksNew { unblocks_after } => Map::new().maybe("unblocks-after", unblocks_after),
        MiddleboxFault::Reboot { back_after } => Map::new().with("back-after", back_after),
    }
}

fn number(Number { base, plus }: Number) -> Yaml {
    Yaml::Word(match base {
        Base::Initial => plus.to_string(),
        Base::SndUna | Base::SndNxt | Base::RcvNxt => offset(base.name(), plus),
    })
}

/// `rcv.nxt`, `rcv.nxt + 100`, `snd.una - 1`.
fn offset(variable: &str, plus: i64) -> String {
    match plus {
        0 => variable.to_owned(),
        1.. => format!("{variable} + {plus}"),
        ..0 => format!("{variable} - {}", plus.unsigned_abs()),
    }
}

fn forged_timestamps(ForgedTimestamps { value, echo }: ForgedTimestamps) -> Yaml {
    if (value, echo) == (0, 0) {
        return Yaml::from(true);
    }
    let ticks = |ticks: i64| Yaml::Word(ticks.to_string());
    Yaml::Map(Map::new().with("value", ticks(value)).with("echo", ticks(echo)))
}

fn rewrite(it: &Rewrite) -> Map {
    let renumber = |own: &'static str| {
        move |number: Renumber| match number {
            Renumber::To(number) => number.to_string(),
            Renumber::By(by) => offset(own, by),
        }
    };
    Map::new()
        .maybe("sequence", it.sequence.map(renumber("seg.seq")))
        .maybe("acknowledgment", it.acknowledgment.map(renumber("seg.ack")))
        .maybe("flags", it.flags.map(|flags| flags.to_string()))
        .maybe("window", it.window.map(size))
        .maybe("urgent", it.urgent.map(|pointer| value(pointer, u32::from)))
        .maybe("mss", it.mss.map(|mss| value(mss, size)))
        .maybe("window-scale", it.window_scale.map(|shift| value(shift, u32::from)))
        .maybe("sack-permitted", it.no_sack_permitted.then_some(false))
        .maybe("sack", it.no_sack.then_some(false))
        .maybe("timestamps", it.no_timestamps.then_some(false))
        .maybe("ecn", it.congestion_experienced.then_some("CE"))
}

fn value<T, Y: Into<Yaml>>(value: NewValue<T>, write: impl FnOnce(T) -> Y) -> Yaml {
    match value {
        NewValue::To(value) => write(value).into(),
        NewValue::Off => or(None::<Yaml>, "off"),
    }
}
