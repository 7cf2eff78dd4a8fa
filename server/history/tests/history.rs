//! What a history promises, in SQLite and in PostgreSQL.
#![cfg(all(feature = "databases", unix))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Databases, VERSION, batch, new_run, on_a_thread, read};
use halfopen_history::{
    Accepted, Ending, Filter, History, HistoryError, Interruption, NewRun, Number, OpenError, Progress,
    Retention, State, Time,
};

const PASSED: i32 = 1;

fn finished(first: u64, last: u64) -> Ending {
    Ending::Finished { last: batch(first, last), verdict: PASSED, virtual_time: Duration::from_nanos(7_950) }
}

async fn accept(history: &History, run: NewRun) -> Number {
    let Accepted { run, is_new } = history.accept(run).await.unwrap();
    assert!(is_new);
    run.number
}

/// Ends a run, and waits until that is known.
async fn finish(history: &History, run: Number, ending: Ending, now: Time) {
    let mut progress = history.watch(run).expect("it is not over");
    on_a_thread(history, move |history| history.finish(run, &ending, now)).await;
    progress.wait_for(|progress| progress.is_over).await.unwrap();
}

#[tokio::test]
async fn what_histories_promise() {
    let databases = Databases::start();
    for address in databases.addresses() {
        println!("{address}");
        a_run_from_its_acceptance_to_its_end(&address).await;
    }
    for address in databases.addresses() {
        a_request_that_is_repeated_gets_the_same_run(&address).await;
    }
    for address in databases.addresses() {
        nobody_sees_the_runs_of_another_tenant(&address).await;
    }
    for address in databases.addresses() {
        lists_are_filtered_and_come_in_pages(&address).await;
    }
    for address in databases.addresses() {
        cancelled_and_deleted_runs_store_nothing_more(&address).await;
    }
    for address in databases.addresses() {
        what_was_not_over_is_executed_again(&address).await;
    }
    for address in databases.addresses() {
        a_run_that_takes_its_server_down_again_and_again_is_given_up(&address).await;
    }
    for address in databases.addresses() {
        other_events_than_those_that_are_stored_interrupt_a_run(&address).await;
    }
    for address in databases.addresses() {
        old_runs_are_deleted_by_age_and_size(&address).await;
    }
    for address in databases.addresses() {
        one_server_at_a_time_has_it(&address).await;
    }
    for address in databases.addresses() {
        many_write_at_once(&address).await;
    }
}

async fn a_run_from_its_acceptance_to_its_end(address: &str) {
    let history = History::open(address).await.unwrap();
    let number = accept(&history, new_run("blue", "a")).await;
    let run = history.get("blue", "a").await.unwrap();
    assert_eq!((run.state, run.events, run.created), (State::Queued, 0, Time(1_000)));
    assert_eq!((run.summary.as_slice(), run.version.as_str()), (b"summary of a".as_slice(), VERSION));
    assert_eq!(history.request(number).await.unwrap(), b"run a");
    assert_eq!(history.events(number, 0).await.unwrap(), None);
    let mut progress = history.watch(number).expect("it is not over");
    on_a_thread(&history, move |history| {
        history.begin(number, VERSION, Time(2_000));
        history.append(number, &batch(1, 400));
        history.append(number, &batch(401, 500));
    })
    .await;
    progress.wait_for(|progress| progress.events == 500).await.unwrap();
    let run = history.get("blue", "a").await.unwrap();
    assert_eq!((run.state, run.events, run.began, run.ended), (State::Running, 500, Some(Time(2_000)), None));
    on_a_thread(&history, move |history| history.finish(number, &finished(501, 600), Time(3_000))).await;
    let over = *progress.wait_for(|progress| progress.is_over).await.unwrap();
    assert_eq!(over, Progress { events: 600, is_over: true });
    assert!(history.watch(number).is_none());
    let run = history.get("blue", "a").await.unwrap();
    assert_eq!((run.state, run.verdict, run.events), (State::Finished, Some(PASSED), 600));
    assert_eq!((run.ended, run.virtual_time), (Some(Time(3_000)), Some(Duration::from_nanos(7_950))));
    for after in [0, 1, 399, 400, 401, 599, 600, 601, u64::MAX] {
        let expected: Vec<u64> = (after.saturating_add(1)..=600).collect();
        assert_eq!(read(&history, number, after).await, expected, "after {after}");
    }
    history.close().await;
}

