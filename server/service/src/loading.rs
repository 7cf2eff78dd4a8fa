//! The scenarios of requests. The latest ones are kept: a test suite runs the same few with many seeds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use halfopen_proto::v1::execute_run_request::Source;
use halfopen_scenario::{LoadError, LoadOptions, Scenario, library};
use halfopen_tcp::Profile;
use tonic::Status;

use crate::status;

/// The number of scenarios that are kept.
const KEPT: usize = 32;
/// The maximum size, in bytes, of the text of one that is kept.
const MAX_KEPT_TEXT: usize = 16 * 1024;

/// The profile that the request names, if any.
pub(crate) fn named(profile: &str) -> Result<Option<Profile>, Status> {
    if profile.is_empty() {
        return Ok(None);
    }
    match halfopen_scenario::profile(profile) {
        Ok(profile) => Ok(Some(profile)),
        Err(error) => Err(status::profile_unknown(&error.to_string(), profile)),
    }
}

/// What a request selects.
#[derive(Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) source: Source,
    /// Empty if the text has no variants.
    pub(crate) variant: String,
    /// The profile of every host, whatever the text says.
    pub(crate) profile: Option<Profile>,
    /// Whether it is for a session.
    pub(crate) session: bool,
}

impl Wanted {
    /// The size of its text, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.source {
            Source::Yaml(text) => text.len(),
            Source::Name(name) => name.len(),
        }
    }

    /// Loads the wanted variant, or the one scenario of a text without variants.
    fn load(&self) -> Result<Scenario, Status> {
        let text = match &self.source {
            Source::Name(name) => library::find(name).ok_or_else(|| status::scenario_unknown(name))?.text,
            Source::Yaml(text) => text,
        };
        let variant = (!self.variant.is_empty()).then_some(self.variant.as_str());
        let options = LoadOptions { variant, profile: self.profile, session: self.session };
        halfopen_scenario::load_with(text, options).map_err(|error| match error {
            LoadError::Wrong(diagnostics) => status::scenario_invalid(diagnostics.as_slice()),
            LoadError::Variant { ref asked, .. } => status::no_variant(&error.to_string(), asked.as_deref()),
        })
    }
}

/// The scenarios that were loaded last, the latest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latest(Arc<Mutex<Kept>>);

type Kept = VecDeque<(Wanted, Arc<Scenario>)>;

impl Latest {
    /// The scenario of a request. Mistakes are not kept.
    pub(crate) fn load(&self, wanted: Wanted) -> Result<Arc<Scenario>, Status> {
        if wanted.bytes() > MAX_KEPT_TEXT {
            return wanted.load().map(Arc::new);
        }
        {
            let mut kept = self.lock();
            if let Some(found) = kept.iter().position(|(known, _)| *known == wanted)
                && let Some(entry) = kept.remove(found)
            {
                let scenario = Arc::clone(&entry.1);
                kept.push_front(entry);
                return Ok(scenario);
            }
        }
        let scenario = Arc::new(wanted.load()?);
        let mut kept = self.lock();
        kept.push_front((wanted, Arc::clone(&scenario)));
        kept.truncate(KEPT);
        Ok(scenario)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str, variant: &str, profile: Option<Profile>) -> Wanted {
        Wanted { source: Source::Name(name.to_owned()), variant: variant.to_owned(), profile, session: false }
    }

    #[test]
    fn the_same_request_gets_the_same_scenario_and_another_does_not() {
        let latest = Latest::default();
        let load = |wanted| latest.load(wanted).expect("it is right");
        let first = load(wanted("dead-client", "", None));
        assert!(Arc::ptr_eq(&first, &load(wanted("dead-client", "", None))));
        let other = load(wanted("dead-client", "", Some(Profile::FreeBsd)));
        assert!(!Arc::ptr_eq(&first, &other));
        assert_eq!(other.hosts[0].profile, Profile::FreeBsd);
        assert!(latest.load(wanted("dead-client", "no-such-variant", None)).is_err());
    }

    #[test]
    fn the_latest_are_kept() {
        let latest = Latest::default();
        let load = |title: usize| {
            let text =
                library::find("dead-client").expect("bundled").text.to_owned() + &format!("# {title}\n");
            let wanted =
                Wanted { source: Source::Yaml(text), variant: String::new(), profile: None, session: false };
            latest.load(wanted).expect("it is right")
        };
        let (first, second) = (load(0), load(1));
        for title in 2..KEPT {
            load(title);
        }
        assert!(Arc::ptr_eq(&first, &load(0)), "it is the latest now");
        load(KEPT);
        assert!(Arc::ptr_eq(&first, &load(0)));
        assert!(!Arc::ptr_eq(&second, &load(1)), "it was the oldest");
    }
}
