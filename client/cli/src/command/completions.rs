//! `halfopen completions`: a shell completion script.

use std::io::{self, Write};

use clap::Command;
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;

use crate::args::GlobalArgs;
use crate::failure::Failure;
use crate::{exit, output};

/// Which shell.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args, whole: Command) -> Result<u8, Failure> {
    let scenarios = global.connect().await?.list().await?;
    let names: Vec<String> = scenarios.into_iter().map(|scenario| scenario.name).collect();
    // `show` takes nothing but names; arguments that also take files would no longer complete files.
    let only_names = PossibleValuesParser::new(&names);
    let mut command =
        whole.mut_subcommand("show", |show| show.mut_arg("name", |name| name.value_parser(only_names)));
    // The generators panic if writing fails, so they write to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "halfopen", &mut script);
    match args.shell {
        Shell::Fish => fish_names(&names, &mut script)?,
        Shell::Bash => script.write_all(bash_names(&names).as_bytes())?,
        _ => {}
    }
    let mut out = output::stdout();
    out.write_all(&script)?;
    out.flush()?;
    Ok(exit::PASSED)
}

/// Names besides files, which fish supports and its generator does not.
fn fish_names(names: &[String], script: &mut Vec<u8>) -> io::Result<()> {
    for (command, files) in [("show", "-f "), ("run", ""), ("explain", ""), ("diff", ""), ("validate", "")] {
        let names = names.join(" ");
        let condition = format!("__fish_halfopen_using_subcommand {command}");
        writeln!(script, "complete -c halfopen -n \"{condition}\" {files}-a \"{names}\"")?;
    }
    Ok(())
}

/// The same for bash: names and files where the generator offers nothing.
fn bash_names(names: &[String]) -> String {
    let names = names.join(" ");
    format!(
        r#"
_halfopen_or_names() {{
    _halfopen "$@"
    local cur="$2" prev="$3" word
    [[ ${{cur}} != -* && " ${{COMP_WORDS[*]}} " =~ " "(run|explain|diff|validate)" " ]] || return 0
    case "${{prev}}" in
        run|explain|diff|validate) COMPREPLY=() ;;
        *) [[ ${{#COMPREPLY[@]}} -eq 0 ]] || return 0 ;;
    esac
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do
        COMPREPLY+=("${{word}}")
    done < <(compgen -W "{names}" -- "${{cur}}"; compgen -f -- "${{cur}}")
}}
complete -F _halfopen_or_names -o bashdefault -o default halfopen
"#
    )
}
