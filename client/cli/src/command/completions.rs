//! `halfopen completions`: a shell completion script.

use std::collections::BTreeSet;
use std::io::{self, Write};

use clap::builder::PossibleValuesParser;
use clap::{Command, ValueHint};
use clap_complete::Shell;
use halfopen_proto::v1::ScenarioSummary;
use halfopen_view::picture::Kind;

use super::doc;
use crate::args::GlobalArgs;
use crate::failure::Failure;
use crate::report::Report;
use crate::{exit, output};

/// Which shell.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Marks arguments that are scenarios or files. There is no hint for them; no argument is a user name.
const SCENARIO: ValueHint = ValueHint::Username;

/// The beginning of the end of a script for zsh, which calls what the script defines.
const ZSH_CALL: &str = "if [ \"$funcstack[1]\"";

/// What can be typed.
struct Words {
    /// Names of bundled scenarios.
    names: Vec<String>,
    /// `NAME/VARIANT`
    with_variant: Vec<String>,
    subjects: BTreeSet<String>,
    variants: BTreeSet<String>,
    profiles: Vec<String>,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args, whole: Command) -> Result<u8, Failure> {
    let mut client = global.connect().await?;
    let words = Words::new(client.list().await?, client.server().await?.profiles);
    let mut command = words.add_to(whole);
    // The generators panic if writing fails, so they write to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "halfopen", &mut script);
    match args.shell {
        Shell::Fish => words.for_fish(&mut script)?,
        Shell::Bash => script.write_all(words.for_bash().as_bytes())?,
        Shell::Zsh => script = words.for_zsh(&String::from_utf8_lossy(&script)).into_bytes(),
        _ => {}
    }
    let mut out = output::stdout();
    out.write_all(&script)?;
    out.flush()?;
    Ok(exit::PASSED)
}

impl Words {
    fn new(scenarios: Vec<ScenarioSummary>, profiles: Vec<String>) -> Words {
        let (mut names, mut with_variant) = (Vec::new(), Vec::new());
        let (mut subjects, mut variants) = (BTreeSet::new(), BTreeSet::new());
        for ScenarioSummary { name, subject, variants: own, .. } in scenarios {
            with_variant.extend(own.iter().map(|variant| format!("{name}/{variant}")));
            names.push(name);
            subjects.insert(subject);
            variants.extend(own);
        }
        Words { names, with_variant, subjects, variants, profiles }
    }

    /// Names and subjects of bundled scenarios.
    fn of_library(&self) -> Vec<String> {
        self.names.iter().chain(&self.subjects).cloned().collect()
    }

    /// Names of single scenarios or variants.
    fn of_one(&self) -> Vec<String> {
        self.names.iter().chain(&self.with_variant).cloned().collect()
    }

    /// Everything that names bundled scenarios, in one line.
    fn scenarios(&self) -> String {
        [self.of_library(), self.with_variant.clone()].concat().join(" ")
    }

    /// Adds the words to the options and arguments that take nothing else.
    fn add_to(&self, command: Command) -> Command {
        let parser = |words: Vec<String>| PossibleValuesParser::new(words);
        command.mut_subcommands(|command| {
            command.mut_args(|argument| match argument.get_id().as_str() {
                "profile" | "profiles" => argument.value_parser(parser(self.profiles.clone())),
                "reports" => {
                    let kinds = Report::kinds().map(|kind| format!("{kind}=")).collect();
                    argument.value_parser(parser(kinds))
                }
                "only" => argument.value_parser(parser(Kind::names().map(str::to_owned).collect())),
                "variant" => argument.value_parser(parser(self.variants.iter().cloned().collect())),
                "name" | "from" => argument.value_parser(parser(self.of_one())),
                "names" => argument.value_parser(parser(self.of_library())),
                "key" => argument.value_parser(parser(doc::names())),
                "inputs" | "files" | "subject" | "a" | "b" => argument.value_hint(SCENARIO),
                _ => argument,
            })
        })
    }

    /// Arguments, which the generator for fish leaves out.
    fn for_fish(&self, script: &mut Vec<u8>) -> io::Result<()> {
        let (one, library) = (self.of_one().join(" "), self.of_library().join(" "));
        let (scenarios, keys) = (self.scenarios(), doc::names().join(" "));
        for (command, files, words) in [
            ("show", "-f ", &one),
            ("list", "-f ", &library),
            ("doc", "-f ", &keys),
            ("run", "", &scenarios),
            ("explain", "", &scenarios),
            ("diff", "", &scenarios),
            ("session", "", &scenarios),
            ("validate", "", &scenarios),
        ] {
            let condition = format!("__fish_halfopen_using_subcommand {command}");
            writeln!(script, "complete -c halfopen -n \"{condition}\" {files}-a \"{words}\"")?;
        }
        Ok(())
    }

    /// Names and files where the generator for bash offers nothing, and no blank after `KIND=`.
    fn for_bash(&self) -> String {
        let (names, variants) = (self.of_library().join(" "), self.with_variant.join(" "));
        format!(
            r#"
_halfopen_or_names() {{
    _halfopen "$@"
    local cur="$2" prev="$3" word
    [[ ${{#COMPREPLY[@]}} -ne 1 || ${{COMPREPLY[0]}} != *= ]] || compopt -o nospace 2>/dev/null
    [[ ${{cur}} != -* && " ${{COMP_WORDS[*]}} " =~ " "(run|explain|diff|session|validate)" " ]] || return 0
    case "${{prev}}" in
        run|explain|diff|session|validate) COMPREPLY=() ;;
        *) [[ ${{#COMPREPLY[@]}} -eq 0 ]] || return 0 ;;
    esac
    compopt -o filenames 2>/dev/null
    local words="{names}"
    [[ ${{cur}} != */* ]] || words="{variants}"
    while IFS= read -r word; do
        COMPREPLY+=("${{word}}")
    done < <(compgen -W "${{words}}" -- "${{cur}}"; compgen -f -- "${{cur}}")
}}
complete -F _halfopen_or_names -o bashdefault -o default halfopen
"#
        )
    }

    /// Names and files where the generator for zsh offers users.
    fn for_zsh(&self, script: &str) -> String {
        let function = format!(
            "_halfopen_scenarios() {{\n    local -a scenarios=({})\n    \
             _alternative 'scenarios:scenario:compadd -a scenarios' 'files:file:_files'\n}}\n\n",
            self.scenarios()
        );
        let end = script.find(ZSH_CALL).unwrap_or(script.len());
        let (definitions, call) = script.split_at(end);
        format!("{}{function}{call}", definitions.replace(":_users", ":_halfopen_scenarios"))
    }
}
