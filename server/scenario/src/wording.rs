//! How messages show names: in lists, shortened, and with suggestions for unknown ones.

/// Words of other languages and tools. One word may mean several things; what is possible where it stands counts.
const SYNONYMS: [(&str, &str); 43] = [
    ("write", "send"),
    ("read", "receive"),
    ("recv", "receive"),
    ("sleep", "wait"),
    ("open", "connect"),
    ("reset", "abort"),
    ("lose", "drop"),
    ("loss", "drop"),
    ("crash", "power-loss"),
    ("power-off", "power-loss"),
    ("poweroff", "power-loss"),
    ("halt", "power-loss"),
    ("restart", "reboot"),
    ("stop", "kill"),
    ("terminate", "kill"),
    ("suspend", "pause"),
    ("hibernate", "pause"),
    ("sleep", "pause"),
    ("hang", "freeze"),
    ("stall", "freeze"),
    ("unplug", "cable-pull"),
    ("disconnect", "cable-pull"),
    ("disconnect", "close"),
    ("link-down", "cable-pull"),
    ("isolate", "partition"),
    ("block", "partition"),
    ("cut", "partition"),
    ("slow", "delay"),
    ("reset", "inject"),
    ("proxy", "relay"),
    ("forward", "relay"),
    ("modify", "rewrite"),
    ("forge", "inject"),
    ("half-close", "shutdown"),
    ("bind", "listen"),
    ("loop", "repeat"),
    ("state", "ends"),
    ("bytes", "received"),
    ("latency", "delay"),
    ("expectations", "expect"),
    ("name", "scenario"),
    ("apps", "applications"),
    ("duration", "until"),
];

/// `did you mean ...?`, if one of the names is close enough.
pub(crate) fn suggest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let folded = fold(word);
    let names: Vec<&str> = names.into_iter().collect();
    // What sysctl, sockets and other tools call it.
    let bare = ["tcp-", "so-"].iter().find_map(|prefix| folded.strip_prefix(prefix)).unwrap_or(&folded);
    let others = SYNONYMS.iter().filter(|(known, _)| *known == bare).map(|(_, word)| *word);
    let others: Vec<&str> = others.chain([bare]).collect();
    if let Some(name) = names.iter().find(|name| others.contains(*name)) {
        return Some(format!("did you mean `{name}`?"));
    }
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&folded, &fold(name)), name))
        .filter(|(distance, name)| *distance <= 1.max(name.chars().count().min(folded.chars().count()) / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| format!("did you mean `{name}`?"))
}

/// So that only letters count, and not more of them than any name has.
pub(crate) fn fold(word: &str) -> String {
    word.chars().take(64).map(|c| if c == '_' || c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// `a fault`, `an expectation`.
pub(crate) fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// `a`, `b` and `c`.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The first of many names, and how many more there are.
pub(crate) fn some_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 8;
    let names: Vec<&str> = names.into_iter().collect();
    match names.len().checked_sub(MOST) {
        None | Some(0) => list(names),
        Some(more) => {
            let first: Vec<String> = names[..MOST].iter().map(|name| format!("`{name}`")).collect();
            format!("{} and {more} more", first.join(", "))
        }
    }
}

/// What a name must be like, as a help.
pub(crate) const NAME_RULE: &str = "use letters, digits, - and _, at most 64, a letter or digit first";

/// Whether it can be a name of something.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// The beginning of a text that may be long.
pub(crate) fn short(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(MOST) {
        Some((offset, _)) => format!("{}…", &line[..offset]),
        None if line.len() < text.len() => format!("{line}…"),
        None => line.to_owned(),
    }
}
