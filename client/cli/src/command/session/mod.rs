//! `halfopen session`: plays a scenario step by step, from a prompt or a script.

mod calls;
mod commands;
mod completion;
mod flow;
mod history;
mod instruction;
mod keys;
mod lines;
mod options;
mod player;
mod quoting;
mod screen;
mod terminal;
mod waiting;

use std::time::Duration;

use halfopen_client::session::{CallError, Calls, SessionOptions};
use halfopen_client::{Client, ClientError, Source};
use halfopen_view::record::RunRecord;

use self::instruction::Instruction;
use self::lines::Lines;
use self::player::{Done, PlayError, Player};
use self::screen::Screen;
use super::{run, subject};
use crate::args::GlobalArgs;
use crate::failure::Failure;
use crate::interrupt::{self, Interrupt};
use crate::picture_args::PictureArgs;
use crate::{exit, output};

/// How long a session waits for somebody who thinks: as long as it may.
const PATIENCE: Duration = Duration::from_secs(3600);

/// How long the program waits at its end for the session to be deleted.
const GRACE: Duration = Duration::from_secs(1);

/// What to play, and how to show it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A scenario file or the name of a bundled scenario. The hosts for which it has no programs are yours
    #[arg(value_name = "FILE|NAME")]
    subject: String,

    /// Play this variant of a scenario that has variants; can also be written NAME/VARIANT
    #[arg(long, value_name = "VARIANT", help_heading = run::WHAT)]
    variant: Option<String>,

    /// The seed of everything random [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = run::WHAT)]
    seed: Option<u64>,

    /// Use this TCP profile on every host, instead of what the scenario says: linux, freebsd, windows, ...
    #[arg(long, value_name = "PROFILE", help_heading = run::WHAT)]
    profile: Option<String>,

    #[command(flatten)]
    picture: PictureArgs,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    if args.subject == "-" {
        let text = "standard input has the commands: name a file or a bundled scenario";
        return Err(Failure::Usage(text.to_owned()));
    }
    let mut client = global.connect().await?;
    let input = subject::input(&mut client, &args.subject, args.variant.as_deref()).await?;
    let source = input.read().map_err(|error| Failure::Usage(format!("{}: {error}", input.name())))?;
    let mut lines = Lines::new();
    let options = SessionOptions {
        variant: input.variant.clone(),
        seed: args.seed,
        profile: args.profile.clone(),
        lease: lines.is_terminal().then_some(PATIENCE),
    };
    let name = input.name();
    let mut calls = match create(&client, &source, &options).await {
        Ok(calls) => calls,
        Err(error) => return refused(&name, error),
    };
    lines.set_hosts(calls.hosts());
    let ended = match calls.watch(0).await {
        Ok(watch) => {
            let screen = Screen::new(name, watch, args.picture.clone());
            let is_terminal = lines.is_terminal();
            tokio::select! {
                // Signals are heard before anything is shown.
                biased;
                code = signal(is_terminal) => Ok(code),
                ended = play(Player::new(calls.clone(), screen), lines) => ended,
            }
        }
        Err(error) => Err(error.into()),
    };
    // Whether it could be deleted is of no interest any more, nor does a server that is silent keep anybody from leaving.
    let _ = tokio::time::timeout(GRACE, calls.delete()).await;
    match ended {
        Ok(code) => Ok(code),
        Err(PlayError::Call(CallError::Client(error))) => Err(error.into()),
        Err(PlayError::Output(error)) => Err(error.into()),
        Err(error @ (PlayError::Wrong(_) | PlayError::Call(CallError::Refused { .. }))) => {
            Err(Failure::Usage(error.to_string()))
        }
        Err(error @ PlayError::Unmet(_)) => {
            output::error(&error.to_string());
            Ok(exit::FAILED)
        }
        Err(error @ PlayError::Call(CallError::Gone(_))) => {
            output::error(&error.to_string());
            Ok(exit::UNFINISHED)
        }
    }
}

/// Waits until a signal ends the session, and returns the exit code. Ctrl-C at a prompt only ends what is being done.
async fn signal(is_terminal: bool) -> u8 {
    if is_terminal {
        interrupt::terminated().await;
        return exit::TERMINATED;
    }
    Interrupt::listen().await.pressed().await;
    exit::INTERRUPTED
}

/// Creates the session, if the service has any.
async fn create(client: &Client, source: &Source, options: &SessionOptions) -> Result<Calls, ClientError> {
    let server = client.address().to_owned();
    Calls::create(client, source, options).await.map_err(|error| match error {
        error if error.is_unimplemented() => ClientError::Unsupported { server, what: "sessions" },
        error => error,
    })
}

/// There is no session. Shows every mistake of the scenario.
fn refused(name: &str, error: ClientError) -> Result<u8, Failure> {
    let ClientError::Invalid { .. } = error else { return Err(error.into()) };
    let code = exit::of_error(&error);
    let record = RunRecord { stopped: Some(error.into()), ..RunRecord::new(name.to_owned()) };
    output::print_stopped(&record);
    Ok(code)
}

/// Plays until the end of the lines. A script ends with its first mistake; a person can try again.
async fn play(mut player: Player, mut lines: Lines) -> Result<u8, PlayError> {
    player.welcome(lines.is_terminal()).await?;
    loop {
        let done = match lines.next(&player.prompt(), player.numbers()).await {
            Ok(line) => obey(&mut player, lines.is_terminal(), line).await,
            Err(error) => Err(error),
        };
        match done {
            Ok(Done::Ended(code)) => return Ok(code),
            Ok(Done::GoOn) => {}
            Err(error) if lines.is_terminal() && error.can_go_on() => output::error(&error.to_string()),
            Err(error) => return Err(error.at(lines.number())),
        }
    }
}

/// Does what a line says; at the end of the lines, finishes.
async fn obey(player: &mut Player, is_terminal: bool, line: Option<String>) -> Result<Done, PlayError> {
    let instruction = match line {
        None => Instruction::Finish,
        Some(line) => {
            if !is_terminal && !line.trim().is_empty() {
                player.echo(&line)?;
            }
            match Instruction::read(&line).map_err(PlayError::Wrong)? {
                Some(instruction) => instruction,
                None => return Ok(Done::GoOn),
            }
        }
    };
    if !is_terminal {
        return player.perform(instruction).await;
    }
    let is_last = instruction == Instruction::Finish;
    tokio::select! {
        done = player.perform(instruction) => done,
        // Nothing stops the service once it finishes.
        () = interrupt::pressed_at_prompt(), if is_last => Ok(Done::Ended(exit::INTERRUPTED)),
        () = interrupt::pressed_at_prompt(), if !is_last => player.stop().await,
    }
}
