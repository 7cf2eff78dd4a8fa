//! Paths with gaps: of states, and of segments.

/// How far along a path one may have come: a gap stands for any number of things.
pub(crate) struct Progress<'a, I> {
    path: &'a [I],
    gap: &'a I,
    /// By position in the path: whether all before it is found.
    reached: Vec<bool>,
}

impl<'a, I: PartialEq> Progress<'a, I> {
    /// Nothing is found yet.
    pub(crate) fn new(path: &'a [I], gap: &'a I) -> Progress<'a, I> {
        let mut reached = vec![false; path.len() + 1];
        reached[0] = true;
        let mut progress = Progress { path, gap, reached };
        progress.skip_gaps();
        progress
    }

    /// The next thing is found.
    pub(crate) fn find(&mut self, is: impl Fn(&I) -> bool) {
        // From the end, so that nothing is found twice.
        for index in (0..=self.path.len()).rev() {
            let waits = self.reached[index] && self.path.get(index) == Some(self.gap);
            let before = index.checked_sub(1).filter(|before| self.reached[*before]);
            let item = before.map(|before| &self.path[before]).filter(|item| *item != self.gap);
            self.reached[index] = waits || item.is_some_and(&is);
        }
        self.skip_gaps();
    }

    fn skip_gaps(&mut self) {
        for (index, item) in self.path.iter().enumerate() {
            self.reached[index + 1] |= self.reached[index] && item == self.gap;
        }
    }

    /// Whether what is found is the whole path.
    pub(crate) fn is_complete(&self) -> bool {
        self.reached[self.path.len()]
    }
}

/// Whether what is found is the path's, item by item, a gap standing for any number of them.
pub(crate) fn matches_path<I: PartialEq, T>(
    path: &[I],
    gap: &I,
    found: &[T],
    is: impl Fn(&I, &T) -> bool,
) -> bool {
    let mut progress = Progress::new(path, gap);
    found.iter().for_each(|thing| progress.find(|item| is(item, thing)));
    progress.is_complete()
}

#[cfg(test)]
pub(crate) mod tests {
    use halfopen_scenario::PathItem;
    use halfopen_tcp::State;

    use super::*;

    pub(crate) fn path(text: &str) -> Vec<PathItem> {
        let item = |word| State::from_name(word).map_or(PathItem::Gap, PathItem::State);
        text.split_whitespace().map(item).collect()
    }

    pub(crate) fn states(text: &str) -> Vec<State> {
        text.split_whitespace().map(|word| State::from_name(word).unwrap()).collect()
    }

    #[test]
    fn a_path_is_exact_but_for_its_gaps() {
        let cases = [
            ("CLOSED SYN-SENT", "CLOSED SYN-SENT", true),
            ("CLOSED SYN-SENT", "CLOSED SYN-SENT ESTABLISHED", false),
            ("CLOSED SYN-SENT ESTABLISHED", "CLOSED SYN-SENT", false),
            ("CLOSED … ESTABLISHED", "CLOSED SYN-SENT ESTABLISHED", true),
            ("CLOSED … ESTABLISHED", "CLOSED ESTABLISHED", true),
            ("CLOSED … ESTABLISHED", "CLOSED SYN-SENT", false),
            ("… CLOSED", "CLOSED SYN-SENT CLOSED", true),
            ("CLOSED …", "CLOSED SYN-SENT CLOSED", true),
            ("…", "", true),
            ("CLOSED", "", false),
            ("… SYN-SENT … CLOSED", "CLOSED SYN-SENT SYN-RECEIVED SYN-SENT CLOSED", true),
        ];
        for (wanted, found, expected) in cases {
            let is = |item: &PathItem, state: &State| *item == PathItem::State(*state);
            let matches = matches_path(&path(wanted), &PathItem::Gap, &states(found), is);
            assert_eq!(matches, expected, "{wanted:?} against {found:?}");
        }
    }
}
