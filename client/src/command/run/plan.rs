//! Which runs the arguments mean.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use halfopen::client::{Client, ClientError, RunOptions, Source};
use halfopen::record::RunRecord;
use halfopen::words;

use super::Args;
use super::repeat::Key;
use super::seeds::Seeds;
use crate::failure::Failure;
use crate::input::{self, Input};

/// No plan has more runs, so that all that never began are told in the moment that is left after Ctrl-C.
const MAX_RUNS: u64 = 100_000;

/// Every run that was asked for, in order: by scenario, then by variant, then by seed.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    scenarios: Vec<Scenario>,
    args: &'a Args,
    /// How many runs there are.
    pub(super) runs: u64,
    /// Characters of the longest name of a run.
    pub(super) longest_name: usize,
}

/// A scenario, or one of its variants.
#[derive(Debug)]
struct Scenario {
    /// What it is called in results, and in arguments.
    name: String,
    file: String,
    argument: Option<String>,
    variant: Option<String>,
    /// Its text or its name; or why there is neither.
    source: Result<Arc<Source>, String>,
    /// Its text, if a report wants it.
    text: Option<Arc<str>>,
    /// Whether it can be run. Otherwise the service says why not, once.
    is_right: bool,
}

/// A run that was asked for.
#[derive(Debug)]
pub(super) struct Planned {
    /// What is known of it before it begins.
    pub(super) record: RunRecord,
    /// What to run; or why that is not known.
    pub(super) source: Result<Arc<Source>, ClientError>,
    /// What is the same for all runs in which the same must happen.
    pub(super) key: Key,
}

impl<'a> Plan<'a> {
    /// Finds and reads what the arguments name. What is wrong with a scenario is left for its run to say.
    pub(super) async fn new(client: &mut Client, args: &'a Args) -> Result<Plan<'a>, Failure> {
        let mut inputs = input::find(client, &args.inputs).await?;
        if args.bundled {
            inputs.extend(input::library(client).await?);
        }
        if let Some(variant) = &args.variant {
            inputs.iter_mut().try_for_each(|input| input.set_variant(variant))?;
        }
        let scenarios = scenarios(client, &inputs).await?;
        let mut plan = Plan { scenarios, args, runs: 0, longest_name: 0 };
        plan.measure().map_err(Failure::Usage)?;
        Ok(plan)
    }

    /// Gets the text of every scenario, for reports that show it. One that is not to be had is left out.
    pub(super) async fn read_texts(&mut self, client: &mut Client) {
        let mut last: Option<(Arc<Source>, Option<Arc<str>>)> = None;
        for scenario in &mut self.scenarios {
            let Ok(source) = &scenario.source else { continue };
            // Variants of one scenario follow one another.
            scenario.text = match &last {
                Some((known, text)) if Arc::ptr_eq(known, source) => text.clone(),
                _ => match source.as_ref() {
                    Source::Text { text, .. } => Some(text.as_str().into()),
                    Source::Bundled(name) => client.text(name).await.ok().map(Into::into),
                },
            };
            last = Some((Arc::clone(source), scenario.text.clone()));
        }
    }

    /// Counts the runs. Fails if there are none, or too many.
    fn measure(&mut self) -> Result<(), String> {
        let seeds = self.args.seeds.as_ref().map_or(1, Seeds::count);
        let all = seeds.saturating_mul(self.times().into()).saturating_mul(self.scenarios.len() as u64);
        if all > MAX_RUNS {
            return Err(format!(
                "these are {all} runs, and a command makes {MAX_RUNS} at most: ask for fewer seeds"
            ));
        }
        let (mut runs, mut longest_name) = (0, 0);
        for run in self.iter() {
            runs += 1;
            longest_name = longest_name.max(run.record.name.chars().count());
        }
        if runs == 0 {
            let such = self.first();
            return Err(format!("no run is called as --filter says; there are {all}, such as `{such}`"));
        }
        (self.runs, self.longest_name) = (runs, longest_name);
        Ok(())
    }

    /// What names the first scenario of it.
    pub(super) fn first(&self) -> &str {
        self.scenarios.first().map_or("", |scenario| &scenario.name)
    }

    /// The runs, each made when it is asked for.
    pub(super) fn iter(&self) -> impl Iterator<Item = Planned> {
        let is_meant = |run: &Planned| {
            let filters = &self.args.filter;
            filters.is_empty() || filters.iter().any(|filter| filter.matches(&run.record.name))
        };
        let scenarios = self.scenarios.iter().enumerate();
        scenarios.flat_map(|(place, scenario)| self.of_scenario(place, scenario)).filter(is_meant)
    }

    fn of_scenario<'b>(&'b self, place: usize, scenario: &'b Scenario) -> impl Iterator<Item = Planned> + 'b {
        let seeds = self.args.seeds.as_ref();
        let several = scenario.is_right && seeds.is_some_and(|seeds| seeds.count() > 1);
        // Without --seeds there is one, if only that of the server.
        let one = seeds.is_none().then_some(self.args.seed);
        let seeds = seeds.into_iter().flat_map(|seeds| seeds.iter().map(Some)).chain(one);
        let times = if scenario.is_right { self.times() } else { 1 };
        let most = if scenario.is_right { usize::MAX } else { 1 };
        let runs = seeds.take(most).flat_map(move |seed| (1..=times).map(move |time| (seed, time)));
        runs.map(move |(seed, time)| {
            let of_seeds = seed.filter(|_| several).map(|seed| format!("seed {seed}"));
            let of_times = (times > 1).then(|| format!("{time} of {times}"));
            let details: Vec<String> = of_seeds.into_iter().chain(of_times).collect();
            let name = match details.is_empty() {
                true => scenario.name.clone(),
                false => format!("{} ({})", scenario.name, details.join(", ")),
            };
            let (record, source) = scenario.run(name, seed, self.args.profile.clone());
            Planned { record, source, key: (place, seed) }
        })
    }

    /// Whether runs come again with the same seed.
    pub(super) fn repeats(&self) -> bool {
        self.times() > 1
    }

    fn times(&self) -> u32 {
        self.args.repeat.unwrap_or(1)
    }
}

impl Scenario {
    fn new(input: &Input, variant: Option<String>, text: &Text) -> Scenario {
        let with_variant = |name: String| words::run(&name, variant.as_deref().unwrap_or_default());
        let is_there = variant.as_ref().is_none_or(|variant| text.variants.contains(variant));
        Scenario {
            name: with_variant(input.name()),
            file: input.name(),
            argument: input.argument().map(with_variant),
            source: text.source.clone(),
            text: None,
            is_right: text.is_right && is_there,
            variant,
        }
    }

