//! Variants: one text, several scenarios.

use std::time::Duration;

use halfopen_scenario::*;
use halfopen_tcp::Profile;

const BASE: &str = "\
scenario: pool
title: The base
hosts: {client: {tcp: {sack: off}}, server: {}}
network: {latency: 20ms, mtu: 1400 B}
applications:
  server: [listen: 80, accept, receive]
  client: [connect: server:80, hold]
expect:
  - client: {ends: ESTABLISHED}
  - server: {ends: ESTABLISHED}
";

fn all(rest: &str) -> Vec<Scenario> {
    let text = format!("{BASE}{rest}");
    load_all(&text).unwrap_or_else(|diagnostics| panic!("{}", diagnostics.render("x.yaml", &text, false)))
}

fn names(scenarios: &[Scenario]) -> Vec<String> {
    scenarios.iter().map(Scenario::name).collect()
}

fn mistakes(rest: &str) -> Vec<String> {
    let diagnostics = load_all(&format!("{BASE}{rest}")).expect_err("wrong");
    diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect()
}

#[test]
fn a_text_without_variants_is_one_scenario() {
    let scenarios = all("");
    assert_eq!(names(&scenarios), ["pool"]);
    assert_eq!(scenarios[0].variant, None);
    assert_eq!(load(BASE).as_ref(), Ok(&scenarios[0]));
    assert_eq!(load_variant(BASE, None).as_ref(), Ok(&scenarios[0]));
}

