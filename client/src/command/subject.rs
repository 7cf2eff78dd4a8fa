//! The runs that `explain` and `diff` are about: executed now, or read again from a recording.

use std::path::Path;

use halfopen::client::{Client, ClientError, RunOptions, Source};
use halfopen::record::RunRecord;
use halfopen::{recording, words};

use crate::failure::Failure;
use crate::input::{self, Input};
use crate::interrupt::Interrupt;
use crate::output;

/// The runs in a recording; `None` if the argument does not name one. What is strange about it is said at once.
pub(crate) fn recorded(argument: &str) -> Result<Option<Vec<RunRecord>>, Failure> {
    let path = Path::new(argument);
    if !recording::is_recording(path) {
        return Ok(None);
    }
    let failed = |error| Failure::Usage(format!("cannot read the recording `{argument}`: {error}"));
    let recording = recording::open(path).map_err(failed)?;
    if !recording.unknown.is_empty() {
        let names: Vec<&str> = recording.unknown.iter().map(String::as_str).collect();
        let names = names.join(", ");
        output::warning(&format!(
            "`{argument}` is of another version; left out is what this one does not know: {names}"
        ));
    }
    if recording.cut_off {
        output::warning(&format!("the last line of `{argument}` is cut off, and left out"));
    }
    Ok(Some(recording.runs))
}

/// A run that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    input: Input,
    /// What to run; or why that is not known.
    source: Result<Source, String>,
    options: RunOptions,
}

/// The runs that an argument means, which names one scenario: one, or one for each of its variants. What is wrong with it
/// is left for the run to say.
pub(crate) async fn plan(
    client: &mut Client,
    argument: &str,
    variant: Option<&str>,
) -> Result<Vec<Planned>, Failure> {
    let mut inputs = input::find(client, &[argument.to_owned()]).await?;
    let Some(mut input) = inputs.pop().filter(|_| inputs.is_empty()) else {
        return Err(Failure::Usage(format!("`{argument}` names {} scenarios: name one", inputs.len() + 1)));
    };
    variant.map_or(Ok(()), |variant| input.set_variant(variant))?;
    // Standard input can be read only once.
    let source = input.read().map_err(|error| error.to_string());
    let variants = match (&input.variant, &source) {
        (Some(variant), _) => vec![variant.clone()],
        (None, Ok(source)) => client.variants(source).await.unwrap_or_default(),
        (None, Err(_)) => Vec::new(),
    };
    let planned = |variant| Planned {
        input: input.clone(),
        source: source.clone(),
        options: RunOptions { variant, ..RunOptions::default() },
    };
    match variants.is_empty() {
        true => Ok(vec![planned(None)]),
        false => Ok(variants.into_iter().map(|variant| planned(Some(variant))).collect()),
    }
}

impl Planned {
    /// The same run with a seed and a profile.
    pub(crate) fn with(mut self, seed: Option<u64>, profile: Option<String>) -> Planned {
        self.options = RunOptions { seed, profile, ..self.options };
        self
    }

    /// What it is called: a file or a bundled scenario, with its variant.
    pub(crate) fn name(&self) -> String {
        self.of_variant(&self.input.name())
    }

    fn of_variant(&self, name: &str) -> String {
        words::run(name, self.options.variant.as_deref().unwrap_or_default())
    }

    /// Executes the run, as far as it gets.
    pub(crate) async fn execute(self, client: &mut Client, interrupt: &mut Interrupt) -> RunRecord {
        let (argument, name) = (self.input.argument().map(|name| self.of_variant(&name)), self.name());
        let Planned { input, source, options } = self;
        let mut events = Vec::new();
        let fetched = async {
            let invalid = |message| ClientError::Invalid { message, diagnostics: Vec::new() };
            let mut stream = client.run(&source.map_err(invalid)?, &options).await?;
            while let Some(batch) = stream.next().await? {
                events.extend(batch);
            }
            Ok(())
        };
        let ended = tokio::select! {
            ended = fetched => ended,
            () = interrupt.pressed() => Err(ClientError::Interrupted),
        };
        let stopped = ended.err();
        RunRecord { argument, file: input.name(), options, events, stopped, ..RunRecord::new(name) }
    }
}
