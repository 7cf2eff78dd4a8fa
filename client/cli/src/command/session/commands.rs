//! The commands, as `help` lists them.

use super::options::KEYS;

/// Every command: how it is written, and what it does.
const COMMANDS: [(&str, &str); 21] = [
    ("listen HOST:PORT [{OPTIONS}]", "open a listening socket"),
    ("connect HOST HOST:PORT [{OPTIONS}]", "open a connection"),
    ("accept SOCKET", "take a connection of a listening socket"),
    ("send SOCKET TEXT|SIZE", "send a text, which may be quoted (\"GET /\\r\\n\"), or so much: 10 kB"),
    ("receive SOCKET [SIZE]", "receive what has arrived"),
    ("shutdown SOCKET", "send nothing more: a FIN follows the data"),
    ("close SOCKET", "close it"),
    ("abort SOCKET", "reset the connection and close the socket"),
    ("set SOCKET {OPTIONS}", "set options: {keepalive: {idle: 10s}, nodelay: on}"),
    ("advance [TIME] [until WHAT]", "let time pass, until something happens or a socket is ready"),
    ("step", "let time pass until the next moment at which something happens"),
    ("fault {FAULT}", "add a fault, as under `faults` in a scenario: {drop: FIN, first: 1}"),
    ("lift FAULT", "end a fault, by its number"),
    ("sockets", "list the open sockets"),
    ("events [N]", "list the last N events, 20 by default"),
    ("ladder", "draw everything so far"),
    ("explain", "explain everything so far in sentences"),
    ("export [FILE]", "write what you have done as a scenario that plays the same, or show it"),
    ("finish", "play on until nothing happens, check the expectations and end; so does Ctrl-D"),
    ("help [COMMAND]", "list the commands, or explain one"),
    ("quit", "end without finishing"),
];

/// What `advance until` waits for.
const CONDITIONS: [(&str, &str); 8] = [
    ("2h", "the time since the start"),
    ("{server: CLOSE-WAIT}", "a connection of the host is in this state"),
    ("segment FIN", "such a segment is sent; as beside `drop`: {flags: SYN, from: client}"),
    ("readable 3", "the socket is readable"),
    ("writable 2", "the socket is writable"),
    ("fault 1", "the fault is applied"),
    ("keepalive server", "keepalive of the host finds something out"),
    ("host server", "the host goes down, returns, is suspended or resumed"),
];

/// The names of the commands.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().filter_map(|(usage, _)| usage.split(' ').next())
}

/// How a command is written.
pub(super) fn usage(name: &str) -> &str {
    command(name).map_or(name, |(usage, _)| usage)
}

/// Examples of what `advance until` waits for.
pub(super) fn conditions() -> String {
    CONDITIONS.map(|(example, _)| example).join(", ")
}

/// The lines of the help: of one command, or of all.
pub(super) fn help(name: Option<&str>) -> Vec<String> {
    let Some((usage, meaning)) = name.and_then(command) else {
        let mut lines = table(&COMMANDS);
        lines.extend(["".to_owned(), about_options(), "WHAT is one of:".to_owned()]);
        lines.extend(about_conditions());
        return lines;
    };
    let mut lines = vec![format!("{usage}  {meaning}")];
    if usage.contains("OPTIONS") {
        lines.push(about_options());
    }
    if usage.contains("WHAT") {
        lines.push("WHAT is one of:".to_owned());
        lines.extend(about_conditions());
    }
    lines
}

fn command(name: &str) -> Option<(&'static str, &'static str)> {
    COMMANDS.into_iter().find(|(usage, _)| usage.split(' ').next() == Some(name))
}

fn about_options() -> String {
    format!("OPTIONS are {}.", KEYS.join(", "))
}

fn about_conditions() -> impl Iterator<Item = String> {
    table(&CONDITIONS).into_iter().map(|line| format!("  {line}"))
}

fn table(rows: &[(&str, &str)]) -> Vec<String> {
    let width = rows.iter().map(|(left, _)| left.len()).max().unwrap_or(0);
    rows.iter().map(|(left, right)| format!("{left:width$}  {right}")).collect()
}
