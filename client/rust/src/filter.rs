//! The patterns of `--filter`.

use globset::{GlobBuilder, GlobMatcher};

/// Runs that are meant: those whose whole name has a text in it, or is what a pattern describes.
#[derive(Clone, Debug)]
pub enum Filter {
    /// The name has this in it.
    Part(String),
    /// The whole name is so; `*` goes over `/`, too.
    Whole(GlobMatcher),
}

impl Filter {
    /// Reads a filter: a pattern if it has `*`, `?` or `[`.
    pub fn parse(text: &str) -> Result<Filter, String> {
        if text.is_empty() {
            return Err("every run has nothing in its name: leave it out".to_owned());
        }
        if !text.contains(['*', '?', '[']) {
            return Ok(Filter::Part(text.to_owned()));
        }
        let glob = GlobBuilder::new(text).build();
        let glob = glob.map_err(|error| format!("it is no pattern: {}", error.kind()))?;
        Ok(Filter::Whole(glob.compile_matcher()))
    }

    /// Whether a run of that name is meant.
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
        assert!(Filter::parse("a[").unwrap_err().contains("no pattern"));
        assert!(Filter::parse("").is_err());
    }
}
