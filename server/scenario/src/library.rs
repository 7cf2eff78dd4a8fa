//! The bundled scenarios, embedded in the binary: one real problem each, in folders by subject.

use crate::{Scenario, load_all, load_variant, wording};

/// A bundled scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// What it is about: the folder it is in, one of [`SUBJECTS`].
    pub subject: &'static str,
    /// Its name: the scenario's id. No two have the same, whatever their subjects.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl Bundled {
    /// What it says: a scenario for each of its variants, or the only one.
    ///
    /// # Panics
    /// Never: a test loads every one.
    pub fn scenarios(&self) -> Vec<Scenario> {
        load_all(self.text).expect("bundled scenarios load, a test says")
    }

    /// Its subject in a few words.
    ///
    /// # Panics
    /// Never: a test looks for every folder.
    pub fn subject_title(&self) -> &'static str {
        let title = SUBJECTS.iter().find(|(subject, _)| *subject == self.subject).map(|(_, title)| *title);
        title.expect("every folder has a title, a test says")
    }
}

/// Every one, by subject and name in alphabetical order. The build script finds them.
pub const ALL: &[Bundled] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// The subjects, which are folders of `scenarios`, and what they are called.
pub const SUBJECTS: &[(&str, &str)] = &[
    ("address", "Addresses that move, and neighbours that are gone"),
    ("application", "Between TCP and the program"),
    ("close", "How connections end"),
    ("handshake", "How connections begin"),
    ("keepalive", "Finding out that the peer is gone"),
    ("loss", "When the network loses segments"),
    ("middlebox", "NATs, load balancers and firewalls that forget"),
    ("reset", "Resets, reboots and forgeries"),
    ("resources", "What is held forever, and what runs out"),
    ("time-wait", "TIME-WAIT, and ports that are used again"),
];

/// The one of that name: `dead-client`, or with its subject `keepalive/dead-client`.
pub fn find(name: &str) -> Option<Bundled> {
    let (subject, name) = match name.split_once('/') {
        Some((subject, name)) => (Some(subject), name),
        None => (None, name),
    };
    let is_meant =
        |bundled: &Bundled| bundled.name == name && subject.is_none_or(|subject| bundled.subject == subject);
    ALL.iter().copied().find(is_meant)
}

/// The scenario of that name: `dead-client`, or with one of its variants `pool/busy+both`.
pub fn scenario(name: &str) -> Option<Scenario> {
    if let Some(bundled) = find(name) {
        return load_variant(bundled.text, None).ok();
    }
    let (name, variant) = name.rsplit_once('/')?;
    load_variant(find(name)?.text, Some(variant)).ok()
}

/// The known name that is closest to an unknown one, as a question, if one is close enough.
pub fn suggest(name: &str) -> Option<String> {
    let name = name.rsplit('/').next().unwrap_or(name);
    wording::suggest(name, ALL.iter().map(|bundled| bundled.name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_of_one_scenario_each_and_of_no_subject() {
        let mut names: BTreeSet<&str> = SUBJECTS.iter().map(|(subject, _)| *subject).collect();
        for bundled in ALL {
            assert!(names.insert(bundled.name), "{} is there twice", bundled.name);
        }
        assert!(ALL.len() > 15, "the build script finds too few");
    }

    #[test]
    fn subjects_are_the_folders_in_order() {
        let folders: BTreeSet<&str> = ALL.iter().map(|bundled| bundled.subject).collect();
        let subjects: Vec<&str> = SUBJECTS.iter().map(|(subject, _)| *subject).collect();
        assert_eq!(folders.into_iter().collect::<Vec<_>>(), subjects);
        let order: Vec<_> = ALL.iter().map(|bundled| (bundled.subject, bundled.name)).collect();
        assert!(order.is_sorted(), "{order:?}");
    }

    #[test]
    fn each_loads_under_its_name_and_explains_itself() {
        for bundled in ALL {
            let scenarios = load_all(bundled.text)
                .unwrap_or_else(|d| panic!("{}", d.render(bundled.name, bundled.text, false)));
            let least = if scenarios.len() == 1 { 5 } else { 3 };
            for scenario in scenarios {
                assert_eq!(scenario.id, bundled.name);
                assert!(scenario.title.len() > 20 && scenario.title.len() < 100, "{}", bundled.name);
                assert!(!scenario.source.is_empty(), "{}", bundled.name);
                assert!(scenario.description.len() > 300, "{} explains too little", bundled.name);
                assert!(scenario.expectations.len() >= least, "{} expects too little", scenario.name());
            }
        }
    }

    #[test]
    fn one_is_found_by_its_name_with_or_without_its_subject() {
        for (name, found) in [
            ("dead-client", Some("dead-client")),
            ("keepalive/dead-client", Some("dead-client")),
            ("close/dead-client", None),
            ("keepalive", None),
            ("keepalive/", None),
        ] {
            assert_eq!(find(name).map(|bundled| bundled.name), found, "{name}");
        }
    }

    #[test]
    fn a_close_name_is_suggested() {
        let suggestion = Some("did you mean `dead-client`?");
        assert_eq!(suggest("deadclient").as_deref(), suggestion);
        assert_eq!(suggest("keepalive/deadclient").as_deref(), suggestion);
        assert_eq!(suggest("elephant"), None);
    }
}
