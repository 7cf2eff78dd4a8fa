//! Where a history is: its address, its connections and its tables.

use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::error::BoxDynError;
use sqlx::migrate::{Migration, MigrationSource, MigrationType, Migrator};
use sqlx::{AnyConnection, AnyPool, Connection, Executor};

use crate::error::OpenError;
use crate::lock::FileLock;

/// How many connections read at the same time.
const READERS: u32 = 8;
/// How long a reader waits for one of them, and for a database that is away.
const PATIENCE: Duration = Duration::from_secs(5);
/// The advisory lock of PostgreSQL that gives the right to write.
const POSTGRES_LOCK: i64 = 0x68616c66_6f70656e;

/// Where a history is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A file.
    Sqlite(PathBuf),
    /// A URL, which may have a password.
    Postgres(String),
}

impl Address {
    /// Reads `sqlite:PATH`, a path, or a URL of PostgreSQL.
    pub(crate) fn parse(text: &str) -> Result<Address, OpenError> {
        let wrong = || OpenError::Address(text.to_owned());
        match text.split_once(':') {
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                Ok(Address::Postgres(text.to_owned()))
            }
            Some(("sqlite", "")) => Err(wrong()),
            Some(("sqlite", path)) => Ok(Address::Sqlite(path.into())),
            // One letter is a drive.
            Some((scheme, rest)) if scheme.len() > 1 && rest.starts_with("//") => Err(wrong()),
            _ if text.is_empty() => Err(wrong()),
            _ => Ok(Address::Sqlite(text.into())),
        }
    }

    /// For people: without a password.
    pub(crate) fn shown(&self) -> String {
        match self {
            Address::Sqlite(path) => path.display().to_string(),
            Address::Postgres(url) => match url.rsplit_once('@') {
                Some((_, place)) => format!("postgres://{place}"),
                None => url.clone(),
            },
        }
    }

    fn url(&self) -> String {
        match self {
            Address::Sqlite(path) => {
                let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
                format!("sqlite:{path}?mode=rwc")
            }
            Address::Postgres(url) => url.clone(),
        }
    }

    /// Connections that read. None is made before it is needed.
    pub(crate) fn readers(&self) -> Result<AnyPool, sqlx::Error> {
        AnyPoolOptions::new().max_connections(READERS).acquire_timeout(PATIENCE).connect_lazy(&self.url())
    }

    /// The connection that writes, with the right to do so; `None` if another server has it.
    pub(crate) async fn writer(&self) -> Result<Option<Writing>, sqlx::Error> {
        install_default_drivers();
        match self {
            Address::Sqlite(path) => {
                let Some(lock) = FileLock::take(path).map_err(sqlx::Error::Io)? else { return Ok(None) };
                let mut connection = AnyConnection::connect(&self.url()).await?;
                // Readers and the writer do not wait for each other, and what is committed is on the disk.
                connection.execute("PRAGMA journal_mode = WAL").await?;
                connection.execute("PRAGMA synchronous = FULL").await?;
                Ok(Some(Writing { connection, _lock: Some(lock) }))
            }
            Address::Postgres(url) => {
                let mut connection = AnyConnection::connect(url).await?;
                let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(POSTGRES_LOCK);
                let is_ours: bool = lock.fetch_one(&mut connection).await?;
                Ok(is_ours.then_some(Writing { connection, _lock: None }))
            }
        }
    }

    /// Makes the tables, or brings those of an older version up to date.
    pub(crate) async fn migrate(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let migrations = match self {
            Address::Sqlite(_) => [include_str!("../migrations/sqlite/0001_runs.sql")],
            Address::Postgres(_) => [include_str!("../migrations/postgres/0001_runs.sql")],
        };
        let mut migrator = Migrator::new(Migrations(&migrations)).await.map_err(sqlx::Error::from)?;
        // Nobody else has the right to write.
        migrator.set_locking(false);
        migrator.run_direct(connection).await.map_err(sqlx::Error::from)
    }
}

/// The connection that writes.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) connection: AnyConnection,
    /// The right to write to a file; that to a PostgreSQL is one of the connection.
    _lock: Option<FileLock>,
}

/// The texts of the migrations, from the first.
#[derive(Debug)]
struct Migrations<'a>(&'a [&'static str]);

type Resolved = Result<Vec<Migration>, BoxDynError>;

impl<'a> MigrationSource<'a> for Migrations<'a> {
    fn resolve(self) -> Pin<Box<dyn Future<Output = Resolved> + Send + 'a>> {
        let migrations = (1..).zip(self.0.iter().copied()).map(|(version, sql): (i64, &'static str)| {
            Migration::new(version, "halfopen".into(), MigrationType::Simple, sql.into(), false)
        });
        Box::pin(std::future::ready(Ok(migrations.collect())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_path_or_a_url() {
        let sqlite = |path: &str| Some(Address::Sqlite(path.into()));
        let postgres = |url: &str| Some(Address::Postgres(url.into()));
        for (text, expected) in [
            ("runs.db", sqlite("runs.db")),
            ("/var/lib/halfopen/runs.db", sqlite("/var/lib/halfopen/runs.db")),
            ("sqlite:runs.db", sqlite("runs.db")),
            (r"C:\halfopen\runs.db", sqlite(r"C:\halfopen\runs.db")),
            ("a:b", sqlite("a:b")),
            ("postgres://user:secret@db/halfopen", postgres("postgres://user:secret@db/halfopen")),
            ("postgresql:///halfopen", postgres("postgresql:///halfopen")),
            ("mysql://db/halfopen", None),
            ("sqlite:", None),
            ("", None),
        ] {
            assert_eq!(Address::parse(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let shown = |text| Address::parse(text).expect("an address").shown();
        assert_eq!(shown("postgres://user:p@ss@db:5432/halfopen"), "postgres://db:5432/halfopen");
        assert_eq!(shown("postgres://db/halfopen"), "postgres://db/halfopen");
        assert_eq!(shown("sqlite:runs.db"), "runs.db");
    }
}