async fn a_request_that_is_repeated_gets_the_same_run(address: &str) {
    let history = History::open(address).await.unwrap();
    let run = |tenant: &str, id: &str, request: &str| NewRun {
        request_id: Some("nightly-7".to_owned()),
        request: request.as_bytes().to_vec(),
        ..new_run(tenant, id)
    };
    let first = accept(&history, run("blue", "a", "one")).await;
    let again = history.accept(run("blue", "b", "one")).await.unwrap();
    assert_eq!((again.is_new, again.run.number, again.run.id.as_str()), (false, first, "a"));
    let other = history.accept(run("blue", "c", "other")).await.unwrap_err();
    assert_eq!(other, HistoryError::RequestIdTaken("a".to_owned()));
    assert_eq!(history.get("blue", "c").await.unwrap_err(), HistoryError::Unknown);
    assert_ne!(
        accept(&history, run("green", "d", "other")).await,
        first,
        "another tenant has ids of its own"
    );
    // Requests without an id are never the same.
    accept(&history, new_run("blue", "e")).await;
    accept(&history, new_run("blue", "f")).await;
    history.close().await;
}

async fn nobody_sees_the_runs_of_another_tenant(address: &str) {
    let history = History::open(address).await.unwrap();
    let number = accept(&history, new_run("blue", "a")).await;
    assert_eq!(history.get("green", "a").await.unwrap_err(), HistoryError::Unknown);
    assert_eq!(history.cancel("green", "a", Time(0)).await.unwrap_err(), HistoryError::Unknown);
    assert_eq!(history.delete("green", "a").await.unwrap_err(), HistoryError::Unknown);
    assert_eq!(history.list("green", &Filter::default(), 10, "").await.unwrap().runs, []);
    assert!(history.watch(number).is_some(), "it is not cancelled");
    history.close().await;
}

async fn lists_are_filtered_and_come_in_pages(address: &str) {
    let history = History::open(address).await.unwrap();
    for number in 0..25_i64 {
        let labels: BTreeMap<String, String> = [("job", number % 3), ("branch", number % 2)]
            .map(|(name, value)| (name.into(), value.to_string()))
            .into();
        let scenario = if number < 5 { "listen-overflow" } else { "dead-client" };
        let run = NewRun {
            labels,
            scenario: scenario.into(),
            now: Time(number),
            ..new_run("blue", &number.to_string())
        };
        let number = accept(&history, run).await;
        if scenario == "dead-client" {
            finish(&history, number, finished(1, 1), Time(3_000)).await;
        }
    }
    history.cancel("blue", "0", Time(9)).await.unwrap();
    let all = async |filter: Filter| {
        let (mut ids, mut token) = (Vec::new(), String::new());
        loop {
            let page = history.list("blue", &filter, 10, &token).await.unwrap();
            assert!(page.runs.len() <= 10);
            ids.extend(page.runs.into_iter().map(|run| run.id.parse::<i64>().unwrap()));
            match page.next {
                Some(next) => token = next,
                None => break ids,
            }
        }
    };
    type Keep = fn(&i64) -> bool;
    let newest = |keep: Keep| (0..25).rev().filter(keep).collect::<Vec<i64>>();
    assert_eq!(all(Filter::default()).await, newest(|_| true));
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let cases: [(Filter, Keep); 9] = [
        (Filter { scenario: Some("listen-overflow".into()), ..Filter::default() }, |id| *id < 5),
        (Filter { created_from: Some(Time(7)), ..Filter::default() }, |id| *id >= 7),
        (Filter { created_before: Some(Time(7)), ..Filter::default() }, |id| *id < 7),
        (Filter { state: Some(State::Queued), ..Filter::default() }, |id| (1..5).contains(id)),
        (Filter { state: Some(State::Cancelled), ..Filter::default() }, |id| *id == 0),
        (Filter { verdict: Some(PASSED), ..Filter::default() }, |id| *id >= 5),
        (Filter { verdict: Some(2), ..Filter::default() }, |_| false),
        (Filter { labels: [label("job", "2")].into(), ..Filter::default() }, |id| id % 3 == 2),
        (
            Filter {
                labels: [label("job", "2"), label("branch", "0")].into(),
                scenario: Some("dead-client".into()),
                ..Filter::default()
            },
            |id| id % 3 == 2 && id % 2 == 0 && *id >= 5,
        ),
    ];
    for (filter, keep) in cases {
        assert_eq!(all(filter.clone()).await, newest(keep), "{filter:?}");
    }
    let wrong = history.list("blue", &Filter::default(), 10, "next").await.unwrap_err();
    assert_eq!(wrong, HistoryError::PageToken);
    history.close().await;
}

