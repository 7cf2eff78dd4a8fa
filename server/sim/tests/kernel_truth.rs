//! The kernel as judge: every recorded situation, replayed on the profile `linux` from a scenario in our own language.
//!
//! `kernel_truth/recordings` has what Linux 6.18 did in real situations: every segment, state and result of a call, with its
//! time. Beside it, a scenario of the same name says the same situation in our language. Each is run and compared:
//!
//! * **structure** exactly: the segments that each host sent (control bits, relative sequence and acknowledgment number,
//!   length, SACK and DSACK blocks, timestamps or none, the window of SYN and RST, dropped or not), each connection's states, what each call came to. Any structure that was
//!   recorded is right. Reads in a row count as one, because how much one call reads depends on when the reader woke up.
//! * **times** as far as the kernel's own timer wheel lets them be compared; see `times.rs`.
//!
//! Where a race decides in the kernel too, it was asked again on the same kernel with the program that made the recordings:
//! `kernel_truth/again` has those runs, and their structures are as right as the recorded ones.
//!
//! What happened after the recording ended is not compared. `KERNEL_TRUTH=name` runs those whose name has it in them, and
//! `KERNEL_TRUTH_SHOW=1` prints both sides whole. `KERNEL_TRUTH_FOLDER=path` with `--ignored` replays fresh recordings: there are
//! `recordings/NAME.json` and `NAME.yaml` in it. `KERNEL_TRUTH_OUTLINE=1` leaves out what depends on when a reader woke up.

#[path = "kernel_truth/compare.rs"]
mod compare;
#[path = "kernel_truth/observed.rs"]
mod observed;
#[path = "kernel_truth/recording.rs"]
mod recording;
#[path = "kernel_truth/replay.rs"]
mod replay;
#[path = "kernel_truth/times.rs"]
mod times;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use compare::{Comparison, Strictness};
use observed::{Host, Observed};
use recording::Recording;

/// How many recordings agree. It only rises.
const FLOOR: usize = 93;

/// How many there are.
const ALL: usize = 93;

/// How many we recorded ourselves.
const OTHERS: usize = 226;

/// Linux itself did them differently in each of three runs: which acknowledgments are sent depends on when the reader wakes
/// up. Compared are the states, the calls, what timers send, and how much was sent.
const NOT_DETERMINISTIC: [&str; 6] = [
    "09d2_acks_delayed_300ms_more_data",
    "10g_bulk_100_segments_clean",
    "13a_zero_window_reopens_5s",
    "13c_zero_window_long",
    "63b_no_sack_two_losses",
    "63c_no_sack_four_losses",
];

/// The client's SYN and the server's SYN+ACK are both sent again after 1 s, so that each SYN meets the server's timer, which
/// it restarts. Which of the equal SYN+ACKs is the one that the timer sends is a race: asked ten times, the kernel sent it as
/// the second, third or fourth. Their number is compared, and the times of all else.
const SYN_ACKS_RACE: [&str; 1] = ["05_synack_dropped_all"];

#[test]
fn linux_does_the_same() {
    let agree = replay_all("tests/kernel_truth", ALL);
    assert!(agree.is_none_or(|agree| agree >= FLOOR), "fewer agree than did before");
}

/// Situations that we recorded ourselves, on the same kernel with the same program.
#[test]
fn linux_does_the_same_in_other_situations() {
    let agree = replay_all("tests/kernel_truth/others", OTHERS);
    assert!(agree.is_none_or(|agree| agree >= OTHERS), "all of them agreed");
}

/// Those of the folder that `KERNEL_TRUTH_FOLDER` names: fresh recordings, and a scenario for each.
#[test]
#[ignore = "needs KERNEL_TRUTH_FOLDER"]
fn linux_does_the_same_in_a_folder() {
    let folder = std::env::var("KERNEL_TRUTH_FOLDER").expect("KERNEL_TRUTH_FOLDER names a folder");
    let count = names(Path::new(&folder)).len();
    let agree = replay_all(&folder, count);
    assert!(agree.is_none_or(|agree| agree == count), "not all agree");
}

/// The names of a folder's recordings.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.join("recordings"))
        .expect("the recordings are there")
        .map(|entry| entry.expect("a file").path())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// Prints the table of a folder; returns how many agree, if all were asked for.
fn replay_all(folder: &str, count: usize) -> Option<usize> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let names = names(&folder);
    assert_eq!(names.len(), count, "recordings");

    let wanted = std::env::var("KERNEL_TRUTH").unwrap_or_default();
    let mut agree = 0;
    let mut table = format!("{:<52} {:<10} times\n", "recording", "structure");
    for name in names.iter().filter(|name| name.contains(&wanted)) {
        let (structure, times, difference) = match judge(&folder, name) {
            Err(reason) => ("-", "-", Some(reason)),
            Ok(Comparison { structure: Some(difference), .. }) => ("differs", "-", Some(difference)),
            Ok(Comparison { times: Some(difference), .. }) => ("ok", "differ", Some(difference)),
            Ok(_) => {
                agree += 1;
                ("ok", "ok", None)
            }
        };
        table += &format!("{name:<52} {structure:<10} {times}\n");
        if let Some(difference) = difference {
            table += &format!("    {difference}\n");
        }
    }
    // At once: the tests run side by side.
    println!("{table}{agree} of {count}");
    wanted.is_empty().then_some(agree)
}

