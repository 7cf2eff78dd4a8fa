//! What is written, and the statements that do it.

use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use tokio::sync::oneshot;

use crate::error::HistoryError;
use crate::read::{self, COLUMNS, decompress, run_of};
use crate::run::{
    Accepted, Batch, Ending, Interruption, NewRun, Number, Retention, Run, State, Time, Unfinished,
};

/// How often the server may end while it executes a run, before the run is taken for the reason.
const ATTEMPTS: i64 = 50;
/// How many runs are deleted in one transaction.
const DELETED_AT_ONCE: i64 = 200;
/// The level of compression. Higher ones gain little for batches of this size, and take longer than the run.
const LEVEL: i32 = 6;

type Answer<T> = oneshot::Sender<Result<T, HistoryError>>;

/// What a caller asks for, and waits for.
#[derive(Debug)]
pub(crate) enum Ask {
    Accept { run: Box<NewRun>, request: Vec<u8>, answer: Answer<Accepted> },
    Cancel { tenant: String, id: String, now: Time, answer: Answer<Run> },
    Delete { tenant: String, id: String, answer: Answer<()> },
    Recover { version: String, now: Time, answer: Answer<Vec<Unfinished>> },
    Retain { retention: Retention, now: Time, answer: Answer<u64> },
    Close { answer: Answer<()> },
}

/// What a run in progress stores. It is never given up.
#[derive(Debug)]
pub(crate) enum Keep {
    Begin { run: Number, version: String, now: Time },
    Append { run: Number, batch: Packed },
    Finish { run: Number, ending: PackedEnding, now: Time },
}

/// A batch, compressed.
#[derive(Debug)]
pub(crate) struct Packed {
    first: i64,
    count: i64,
    content: Vec<u8>,
}

#[derive(Debug)]
pub(crate) enum PackedEnding {
    Finished { last: Packed, verdict: i32, virtual_time: Duration },
    Interrupted(Interruption),
}

/// What a write has done, to be made known once it is committed.
#[derive(Debug)]
pub(crate) enum Done {
    Accepted(Accepted),
    /// The run as it is now.
    Cancelled(Run),
    Deleted(Number),
    Recovered(Vec<(Unfinished, u64)>),
    /// So many runs were deleted.
    Retained(u64),
    Closed,
    /// So many events of the run are stored.
    Advanced(Number, u64),
    /// The run has its last event, which has this number.
    Finished(Number, u64),
    /// The run is over, now or already, or is gone.
    Ended(Number),
    /// The run is executed.
    Begun,
    /// It was refused.
    Refused(HistoryError),
}

impl From<&Batch> for Packed {
    fn from(batch: &Batch) -> Packed {
        Packed { first: int(batch.first), count: int(batch.count), content: compress(&batch.content) }
    }
}

impl From<&Ending> for PackedEnding {
    fn from(ending: &Ending) -> PackedEnding {
        match ending {
            Ending::Finished { last, verdict, virtual_time } => {
                PackedEnding::Finished { last: last.into(), verdict: *verdict, virtual_time: *virtual_time }
            }
            Ending::Interrupted(interruption) => PackedEnding::Interrupted(*interruption),
        }
    }
}

/// Compresses.
pub(crate) fn compress(content: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(content, LEVEL).expect("memory is not short")
}

impl Ask {
    /// Does it, without a commit.
    pub(crate) async fn write(&self, to: &mut AnyConnection) -> Result<Done, sqlx::Error> {
        match self {
            Ask::Accept { run, request, .. } => accept(to, run, request).await,
            Ask::Cancel { tenant, id, now, .. } => cancel(to, tenant, id, *now).await,
            Ask::Delete { tenant, id, .. } => {
                let delete =
                    sqlx::query_scalar("DELETE FROM runs WHERE tenant = $1 AND id = $2 RETURNING number");
                let deleted: Option<i64> = delete.bind(tenant).bind(id).fetch_optional(to).await?;
                Ok(deleted.map_or(Done::Refused(HistoryError::Unknown), |run| Done::Deleted(Number(run))))
            }
            Ask::Recover { version, now, .. } => recover(to, version, *now).await,
            Ask::Retain { retention, now, .. } => retain(to, *retention, *now).await,
            Ask::Close { .. } => {
                let queue = sqlx::query("UPDATE runs SET state = $1 WHERE state = $2");
                queue.bind(State::Queued.code()).bind(State::Running.code()).execute(to).await?;
                Ok(Done::Closed)
            }
        }
    }

