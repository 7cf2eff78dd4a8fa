//! Variants: what a text lays over its scenario, a run each.
//!
//! Maps are laid over maps, entry by entry; lists and words replace what they are laid over, and nothing leaves a map
//! as it is. Every part keeps its place in the text, so that mistakes and results point at what was written.

use std::collections::BTreeMap;

use crate::node::{Node, Span, Value};
use crate::{Limits, Problem, wording};

const VARIANTS: &str = "variants";
const MATRIX: &str = "matrix";

/// A variant: its name, and what is laid over the base, in order.
#[derive(Clone, Debug)]
pub(crate) struct Variant<'a> {
    pub(crate) name: String,
    layers: Vec<&'a Node>,
}

impl Variant<'_> {
    /// The whole document of this variant.
    pub(crate) fn over(&self, base: &Node) -> Node {
        let mut node = base.clone();
        for layer in &self.layers {
            lay(&mut node, layer);
        }
        node
    }
}

/// The document without its variants.
pub(crate) fn base(root: &Node) -> Node {
    let mut base = root.clone();
    if let Value::Mapping(entries) = &mut base.value {
        entries.retain(|(key, _)| !is(key, VARIANTS) && !is(key, MATRIX));
    }
    base
}

/// Where the key of the variants stands, if the text has any.
pub(crate) fn place(root: &Node) -> Option<Span> {
    [MATRIX, VARIANTS].into_iter().find_map(|name| entry(root, name)).map(|(key, _)| key.span)
}

/// The variants of a document in its order, and what is wrong with them; none if it has none.
pub(crate) fn of(root: &Node) -> (Vec<Variant<'_>>, Vec<Problem>) {
    let mut reader = Reader { root, problems: Vec::new() };
    let mut variants = match entry(root, MATRIX) {
        Some((key, axes)) => reader.products(key, axes),
        None => Vec::new(),
    };
    if let Some((key, overlays)) = entry(root, VARIANTS) {
        reader.named(key, overlays, &mut variants);
    }
    let parts: usize = variants.iter().map(|variant| reader.parts(variant)).sum();
    if parts > Limits::MAX_VARIANT_NODES {
        let message =
            format!("the variants have {parts} parts together, more than {}", Limits::MAX_VARIANT_NODES);
        reader.problem(place(root).unwrap_or(root.span), message, "split the scenario into several");
        variants.clear();
    }
    (variants, reader.problems)
}

/// Lays one part of the document over another.
fn lay(under: &mut Node, over: &Node) {
    match (&mut under.value, &over.value) {
        (Value::Mapping(entries), Value::Mapping(more)) => {
            let known: BTreeMap<String, usize> =
                entries.iter().enumerate().map(|(index, (key, _))| (key.to_string(), index)).collect();
            for (key, value) in more {
                match known.get(&key.to_string()) {
                    None => entries.push((key.clone(), value.clone())),
                    Some(index) => {
                        let (old_key, old) = &mut entries[*index];
                        if !matches!(old.value, Value::Mapping(_)) || !merges(value) {
                            *old_key = key.clone();
                        }
                        lay(old, value);
                    }
                }
            }
        }
        (Value::Mapping(_), Value::Null) => {}
        _ => *under = over.clone(),
    }
}

/// Whether it leaves something of a map that it is laid over.
fn merges(over: &Node) -> bool {
    matches!(over.value, Value::Mapping(_) | Value::Null)
}

fn is(key: &Node, name: &str) -> bool {
    matches!(&key.value, Value::String(text) if text == name)
}

fn entry<'a>(node: &'a Node, name: &str) -> Option<(&'a Node, &'a Node)> {
    entries(node).iter().find(|(key, _)| is(key, name)).map(|(key, value)| (key, value))
}

fn entries(node: &Node) -> &[(Node, Node)] {
    match &node.value {
        Value::Mapping(entries) => entries,
        _ => &[],
    }
}

