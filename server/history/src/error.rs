//! Why something was not done.

/// Why a history cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address names neither a file nor a database that is known.
    #[error("{0:?} is no history: give the path of an SQLite file, or postgres://USER@HOST/DATABASE")]
    Address(String),
    /// Another server writes to it.
    #[error("the history {0} is used by another server: each needs one of its own")]
    InUse(String),
    /// The database cannot be reached or used.
    #[error("cannot open the history {0}: {1}")]
    Database(String, String),
    /// This program was built without databases.
    #[error(
        "this program was built without a history: install it with `--features history`, or start `halfopend`"
    )]
    Absent,
}

/// Why a history did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The tenant has no such run.
    #[error("no such run")]
    Unknown,
    /// The tenant has used the request id for another request.
    #[error("the request id belongs to another request, that of run {0}")]
    RequestIdTaken(String),
    /// No page has returned this token.
    #[error("unknown page token")]
    PageToken,
    /// The database cannot be reached or used, and nothing was done.
    #[error("the history cannot be used: {0}")]
    Database(String),
}

#[cfg(feature = "databases")]
impl From<sqlx::Error> for HistoryError {
    fn from(error: sqlx::Error) -> HistoryError {
        HistoryError::Database(error.to_string())
    }
}