    /// Answers.
    pub(crate) fn answer(self, done: Result<Done, HistoryError>) {
        /// Whoever has stopped waiting needs no answer.
        fn tell<T>(
            answer: Answer<T>,
            done: Result<Done, HistoryError>,
            pick: impl FnOnce(Done) -> Option<T>,
        ) {
            let picked = done.and_then(|done| match done {
                Done::Refused(error) => Err(error),
                done => pick(done).ok_or_else(|| HistoryError::Database("nothing was done".to_owned())),
            });
            let _ = answer.send(picked);
        }
        match self {
            Ask::Accept { answer, .. } => tell(answer, done, |done| match done {
                Done::Accepted(accepted) => Some(accepted),
                _ => None,
            }),
            Ask::Cancel { answer, .. } => tell(answer, done, |done| match done {
                Done::Cancelled(run) => Some(run),
                _ => None,
            }),
            Ask::Delete { answer, .. } => tell(answer, done, |_| Some(())),
            Ask::Recover { answer, .. } => tell(answer, done, |done| match done {
                Done::Recovered(runs) => Some(runs.into_iter().map(|(run, _)| run).collect()),
                _ => None,
            }),
            Ask::Retain { answer, .. } => tell(answer, done, |done| match done {
                Done::Retained(runs) => Some(runs),
                _ => None,
            }),
            Ask::Close { answer } => tell(answer, done, |_| Some(())),
        }
    }
}

impl Keep {
    /// Does it, without a commit.
    pub(crate) async fn write(&self, to: &mut AnyConnection) -> Result<Done, sqlx::Error> {
        match self {
            Keep::Begin { run, version, now } => {
                let begin = sqlx::query(
                    "UPDATE runs SET state = $2, version = $3, began = COALESCE(began, $4) WHERE number = $1 AND state = $5",
                );
                let begin = begin.bind(run.0).bind(State::Running.code()).bind(version).bind(now.0);
                begin.bind(State::Queued.code()).execute(to).await?;
                Ok(Done::Begun)
            }
            Keep::Append { run, batch } => append(to, *run, batch).await,
            Keep::Finish { run, ending: PackedEnding::Interrupted(interruption), now } => {
                interrupt(to, *run, *interruption, Some(*now)).await
            }
            Keep::Finish { run, ending: PackedEnding::Finished { last, verdict, virtual_time }, now } => {
                let done = append(to, *run, last).await?;
                let Done::Advanced(_, events) = done else { return Ok(done) };
                let finish = sqlx::query(
                    "UPDATE runs SET state = $2, verdict = $3, ended = $4, virtual_time = $5 WHERE number = $1",
                );
                let finish = finish.bind(run.0).bind(State::Finished.code()).bind(i64::from(*verdict));
                let virtual_time = i64::try_from(virtual_time.as_nanos()).unwrap_or(i64::MAX);
                finish.bind(now.0).bind(virtual_time).execute(to).await?;
                Ok(Done::Finished(*run, events))
            }
        }
    }
}

async fn accept(to: &mut AnyConnection, run: &NewRun, request: &[u8]) -> Result<Done, sqlx::Error> {
    let NewRun { id, tenant, request_id, summary, scenario, labels, version, now, .. } = run;
    let insert = sqlx::query_scalar(
        "INSERT INTO runs (id, tenant, request_id, scenario, summary, version, state, created, bytes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant, request_id) DO NOTHING RETURNING number",
    );
    let insert =
        insert.bind(id).bind(tenant).bind(request_id.as_deref()).bind(scenario).bind(summary.as_slice());
    let insert = insert.bind(version).bind(State::Queued.code()).bind(now.0);
    let bytes = int((request.len() + summary.len()) as u64);
    let Some(number): Option<i64> = insert.bind(bytes).fetch_optional(&mut *to).await? else {
        return accepted_before(to, run).await;
    };
    let insert = sqlx::query("INSERT INTO requests (run, content) VALUES ($1, $2)");
    insert.bind(number).bind(request).execute(&mut *to).await?;
    for (name, value) in labels {
        let insert = sqlx::query("INSERT INTO labels (run, name, value) VALUES ($1, $2, $3)");
        insert.bind(number).bind(name).bind(value).execute(&mut *to).await?;
    }
    let run = by_number(to, Number(number)).await?;
    Ok(Done::Accepted(Accepted { run, is_new: true }))
}

