//! From text to tree. The one file that knows the YAML crate.

use serde_yaml::Value as Yaml;

use crate::Problem;
use crate::marks::{self, Mark, Shape};
use crate::node::{Node, Span, Value};

/// The document in the text; `None` if there is none.
pub(crate) fn read(text: &str) -> Result<Option<Node>, Problem> {
    let Some(mark) = marks::read(text)? else { return Ok(None) };
    let yaml: Yaml = serde_yaml::from_str(text).map_err(|error| problem(&error))?;
    join(yaml, &mark).map(Some)
}

/// Puts what the one parser read where the other says that it stands.
fn join(yaml: Yaml, mark: &Mark) -> Result<Node, Problem> {
    let value = match (yaml, &mark.shape) {
        (Yaml::Null, Shape::Scalar(_)) => Value::Null,
        (Yaml::Bool(value), Shape::Scalar(_)) => Value::Bool(value),
        (Yaml::String(value), Shape::Scalar(_)) => Value::String(value),
        (Yaml::Number(number), Shape::Scalar(_)) => {
            let integer = number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from));
            match integer {
                Some(integer) => Value::Integer(integer),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            }
        }
        (Yaml::Sequence(items), Shape::Sequence(marks)) if items.len() == marks.len() => {
            let nodes = items.into_iter().zip(marks).map(|(item, mark)| join(item, mark));
            Value::Sequence(nodes.collect::<Result<_, _>>()?)
        }
        (Yaml::Mapping(entries), Shape::Mapping(marks)) if entries.len() == marks.len() => {
            let nodes = entries
                .into_iter()
                .zip(marks)
                .map(|((key, value), marks)| Ok((join(key, &marks.0)?, join(value, &marks.1)?)));
            Value::Mapping(nodes.collect::<Result<_, _>>()?)
        }
        _ => {
            return Err(Problem::new(mark.span, "this can be read in two ways")
                .help("put quotes around it, or write it in a simpler way"));
        }
    };
    Ok(Node::new(mark.span, value))
}

fn problem(error: &serde_yaml::Error) -> Problem {
    let place = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let span = error.location().map_or(Span::default(), |location| {
        let index = place(location.index());
        Span { start: index, end: index, line: place(location.line()), column: place(location.column()) }
    });
    let text = error.to_string();
    if text.contains("repetition limit") {
        return Problem::new(span, "the aliases expand to far more than is written")
            .help("write the repeated parts out, or fewer of them");
    }
    // The place is shown anyway; the crate repeats it.
    let message = text.split(" at line ").next().unwrap_or(&text);
    Problem::new(span, format!("not YAML: {message}"))
        .help("look at the indentation, the quotes and the brackets here and in the line before")
}
