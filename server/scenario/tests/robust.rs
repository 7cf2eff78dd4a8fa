//! Whatever the text is, loading it ends with a scenario or with diagnostics that can be drawn.

use halfopen_scenario::{load, load_bytes};
use proptest::prelude::*;

const WHOLE: &str = include_str!("whole.yaml");

fn check(text: &str) {
    if let Err(diagnostics) = load(text) {
        assert!(!diagnostics.as_slice().is_empty());
        let drawn = diagnostics.render("x.yaml", text, false);
        assert!(drawn.contains("error: "), "{drawn}");
        diagnostics.render("x.yaml", text, true);
    }
}

/// Pieces that mean something to YAML or to the language.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "scenario",
        "hosts",
        "applications",
        "faults",
        "expect",
        "client",
        "server",
        ": ",
        ":",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "\"",
        "'",
        "#",
        "&a ",
        "*a",
        "!drop ",
        "|\n",
        ">\n",
        "---\n",
        "? ",
        "<<",
        "connect",
        "server:80",
        "1 KiB",
        "20ms",
        "±",
        "…",
        "\t",
        "\r\n",
        "null",
        "~",
        "0x10",
        "1e9",
        "-0",
        ".inf",
        "SYN",
        "at",
        "between",
        "\u{feff}",
        "\u{2028}",
        "é",
    ];
    prop_oneof![9 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,8}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_pieces(pieces in prop::collection::vec(piece(), 0..60)) {
        check(&pieces.concat());
    }

    #[test]
    fn any_octets(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = load_bytes(&octets).map_err(|diagnostics| diagnostics.to_string());
    }

    #[test]
    fn a_good_scenario_with_a_piece_in_the_wrong_place(at in 0..WHOLE.len(), skip in 0usize..40, piece in piece()) {
        let before: String = WHOLE.chars().take(at).collect();
        let after: String = WHOLE.chars().skip(at + skip).collect();
        check(&format!("{before}{piece}{after}"));
    }
}