async fn cancelled_and_deleted_runs_store_nothing_more(address: &str) {
    let history = History::open(address).await.unwrap();
    let [cancelled, deleted] =
        [accept(&history, new_run("blue", "a")).await, accept(&history, new_run("blue", "b")).await];
    let mut progress = history.watch(cancelled).unwrap();
    on_a_thread(&history, move |history| history.append(cancelled, &batch(1, 10))).await;
    progress.wait_for(|progress| progress.events == 10).await.unwrap();
    let run = history.cancel("blue", "a", Time(5)).await.unwrap();
    assert_eq!((run.state, run.ended), (State::Cancelled, Some(Time(5))));
    history.delete("blue", "b").await.unwrap();
    assert!(history.watch(cancelled).is_none() && history.watch(deleted).is_none());
    on_a_thread(&history, move |history| {
        for run in [cancelled, deleted] {
            history.append(run, &batch(11, 20));
            history.finish(run, &finished(21, 30), Time(6));
        }
    })
    .await;
    assert_eq!(history.get("blue", "b").await.unwrap_err(), HistoryError::Unknown);
    let run = history.cancel("blue", "a", Time(7)).await.unwrap();
    assert_eq!((run.state, run.ended, run.events), (State::Cancelled, Some(Time(5)), 10));
    assert_eq!(read(&history, cancelled, 0).await, (1..=10).collect::<Vec<u64>>());
    assert_eq!(history.recover(VERSION, Time(8)).await.unwrap(), []);
    history.close().await;
}

async fn what_was_not_over_is_executed_again(address: &str) {
    let ids = async |history: &History, version| -> Vec<String> {
        let unfinished = history.recover(version, Time(9)).await.unwrap();
        unfinished.into_iter().map(|run| run.id).collect()
    };
    let history = History::open(address).await.unwrap();
    let mut numbers = Vec::new();
    for id in ["waits", "has events", "is over"] {
        numbers.push(accept(&history, new_run("blue", id)).await);
    }
    let [_, with_events, over] = numbers[..] else { unreachable!() };
    on_a_thread(&history, move |history| {
        history.begin(with_events, VERSION, Time(2));
        history.append(with_events, &batch(1, 10));
    })
    .await;
    finish(&history, over, finished(1, 5), Time(3)).await;
    history.close().await;
    let history = History::open(address).await.unwrap();
    assert_eq!(ids(&history, VERSION).await, ["waits", "has events"]);
    assert!(history.watch(with_events).is_some() && history.watch(over).is_none());
    // What is stored is not stored again.
    on_a_thread(&history, move |history| {
        history.begin(with_events, VERSION, Time(4));
        history.append(with_events, &batch(1, 10));
        history.append(with_events, &batch(11, 20));
    })
    .await;
    let mut progress = history.watch(with_events).unwrap();
    progress.wait_for(|progress| progress.events == 20).await.unwrap();
    history.close().await;
    let history = History::open(address).await.unwrap();
    assert_eq!(read(&history, with_events, 0).await, (1..=20).collect::<Vec<u64>>());
    // Another version begins what nobody has seen anything of, and gives up the rest.
    assert_eq!(ids(&history, "2.0.0").await, ["waits"]);
    let run = history.get("blue", "has events").await.unwrap();
    assert_eq!(run.state, State::Interrupted(Interruption::VersionChanged));
    assert_eq!((run.ended, run.began, run.events), (Some(Time(9)), Some(Time(2)), 20));
    history.close().await;
}

