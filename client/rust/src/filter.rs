//! Filters of runs by name.

use globset::{GlobBuilder, GlobMatcher};

/// A filter: a run matches if its name contains a text, or if its whole name matches a pattern.
#[derive(Clone, Debug)]
pub enum Filter {
    /// The name contains this.
    Part(String),
    /// The whole name matches this; `*` matches `/`, too.
    Whole(GlobMatcher),
}

impl Filter {
    /// Reads a filter: a pattern if it has `*`, `?` or `[`.
    pub fn parse(text: &str) -> Result<Filter, String> {
        if text.is_empty() {
            return Err("an empty filter matches every run: leave it out".to_owned());
        }
        if !text.contains(['*', '?', '[']) {
            return Ok(Filter::Part(text.to_owned()));
        }
        let glob = GlobBuilder::new(text).build();
        let glob = glob.map_err(|error| format!("not a valid pattern: {}", error.kind()))?;
        Ok(Filter::Whole(glob.compile_matcher()))
    }

    /// Whether a run of that name matches.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Filter::Part(part) => name.contains(part.as_str()),
            Filter::Whole(pattern) => pattern.is_match(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn a_pattern_is_of_the_whole_name_and_a_text_of_a_part() {
        for (filter, name, expected) in [
            ("fin", "scenarios/loss/dropped-fin.yaml", true),
            ("FIN", "scenarios/loss/dropped-fin.yaml", false),
            ("*fin", "scenarios/loss/dropped-fin.yaml", false),
            ("*fin*", "scenarios/loss/dropped-fin.yaml", true),
            ("pool/bus?", "pool/busy", true),
            ("*[34])", "dropped-fin (seed 4)", true),
            ("*[34])", "dropped-fin (seed 5)", false),
        ] {
            assert_eq!(Filter::parse(filter).unwrap().matches(name), expected, "{filter} of {name}");
        }
        assert!(Filter::parse("a[").unwrap_err().contains("not a valid pattern"));
        assert!(Filter::parse("").is_err());
    }
}
