//! Mappings in a line, as the flow style of YAML has them: `{keepalive: {idle: 10s}, nodelay: on}`.

/// Mappings within each other, at most.
const MAX_DEPTH: usize = 4;

/// A value of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Map(Map),
}

/// Keys with their values, in order.
pub(super) type Map = Vec<(String, Value)>;

/// Reads a mapping; the braces around it may be left out.
pub(super) fn map(text: &str) -> Result<Map, String> {
    let text = text.trim();
    let (mut rest, is_closed) = match text.strip_prefix('{') {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let map = entries(&mut rest, is_closed, 1)?;
    match rest.trim() {
        "" => Ok(map),
        more => Err(format!("`{more}` stands behind the last `}}`: leave it out")),
    }
}

/// The entries of a mapping, up to its `}` or, if it has none, to the end.
fn entries(rest: &mut &str, is_closed: bool, depth: usize) -> Result<Map, String> {
    if depth > MAX_DEPTH {
        return Err(format!("there are more than {MAX_DEPTH} `{{` within each other"));
    }
    let mut map = Map::new();
    loop {
        *rest = rest.trim_start();
        if is_closed && eat(rest, '}') || !is_closed && rest.is_empty() {
            return Ok(map);
        }
        let key = until(rest, &[':', ',', '{', '}']);
        if key.is_empty() || !eat(rest, ':') {
            return Err(format!("write `KEY: VALUE`, not `{}`", if key.is_empty() { rest } else { key }));
        }
        *rest = rest.trim_start();
        let value = match eat(rest, '{') {
            true => Value::Map(entries(rest, true, depth + 1)?),
            false => Value::Text(until(rest, &[',', '{', '}']).to_owned()),
        };
        if value == Value::Text(String::new()) {
            return Err(format!("`{key}` has no value: write `{key}: VALUE`"));
        }
        map.push((key.to_owned(), value));
        *rest = rest.trim_start();
        let goes_on = eat(rest, ',');
        if !goes_on && is_closed && !rest.starts_with('}') {
            return Err("a `}` is missing".to_owned());
        }
        if !goes_on && !is_closed && !rest.is_empty() {
            return Err(format!("write `,` before `{rest}`, or leave it out"));
        }
    }
}

fn eat(rest: &mut &str, wanted: char) -> bool {
    rest.strip_prefix(wanted).map(|more| *rest = more).is_some()
}

/// The text before the first of these characters, without blanks around it.
fn until<'a>(rest: &mut &'a str, ends: &[char]) -> &'a str {
    let (text, more) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    *rest = more;
    text.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: &str, value: &str) -> (String, Value) {
        (key.to_owned(), Value::Text(value.to_owned()))
    }

    #[test]
    fn mappings_stand_within_mappings() {
        let keepalive = Value::Map(vec![text("idle", "10s"), text("probes", "3")]);
        for (written, expected) in [
            ("{}", vec![]),
            ("{server: CLOSE-WAIT}", vec![text("server", "CLOSE-WAIT")]),
            (" server : CLOSE-WAIT ", vec![text("server", "CLOSE-WAIT")]),
            ("nodelay: on, cork: off", vec![text("nodelay", "on"), text("cork", "off")]),
            (
                "{ keepalive: {idle: 10s, probes: 3,}, user-timeout: 1m 30s }",
                vec![("keepalive".to_owned(), keepalive), text("user-timeout", "1m 30s")],
            ),
        ] {
            assert_eq!(map(written), Ok(expected), "{written}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (written, expected) in [
            ("{server}", "write `KEY: VALUE`, not `server`"),
            ("{: on}", "write `KEY: VALUE`, not `: on}`"),
            ("{server: }", "`server` has no value: write `server: VALUE`"),
            ("{server: CLOSED", "a `}` is missing"),
            ("{server: CLOSED} now", "`now` stands behind the last `}`: leave it out"),
            ("server: CLOSED}", "write `,` before `}`, or leave it out"),
            ("{a: {b: {c: {d: {e: f}}}}}", "there are more than 4 `{` within each other"),
        ] {
            assert_eq!(map(written), Err(expected.to_owned()), "{written}");
        }
    }
}
