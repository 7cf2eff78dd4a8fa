//! What random cases have found, each made small.

use halfopen_tcp::{CongestionAlgorithm, Profile};

use crate::plan::{Action, Path, Plan, Step, Tuning};
use crate::world::{self, Stack};

const STILL: Path =
    Path { latency_ms: 0, jitter_ms: 0, loss: 0, duplication: 0, corruption: 0, straggling: 0 };

/// Two ends with nothing to do and a network that does nothing.
fn quiet(profile: Profile) -> Plan {
    let tuning = Tuning {
        profile,
        congestion: CongestionAlgorithm::Cubic,
        receive_buffer: 65_536,
        send_buffer: 65_536,
        mtu: 1500,
        window_scale: Some(7),
        timestamps: true,
        sack: true,
        nagle: true,
        delayed_ack: true,
        lingers: false,
    };
    Plan {
        seed: 0,
        paths: [STILL; 2],
        blackout: None,
        tunings: [tuning; 2],
        scripts: [Vec::new(), Vec::new()],
    }
}

fn step(after_ms: u32, action: Action) -> Step {
    Step { after_ms, action }
}

fn play(plan: &Plan, stacks: [Stack; 2]) {
    world::run(plan, stacks).unwrap_or_else(|what| panic!("{what}"));
}

#[test]
fn an_orphan_that_waits_for_a_fin_without_a_time_limit_is_ended_by_keepalive() {
    let mut plan = quiet(Profile::Rfc9293);
    plan.scripts = [vec![step(1000, Action::Close)], vec![step(3000, Action::Shutdown)]];
    plan.blackout = Some((2000, u32::MAX));
    play(&plan, [Stack::Ours, Stack::Ours]);
}

#[test]
fn probes_of_a_closed_window_end_when_nobody_answers_for_the_user_timeout() {
    let mut plan = quiet(Profile::Rfc9293);
    plan.tunings[0].receive_buffer = 1;
    plan.tunings[0].window_scale = None;
    plan.scripts = [vec![step(60_000, Action::Read(1))], vec![step(0, Action::Write(1000))]];
    plan.blackout = Some((2000, u32::MAX));
    play(&plan, [Stack::Ours, Stack::Ours]);
}

#[test]
fn a_buffer_that_the_window_scale_cannot_tell_is_filled_again_and_again() {
    let mut plan = quiet(Profile::Linux);
    plan.tunings[0].receive_buffer = 1000;
    plan.tunings[0].window_scale = Some(14);
    plan.scripts = [Vec::new(), vec![step(0, Action::Write(5000))]];
    play(&plan, [Stack::Ours, Stack::Ours]);
    play(&plan, [Stack::Ours, Stack::Smoltcp]);
}

/// Without any option, and every segment sent and acknowledged at once.
fn bare(profile: Profile) -> Plan {
    let mut plan = quiet(profile);
    for tuning in &mut plan.tunings {
        let options_off = Tuning { window_scale: None, timestamps: false, sack: false, ..*tuning };
        *tuning = Tuning { nagle: false, delayed_ack: false, ..options_off };
    }
    plan
}

#[test]
fn a_window_smaller_than_a_default_segment_opens_again() {
    let mut plan = bare(Profile::Linux);
    plan.tunings[0].send_buffer = 8;
    plan.tunings[1].receive_buffer = 537;
    plan.tunings[1].mtu = 309;
    plan.scripts = [vec![step(0, Action::Write(500))], vec![step(1800, Action::Write(20))]];
    play(&plan, [Stack::Ours, Stack::Ours]);
}

#[test]
fn the_window_of_a_repeated_segment_counts_when_it_acknowledges_more() {
    let mut plan = bare(Profile::FreeBsd);
    plan.seed = 15_884_445_528_914_026_675;
    plan.tunings[0] = Tuning { receive_buffer: 1, send_buffer: 295, nagle: true, ..plan.tunings[0] };
    plan.tunings[0].window_scale = Some(8);
    plan.tunings[1] = Tuning { receive_buffer: 591, send_buffer: 1, ..plan.tunings[1] };
    plan.paths[1] =
        Path { latency_ms: 328, jitter_ms: 12, loss: 249, duplication: 1, corruption: 1, straggling: 0 };
    plan.scripts = [
        vec![step(114, Action::Write(297)), step(0, Action::Write(295))],
        vec![step(0, Action::Write(1)), step(4330, Action::Write(1))],
    ];
    play(&plan, [Stack::Ours, Stack::Smoltcp]);
}
