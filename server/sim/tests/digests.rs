//! Traces stay what they are where behaviour did not change: the digest of every bundled scenario's run is kept in
//! `tests/digests`, and the first event that is another one is told.
//!
//! `SNAPSHOTS=overwrite cargo test -p halfopen-sim --test digests` writes them anew; read the difference.

mod digests {
    pub(crate) mod digest;
    pub(crate) mod line;
}

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use digests::digest::Digest;
use digests::line::line;
use halfopen_scenario::{Scenario, library};
use halfopen_sim::{Discard, RunOptions};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/digests/runs")
}

/// Where the digest of a run is kept: `dead-client.txt`, `idle-forever/keepalive.txt`.
fn file(scenario: &Scenario) -> PathBuf {
    folder().join(scenario.name() + ".txt")
}

fn digest(scenario: Scenario) -> Digest {
    let scenario = Arc::new(scenario);
    let outcome = halfopen_sim::run(&scenario, &RunOptions::default(), &mut Discard);
    Digest::of(outcome.trace.iter().filter_map(|(_, event)| line(event, &scenario)))
}

/// The files of a folder and of the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn every_bundled_scenario_runs_as_it_did() {
    let scenarios: Vec<Scenario> = library::ALL.iter().flat_map(library::Bundled::scenarios).collect();
    let mut known: Vec<PathBuf> = scenarios.iter().map(file).collect();
    let overwrite = env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite");
    if overwrite {
        files(&folder()).iter().for_each(|file| fs::remove_file(file).unwrap());
    }
    let mut others = Vec::new();
    for scenario in scenarios {
        let (name, file) = (scenario.name(), file(&scenario));
        let now = digest(scenario);
        if overwrite {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, now.to_string()).unwrap();
        }
        let before = fs::read_to_string(&file).unwrap_or_default();
        others.extend(now.first_difference(&before).map(|difference| format!("{name}: {difference}")));
    }
    let help = "if that is meant: SNAPSHOTS=overwrite cargo test -p halfopen-sim --test digests";
    assert!(
        others.is_empty(),
        "{} runs are not what they were:\n{}\n{help}",
        others.len(),
        others.join("\n")
    );
    let mut kept = files(&folder());
    kept.sort();
    known.sort();
    assert_eq!(kept, known, "digests of runs that there are not: {help}");
}

#[test]
fn the_first_event_that_is_another_one_is_found() {
    let lines = |changed: Option<usize>| {
        move |index: usize| {
            format!("{index}{}", if changed.is_some_and(|from| index >= from) { "!" } else { "" })
        }
    };
    let of = |count: usize, changed: Option<usize>| Digest::of((0..count).map(lines(changed)));
    for count in [1, 99, 100, 101, 5_000, 100_000] {
        let before = of(count, None).to_string();
        assert!(before.len() < 30_000, "{count} events take {} octets", before.len());
        assert_eq!(of(count, None).first_difference(&before), None);
        for changed in [0, count / 2, count - 1] {
            let told = of(count, Some(changed)).first_difference(&before).expect("another run");
            let (first, last) = told.events;
            // A mark has 64 values, so that it may take some to see it.
            assert!(
                first <= changed + 4 && last + 10 * (count / 10_000 + 1) >= changed,
                "{count} {changed}: {told}"
            );
            assert!(changed >= 100 || told.to_string().contains(&format!("was: {changed}\n")), "{told}");
        }
        let longer = of(count + 1, None).first_difference(&before).expect("one event more");
        assert!(longer.events.1 >= count.min(100), "{longer}");
    }
    assert!(of(3, None).first_difference("").is_some(), "a run without digest");
}