/// The run that has the request id of another, if it is the same.
async fn accepted_before(to: &mut AnyConnection, run: &NewRun) -> Result<Done, sqlx::Error> {
    let select = format!("SELECT {COLUMNS} FROM runs WHERE tenant = $1 AND request_id = $2");
    let select = sqlx::query(&select).bind(&run.tenant).bind(run.request_id.as_deref());
    let before = run_of(&select.fetch_one(&mut *to).await?)?;
    let select = sqlx::query_scalar("SELECT content FROM requests WHERE run = $1").bind(before.number.0);
    let request: Vec<u8> = select.fetch_one(to).await?;
    match decompress(&request)? == run.request {
        true => Ok(Done::Accepted(Accepted { run: before, is_new: false })),
        false => Ok(Done::Refused(HistoryError::RequestIdTaken(before.id))),
    }
}

async fn by_number(to: &mut AnyConnection, run: Number) -> Result<Run, sqlx::Error> {
    let select = format!("SELECT {COLUMNS} FROM runs WHERE number = $1");
    run_of(&sqlx::query(&select).bind(run.0).fetch_one(to).await?)
}

async fn cancel(to: &mut AnyConnection, tenant: &str, id: &str, now: Time) -> Result<Done, sqlx::Error> {
    let cancel = sqlx::query(
        "UPDATE runs SET state = $1, ended = $2 WHERE tenant = $3 AND id = $4 AND state IN ($5, $6)",
    );
    let cancel = cancel.bind(State::Cancelled.code()).bind(now.0).bind(tenant).bind(id);
    cancel.bind(State::Queued.code()).bind(State::Running.code()).execute(&mut *to).await?;
    let found = read::find(to, tenant, id).await?;
    Ok(found.map_or(Done::Refused(HistoryError::Unknown), Done::Cancelled))
}

async fn append(to: &mut AnyConnection, run: Number, batch: &Packed) -> Result<Done, sqlx::Error> {
    let Packed { first, count, content } = batch;
    let last = first - 1 + count;
    let advance = sqlx::query(
        "UPDATE runs SET events = $2, bytes = bytes + $3 WHERE number = $1 AND events = $4 AND state IN ($5, $6)",
    );
    let advance = advance.bind(run.0).bind(last).bind(int(content.len() as u64)).bind(first - 1);
    let advance = advance.bind(State::Queued.code()).bind(State::Running.code());
    if advance.execute(&mut *to).await?.rows_affected() == 0 {
        return append_again(to, run, batch, last).await;
    }
    let insert = sqlx::query("INSERT INTO events (run, first, count, content) VALUES ($1, $2, $3, $4)");
    insert.bind(run.0).bind(first).bind(count).bind(content.as_slice()).execute(to).await?;
    Ok(Done::Advanced(run, count_of(last)))
}

/// The batch is stored already, if the run is executed again: then they are the same. Or the run is over.
async fn append_again(
    to: &mut AnyConnection,
    run: Number,
    batch: &Packed,
    last: i64,
) -> Result<Done, sqlx::Error> {
    let select = sqlx::query_scalar("SELECT events FROM runs WHERE number = $1 AND state IN ($2, $3)");
    let select = select.bind(run.0).bind(State::Queued.code()).bind(State::Running.code());
    let Some(_): Option<i64> = select.fetch_optional(&mut *to).await? else { return Ok(Done::Ended(run)) };
    let select =
        sqlx::query_scalar("SELECT content FROM events WHERE run = $1 AND first = $2 AND count = $3");
    let select = select.bind(run.0).bind(batch.first).bind(batch.count);
    let stored: Option<Vec<u8>> = select.fetch_optional(&mut *to).await?;
    match stored {
        // Another version of the library may compress in another way.
        Some(stored) if stored == batch.content || decompress(&stored)? == decompress(&batch.content)? => {
            Ok(Done::Advanced(run, count_of(last)))
        }
        _ => interrupt(to, run, Interruption::NotRepeatable, None).await,
    }
}

