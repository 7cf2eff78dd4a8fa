//! The runs that the argument of `explain` or `diff` names.

use halfopen_client::{Client, Plan, PlanOptions, Planned};

use crate::failure::Failure;
use crate::{find, input};

/// The runs of the one scenario that an argument names, one for each of its variants. What is wrong with the scenario
/// is left for its run to report.
pub(crate) async fn plan(
    client: &mut Client,
    argument: &str,
    variant: Option<&str>,
) -> Result<Vec<Planned>, Failure> {
    let mut inputs = find::scenarios(client, &[argument.to_owned()]).await?;
    let [input] = inputs.as_mut_slice() else {
        return Err(Failure::Usage(format!("`{argument}` names {} scenarios: name one", inputs.len())));
    };
    variant.map_or(Ok(()), |variant| input.set_variant(variant))?;
    let plan = Plan::new(client, &input::read(&inputs), PlanOptions::default()).await;
    Ok(plan?.iter().collect())
}
