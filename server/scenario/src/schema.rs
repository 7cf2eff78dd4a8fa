//! The JSON Schema of the language, for editors. It is made from the shape: a derived `JsonSchema` for each map, the
//! forms of what may be written in several ways, and for each scalar what [`Parse::schema`] says of it.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::{Value, json};

use crate::de::GROUP;
use crate::shape::Document;

/// The JSON Schema (draft 7) of scenarios. It knows the words, the forms and the units; that names exist and that what
/// is said fits together only [`load`](crate::load) can tell.
pub fn schema() -> String {
    let mut settings = SchemaSettings::draft07();
    settings.transforms.push(Box::new(RecursiveTransform(simplify)));
    let mut schema = settings.into_generator().into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), json!("A scenario of halfopen"));
    // JSON of strings and lists always has a text.
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

/// Where a key belongs that stands among `known` ones and is none of them: in the map after one of these, or in the items of
/// the list. Not if one of these is the same word in the singular or plural, which is meant rather.
pub(crate) fn below(known: &[&str], key: &str) -> Option<String> {
    let is_meant = |name: &&str| name.strip_suffix('s') == Some(key) || key.strip_suffix('s') == Some(name);
    if known.iter().any(is_meant) {
        return None;
    }
    let schema: Value = serde_json::from_str(&schema()).ok()?;
    let properties = |map: &Value| map["properties"].as_object().cloned();
    let is_here = |map: &&Value| {
        properties(map).is_some_and(|found| {
            found.len() == known.len() && known.iter().all(|name| found.contains_key(*name))
        })
    };
    let words = schema["definitions"].as_object()?.values().chain([&schema]).find(is_here)?;
    let has_key =
        |child: &Value| forms_of(&schema, child).iter().any(|form| form["properties"][key].is_object());
    let has_items = |child: &Value| forms_of(&schema, child).iter().any(|form| has_key(&form["items"]));
    let words = properties(words)?;
    let with =
        |has: &dyn Fn(&Value) -> bool| words.iter().find(|(_, child)| has(child)).map(|(name, _)| name);
    let map = with(&has_key).map(|child| format!("move `{key}` into `{child}`: `{child}: {{…, {key}: …}}`"));
    map.or_else(|| {
        with(&has_items)
            .map(|child| format!("it belongs to an item of `{child}`: `{child}: [{{…, {key}: …}}]`"))
    })
}

/// The forms in which something may be written, with what references mean.
fn forms_of<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let referred = schema["$ref"].as_str().and_then(|path| root.pointer(&path[1..]));
    let forms =
        ["allOf", "anyOf"].into_iter().flat_map(|forms| schema[forms].as_array().into_iter().flatten());
    let inner = referred.into_iter().chain(forms).flat_map(|form| forms_of(root, form));
    inner.chain([schema]).collect()
}

/// Puts the keys of groups where they stand in the text.
fn ungroup(schema: &mut Schema) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    let groups: Vec<String> = properties.keys().filter(|key| key.starts_with(GROUP)).cloned().collect();
    let mut needed = Vec::new();
    for group in &groups {
        let Some(mut group) = properties.remove(group) else { continue };
        if let Some(Value::Object(keys)) = group.get_mut("properties") {
            properties.append(keys);
        }
        if let Some(Value::Array(keys)) = group.get_mut("required") {
            needed.append(keys);
        }
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|key| !groups.iter().any(|group| key == group));
        required.append(&mut needed);
    }
}

