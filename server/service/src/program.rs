//! The program `halfopend`: its command line, and the commands besides serving.

use std::env;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::{self, ServeError, ServeOptions, run};
use crate::clock::time_of_day;
use crate::log::log_to_stderr;
use crate::setup::{Setup, SetupError};
use crate::tenant::{Role, TenantName};
use crate::tenants::{Digest, new_secret};

/// Runs halfopen scenarios and streams their events over gRPC.
///
/// One port answers gRPC, gRPC-Web, reflection, health checks, GET /healthz and GET /metrics. The log is on standard error;
/// HALFOPEN_LOG sets its level.
#[derive(Parser)]
#[command(name = "halfopend", version)]
struct Program {
    #[command(subcommand)]
    command: Option<Command>,
    /// Read options and tenants from this file; the command line and the environment take precedence
    ///
    /// A key is an option without its dashes: `listen = "0.0.0.0:7950"`. SIGHUP reads the tenants again.
    #[arg(long, value_name = "FILE", env = "HALFOPEND_CONFIG", global = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    serve: ServeOptions,
}

#[derive(Subcommand)]
enum Command {
    /// Check the file that --config names, and the files that it names
    Check,
    /// Make a token, or list those of the file that --config names
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a token; print it, this once, and the entry for the file, which has only its SHA-256
    New {
        /// The tenant whose token it is
        tenant: TenantName,
        /// What who has it may do
        #[arg(long, value_enum, default_value_t = Role::Run)]
        role: Role,
        /// For how long it is good: 90d [default: for ever]
        #[arg(long, value_name = "TIME", value_parser = cli::time)]
        expires: Option<Duration>,
        /// What it is for
        #[arg(long, default_value = "token", value_parser = label)]
        name: String,
        /// Add the entry to the file that --config names, and print only the token
        #[arg(long)]
        add: bool,
    },
    /// List the tokens of the file that --config names
    List,
}

/// A name that can stand in quotes.
fn label(text: &str) -> Result<String, String> {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.:/@ ".contains(letter);
    match (1..=100).contains(&text.len()) && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("a name has 1 to 100 letters, digits, blanks and - _ . : / @".to_owned()),
    }
}

/// Why the program failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("which file? --config or HALFOPEND_CONFIG names it")]
    NoFile,
    #[error("cannot write `{}`: {source}", .file.display())]
    Write { file: PathBuf, source: io::Error },
    #[error("no token can be made: {0}")]
    NoRandomness(getrandom::Error),
    #[error("the token would expire after the year 9999")]
    TooLate,
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// The whole program.
pub async fn program() -> ExitCode {
    match execute(env::args_os().collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            for line in failure.to_string().lines() {
                eprintln!("halfopend: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

/// The command line. A variable may have the prefix of this program or that of all.
fn command() -> clap::Command {
    Program::command().mut_args(|arg| {
        let shared = arg.get_env().and_then(|name| name.to_str()?.strip_prefix("HALFOPEN_"));
        match shared.map(|name| format!("HALFOPEND_{name}")) {
            Some(own) if env::var_os(&own).is_some() => arg.env(own),
            _ => arg,
        }
    })
}

async fn execute(mut arguments: Vec<OsString>) -> Result<(), Failure> {
    // What is wrong is said once everything is known.
    let typed = command().ignore_errors(true).try_get_matches_from(&arguments);
    let typed = typed.unwrap_or_else(|error| error.exit());
    let file = typed.try_get_one::<PathBuf>("config").ok().flatten();
    let makes_token = typed.subcommand().is_some_and(|(_, typed)| typed.subcommand_name() == Some("new"));
    // The file may begin with its first token.
    let setup = match file.filter(|file| !makes_token || file.exists()) {
        Some(file) => Some(Setup::read(file, &command())?),
        None => None,
    };
    arguments.splice(1..1, setup.iter().flat_map(|setup| setup.arguments(&typed)).collect::<Vec<_>>());
    let program = Program::from_arg_matches(&command().get_matches_from(arguments));
    let Program { command, config, serve } = program.unwrap_or_else(|error| error.exit());
    match command {
        None => {
            log_to_stderr(serve.log_format);
            Ok(run(&serve, setup.as_ref()).await?)
        }
        Some(Command::Check) => {
            let setup = setup.ok_or(Failure::NoFile)?;
            serve.access(Some(&setup))?;
            let file = config.unwrap_or_default();
            Ok(writeln!(io::stdout(), "{}: {}", file.display(), setup.summary())?)
        }
        Some(Command::Token(TokenCommand::List)) => {
            list(&setup.ok_or(Failure::NoFile)?).map_err(Failure::Output)
        }
        Some(Command::Token(TokenCommand::New { tenant, role, expires, name, add })) => {
            let token = new_secret().map_err(Failure::NoRandomness)?;
            let entry = entry(&tenant, &name, role, expires, &token)?;
            match add {
                true => {
                    let file = config.ok_or(Failure::NoFile)?;
                    append(&file, &entry).map_err(|source| Failure::Write { file, source })??;
                    Ok(writeln!(io::stdout(), "{token}")?)
                }
                false => Ok(writeln!(io::stdout(), "{token}\n\n{entry}")?),
            }
        }
    }
}

/// What a file says about a token.
fn entry(
    tenant: &TenantName,
    name: &str,
    role: Role,
    expires: Option<Duration>,
    token: &str,
) -> Result<String, Failure> {
    let digest = Digest::of(token.as_bytes());
    let mut entry =
        format!("[[tenants.{tenant}.tokens]]\nname = \"{name}\"\nsha256 = \"{digest}\"\nrole = \"{role}\"");
    if let Some(expires) = expires {
        let expires = moment(time_of_day(), expires).ok_or(Failure::TooLate)?;
        entry += &format!("\nexpires = {expires}");
    }
    Ok(entry)
}

/// A time from now, to the second.
fn moment(now: OffsetDateTime, after: Duration) -> Option<String> {
    let moment = now.checked_add(after.try_into().ok()?)?.replace_nanosecond(0).ok()?;
    moment.format(&Rfc3339).ok()
}

/// Adds an entry to a file. Where it does not fit, the file stays as it is.
fn append(path: &Path, entry: &str) -> io::Result<Result<(), SetupError>> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let before = file.metadata()?.len();
    let gap = if before == 0 { "" } else { "\n" };
    file.write_all(format!("{gap}{entry}\n").as_bytes())?;
    let read = Setup::read(path, &command());
    if read.is_err() {
        file.set_len(before)?;
    }
    Ok(read.map(drop))
}

fn list(setup: &Setup) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let heads = ["TENANT", "TOKEN", "ROLE", "EXPIRES"].map(str::to_owned);
    let rows: Vec<[String; 4]> = [heads].into_iter().chain(setup.tokens(time_of_day())).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [tenant, name, role] = [0, 1, 2].map(width);
    for [a, b, c, d] in &rows {
        writeln!(out, "{a:tenant$}  {b:name$}  {c:role$}  {d}")?;
    }
    Ok(())
}
