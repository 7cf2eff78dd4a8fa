//! Paths with gaps: of states, and of segments.

/// Whether what is found is the path's, item by item, a gap standing for any number of them.
pub(crate) fn matches_path<I: PartialEq, T>(
    path: &[I],
    gap: &I,
    found: &[T],
    is: impl Fn(&I, &T) -> bool,
) -> bool {
    // How far the path may have come after each of them.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    let skip_gaps = |reached: &mut [bool]| {
        for index in 0..path.len() {
            reached[index + 1] |= reached[index] && path[index] == *gap;
        }
    };
    skip_gaps(&mut reached);
    for thing in found {
        let mut next = vec![false; path.len() + 1];
        for index in (0..path.len()).filter(|index| reached[*index]) {
            match &path[index] {
                item if item == gap => next[index] = true,
                item => next[index + 1] |= is(item, thing),
            }
        }
        skip_gaps(&mut next);
        reached = next;
    }
    reached[path.len()]
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