/// A map or a list that is left empty is nothing, as in `network:`, unless it needs a key; so that what may be missing
/// need not say so again.
fn simplify(schema: &mut Schema) {
    ungroup(schema);
    for container in ["object", "array"] {
        if schema.get("type").is_some_and(|found| found == container) && schema.get("required").is_none() {
            schema.insert("type".to_owned(), json!([container, "null"]));
        }
    }
    let nothing = json!({"type": "null"});
    let Some(Value::Array(forms)) = schema.get("anyOf") else { return };
    if let [form, other] = &forms[..]
        && *other == nothing
        && let Some(Value::Object(form)) = Some(form.clone())
        && form.contains_key("$ref")
    {
        schema.remove("anyOf");
        for (key, value) in form {
            schema.insert(key, value);
        }
        schemars::transform::RemoveRefSiblings::default().transform(schema);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    use jsonschema::Validator;

    use super::*;
    use crate::node::{self, Node};
    use crate::{document, library, load, variants};

    const WHOLE: &str = include_str!("../tests/whole.yaml");

    fn validator() -> Validator {
        jsonschema::draft7::new(&serde_json::from_str(&schema()).unwrap()).unwrap()
    }

    /// A document as an editor has it.
    fn json(node: &Node) -> Value {
        match &node.value {
            node::Value::Null => Value::Null,
            node::Value::Bool(value) => json!(value),
            node::Value::Integer(value) => json!(i64::try_from(*value).unwrap_or(i64::MAX)),
            node::Value::Float(value) => json!(value),
            node::Value::String(value) => json!(value),
            node::Value::Sequence(items) => items.iter().map(json).collect(),
            node::Value::Mapping(entries) => {
                entries.iter().map(|(key, value)| (key.to_string(), json(value))).collect()
            }
        }
    }

    fn read(text: &str) -> Option<Node> {
        document::read(text).ok().flatten()
    }

    #[test]
    fn the_file_beside_the_scenarios_is_the_schema() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/scenario.schema.json");
        if env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
            fs::write(&file, schema()).unwrap();
        }
        let help = "the language has changed: SNAPSHOTS=overwrite cargo test -p halfopen-scenario schema";
        assert!(fs::read_to_string(&file).unwrap_or_default() == schema(), "{help}");
    }

    #[test]
    fn it_refuses_nothing_that_is_right() {
        let validator = validator();
        let bundled = library::ALL.iter().map(|bundled| bundled.text);
        for text in bundled.chain([WHOLE]) {
            let document = json(&read(text).unwrap());
            let wrong: Vec<String> = validator
                .iter_errors(&document)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(wrong.is_empty(), "{wrong:#?}\n{}", text.lines().take(3).collect::<String>());
        }
    }

    /// Mistakes in numbers inside of text, which no pattern tells.
    const BEYOND: [&str; 6] = [
        "port-too-large",
        "ports-backwards",
        "share-above-all",
        "size-too-large",
        "time-finer-than-a-nanosecond",
        "time-of-a-thousand-years",
    ];

    #[test]
    fn it_refuses_what_has_the_wrong_shape() {
        let validator = validator();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let (mut refused, mut missed) = (0, Vec::new());
        for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let Some(root) = read(&fs::read_to_string(path).unwrap()) else { continue };
            // What is not of shape, names or what they mean, is not for a schema to see.
            let variants = variants::of(&root).0;
            let base = variants::base(&root);
            let mut shape = load::typed(&base).1;
            shape.extend(variants.iter().flat_map(|variant| load::typed(&variant.over(&base)).1));
            if !shape.is_empty() {
                let valid = validator.is_valid(&json(&root));
                missed.extend((valid && !BEYOND.contains(&name)).then(|| name.to_owned()));
                refused += usize::from(!valid);
            }
        }
        assert!(missed.is_empty() && refused >= 50, "{refused} are refused, these are not: {missed:?}");
    }

    /// The page's examples, the bundled scenarios and the whole of the language: all of them are run by the tests of
    /// `halfopen-sim`.
    fn examples() -> Vec<Value> {
        let page = include_str!("../../../scenarios/README.md").split("```yaml\n").skip(1);
        let page = page.filter_map(|rest| rest.split("```").next());
        let texts = library::ALL.iter().map(|bundled| bundled.text).chain(page).chain([WHOLE]);
        texts.map(|text| json(&read(text).unwrap())).collect()
    }

    #[test]
    fn every_word_has_an_example() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let mut used = BTreeSet::new();
        for example in examples() {
            use_words(&schema, &schema, &example, &mut used);
        }
        let unused: Vec<Word> = words_of(&schema).into_iter().filter(|word| !used.contains(word)).collect();
        assert!(unused.is_empty(), "no example in tests/whole.yaml: {unused:#?}");
    }

    /// A key and what it means. What several words have beside them is the same.
    type Word = (String, String);

    fn word(key: &str, schema: &Value) -> Word {
        (key.to_owned(), schema["description"].to_string())
    }

    fn words_of(schema: &Value) -> BTreeSet<Word> {
        let parts: Vec<&Value> = match schema {
            // What is laid over a scenario has its words.
            Value::Object(parts) => {
                parts.iter().filter(|(name, _)| *name != "Overlay").map(|(_, part)| part).collect()
            }
            Value::Array(parts) => parts.iter().collect(),
            _ => Vec::new(),
        };
        let own = schema["properties"].as_object().into_iter().flatten();
        let own = own.filter(|(_, part)| part.is_object()).map(|(key, part)| word(key, part));
        own.chain(parts.into_iter().flat_map(words_of)).collect()
    }

    /// Notes the words that a part of an example uses.
    fn use_words(root: &Value, schema: &Value, value: &Value, used: &mut BTreeSet<Word>) {
        let needed = schema["required"].as_array().into_iter().flatten();
        if value.is_object() && needed.filter_map(Value::as_str).any(|key| value.get(key).is_none()) {
            return;
        }
        if let Some(other) = schema["$ref"].as_str().and_then(|path| root.pointer(&path[1..])) {
            use_words(root, other, value, used);
        }
        for forms in ["allOf", "anyOf"] {
            for form in schema[forms].as_array().into_iter().flatten() {
                use_words(root, form, value, used);
            }
        }
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    let own = &schema["properties"][key];
                    if own.is_object() {
                        used.insert(word(key, own));
                    }
                    use_words(
                        root,
                        if own.is_object() { own } else { &schema["additionalProperties"] },
                        value,
                        used,
                    );
                }
            }
            Value::Array(items) => {
                for item in items {
                    use_words(root, &schema["items"], item, used);
                }
            }
            // `- accept` is `- {accept: }`.
            Value::String(bare) if schema["properties"][bare].is_object() => {
                used.insert(word(bare, &schema["properties"][bare]));
            }
            _ => {}
        }
    }

    #[test]
    fn every_word_is_explained() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let definitions = schema["definitions"].as_object().unwrap();
        for (name, map) in definitions.iter().chain([(&"Document".to_owned(), &schema)]) {
            assert!(map["properties"].is_object() || map["anyOf"].is_array(), "{name} has no words");
            for (key, value) in map["properties"].as_object().into_iter().flatten() {
                let explained = value["description"].as_str().is_some_and(|text| text.ends_with('.'));
                assert!(explained, "`{key}` of {name} needs a doc comment in `shape`: {value}");
            }
        }
    }
}