async fn a_run_that_takes_its_server_down_again_and_again_is_given_up(address: &str) {
    let history = History::open(address).await.unwrap();
    let number = accept(&history, new_run("blue", "a")).await;
    for attempt in 1..=50 {
        on_a_thread(&history, move |history| history.begin(number, VERSION, Time(attempt))).await;
        while history.get("blue", "a").await.unwrap().state != State::Running {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // As the next server finds it.
        let unfinished = history.recover(VERSION, Time(100)).await.unwrap();
        assert_eq!(unfinished.len(), usize::from(attempt < 50), "attempt {attempt}");
    }
    let run = history.get("blue", "a").await.unwrap();
    assert_eq!((run.state, run.began), (State::Interrupted(Interruption::ServerCrashed), Some(Time(1))));
    history.close().await;
}

async fn other_events_than_those_that_are_stored_interrupt_a_run(address: &str) {
    let history = History::open(address).await.unwrap();
    let [other, cut] =
        [accept(&history, new_run("blue", "a")).await, accept(&history, new_run("blue", "b")).await];
    let ends = [other, cut].map(|run| history.watch(run).unwrap());
    on_a_thread(&history, move |history| {
        history.append(other, &batch(1, 10));
        history.append(cut, &batch(1, 10));
        let mut differs = batch(1, 10);
        differs.content[79] += 1;
        history.append(other, &differs);
        history.append(cut, &batch(1, 9));
    })
    .await;
    for (id, mut progress) in ["a", "b"].into_iter().zip(ends) {
        progress.wait_for(|progress| progress.is_over).await.unwrap();
        let run = history.get("blue", id).await.unwrap();
        assert_eq!(run.state, State::Interrupted(Interruption::NotRepeatable));
    }
    history.close().await;
}

async fn old_runs_are_deleted_by_age_and_size(address: &str) {
    let history = History::open(address).await.unwrap();
    for (tenant, id) in [("blue", 0_i64), ("blue", 1), ("blue", 2), ("green", 3), ("blue", 4)] {
        let number = accept(&history, new_run(tenant, &id.to_string())).await;
        if id != 2 {
            finish(&history, number, finished(1, 100), Time(1_000_000 * id)).await;
        }
    }
    let ids = async |tenant: &str| -> Vec<String> {
        let page = history.list(tenant, &Filter::default(), 10, "").await.unwrap();
        page.runs.into_iter().map(|run| run.id).collect()
    };
    let by_age = Retention { keep_for: Some(Duration::from_secs(10)), keep_bytes: None };
    assert_eq!(history.retain(by_age, Time(10_000_001)).await.unwrap(), 1);
    assert_eq!(ids("blue").await, ["4", "2", "1"]);
    let size = history.get("blue", "4").await.unwrap().bytes;
    let by_size = Retention { keep_for: None, keep_bytes: Some(size) };
    assert_eq!(history.retain(by_size, Time(0)).await.unwrap(), 1);
    // What is not over stays, whatever its size; and each tenant pays for itself.
    assert_eq!((ids("blue").await, ids("green").await), (vec!["4".into(), "2".into()], vec!["3".into()]));
    let nothing = Retention { keep_for: None, keep_bytes: None };
    assert_eq!(history.retain(nothing, Time(i64::MAX)).await.unwrap(), 0);
    history.close().await;
}

async fn one_server_at_a_time_has_it(address: &str) {
    let history = History::open(address).await.unwrap();
    accept(&history, new_run("blue", "a")).await;
    let second = tokio::spawn({
        let address = address.to_owned();
        async move { History::open(&address).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!second.is_finished(), "it waits for the first to end");
    history.close().await;
    let history = second.await.unwrap().unwrap();
    assert!(history.get("blue", "a").await.is_ok());
    history.close().await;
}

async fn many_write_at_once(address: &str) {
    let history = History::open(address).await.unwrap();
    let runs: Vec<_> = (0..40)
        .map(|id| {
            let history = history.clone();
            tokio::spawn(async move {
                let number = accept(&history, new_run("blue", &id.to_string())).await;
                let mut progress = history.watch(number).expect("it is not over");
                on_a_thread(&history, move |history| {
                    for first in [1, 101, 201] {
                        history.append(number, &batch(first, first + 99));
                    }
                    history.finish(number, &finished(301, 310), Time(2));
                })
                .await;
                progress.wait_for(|progress| progress.is_over).await.unwrap();
                read(&history, number, 0).await
            })
        })
        .collect();
    for run in runs {
        assert_eq!(run.await.unwrap(), (1..=310).collect::<Vec<u64>>());
    }
    history.close().await;
}

#[tokio::test]
async fn a_database_that_is_away_is_an_error_for_callers_and_a_pause_for_runs() {
    let Some(postgres) = common::postgres::Postgres::start() else { return };
    let history = History::open(&postgres.create("away")).await.unwrap();
    let number = accept(&history, new_run("blue", "a")).await;
    let mut progress = history.watch(number).unwrap();
    postgres.crash();
    on_a_thread(&history, move |history| {
        history.append(number, &batch(1, 10));
        history.finish(number, &finished(11, 20), Time(2));
    })
    .await;
    let refused = history.accept(new_run("blue", "b")).await.unwrap_err();
    assert!(matches!(refused, HistoryError::Database(_)), "{refused:?}");
    assert!(!progress.borrow_and_update().is_over);
    postgres.resume();
    progress.wait_for(|progress| progress.is_over).await.unwrap();
    assert_eq!(read(&history, number, 0).await, (1..=20).collect::<Vec<u64>>());
    accept(&history, new_run("blue", "c")).await;
    history.close().await;
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "no database\n".repeat(100)).unwrap();
    let missing = folder.path().join("no/such/folder/runs.db");
    for (address, expected) in [
        ("mysql://db/halfopen".to_owned(), "is no history"),
        (text.display().to_string(), "file is not a database"),
        (missing.display().to_string(), "cannot open"),
        ("postgres://127.0.0.1:1/halfopen".to_owned(), "cannot open"),
    ] {
        let error = History::open(&address).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{address}: {error}");
        assert!(!matches!(error, OpenError::Absent));
    }
}

/// `cargo test --release -p halfopen-history --test history -- --ignored --nocapture`
#[tokio::test]
#[ignore = "takes a while; BENCHMARKS.md has the result"]
async fn ten_thousand_runs_are_listed_in_no_time() {
    let databases = Databases::start();
    for address in databases.addresses() {
        let history = History::open(&address).await.unwrap();
        let began = tokio::time::Instant::now();
        let mut accepted = tokio::task::JoinSet::new();
        for id in 0..10_000_u32 {
            let history = history.clone();
            let labels = BTreeMap::from([("job".to_owned(), (id % 100).to_string())]);
            let scenario = format!("scenario-{}", id % 20);
            let run = NewRun { labels, scenario, ..new_run("blue", &id.to_string()) };
            accepted.spawn(async move {
                let number = accept(&history, run).await;
                finish(&history, number, finished(1, 100), Time(3_000)).await;
            });
        }
        accepted.join_all().await;
        println!("{address}: accepted and finished in {:?}", began.elapsed());
        let label = |value: &str| BTreeMap::from([("job".to_owned(), value.to_owned())]);
        for (what, filter) in [
            ("all", Filter::default()),
            ("of a scenario", Filter { scenario: Some("scenario-7".into()), ..Filter::default() }),
            ("with a label", Filter { labels: label("7"), ..Filter::default() }),
            ("with no verdict of that kind", Filter { verdict: Some(2), ..Filter::default() }),
        ] {
            let (mut pages, mut slowest, mut token, mut listed) = (0, Duration::ZERO, String::new(), 0);
            loop {
                let began = tokio::time::Instant::now();
                let page = history.list("blue", &filter, 100, &token).await.unwrap();
                slowest = slowest.max(began.elapsed());
                (pages, listed) = (pages + 1, listed + page.runs.len());
                match page.next {
                    Some(next) => token = next,
                    None => break,
                }
            }
            println!("{what}: {listed} runs on {pages} pages, the slowest in {slowest:?}");
        }
        history.close().await;
    }
}