struct Reader<'a> {
    root: &'a Node,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn problem(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(span, message).help(help));
    }

    /// About how many parts the document of a variant has.
    fn parts(&self, variant: &Variant<'_>) -> usize {
        self.root.count() + variant.layers.iter().map(|layer| layer.count()).sum::<usize>()
    }

    /// The entries of a map from names that must have some; none if it is something else.
    fn names(&mut self, key: &Node, map: &'a Node, what: &str) -> &'a [(Node, Node)] {
        let entries = entries(map);
        if entries.is_empty() {
            let help = format!("write for example `{key}: {{some-name: …}}`, or leave `{key}` out");
            let message = match &map.value {
                Value::Mapping(_) | Value::Null => format!("`{key}` names no {what}"),
                _ => format!("expected a map from names, found `{}`", wording::short(&map.to_string())),
            };
            let span = if map.span.end > map.span.start { map.span } else { key.span };
            self.problem(span, message, help);
        }
        entries
    }

    /// What is laid over the base, under its name; `None` if it cannot be.
    fn layer(&mut self, layer: &'a Node) -> Option<&'a Node> {
        if !merges(layer) {
            let message = format!("expected a map, found `{}`", wording::short(&layer.to_string()));
            let help = "write what differs from the base: `{network: {latency: 80ms}}`";
            self.problem(layer.span, message, help);
            return None;
        }
        let before = self.problems.len();
        for (key, _) in entries(layer) {
            for (word, help) in [
                ("scenario", "the name is that of the base, with `/` and the variant's name"),
                (VARIANTS, "put it beside this one"),
                (MATRIX, "put it at the top level of the document"),
            ] {
                if is(key, word) {
                    self.problem(key.span, format!("`{word}` does not belong in a variant"), help);
                }
            }
        }
        self.only_known_hosts(layer);
        (self.problems.len() == before).then_some(layer)
    }

    /// A host that the base does not have is more likely a mistake in a name.
    fn only_known_hosts(&mut self, layer: &Node) {
        let hosts = |node: &'a Node| entry(node, "hosts").map_or(&[][..], |(_, hosts)| entries(hosts));
        let known: Vec<String> = hosts(self.root).iter().map(|(key, _)| key.to_string()).collect();
        let names = || known.iter().map(String::as_str);
        for (key, _) in entry(layer, "hosts").map_or(&[][..], |(_, hosts)| entries(hosts)) {
            let name = key.to_string();
            if !known.contains(&name) {
                let help = wording::suggest(&name, names()).unwrap_or_else(|| {
                    "a variant changes hosts and adds none; name it in the base too: `hosts: {…}`".to_owned()
                });
                let message = format!("the base has no host called `{}`", wording::short(&name));
                self.problem(key.span, message, help);
            }
        }
    }

    /// Whether it can be a name of a variant or of a part of one; says so if not.
    fn name(&mut self, key: &Node) -> Option<String> {
        let name = match &key.value {
            Value::String(name) => name.clone(),
            _ => key.to_string(),
        };
        if wording::is_name(&name) {
            return Some(name);
        }
        let message = format!("`{}` cannot be the name of a variant", wording::short(&name));
        self.problem(key.span, message, wording::NAME_RULE);
        None
    }

    /// Every product of the axes.
    fn products(&mut self, key: &'a Node, axes: &'a Node) -> Vec<Variant<'a>> {
        let axes = self.names(key, axes, "axis");
        if axes.len() > Limits::MAX_AXES {
            let message = format!("the matrix has {} axes, more than {}", axes.len(), Limits::MAX_AXES);
            self.problem(key.span, message, "split the scenario into several");
            return Vec::new();
        }
        let mut products = vec![Variant { name: String::new(), layers: Vec::new() }];
        let mut number = 1_usize;
        for (axis, values) in axes {
            self.name(axis);
            let mut parts = Vec::new();
            for (key, layer) in self.names(axis, values, "value") {
                let name = self.name(key);
                let layer = self.layer(layer);
                parts.extend(name.zip(layer));
            }
            number = number.saturating_mul(entries(values).len().max(1));
            // One that is wrong hides no mistakes in the others.
            if number <= Limits::MAX_VARIANTS && !parts.is_empty() {
                products = products.iter().flat_map(|product| product.times(&parts)).collect();
            }
        }
        if number > Limits::MAX_VARIANTS {
            let message = format!("the matrix makes {number} variants, more than {}", Limits::MAX_VARIANTS);
            self.problem(key.span, message, "leave out a value or an axis, or split the scenario");
            return Vec::new();
        }
        products.retain(|product| !product.name.is_empty());
        products
    }

    /// The variants by name: themselves, or with a matrix what more is laid over its products.
    fn named(&mut self, key: &'a Node, overlays: &'a Node, variants: &mut Vec<Variant<'a>>) {
        let matrix = entry(self.root, MATRIX).is_some();
        let overlays = self.names(key, overlays, "variant");
        if !matrix && overlays.len() > Limits::MAX_VARIANTS {
            let message =
                format!("there are {} variants, more than {}", overlays.len(), Limits::MAX_VARIANTS);
            self.problem(key.span, message, "split the scenario into several");
            return;
        }
        for (key, layer) in overlays {
            let layer = self.layer(layer);
            if matrix {
                self.more_over_product(key, layer, variants);
            } else if let (Some(name), Some(layer)) = (self.name(key), layer) {
                variants.push(Variant { name, layers: vec![layer] });
            }
        }
    }

    fn more_over_product(&mut self, key: &Node, layer: Option<&'a Node>, products: &mut [Variant<'a>]) {
        let name = key.to_string();
        if let Some(product) = products.iter_mut().find(|product| product.name == name) {
            product.layers.extend(layer);
        } else if self.problems.is_empty() {
            let names = || products.iter().map(|product| product.name.as_str());
            let help = wording::suggest(&name, names())
                .unwrap_or_else(|| format!("beside a matrix they are {}", wording::some_of(names())));
            let message = format!("the matrix makes no variant called `{}`", wording::short(&name));
            self.problem(key.span, message, help);
        }
    }
}

impl<'a> Variant<'a> {
    /// This one with each of the values of an axis.
    fn times(&self, values: &[(String, &'a Node)]) -> Vec<Variant<'a>> {
        let with = |(name, layer): &(String, &'a Node)| Variant {
            name: if self.name.is_empty() { name.clone() } else { format!("{}+{name}", self.name) },
            layers: self.layers.iter().copied().chain([*layer]).collect(),
        };
        values.iter().map(with).collect()
    }
}
