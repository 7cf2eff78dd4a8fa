//! The bundled scenarios, embedded in the binary: one real problem each.

use crate::{Scenario, load, words};

/// A bundled scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// Its name: the scenario's id.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl Bundled {
    /// What it says.
    ///
    /// # Panics
    /// Never: a test loads every one.
    pub fn scenario(&self) -> Scenario {
        load(self.text).expect("bundled scenarios load, a test says")
    }
}

macro_rules! bundle {
    ($($name:literal)+) => {
        &[$(Bundled { name: $name, text: include_str!(concat!("../../../scenarios/", $name, ".yaml")) }),+]
    };
}

/// Every one, in alphabetical order.
pub const ALL: &[Bundled] = bundle! {
    "connection-refused"
    "dead-client"
    "delayed-ack"
    "dropped-fin"
    "dropped-syn"
    "four-way-close"
    "half-close"
    "idle-forever-keepalive"
    "idle-forever-no-keepalive"
    "keepalive-timer-reset"
    "lost-last-ack"
    "partition-heals"
    "rebooted-client"
    "simultaneous-close"
    "three-segment-close"
    "three-way-handshake"
};

/// The one of that name.
pub fn find(name: &str) -> Option<Bundled> {
    ALL.iter().copied().find(|bundled| bundled.name == name)
}

/// What to say to somebody who asked for a name that there is not: a name that is close, if there is one.
pub fn suggest(name: &str) -> Option<String> {
    words::suggest(name, ALL.iter().map(|bundled| bundled.name))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_bundled_in_order_and_once() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<String> = files
            .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert_eq!(names, ALL.iter().map(|bundled| bundled.name).collect::<Vec<_>>());
    }

    #[test]
    fn each_loads_under_its_name_and_explains_itself() {
        for bundled in ALL {
            let scenario = load(bundled.text)
                .unwrap_or_else(|d| panic!("{}", d.render(bundled.name, bundled.text, false)));
            assert_eq!(scenario.id, bundled.name);
            assert!(scenario.title.len() > 20 && scenario.title.len() < 100, "{}", bundled.name);
            assert!(!scenario.source.is_empty(), "{}", bundled.name);
            assert!(scenario.description.len() > 300, "{} explains too little", bundled.name);
            assert!(scenario.expectations.len() >= 5, "{} expects too little", bundled.name);
        }
    }

    #[test]
    fn a_close_name_is_suggested() {
        assert_eq!(find("dead-client").map(|bundled| bundled.name), Some("dead-client"));
        assert_eq!(suggest("deadclient").as_deref(), Some("did you mean `dead-client`?"));
        assert_eq!(suggest("elephant"), None);
    }
}