fn judge(folder: &Path, name: &str) -> Result<Comparison, String> {
    let read = |path: &str| fs::read_to_string(folder.join(path));
    let mut recording = Recording::read(&read(&format!("recordings/{name}.json")).expect("it is there"))?;
    if let Ok(again) = read(&format!("again/{name}.json")) {
        recording.structures.extend(Recording::read(&again)?.structures);
    }
    assert_eq!(recording.name, name);
    let text = read(&format!("{name}.yaml")).map_err(|_| "there is no scenario for it yet".to_owned())?;
    let scenario =
        halfopen_scenario::load(&text).map_err(|mistakes| format!("the scenario is wrong: {mistakes:?}"))?;
    let scenario = Arc::new(scenario);
    let run = replay::replay(&scenario);
    if std::env::var_os("KERNEL_TRUTH_SHOW").is_some() {
        show("the run", &run.observed);
        show("the recording", &recording.structures[0]);
    }
    let strictness = Strictness {
        exact: !NOT_DETERMINISTIC.contains(&name) && std::env::var_os("KERNEL_TRUTH_OUTLINE").is_none(),
        syn_ack_times: !SYN_ACKS_RACE.contains(&name),
    };
    Ok(compare::compare(&scenario, &run, &recording, strictness))
}

fn show(what: &str, observed: &Observed) {
    println!("  {what}");
    for host in Host::BOTH {
        for segment in observed.segments.iter().filter(|segment| segment.host == host) {
            println!("    {segment}");
        }
        for call in observed.calls.iter().filter(|call| call.host == host) {
            println!("    {call}");
        }
        for path in observed.paths.iter().filter(|path| path.host == host) {
            let steps: Vec<String> = path.steps.iter().map(ToString::to_string).collect();
            println!("    {host} {} {}", path.first, steps.join(" "));
        }
    }
}

/// That the comparison can fail: a recording of the run itself agrees, and one that was tampered with does not.
mod comparator {
    use super::compare::compare;
    use super::observed::{CallResult, Micros, Segment};
    use super::*;

    /// The client's FIN is lost once: a session with a timer in it.
    const TEXT: &str = "
scenario: lost-fin
title: The client's FIN is lost
hosts: {client: {}, server: {}}
network: {latency: 20ms}
applications:
  server: [{listen: 80}, accept, {receive: 1 KiB}, {send: 1 KiB}, {receive: end}, close]
  client: [{connect: server:80}, {send: 1 KiB}, {receive: 1 KiB}, {wait: 1s}, close]
faults:
  - drop: {from: client, flags: FIN}
    first: 1
until: 2s
";

    /// How the run compares with itself after the recording of it was changed.
    fn changed(exact: bool, change: impl FnOnce(&mut Observed)) -> Comparison {
        let scenario = Arc::new(halfopen_scenario::load(TEXT).expect("a scenario"));
        let run = replay::replay(&scenario);
        let mut recorded = run.observed.clone();
        change(&mut recorded);
        let recording = Recording { name: String::new(), structures: vec![recorded], injected: Vec::new() };
        compare(&scenario, &run, &recording, Strictness { exact, syn_ack_times: true })
    }

    fn fin_again(recorded: &mut Observed) -> usize {
        let fin = |segment: &Segment| segment.host == Host::Client && segment.flags.contains('F');
        let again = recorded.segments.iter().rposition(fin).expect("there is one");
        assert!(
            recorded.segments.iter().filter(|segment| fin(segment)).count() == 2,
            "lost once, sent twice"
        );
        again
    }

    /// Moves everything from the second FIN on.
    fn later(recorded: &mut Observed, by: Micros) {
        let again = fin_again(recorded);
        let from = recorded.segments[again].time;
        let times =
            recorded.segments.iter_mut().flat_map(|it| [&mut it.time].into_iter().chain(&mut it.delivered));
        let times = times.chain(recorded.calls.iter_mut().map(|it| &mut it.time));
        let times =
            times.chain(recorded.paths.iter_mut().flat_map(|it| &mut it.steps).map(|it| &mut it.time));
        for time in times.filter(|time| **time >= from) {
            *time += by;
        }
    }

    #[test]
    fn a_run_agrees_with_itself() {
        assert!(changed(true, |_| {}).is_the_same());
        assert!(changed(false, |_| {}).is_the_same());
    }