async fn interrupt(
    to: &mut AnyConnection,
    run: Number,
    interruption: Interruption,
    now: Option<Time>,
) -> Result<Done, sqlx::Error> {
    let interrupt = sqlx::query(
        "UPDATE runs SET state = $2, interruption = $3, ended = $4 WHERE number = $1 AND state IN ($5, $6)",
    );
    let state = State::Interrupted(interruption).code();
    let interrupt = interrupt.bind(run.0).bind(state).bind(interruption.code()).bind(now.map(|now| now.0));
    interrupt.bind(State::Queued.code()).bind(State::Running.code()).execute(to).await?;
    Ok(Done::Ended(run))
}

async fn recover(to: &mut AnyConnection, version: &str, now: Time) -> Result<Done, sqlx::Error> {
    let [queued, running] = [State::Queued, State::Running].map(State::code);
    let again = sqlx::query("UPDATE runs SET state = $1, attempts = attempts + 1 WHERE state = $2");
    again.bind(queued).bind(running).execute(&mut *to).await?;
    let interrupt = "UPDATE runs SET state = $1, interruption = $2, ended = $3 WHERE state = $4 AND";
    let (crashed, changed) = (Interruption::ServerCrashed, Interruption::VersionChanged);
    let statement = format!("{interrupt} attempts >= $5");
    let give_up = sqlx::query(&statement).bind(State::Interrupted(crashed).code()).bind(crashed.code());
    give_up.bind(now.0).bind(queued).bind(ATTEMPTS).execute(&mut *to).await?;
    let statement = format!("{interrupt} events > 0 AND version <> $5");
    let give_up = sqlx::query(&statement).bind(State::Interrupted(changed).code()).bind(changed.code());
    give_up.bind(now.0).bind(queued).bind(version).execute(&mut *to).await?;
    let select = sqlx::query("SELECT number, id, tenant, events FROM runs WHERE state = $1 ORDER BY number");
    let rows = select.bind(queued).fetch_all(to).await?;
    let unfinished = |row: &AnyRow| {
        let run =
            Unfinished { number: Number(row.try_get(0)?), id: row.try_get(1)?, tenant: row.try_get(2)? };
        Ok::<_, sqlx::Error>((run, count_of(row.try_get(3)?)))
    };
    Ok(Done::Recovered(rows.iter().map(unfinished).collect::<Result<_, _>>()?))
}

async fn retain(to: &mut AnyConnection, retention: Retention, now: Time) -> Result<Done, sqlx::Error> {
    let mut deleted = 0;
    if let Some(keep_for) = retention.keep_for {
        let oldest = now.0.saturating_sub(i64::try_from(keep_for.as_micros()).unwrap_or(i64::MAX));
        let delete = sqlx::query(
            "DELETE FROM runs WHERE number IN (SELECT number FROM runs WHERE state >= $1 AND ended < $2 LIMIT $3)",
        );
        let delete = delete.bind(State::Finished.code()).bind(oldest).bind(DELETED_AT_ONCE);
        deleted += delete.execute(&mut *to).await?.rows_affected();
    }
    if let Some(keep_bytes) = retention.keep_bytes {
        let delete = sqlx::query(
            "DELETE FROM runs WHERE number IN (SELECT number FROM (SELECT number, state, \
             CAST(SUM(bytes) OVER (PARTITION BY tenant ORDER BY number DESC) AS BIGINT) AS total FROM runs) AS sized \
             WHERE total > $1 AND state >= $2 LIMIT $3)",
        );
        let delete = delete.bind(int(keep_bytes)).bind(State::Finished.code()).bind(DELETED_AT_ONCE);
        deleted += delete.execute(to).await?.rows_affected();
    }
    Ok(Done::Retained(deleted))
}

/// As databases have it.
fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// As it was.
fn count_of(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
