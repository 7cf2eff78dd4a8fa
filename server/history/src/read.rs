//! What is read, and how rows become runs.

use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use crate::error::HistoryError;
use crate::run::{Batch, Filter, Interruption, Number, Page, Run, State, Time};

/// The columns of a run, as [`run_of`] reads them.
pub(crate) const COLUMNS: &str = "number, id, tenant, summary, version, state, interruption, verdict, created, began, ended, \
                                  virtual_time, events, bytes";

/// The maximum size of a request or a batch, in bytes. This program makes no larger ones.
const MAX_CONTENT: usize = 64 << 20;

impl State {
    /// As it is stored. A state that is over is not less than that of a finished run.
    pub(crate) fn code(self) -> i64 {
        match self {
            State::Queued => 0,
            State::Running => 1,
            State::Finished => 2,
            State::Cancelled => 3,
            State::Interrupted(_) => 4,
        }
    }

    fn read(code: i64, interruption: Option<i64>) -> Option<State> {
        match code {
            0 => Some(State::Queued),
            1 => Some(State::Running),
            2 => Some(State::Finished),
            3 => Some(State::Cancelled),
            4 => Interruption::read(interruption?).map(State::Interrupted),
            _ => None,
        }
    }
}

impl Interruption {
    /// As it is stored.
    pub(crate) fn code(self) -> i64 {
        match self {
            Interruption::VersionChanged => 1,
            Interruption::NotRepeatable => 2,
            Interruption::ServerCrashed => 3,
            Interruption::Panicked => 4,
            Interruption::NotLoadable => 5,
        }
    }

    fn read(code: i64) -> Option<Interruption> {
        let all = [
            Interruption::VersionChanged,
            Interruption::NotRepeatable,
            Interruption::ServerCrashed,
            Interruption::Panicked,
            Interruption::NotLoadable,
        ];
        all.into_iter().find(|interruption| interruption.code() == code)
    }
}

/// The run of a row with [`COLUMNS`].
pub(crate) fn run_of(row: &AnyRow) -> Result<Run, sqlx::Error> {
    let time = |column| row.try_get(column).map(|time: Option<i64>| time.map(Time));
    let count = |column| row.try_get(column).map(|count: i64| u64::try_from(count).unwrap_or(0));
    let verdict: Option<i64> = row.try_get(7)?;
    let virtual_time: Option<i64> = row.try_get(11)?;
    Ok(Run {
        number: Number(row.try_get(0)?),
        id: row.try_get(1)?,
        tenant: row.try_get(2)?,
        summary: row.try_get(3)?,
        version: row.try_get(4)?,
        state: State::read(row.try_get(5)?, row.try_get(6)?)
            .ok_or_else(|| sqlx::Error::Decode("a newer version of this program has written it".into()))?,
        verdict: verdict.and_then(|verdict| i32::try_from(verdict).ok()),
        created: Time(row.try_get(8)?),
        began: time(9)?,
        ended: time(10)?,
        virtual_time: virtual_time.and_then(|nanos| u64::try_from(nanos).ok()).map(Duration::from_nanos),
        events: count(12)?,
        bytes: count(13)?,
    })
}

/// The run of a tenant with this id.
pub(crate) async fn find(
    from: &mut AnyConnection,
    tenant: &str,
    id: &str,
) -> Result<Option<Run>, sqlx::Error> {
    let select = format!("SELECT {COLUMNS} FROM runs WHERE tenant = $1 AND id = $2");
    sqlx::query(&select).bind(tenant).bind(id).fetch_optional(from).await?.as_ref().map(run_of).transpose()
}

pub(crate) async fn get(readers: &AnyPool, tenant: &str, id: &str) -> Result<Run, HistoryError> {
    let mut reader = readers.acquire().await?;
    find(&mut reader, tenant, id).await?.ok_or(HistoryError::Unknown)
}

pub(crate) async fn request(readers: &AnyPool, run: Number) -> Result<Vec<u8>, HistoryError> {
    let select = sqlx::query_scalar("SELECT content FROM requests WHERE run = $1").bind(run.0);
    let content: Option<Vec<u8>> = select.fetch_optional(readers).await?;
    Ok(decompress(&content.ok_or(HistoryError::Unknown)?)?)
}