    #[test]
    fn every_part_of_a_segment_counts() {
        type Change = fn(&mut Segment);
        let changes: [(&str, Change); 8] = [
            ("host", |it| it.host = Host::Server),
            ("flags", |it| it.flags = "RA".to_owned()),
            ("seq", |it| it.seq += 1),
            ("ack", |it| it.ack = None),
            ("len", |it| it.len += 1),
            ("sack", |it| it.sack = Some(vec![(1, 2)])),
            ("timestamps", |it| it.timestamps = Some(false)),
            ("dropped", |it| it.dropped = true),
        ];
        for (part, change) in changes {
            let compared = changed(true, |recorded| {
                let again = fin_again(recorded);
                change(&mut recorded.segments[again]);
            });
            assert!(compared.structure.is_some(), "{part}");
        }
        let window = changed(true, |recorded| recorded.segments[0].window = Some(1));
        assert!(window.structure.is_some(), "the window of a SYN");
    }

    #[test]
    fn a_segment_more_or_less_counts() {
        let missing = changed(true, |recorded| {
            let again = fin_again(recorded);
            recorded.segments.remove(again);
        });
        assert!(missing.structure.expect("it differs").contains("expected `"), "the next one stands there");
        let last_missing = changed(true, |recorded| {
            recorded.segments.pop();
        });
        assert!(last_missing.structure.expect("it differs").contains("expected nothing more"));
        let more = changed(true, |recorded| recorded.segments.push(recorded.segments[0].clone()));
        assert!(more.structure.expect("it differs").contains("was nothing more"));
    }

    #[test]
    fn states_and_results_of_calls_count() {
        let state = changed(true, |recorded| {
            recorded.paths[0].steps.pop();
        });
        assert!(state.structure.expect("it differs").contains("states"));
        let path = changed(true, |recorded| {
            recorded.paths.pop();
        });
        assert!(path.structure.is_some());
        for result in [CallResult::Received(1023), CallResult::Failed("receive", "ECONNRESET".to_owned())] {
            let call = changed(true, |recorded| {
                let read = |it: &&mut observed::Call| it.result == CallResult::Received(1024);
                recorded.calls.iter_mut().find(read).expect("there is one").result = result;
            });
            assert!(call.structure.is_some());
        }
    }

    #[test]
    fn without_exact_acknowledgments_timers_and_amounts_still_count() {
        let plain = |segment: &Segment| segment.flags == "A" && segment.seq == 1;
        let acknowledgment = changed(false, |recorded| recorded.segments.retain(|it| !plain(it)));
        assert!(acknowledgment.structure.is_none(), "{acknowledgment:?}");
        let timer = changed(false, |recorded| {
            let again = fin_again(recorded);
            recorded.segments.remove(again);
        });
        assert!(timer.structure.is_some());
        let amount = changed(false, |recorded| {
            let data = recorded.segments.iter_mut().find(|it| it.len == 1024);
            data.expect("there is some").len = 2048;
        });
        assert!(amount.structure.is_some());
    }

    #[test]
    fn a_timer_may_be_late_by_its_slot_of_the_wheel_and_never_early() {
        // The FIN comes again after 240 ms: a slot of 4 ms and 5 ms for handling.
        for (by, right) in
            [(0, true), (8_900, true), (9_100, false), (20_000, false), (-900, true), (-1_100, false)]
        {
            let compared = changed(true, |recorded| later(recorded, by));
            assert_eq!(compared.times.is_none(), right, "{by} µs: {compared:?}");
            assert!(compared.structure.is_none(), "{by} µs");
        }
    }

    #[test]
    fn an_answer_that_waits_counts_even_if_all_before_it_was_late() {
        let compared = changed(true, |recorded| {
            later(recorded, 8_000);
            let last =
                recorded.segments.iter_mut().rfind(|it| it.host == Host::Client).expect("the last ACK");
            last.time += 6_000;
            last.delivered[0] += 6_000;
        });
        assert!(compared.times.is_some());
    }

    #[test]
    fn a_recording_that_is_not_understood_says_why() {
        let recording = |state: &str| {
            format!(
                r#"{{"name": "x", "observed_until_ms": 10, "segments": [{{"flags": "proto17"}}], "app": [], "transitions":
                [{{"t_ms": 1, "host": "client", "from": "CLOSE", "to": "{state}", "ports": [1, 2]}}]}}"#
            )
        };
        let read = Recording::read(&recording("SYN_SENT")).expect("it is understood");
        assert_eq!((read.structures[0].paths.len(), read.structures[0].segments.len()), (1, 0));
        let wrong = Recording::read(&recording("BOUND")).map(|_| ()).expect_err("there is no such state");
        assert!(wrong.contains("no state is called BOUND"), "{wrong}");
    }

    #[test]
    fn what_came_after_the_recording_ended_is_not_compared() {
        let compared = changed(true, |recorded| {
            let again = fin_again(recorded);
            let until = recorded.segments[again].time - 1;
            recorded.until = until;
            recorded.segments.retain(|it| it.time <= until);
            recorded.calls.retain(|it| it.time <= until);
            for path in &mut recorded.paths {
                path.steps.retain(|it| it.time <= until);
            }
        });
        assert!(compared.is_the_same(), "{compared:?}");
    }
}
