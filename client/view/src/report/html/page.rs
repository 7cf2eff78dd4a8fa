//! The page around the runs.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::made;
use super::section::Section;
use crate::picture::svg;
use crate::report::Counts;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What the page is about.
pub(super) struct Content<'a> {
    pub(super) counts: Counts,
    pub(super) version: Option<&'a str>,
    pub(super) date: Option<&'a str>,
    pub(super) table: &'a [(u8, Markup)],
    pub(super) sections: &'a [(u8, Section)],
}

pub(super) fn page(content: &Content<'_>) -> Markup {
    let Content { counts, version, date, table, sections } = content;
    let sentence = counts.sentence();
    let several = table.len() > 1;
    let version = version.map(|version| format!("halfopen {version}"));
    let about = version.into_iter().chain(date.map(str::to_owned)).collect::<Vec<_>>().join(", ");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content="halfopen";
                title { "halfopen: " (sentence) }
                style { (PreEscaped(svg::sheet())) (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (sentence) }
                    @if !about.is_empty() { p.dim { (about) } }
                }
                main {
                    @if several { (summary(table)) }
                    @for (_, section) in *sections { (section.draw(!several)) }
                    @if sections.is_empty() && table.is_empty() { p { "There are no runs." } }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// The table of all runs.
fn summary(table: &[(u8, Markup)]) -> Markup {
    let columns = ["state", "run", "seed", "expectations", "virtual time", "segments"];
    html! {
        // Shown by the script, without which it would do nothing.
        p.filter hidden {
            label {
                "Filter "
                input type="search" id="filter" autocomplete="off" placeholder="name, title or state" aria-keyshortcuts="/";
            }
            span id="shown" role="status" {}
            span.dim.keys { kbd { "/" } " filter, " kbd { "j" } " " kbd { "k" } " next and previous run, " kbd { "o" } " open or close" }
        }
        div.wide {
            table id="runs" {
                caption { "All runs" }
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                tbody { @for (_, line) in table { (made(line)) } }
            }
        }
        p.paper-only { "Only the runs that were open on the screen are printed." }
    }
}
