#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::*;

/// The command line where the variables are these and the nearest file has this text.
fn try_read(line: &str, variables: &[(&str, &str)], file: &str) -> Result<ArgMatches, String> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    let variable = |name: &str| variables.get(name).map(OsString::from);
    // Each test its own folder: they run side by side.
    let test = std::thread::current().name().unwrap_or_default().replace("::", "-");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tmp/config").join(test);
    fs::create_dir_all(folder.join("below/deep")).unwrap();
    fs::write(folder.join("halfopen.toml"), file).unwrap();
    let names = variables.keys().map(|name| (*name).to_owned()).collect();
    let around = Surroundings { variable: &variable, names, folder: Some(folder.join("below/deep")) };
    let arguments: Vec<OsString> =
        ["halfopen"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
    match matches(&arguments, &around) {
        Ok(read) => Ok(read.matches),
        Err(Refusal::Arguments(error, hints)) => Err(format!("{error}{}", hints.join(", "))),
        Err(Refusal::Mistakes(mistakes)) => {
            let text = |mistake: &Mistake| {
                let text = mistake.text.replace(&format!("{}/", folder.display()), "");
                [Some(text), mistake.help.clone()].into_iter().flatten().collect::<Vec<_>>().join("; ")
            };
            Err(mistakes.iter().map(text).collect::<Vec<_>>().join("\n"))
        }
    }
}

