//! The history of a program that was built without databases: there is none.

use std::convert::Infallible;

use tokio::sync::watch;

use crate::error::{HistoryError, OpenError};
use crate::run::{
    Accepted, Batch, Ending, Filter, NewRun, Number, Page, Progress, Retention, Run, Time, Unfinished,
};

/// A history; no such value exists.
#[derive(Clone, Debug)]
pub struct History(Infallible);

#[allow(clippy::unused_async, missing_docs, reason = "as where there are databases")]
impl History {
    pub async fn open(_address: &str) -> Result<History, OpenError> {
        Err(OpenError::Absent)
    }

    pub async fn accept(&self, _run: NewRun) -> Result<Accepted, HistoryError> {
        match self.0 {}
    }

    pub async fn cancel(&self, _tenant: &str, _id: &str, _now: Time) -> Result<Run, HistoryError> {
        match self.0 {}
    }

    pub async fn delete(&self, _tenant: &str, _id: &str) -> Result<(), HistoryError> {
        match self.0 {}
    }

    pub async fn recover(&self, _version: &str, _now: Time) -> Result<Vec<Unfinished>, HistoryError> {
        match self.0 {}
    }

    pub async fn retain(&self, _retention: Retention, _now: Time) -> Result<u64, HistoryError> {
        match self.0 {}
    }

    pub fn begin(&self, _run: Number, _version: &str, _now: Time) {
        match self.0 {}
    }

    pub fn append(&self, _run: Number, _batch: &Batch) {
        match self.0 {}
    }

    pub fn finish(&self, _run: Number, _ending: &Ending, _now: Time) {
        match self.0 {}
    }

    pub fn watch(&self, _run: Number) -> Option<watch::Receiver<Progress>> {
        match self.0 {}
    }

    pub async fn get(&self, _tenant: &str, _id: &str) -> Result<Run, HistoryError> {
        match self.0 {}
    }

    pub async fn request(&self, _run: Number) -> Result<Vec<u8>, HistoryError> {
        match self.0 {}
    }

    pub async fn events(&self, _run: Number, _after: u64) -> Result<Option<Batch>, HistoryError> {
        match self.0 {}
    }

    pub async fn list(
        &self,
        _tenant: &str,
        _filter: &Filter,
        _size: usize,
        _page: &str,
    ) -> Result<Page, HistoryError> {
        match self.0 {}
    }

    pub async fn close(&self) {
        match self.0 {}
    }
}
