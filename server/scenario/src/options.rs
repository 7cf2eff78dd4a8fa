//! What to load of a text.

use halfopen_tcp::Profile;

/// What to load of a text, and how it differs from what the text says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions<'a> {
    /// The variant; `None` is the scenario of a text that has no variants.
    pub variant: Option<&'a str>,
    /// The profile of every host instead of the one that the text says, under the settings that the text has beside it.
    pub profile: Option<Profile>,
    /// Whether it is for a session, whose hosts are played from outside: it may say nothing of applications.
    pub session: bool,
}