#[test]
fn maps_are_laid_over_maps_and_the_rest_is_replaced() {
    let scenarios = all("\
variants:
  base: {}
  none:
  far: {network: {latency: 80ms}, hosts: {client: {tcp: {nagle: off}}, server: }, title: Far away}
  one: {expect: [client: {ends: CLOSED}], applications: {client: [connect: server:80]}}
");
    assert_eq!(names(&scenarios), ["pool/base", "pool/none", "pool/far", "pool/one"]);
    let [base, none, far, one] = &scenarios[..] else { panic!("four") };
    let only = load(BASE).expect("right");
    assert_eq!(Scenario { variant: None, ..base.clone() }, only);
    assert_eq!(Scenario { variant: None, ..none.clone() }, only);
    assert_eq!((far.network.link.latency, far.network.link.mtu), (Duration::from_millis(80), 1400));
    assert_eq!((far.hosts[0].tcp.sack, far.hosts[0].tcp.nagle), (Some(false), Some(false)));
    assert_eq!((far.title.as_str(), far.expectations.len()), ("Far away", 2));
    assert_eq!((one.expectations.len(), one.programs[1].steps.len(), one.programs[0].steps.len()), (1, 1, 3));
    assert_eq!(one.expectations[0].text, "client: {ends: CLOSED}");
    assert_eq!((one.expectations[0].location.line, base.expectations[0].location.line), (15, 9));
}

#[test]
fn a_matrix_makes_every_product_in_order() {
    let rest = "\
matrix:
  way: {near: {}, far: {network: {latency: 80ms}}}
  cure: {none: , both: {hosts: {client: {tcp: {user-timeout: 30s}}}, network: {mtu: 1280 B}}}
variants:
  far+both: {network: {latency: 200ms}}
";
    let scenarios = all(rest);
    assert_eq!(names(&scenarios), ["pool/near+none", "pool/near+both", "pool/far+none", "pool/far+both"]);
    let latencies: Vec<u128> =
        scenarios.iter().map(|scenario| scenario.network.link.latency.as_millis()).collect();
    assert_eq!(latencies, [20, 20, 80, 200]);
    assert_eq!(
        scenarios.iter().map(|scenario| scenario.network.link.mtu).collect::<Vec<_>>(),
        [1400, 1280, 1400, 1280]
    );
    let text = format!("{BASE}{rest}");
    assert_eq!(load_variant(&text, Some("far+none")).as_ref(), Ok(&scenarios[2]));
}

#[test]
fn one_of_several_must_be_named() {
    let text = format!("{BASE}variants: {{near: {{}}, far: {{}}}}\n");
    let names = vec!["near".to_owned(), "far".to_owned()];
    let missing = LoadError::Variant { asked: None, names: names.clone() };
    assert_eq!(missing.to_string(), "the scenario has 2 variants; say which: `near` and `far`");
    assert_eq!(load_variant(&text, None), Err(missing));
    let unknown = LoadError::Variant { asked: Some("fra".to_owned()), names };
    assert_eq!(unknown.to_string(), "no variant is called `fra`; did you mean `far`?");
    assert_eq!(load_variant(&text, Some("fra")), Err(unknown));
    let none = load_variant(BASE, Some("near")).expect_err("no variants").to_string();
    assert_eq!(none, "the scenario has no variants, so none is called `near`");
    let diagnostics = load(&text).expect_err("two");
    assert_eq!((diagnostics.as_slice()[0].line, diagnostics.as_slice().len()), (11, 1));
}

#[test]
fn a_mistake_of_all_is_told_once_and_another_names_its_variants() {
    let text = BASE.replace("20ms", "20") + "matrix: {way: {near: , far: {until: 1}}, cure: {a: , b: }}\n";
    let diagnostics = load_all(&text).expect_err("wrong");
    let seen: Vec<(u32, String)> =
        diagnostics.iter().map(|diagnostic| (diagnostic.line, diagnostic.in_variants())).collect();
    assert_eq!(seen, [(4, String::new()), (11, "in variants `far+a` and `far+b`".to_owned())]);
    assert_eq!(diagnostics.as_slice()[1].path, "matrix.way.far.until");
}

#[test]
fn what_one_variant_has_wrong_does_not_hinder_another() {
    let text = format!("{BASE}variants: {{good: {{}}, bad: {{until: 1}}}}\n");
    assert!(load_variant(&text, Some("good")).is_ok());
    assert!(matches!(load_variant(&text, Some("bad")), Err(LoadError::Wrong(_))));
    assert!(matches!(load_variant(&text, None), Err(LoadError::Wrong(_))), "before it asks for a name");
}

#[test]
fn there_is_an_end_to_how_many() {
    let axis = |name: &str, values: u32| {
        let values: Vec<String> = (0..values).map(|value| format!("{name}{value}: ")).collect();
        format!("{name}: {{{}}}", values.join(", "))
    };
    let matrix = |a, b| format!("matrix: {{{}, {}}}\n", axis("a", a), axis("b", b));
    assert_eq!(all(&matrix(10, 10)).len(), 100);
    assert_eq!(mistakes(&matrix(11, 10)), ["the matrix makes 110 variants, more than 100"]);
    let axes: Vec<String> = (0..30).map(|number| axis(&format!("axis{number}-"), 50)).collect();
    let many = format!("matrix: {{{}}}\n", axes.join(", "));
    assert_eq!(mistakes(&many), ["the matrix has 30 axes, more than 8"]);
    let variants = axis("variants", 101);
    assert_eq!(mistakes(&variants), ["there are 101 variants, more than 100"]);
    let steps = "wait: 1s, ".repeat(4_000);
    let large = format!("variants: {{{}}}\n", (0..100).map(|v| format!("v{v}: , ")).collect::<String>());
    let text = BASE.replace("hold]", &format!("{steps} hold]")) + &large;
    let message = load_all(&text).expect_err("large").as_slice()[0].message.clone();
    assert!(message.ends_with("parts together, more than 1000000"), "{message}");
}

#[test]
fn a_profile_takes_the_place_of_all_and_leaves_what_is_beside_it() {
    let text = format!("{BASE}variants: {{bsd: {{hosts: {{server: {{profile: freebsd}}}}}}}}\n");
    for profile in Profile::ALL {
        let options = LoadOptions { variant: Some("bsd"), profile: Some(profile), session: false };
        let scenario = load_with(&text, options).expect("right");
        assert_eq!(scenario.variant.as_deref(), Some("bsd"));
        assert!(scenario.hosts.iter().all(|host| host.profile == profile), "{profile:?}");
        assert!(!scenario.hosts[0].settings().sack, "the client's `sack: off` stays");
        assert_eq!(scenario.hosts[1].settings(), profile.settings());
    }
    let none = LoadOptions { variant: Some("bsd"), profile: None, session: false };
    assert_eq!(load_with(&text, none), load_variant(&text, Some("bsd")));
}

#[test]
fn what_makes_no_sense_over_the_profile_is_a_mistake() {
    let text = BASE.replace("{sack: off}", "{rto: {max: 500ms}}");
    let with =
        |profile| load_with(&text, LoadOptions { variant: None, profile: Some(profile), session: false });
    assert!(with(Profile::Linux).is_ok());
    let LoadError::Wrong(mistakes) = with(Profile::Rfc9293).expect_err("the least is 1s") else {
        panic!("there are no variants")
    };
    let message = &mistakes.as_slice()[0].message;
    assert!(message.ends_with("the greatest, 500ms, with the profile `rfc9293`"), "{message}");
}

#[test]
fn profiles_have_names() {
    for known in Profile::ALL {
        assert_eq!(profile(known.name()), Ok(known));
    }
    for (name, help) in [("Linux", "did you mean `linux`?"), ("plan9", "there are `linux`, `rfc9293`")] {
        let error = profile(name).expect_err("none").to_string();
        assert!(error.starts_with(&format!("no profile is called `{name}`; {help}")), "{error}");
    }
}
