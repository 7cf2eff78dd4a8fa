//! What an argument names that is one scenario.

use halfopen_client::{Client, Plan, PlanOptions, Planned};

use crate::failure::Failure;
use crate::input::Input;
use crate::{find, input};

/// The one scenario that an argument names, or one of its variants.
pub(crate) async fn input(
    client: &mut Client,
    argument: &str,
    variant: Option<&str>,
) -> Result<Input, Failure> {
    let mut inputs = find::scenarios(client, &[argument.to_owned()]).await?;
    match (inputs.pop(), inputs.len()) {
        (Some(mut input), 0) => {
            variant.map_or(Ok(()), |variant| input.set_variant(variant))?;
            Ok(input)
        }
        (input, more) => {
            let count = more + input.iter().len();
            Err(Failure::Usage(format!("`{argument}` names {count} scenarios: name one")))
        }
    }
}

/// The runs of the one scenario that an argument names, one for each of its variants. What is wrong with the scenario
/// is left for its run to report.
pub(crate) async fn plan(
    client: &mut Client,
    argument: &str,
    variant: Option<&str>,
) -> Result<Vec<Planned>, Failure> {
    let input = input(client, argument, variant).await?;
    let plan = Plan::new(client, &input::read(&[input]), PlanOptions::default()).await;
    Ok(plan?.iter().collect())
}