pub(crate) async fn events(
    readers: &AnyPool,
    run: Number,
    after: u64,
) -> Result<Option<Batch>, HistoryError> {
    // By the primary key, wherever in the run it is.
    let select = sqlx::query(
        "SELECT first, count, content FROM events WHERE run = $1 AND first <= $2 ORDER BY first DESC LIMIT 1",
    );
    let next = i64::try_from(after.saturating_add(1)).unwrap_or(i64::MAX);
    let Some(row) = select.bind(run.0).bind(next).fetch_optional(readers).await? else { return Ok(None) };
    let (first, count): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    if first + count <= next {
        return Ok(None);
    }
    let content: &[u8] = row.try_get(2)?;
    let unsigned = |number| u64::try_from(number).unwrap_or(0);
    Ok(Some(Batch { first: unsigned(first), count: unsigned(count), content: decompress(content)? }))
}

pub(crate) async fn list(
    readers: &AnyPool,
    tenant: &str,
    filter: &Filter,
    size: usize,
    page: &str,
) -> Result<Page, HistoryError> {
    let before = match page {
        "" => i64::MAX,
        token => i64::from_str_radix(token, 16).map_err(|_| HistoryError::PageToken)?,
    };
    let conditions = Conditions::of(filter);
    let select = format!(
        "SELECT {COLUMNS} FROM runs WHERE tenant = $1 AND number < $2{} ORDER BY number DESC LIMIT $3",
        conditions.text
    );
    // One more tells whether there is a next page.
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let mut select = sqlx::query(&select).bind(tenant).bind(before).bind(limit);
    for value in conditions.values {
        select = match value {
            Value::Text(text) => select.bind(text),
            Value::Number(number) => select.bind(number),
        };
    }
    let rows = select.fetch_all(readers).await?;
    let runs: Vec<Run> = rows.iter().take(size).map(run_of).collect::<Result<_, _>>()?;
    let has_more = rows.len() > size;
    let next = runs.last().filter(|_| has_more).map(|run| format!("{:x}", run.number.0));
    Ok(Page { runs, next })
}

/// What a filter asks of a row, with the values of its parameters from the fourth on.
#[derive(Default)]
struct Conditions<'a> {
    text: String,
    values: Vec<Value<'a>>,
}

enum Value<'a> {
    Text(&'a str),
    Number(i64),
}

impl<'a> Conditions<'a> {
    fn of(filter: &'a Filter) -> Conditions<'a> {
        let Filter { scenario, verdict, state, created_from, created_before, labels } = filter;
        let mut conditions = Conditions::default();
        if let Some(scenario) = scenario {
            conditions.add("scenario =", Value::Text(scenario));
        }
        if let Some(verdict) = verdict {
            conditions.add("verdict =", Value::Number(i64::from(*verdict)));
        }
        if let Some(state) = state {
            conditions.add("state =", Value::Number(state.code()));
        }
        if let Some(time) = created_from {
            conditions.add("created >=", Value::Number(time.0));
        }
        if let Some(time) = created_before {
            conditions.add("created <", Value::Number(time.0));
        }
        for (name, value) in labels {
            let parameter = conditions.parameter(Value::Text(name));
            let label = format!("number IN (SELECT run FROM labels WHERE name = {parameter} AND value =");
            conditions.add(&label, Value::Text(value));
            conditions.text.push(')');
        }
        conditions
    }

    fn add(&mut self, condition: &str, value: Value<'a>) {
        let parameter = self.parameter(value);
        self.text += &format!(" AND {condition} {parameter}");
    }

    fn parameter(&mut self, value: Value<'a>) -> String {
        self.values.push(value);
        format!("${}", self.values.len() + 3)
    }
}

/// What was compressed.
pub(crate) fn decompress(content: &[u8]) -> Result<Vec<u8>, sqlx::Error> {
    let size = zstd::zstd_safe::get_frame_content_size(content).ok().flatten();
    let size = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= MAX_CONTENT);
    let size = size.ok_or_else(|| sqlx::Error::Decode("what is stored was changed".into()))?;
    zstd::bulk::decompress(content, size).map_err(|error| sqlx::Error::Decode(error.into()))
}