    fn run(
        &self,
        name: String,
        seed: Option<u64>,
        profile: Option<String>,
    ) -> (RunRecord, Result<Arc<Source>, ClientError>) {
        let options = RunOptions { variant: self.variant.clone(), seed, profile, ..RunOptions::default() };
        let record = RunRecord {
            argument: self.argument.clone(),
            file: self.file.clone(),
            source: self.text.clone(),
            options,
            ..RunRecord::new(name)
        };
        let source = self.source.clone();
        let source = source.map_err(|message| ClientError::Invalid { message, diagnostics: Vec::new() });
        (record, source)
    }
}

/// A scenario as it was read.
struct Text {
    source: Result<Arc<Source>, String>,
    variants: Vec<String>,
    is_right: bool,
}

impl Text {
    /// Reads a scenario and asks what is wrong with it, once for all its runs.
    async fn read(client: &mut Client, input: &Input) -> Result<Text, ClientError> {
        let source = match input.read() {
            Ok(source) => Arc::new(source),
            Err(error) => {
                return Ok(Text { source: Err(error.to_string()), variants: Vec::new(), is_right: false });
            }
        };
        let asked = match source.as_ref() {
            Source::Text { file, text } => {
                client.validate(file, text).await.map(|said| (said.variants, said.diagnostics.is_empty()))
            }
            Source::Bundled(_) => client.variants(&source).await.map(|variants| (variants, true)),
        };
        let (variants, is_right) = match asked {
            Ok(said) => said,
            Err(error @ ClientError::NoServer { .. }) => return Err(error),
            // Its run meets the same, and says so.
            Err(_) => (Vec::new(), false),
        };
        Ok(Text { source: Ok(source), variants, is_right })
    }

    /// The variants that an input means; `None` is the scenario itself.
    fn meant(&self, input: &Input) -> Vec<Option<String>> {
        match &input.variant {
            Some(variant) => vec![Some(variant.clone())],
            None if self.variants.is_empty() => vec![None],
            None => self.variants.iter().cloned().map(Some).collect(),
        }
    }
}

/// What the inputs are, each variant by itself; each once, where it is named first.
async fn scenarios(client: &mut Client, inputs: &[Input]) -> Result<Vec<Scenario>, ClientError> {
    let mut texts = BTreeMap::new();
    let mut known = BTreeSet::new();
    let mut scenarios = Vec::new();
    for input in inputs {
        let text = match texts.entry(input.identity()) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(place) => place.insert(Text::read(client, input).await?),
        };
        for variant in text.meant(input) {
            if known.insert((input.identity(), variant.clone())) {
                scenarios.push(Scenario::new(input, variant, text));
            }
        }
    }
    Ok(scenarios)
}
