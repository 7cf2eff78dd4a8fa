//! What is wrong with a setting, and what to do about it.

/// A setting that cannot be used as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Where, and what.
    pub(crate) text: String,
    /// What to do.
    pub(crate) help: Option<String>,
}

/// How to write the value of an option, `--rows <N>`, for errors that do not say so.
pub(super) fn how_to_write(option: &str) -> Option<&'static str> {
    let (_, value) = option.split_once('<')?;
    match value.trim_end_matches('>') {
        "N" => Some("N is a whole number"),
        "TIME" => Some("TIME is a number with a unit: 500ms, 5s, 2m"),
        "ADDRESS" => Some("ADDRESS is an IP address with a port: 127.0.0.1:7950, [::1]:7950"),
        _ => None,
    }
}