/// What an option has in the end.
fn value(id: &str, line: &str, variables: &[(&str, &str)], file: &str) -> String {
    let matches = try_read(line, variables, file).unwrap();
    let raw = matches.subcommand().unwrap().1.get_raw(id);
    raw.into_iter().flatten().map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn arguments_beat_variables_that_beat_the_file_that_beats_the_defaults() {
    let variable = [("HALFOPEN_ROWS", "3")];
    let (table, top) = ("rows = 1\n[run]\nrows = 2", "rows = 1");
    let rows = |line, variables: &[_], file| value("rows", line, variables, file);
    assert_eq!(rows("run x --rows 4", &variable, table), "4");
    assert_eq!(rows("run --rows 4 x", &variable, table), "4");
    assert_eq!(rows("run x", &variable, table), "3");
    assert_eq!(rows("run x", &[("HALFOPEN_ROWS", "")], table), "2", "empty is not set");
    assert_eq!(rows("run x", &[], table), "2");
    assert_eq!(rows("run x", &[], top), "1");
    assert_eq!(rows("run x", &[], "[serve]\nqueue = 7"), rows("run x", &[], ""));
    assert_eq!(rows("run x --no-config", &[], table), rows("run x", &[], ""));
    assert_eq!(rows("--no-config run x", &variable, table), "3");
}

#[test]
fn what_holds_for_all_commands_stands_before_or_behind_the_command() {
    let server = |line, variables: &[_], file| value("server", line, variables, file);
    let variable = [("HALFOPEN_SERVER", "b")];
    assert_eq!(server("--server a list", &variable, "server = 'c'"), "a");
    assert_eq!(server("list --server a", &variable, "server = 'c'"), "a");
    assert_eq!(server("--server run run x", &variable, "server = 'c'"), "run");
    assert_eq!(server("list", &variable, "server = 'c'"), "b");
    assert_eq!(server("list", &[], "server = 'c'"), "c");
    assert_eq!(server("run -- --server", &[], "server = 'c'"), "c");
    assert_eq!(server("list", &[], "server = 'c'\n[list]\nserver = 'd'"), "d");
}

#[test]
fn a_flag_can_be_set_and_taken_back_everywhere() {
    let timers = |line, variables: &[_], file| value("timers", line, variables, file);
    assert_eq!(timers("run x", &[], ""), "false");
    assert_eq!(timers("run x", &[], "timers = true"), "true");
    assert_eq!(timers("run x", &[], "timers = true\n[run]\ntimers = false"), "false");
    for (word, expected) in [("1", "true"), ("Yes", "true"), ("0", "false"), ("off", "false"), ("", "true")] {
        assert_eq!(timers("run x", &[("HALFOPEN_TIMERS", word)], "timers = true"), expected, "{word:?}");
    }
    assert_eq!(timers("run x --no-timers", &[("HALFOPEN_TIMERS", "1")], "timers = true"), "false");
    assert_eq!(timers("run x --no-timers --timers", &[("HALFOPEN_TIMERS", "0")], ""), "true");
    assert!(try_read("run x", &[("HALFOPEN_TIMERS", "maybe")], "").unwrap_err().contains("not `maybe`"));
}

#[test]
fn what_a_stronger_place_excludes_is_left_out() {
    let both = |line, variables: &[_], file| {
        (value("seed", line, variables, file), value("seeds", line, variables, file))
    };
    let seeds = || (String::new(), "1..3".to_owned());
    assert_eq!(both("run x --seeds 1..3", &[("HALFOPEN_SEED", "7")], ""), seeds());
    assert_eq!(both("run x", &[("HALFOPEN_SEEDS", "1..3")], "[run]\nseed = 7"), seeds());
    assert_eq!(both("run x", &[], "seed = 7\n[run]\nseeds = '1..3'"), seeds());
    let file = "[run]\nseed = 7\nseeds = '1..3'";
    assert_eq!(both("run x --seed 8", &[], file), ("8".to_owned(), String::new()));
    let text = try_read("run x", &[], file).unwrap_err();
    assert!(text.contains("'--seed <N>' cannot be used with"), "{text}");
    assert!(text.contains("halfopen.toml:2:8, `seeds` by "), "{text}");
}

#[test]
fn what_may_be_repeated_has_several_values_and_paths_start_at_the_file() {
    let filter = |line, variables: &[_], file| value("filter", line, variables, file);
    let file = "[run]\nfilter = ['a', 'b c']";
    assert_eq!(filter("run x", &[], file), "a b c");
    assert_eq!(filter("run x", &[("HALFOPEN_FILTER", "c\n\nd\n")], file), "c d");
    assert_eq!(filter("run x --filter e", &[("HALFOPEN_FILTER", "c")], file), "e");
    let file = "ca = 'ca.pem'\n[run]\nreport = ['json=out.json', 'json=-']";
    let ends = |id, end| {
        let value = value(id, "run x", &[], file);
        assert!(value.ends_with(end) && value.contains("/config/") && value.contains("paths"), "{value}");
    };
    ends("ca", "/ca.pem");
    ends("reports", "/out.json json=-");
    assert_eq!(value("ca", "run x --server a --ca b.pem", &[], file), "b.pem");
}

#[test]
fn a_value_that_only_another_command_knows_is_left_to_it() {
    let output = |line, variables: &[_], file| value("output", line, variables, file);
    assert_eq!(output("run x", &[], "output = 'svg'"), "svg");
    assert_eq!(output("list", &[], "output = 'svg'"), output("list", &[], ""));
    assert_eq!(output("list", &[("HALFOPEN_OUTPUT", "svg")], "output = 'json'"), "json");
    assert!(try_read("run x", &[], "[list]\noutput = 'svg'").is_err());
}

#[test]
fn mistakes_are_reported_all_at_once_with_their_places_and_a_way_out() {
    let cases = [
        ("[run]\noutput = 'jsn'", "halfopen.toml:2:10: `output` cannot be `jsn`; did you mean `json`?"),
        ("[run]\noutput = 'x'", "halfopen.toml:2:10: `output` cannot be `x`; it is one of `text`, `json`, "),
        ("[run]\nrows = -1", "halfopen.toml:2:8: `rows` cannot be `-1`: invalid digit found in string"),
        ("[run]\nrows = true", "halfopen.toml:2:8: `rows` cannot be `true`: "),
        ("[run]\nrows = [1, 2]", "halfopen.toml:2:8: `rows` takes one value, not 2"),
        ("[run]\nrows = {a = 1}", "halfopen.toml:2:8: `rows` takes no table"),
        ("  [run]\n  timers = 'x'", "halfopen.toml:2:12: `timers` is either true or false"),
        ("[run]\nrow = 1", "halfopen.toml:2:1: there is no option `row` of `run`; did you mean `rows`?"),
        ("[list]\nrows = 1", "halfopen.toml:2:1: there is no option `rows` of `list`; it belongs to [run]"),
        ("colour = 'x'", "halfopen.toml:1:1: there is no option `colour`; did you mean `color`?"),
        ("help = true", "halfopen.toml:1:1: there is no option `help`"),
        ("config = 'x'", "halfopen.toml:1:1: there is no option `config`"),
        ("[rnu]\nrows = 1", "halfopen.toml:1:2: there is no command `rnu`; did you mean `run`?"),
        ("[serve]\nlisten = 'x'", "halfopen.toml:2:10: `listen` cannot be `x`: invalid socket address"),
        ("a = [", "halfopen.toml:1:6: not TOML: "),
        ("é = 1", "halfopen.toml:1:1: not TOML: "),
    ];
    for (file, expected) in cases {
        let text = try_read("run x", &[], file).unwrap_err();
        assert!(text.contains(expected), "{file:?}:\n{text}\nshould be\n{expected}");
    }
    let several = try_read("run x", &[("HALFOPEN_SEED", "x")], "colour = 1\n[run]\nrow = 1").unwrap_err();
    assert_eq!(several.lines().count(), 3, "{several}");
    assert!(several.contains("HALFOPEN_SEED cannot be `x`: invalid digit"), "{several}");
}

#[test]
fn a_file_that_is_named_has_to_be_there() {
    for (line, variables) in [("--config no.toml list", &[][..]), ("list", &[("HALFOPEN_CONFIG", "no.toml")])]
    {
        let text = try_read(line, variables, "colour = 1").unwrap_err();
        assert!(text.starts_with("cannot read the configuration no.toml: "), "{text}");
        assert!(text.contains("--no-config"), "{text}");
    }
    assert!(try_read("list --no-config --config x", &[], "").unwrap_err().contains("cannot be used with"));
    assert!(try_read("list --no-config", &[("HALFOPEN_CONFIG", "no.toml")], "").is_ok());
    assert!(try_read("help", &[], "colour = 1").unwrap_err().contains("Usage"), "help is always given");
}

#[test]
fn every_option_has_a_variable_and_those_in_the_code_have_the_same_name() {
    for command in cli::command().get_subcommands() {
        for option in command.get_arguments().filter(|option| option.get_long().is_some()) {
            let long = option.get_long().unwrap();
            if let Some(variable) = option.get_env() {
                assert_eq!(variable, variable_name(long).as_str(), "{}", command.get_name());
            }
        }
    }
    assert_eq!(variable_name("tls-cert"), "HALFOPEN_TLS_CERT");
    let commands = command();
    for command in commands.get_subcommands() {
        for option in command.get_arguments().filter(|option| !option.is_hide_set()) {
            let Some(long) = option.get_long() else { continue };
            let settable = options(command).any(|(known, _)| known == long);
            assert_eq!(settable, !NOT_SETTABLE.contains(&long), "{long} of {}", command.get_name());
            assert!(option.get_env().is_none(), "{long} is read by one way only");
        }
    }
}

#[test]
fn what_is_typed_for_a_server_needs_one() {
    let server = [("HALFOPEN_SERVER", "a")];
    for (line, variables, wrong) in [
        ("list --token t", &[][..], Some("--token has no effect without --server")),
        ("--ca f list", &[], Some("--ca has no effect without --server")),
        ("list --token t --server a", &[], None),
        ("list --token t", &server, None),
        ("list", &[("HALFOPEN_TOKEN", "t"), ("HALFOPEN_CA", "f")], None),
        ("serve --token t", &[], None),
        ("--token t serve", &server, None),
        ("serve --server a", &[], Some("--server has no effect with `serve`")),
        ("schema --ca f", &server, Some("--ca has no effect with `schema`")),
        ("schema", &server, None),
        (
            "run x --server a --max-run-memory 1GiB",
            &[],
            Some("--max-run-memory has no effect with --server, which has its own limits"),
        ),
        (
            "run x --max-run-processor-time 1s",
            &server,
            Some("--max-run-processor-time has no effect with --server, which has its own limits"),
        ),
        ("run x --max-run-memory 1GiB", &[], None),
        ("run x --server a", &[("HALFOPEN_MAX_RUN_MEMORY", "1GiB")], None),
        ("serve --max-run-memory 1GiB", &server, None),
    ] {
        assert_eq!(try_read(line, variables, "").err().as_deref(), wrong, "{line}");
    }
}
