//! The forms in which something may be written, as JSON Schema has them.

use schemars::{Schema, json_schema};

/// One of these words.
pub(crate) fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Schema {
    json_schema!({"enum": words.into_iter().collect::<Vec<_>>()})
}

/// Text of this pattern (ECMA 262; the space around it is added), with an example or more.
pub(crate) fn text<const N: usize>(pattern: &str, examples: [&str; N]) -> Schema {
    json_schema!({
        "type": "string",
        "pattern": format!(r"^\s*({pattern})\s*$"),
        "examples": examples.to_vec(),
    })
}

/// A whole number of this range.
pub(crate) fn whole(least: i64, most: i64) -> Schema {
    json_schema!({"type": "integer", "minimum": least, "maximum": most})
}

/// Any of these.
pub(crate) fn any_of<const N: usize>(forms: [Schema; N]) -> Schema {
    json_schema!({"anyOf": Vec::from(forms)})
}

/// Says that a type has the schema of another, or may be written in the forms of several.
macro_rules! written_as {
    ($type:ident $(<$parameter:ident>)?: $form:ty) => {
        impl $(<$parameter: schemars::JsonSchema>)? schemars::JsonSchema for $type $(<$parameter>)? {
            fn inline_schema() -> bool {
                <$form>::inline_schema()
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                <$form>::schema_name()
            }
            fn schema_id() -> std::borrow::Cow<'static, str> {
                <$form>::schema_id()
            }
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                <$form>::json_schema(generator)
            }
        }
    };
    ($type:ident $(<$parameter:ident>)?: $($form:ty),+) => {
        impl $(<$parameter: schemars::JsonSchema>)? schemars::JsonSchema for $type $(<$parameter>)? {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn schema_id() -> std::borrow::Cow<'static, str> {
                std::any::type_name::<Self>().into()
            }
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::forms::any_of([$(generator.subschema_for::<$form>()),+])
            }
        }
    };
}
pub(crate) use written_as;
