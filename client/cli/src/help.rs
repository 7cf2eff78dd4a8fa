//! What the help and the manual say besides the options: examples, exit codes, settings.

use anstyle::Style;
use clap::{Arg, Command};

use crate::exit;
use crate::without::{WITHOUT_SERVER, WITHOUT_SETTINGS};

/// The style of headings in clap.
const HEADING: Style = Style::new().bold().underline();

/// Where options come from, besides the arguments.
pub(crate) const SETTINGS: &str = concat!(
    "Every option can also be set by an environment variable, HALFOPEN_ and its name (HALFOPEN_ROWS=50, HALFOPEN_TIMERS=1), and in the nearest halfopen.toml, ",
    "which is searched for in the current folder and those above it. There the long name of an option is a key; at the top it applies to every command that has ",
    "the option, in a table to that command only:\n\n",
    "    color = \"never\"\n    [run]\n    timers = true\n\n",
    "Arguments take precedence over variables, variables over the file, a table over the top. A flag that is set there is unset by --no-FLAG ",
    "(--fold for --no-fold). An empty variable counts as not set; for an option that can be repeated it has one value per line. Paths in the file ",
    "are relative to its folder."
);

/// Examples of each command, with what each is for.
pub(crate) const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "run",
        &[
            ("halfopen run dead-client", "a bundled scenario"),
            ("halfopen run mine.yaml --timers --rows 50", "more in the picture"),
            ("halfopen run mine.yaml --seeds 1..100", "a hundred times"),
            ("halfopen run scenarios --jobs 2 --fail-fast", "all of a folder"),
            ("halfopen run scenarios --report junit=out.xml --report html=out.html", "two reports"),
            ("halfopen run mine.yaml -o json", "a JSON line per run"),
            ("halfopen show dead-client | halfopen run -", "from standard input"),
            ("halfopen run dead-client -o ndjson > a.ndjson; halfopen run a.ndjson", "a recording"),
        ],
    ),
    (
        "explain",
        &[
            ("halfopen explain dead-client", "a bundled scenario"),
            ("halfopen explain conntrack-half-close/sixty-seconds", "one of its variants"),
            ("halfopen explain time-wait-exhaustion/slower --connection 17", "one connection of many"),
            ("halfopen run mine.yaml -o ndjson > a.ndjson; halfopen explain a.ndjson", "a recording"),
        ],
    ),
    (
        "diff",
        &[
            ("halfopen diff dead-client --seeds 1,2", "one scenario with two seeds"),
            ("halfopen diff dead-client --profiles linux,freebsd", "with two TCP profiles"),
            ("halfopen diff fin-wait-2-stuck/held fin-wait-2-stuck/orphan", "two variants"),
            ("halfopen diff before.ndjson mine.yaml", "a recording and a new run"),
        ],
    ),
    (
        "session",
        &[
            ("halfopen session mine.yaml", "a prompt"),
            ("echo 'advance until keepalive server' | halfopen session dead-client", "a script"),
        ],
    ),
    (
        "watch",
        &[
            ("halfopen watch mine.yaml", "while you write it"),
            ("halfopen watch scenarios", "all of a folder"),
        ],
    ),
    (
        "new",
        &[
            ("halfopen new hang.yaml", "a template"),
            ("halfopen new lossy.yaml --from dropped-fin", "a copy of a bundled scenario"),
        ],
    ),
    (
        "doc",
        &[
            ("halfopen doc", "the keys at the top"),
            ("halfopen doc latency", "one key, wherever it can stand"),
            ("halfopen doc network.links", "a key at one place"),
        ],
    ),
    (
        "list",
        &[
            ("halfopen list", "by subject"),
            ("halfopen list keepalive", "one subject"),
            ("halfopen list -o json", "a JSON line per scenario"),
        ],
    ),
    (
        "show",
        &[
            ("halfopen show dead-client", "read it"),
            ("halfopen show fin-wait-2-stuck/held", "a variant as a scenario of its own"),
        ],
    ),
    (
        "validate",
        &[("halfopen validate mine.yaml", "one file"), ("halfopen validate scenarios", "all of a folder")],
    ),
    ("schema", &[("halfopen schema > scenario.schema.json", "for an editor")]),
    (
        "serve",
        &[
            ("halfopen serve", "on 127.0.0.1:7950"),
            ("halfopen serve --listen 127.0.0.1:0 --grace 1s", "on a free port, which it prints"),
        ],
    ),
    (
        "doctor",
        &[
            ("halfopen doctor", "the client alone"),
            ("halfopen doctor --server http://127.0.0.1:7950", "with a server"),
        ],
    ),
    (
        "completions",
        &[
            ("halfopen completions bash > ~/.local/share/bash-completion/completions/halfopen", "bash"),
            ("halfopen completions zsh > ~/.zfunc/_halfopen", "zsh"),
            ("halfopen completions fish > ~/.config/fish/completions/halfopen.fish", "fish"),
        ],
    ),
    (
        "man",
        &[
            ("halfopen man | man -l -", "read it"),
            ("halfopen man ~/.local/share/man/man1", "a page for each command"),
        ],
    ),
];

/// The examples of a command.
pub(crate) fn examples(command: &str) -> &'static [(&'static str, &'static str)] {
    EXAMPLES.iter().find(|(of, _)| *of == command).map_or(&[], |(_, examples)| examples)
}

/// Adds to a command line what its help says besides the options.
pub(crate) fn complete(command: Command) -> Command {
    let exit_codes: String =
        exit::ALL.iter().map(|(code, meaning)| format!("  {code:<3}  {meaning}\n")).collect();
    let short = "`halfopen help COMMAND` has details and examples; `halfopen --help` lists the exit codes.";
    let long = format!(
        "{HEADING}Exit codes:{HEADING:#}\n{exit_codes}{}\n\n{HEADING}Settings:{HEADING:#}\n{SETTINGS}",
        exit::OF_SEVERAL
    );
    let shared: Vec<Arg> = command.get_arguments().filter(|option| option.is_global_set()).cloned().collect();
    command.after_help(short).after_long_help(long).mut_subcommands(|command| {
        let command = without_effect(command, &shared);
        let examples = examples(command.get_name());
        let width = examples.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
        let lines = examples.iter().map(|(line, meaning)| format!("\n  {line:<width$}  # {meaning}"));
        let text = format!("{HEADING}Examples:{HEADING:#}{}", lines.collect::<String>());
        if examples.is_empty() { command } else { command.after_help(text) }
    })
}

/// Hides the shared options that have no effect on a command.
fn without_effect(command: Command, shared: &[Arg]) -> Command {
    let (name, own) = (command.get_name().to_owned(), command.get_arguments().cloned().collect::<Vec<_>>());
    let has_none = |option: &&Arg| match option.get_id().as_str() {
        "server" | "ca" | "token" => WITHOUT_SERVER.contains(&name.as_str()),
        "config" | "no_config" => WITHOUT_SETTINGS.contains(&name.as_str()),
        _ => false,
    };
    // The token of `serve` is another one.
    let is_own = |option: &&Arg| own.iter().any(|known| known.get_id() == option.get_id());
    let hidden = shared.iter().filter(has_none).filter(|option| !is_own(option));
    command.args(hidden.map(|option| option.clone().hide(true)))
}
