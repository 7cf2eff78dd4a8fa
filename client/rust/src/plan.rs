//! Which runs there are: scenarios, with their variants, times seeds, times repetitions.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use halfopen_view::record::{RunOptions, RunRecord};
use halfopen_view::{Stopped, words};

use crate::client::{Client, Source};
use crate::error::ClientError;
use crate::filter::Filter;
use crate::repeat::Key;
use crate::seeds::Seeds;

/// The largest number of runs of a plan: reports list all of them, also those that never began.
const MAX_RUNS: u64 = 100_000;

/// A scenario to run.
#[derive(Clone, Debug)]
pub struct Input {
    /// What results call it: the path of a file, the name of a bundled scenario.
    pub name: String,
    /// What names it on the command line, if it can be read again.
    pub argument: Option<String>,
    /// Equal for two inputs that are the same scenario, whatever their names.
    pub identity: String,
    /// The variant to run. `None`: each that the scenario has.
    pub variant: Option<String>,
    /// What to run; or why it cannot be read.
    pub source: Result<Arc<Source>, String>,
}

/// How each scenario is run.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// The seeds, each a run. Without them there is one run, with the seed of the server.
    pub seeds: Option<Seeds>,
    /// How often each run is repeated with the same seed, to see that the same happens. `None`: it is executed once.
    pub repeat: Option<u32>,
    /// The TCP profile of every host, instead of what the scenario says.
    pub profile: Option<String>,
    /// If there are any, only runs whose name one of them matches are executed.
    pub filters: Vec<Filter>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Too many runs.
    #[error("{0} runs are more than the {MAX_RUNS} that a plan can have: use fewer seeds")]
    TooMany(u64),
    /// The filters leave out every run, of which this is the first.
    #[error("the filter matches no run; the first without it is `{0}`")]
    NoMatch(String),
    /// The server does not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// All runs, in order: by scenario, then by variant, then by seed.
#[derive(Debug)]
pub struct Plan {
    scenarios: Vec<Scenario>,
    options: PlanOptions,
    runs: u64,
    longest_name: usize,
}

/// A scenario, or one of its variants.
#[derive(Debug)]
struct Scenario {
    /// Its name in results.
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

/// A run of a plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its record, with what is known before it begins.
    pub record: RunRecord,
    /// What to run; or why that is not known.
    pub source: Result<Arc<Source>, Stopped>,
    /// Equal for runs in which the same must happen.
    pub(crate) key: Key,
}

impl Plan {
    /// Plans the runs of the inputs, each input once. What is wrong with a scenario is left for its run to report.
    ///
    /// Fails if there are no runs or too many, or if no server answers.
    pub async fn new(client: &mut Client, inputs: &[Input], options: PlanOptions) -> Result<Plan, PlanError> {
        let scenarios = scenarios(client, inputs).await?;
        let mut plan = Plan { scenarios, options, runs: 0, longest_name: 0 };
        plan.measure()?;
        Ok(plan)
    }

    /// Gets the text of every scenario, for reports that show it. A text that cannot be had is left out.
    pub async fn read_texts(&mut self, client: &mut Client) {
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

    fn measure(&mut self) -> Result<(), PlanError> {
        let all = self.runs_per_scenario().saturating_mul(self.scenarios.len() as u64);
        if all > MAX_RUNS {
            return Err(PlanError::TooMany(all));
        }
        let (mut runs, mut longest_name) = (0, 0);
        for run in self.iter() {
            runs += 1;
            longest_name = longest_name.max(run.record.name.chars().count());
        }
        if runs == 0 {
            return Err(PlanError::NoMatch(self.first().to_owned()));
        }
        (self.runs, self.longest_name) = (runs, longest_name);
        Ok(())
    }

    /// How many runs there are.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// How many runs a scenario, or each of its variants, has with all seeds and repetitions, without filters.
    pub fn runs_per_scenario(&self) -> u64 {
        self.options.seeds.as_ref().map_or(1, Seeds::count).saturating_mul(self.times().into())
    }

    /// Characters of the longest name of a run.
    pub fn longest_name(&self) -> usize {
        self.longest_name
    }

    /// The name of the first scenario.
    pub fn first(&self) -> &str {
        self.scenarios.first().map_or("", |scenario| &scenario.name)
    }

    /// The runs, each made when it is asked for.
    pub fn iter(&self) -> impl Iterator<Item = Planned> {
        let is_meant = |run: &Planned| {
            let filters = &self.options.filters;
            filters.is_empty() || filters.iter().any(|filter| filter.matches(&run.record.name))
        };
        let scenarios = self.scenarios.iter().enumerate();
        scenarios.flat_map(|(place, scenario)| self.of_scenario(place, scenario)).filter(is_meant)
    }

    fn of_scenario<'a>(&'a self, place: usize, scenario: &'a Scenario) -> impl Iterator<Item = Planned> + 'a {
        let seeds = self.options.seeds.as_ref();
        let several = scenario.is_right && seeds.is_some_and(|seeds| seeds.count() > 1);
        let of_server = seeds.is_none().then_some(None);
        let seeds = seeds.into_iter().flat_map(|seeds| seeds.iter().map(Some)).chain(of_server);
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
            let (record, source) = scenario.run(name, seed, self.options.profile.clone());
            Planned { record, source, key: (place, seed) }
        })
    }

    /// Whether runs are repeated with the same seed.
    pub fn repeats(&self) -> bool {
        self.times() > 1
    }

    fn times(&self) -> u32 {
        self.options.repeat.unwrap_or(1)
    }
}

impl Scenario {
    fn new(input: &Input, variant: Option<String>, checked: &Checked) -> Scenario {
        let with_variant = |name: &String| words::run(name, variant.as_deref().unwrap_or_default());
        let is_there = variant.as_ref().is_none_or(|variant| checked.variants.contains(variant));
        Scenario {
            name: with_variant(&input.name),
            file: input.name.clone(),
            argument: input.argument.as_ref().map(with_variant),
            source: input.source.clone(),
            text: None,
            is_right: checked.is_right && is_there,
            variant,
        }
    }

    fn run(
        &self,
        name: String,
        seed: Option<u64>,
        profile: Option<String>,
    ) -> (RunRecord, Result<Arc<Source>, Stopped>) {
        let options = RunOptions { variant: self.variant.clone(), seed, profile, ..RunOptions::default() };
        let record = RunRecord {
            argument: self.argument.clone(),
            file: self.file.clone(),
            source: self.text.clone(),
            options,
            ..RunRecord::new(name)
        };
        let source = self.source.clone();
        (record, source.map_err(|message| Stopped::Invalid { message, diagnostics: Vec::new() }))
    }
}

/// What the service says of a scenario.
#[derive(Default)]
struct Checked {
    variants: Vec<String>,
    is_right: bool,
}

impl Checked {
    /// Asks what is wrong with a scenario, once for all its runs. Fails if no server answers.
    async fn new(client: &mut Client, input: &Input) -> Result<Checked, ClientError> {
        let Ok(source) = &input.source else { return Ok(Checked::default()) };
        let asked = match source.as_ref() {
            Source::Text { file, text } => client
                .validate(file, text)
                .await
                .map(|found| Checked { is_right: found.diagnostics.is_empty(), variants: found.variants }),
            Source::Bundled(_) => {
                client.variants(source).await.map(|variants| Checked { variants, is_right: true })
            }
        };
        match asked {
            Err(error @ ClientError::NoServer { .. }) => Err(error),
            // Its run meets the same error, and reports it.
            asked => Ok(asked.unwrap_or_default()),
        }
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
    let mut checked = BTreeMap::new();
    let mut known = BTreeSet::new();
    let mut scenarios = Vec::new();
    for input in inputs {
        let checked = match checked.entry(&input.identity) {
            Entry::Occupied(checked) => checked.into_mut(),
            Entry::Vacant(place) => place.insert(Checked::new(client, input).await?),
        };
        for variant in checked.meant(input) {
            if known.insert((&input.identity, variant.clone())) {
                scenarios.push(Scenario::new(input, variant, checked));
            }
        }
    }
    Ok(scenarios)
}
