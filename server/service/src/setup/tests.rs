use std::fs;

use clap::{CommandFactory, Parser};

use super::*;
use crate::cli::ServeOptions;
use crate::tenant::Role;

#[derive(Parser)]
#[command(name = "halfopend")]
struct Program {
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    serve: ServeOptions,
}

const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// Writes a file of this test.
fn file(name: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tmp/setup");
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    fs::write(&path, text).expect("a file");
    path
}

fn read_text(name: &str, text: &str) -> Result<Setup, SetupError> {
    Setup::read(&file(name, text), &Program::command())
}

/// What is wrong with a text, with `FILE` for the path.
fn mistakes(name: &str, text: &str) -> String {
    let path = file(name, text);
    match Setup::read(&path, &Program::command()) {
        Ok(_) => String::new(),
        Err(error) => error.to_string().replace(path.to_str().expect("UTF-8"), "FILE"),
    }
}

#[test]
fn an_option_is_a_key_unless_the_command_line_or_the_environment_sets_it() {
    let text = "\
listen = '127.0.0.1:1'
queue = 7
insecure = true
exit-with-stdin = false
tls-cert = 'cert.pem'
allow-origin = ['https://a.example', 'https://b.example']
";
    let setup = read_text("options.toml", text).expect("it is right");
    let arguments = |line: &str| {
        let typed = Program::command().try_get_matches_from(line.split(' ')).expect("they are right");
        setup.arguments(&typed).map(|argument| argument.into_string().expect("UTF-8")).collect::<Vec<_>>()
    };
    let [first, certificate, rest @ ..] = &arguments("halfopend --queue 8")[..] else { panic!("too few") };
    assert_eq!(first, "--listen=127.0.0.1:1");
    assert_eq!(certificate, "--insecure");
    assert!(rest[0].starts_with("--tls-cert=/") && rest[0].ends_with("setup/cert.pem"), "{rest:?}");
    assert_eq!(rest[1..], ["--allow-origin=https://a.example", "--allow-origin=https://b.example"]);
    assert!(arguments("halfopend").contains(&"--queue=7".to_owned()));
}

#[test]
fn tenants_have_quotas_and_credentials() {
    let text = format!(
        "\
[tenants.acme]
running = 2
calls-per-second = 50
tokens = [{{ name = 'ci', sha256 = '{DIGEST}', expires = 2020-01-01 }}]
[[tenants.acme.certificates]]
dns = 'CI.acme.example'
role = 'admin'
[[tenants.acme.jwts]]
issuer = 'github'
claims = {{ repository_owner = 'acme', ref = ['refs/heads/main', 'refs/heads/next'] }}
role = 'read'
[tenants.globex]
[issuers.github]
issuer = 'https://token.actions.githubusercontent.com'
audience = 'halfopen'
jwks = 'https://token.actions.githubusercontent.com/.well-known/jwks'
"
    );
    let setup = read_text("tenants.toml", &text).expect("it is right");
    assert_eq!(setup.summary(), "2 tenants, 1 token, 1 certificate, 1 issuer");
    let row = ["acme", "ci", "run", "expired 2020-01-01"].map(str::to_owned);
    assert_eq!(setup.tokens(crate::clock::time_of_day()), [row]);
    let roster = setup.tenants().expect("there are some").roster();
    let quota = roster.tenants[0].quota();
    assert_eq!((quota.running, quota.waiting), (Some(2), None));
    assert_eq!(roster.certificates[0].principal.role, Role::Admin);
    let rule = &roster.issuers[0].rules[0];
    assert_eq!((rule.claims.len(), rule.principal.role), (2, Role::Read));
}

#[test]
fn a_wrong_file_says_what_is_wrong_where_and_what_to_do() {
    let token = |rest: &str| format!("[[tenants.a.tokens]]\nsha256 = '{DIGEST}'\n{rest}");
    let issuer = |rest: &str| format!("[tenants.a]\n[issuers.x]\nissuer = 'i'\naudience = 'a'\n{rest}");
    for (text, expected) in [
        ("listen = ", "FILE:1:10: not TOML: "),
        ("[tenants.a", "FILE:1:11: not TOML: "),
        ("listn = 'x'", "FILE:1:1: there is no option `listn`; did you mean `listen`?"),
        ("tenant = 1", "FILE:1:1: there is no option `tenant`; did you mean `tenants`?"),
        ("config = 'x'", "FILE:1:1: there is no option `config`"),
        ("listen = 'x'", "FILE:1:10: `listen` cannot be `x`: invalid socket address"),
        ("insecure = 'yes'", "FILE:1:12: `insecure` takes no string"),
        ("tenants = 1", "FILE:1:11: `tenants` consists of tables: write [tenants.NAME]"),
        ("[tenants]\na = 1", "FILE:2:5: `a` is a table: write [tenants.a]"),
        ("[tenants.Acme]", "FILE:1:10: `Acme` names no tenant: a tenant's name has 1 to 63"),
        ("[tenants.a]\nrunnig = 1", "FILE:2:1: [tenants.a] has no key `runnig`; did you mean `running`?"),
        ("[tenants.a]\nrunning = 0", "FILE:2:11: `running` takes a whole number from 1"),
        ("[tenants.a]\nwaiting = '1'", "FILE:2:11: `waiting` takes a whole number from 1"),
        ("[tenants.a]\ntokens = 1", "FILE:2:10: `tokens` is a list of tables: write [[tenants.a.tokens]]"),
        ("[[tenants.a.tokens]]\nname = 'x'", "FILE:1:1: [[tenants.a.tokens]] has no `sha256`"),
        ("[[tenants.a.tokens]]\nsha256 = 'x'", "FILE:2:10: `sha256` cannot be `x`: a SHA-256 has 64"),
        (
            "[[tenants.a.tokens]]\nsha256 = 'hop_x'",
            "that is a token, and not its SHA-256: make a new one, because this one was written down",
        ),
        (&token("role = 'rnu'"), "FILE:3:8: `role` cannot be `rnu`; did you mean `run`?"),
        (&token("role = 'owner'"), "FILE:3:8: `role` cannot be `owner`; it is one of read, run, admin"),
        (&token("expires = '2027-01-01'"), "FILE:3:11: `expires` takes a date (2027-12-31, without quotes)"),
        (&token("expires = 2027-01-01T00:00:00"), "write a date (2027-12-31), or a time of UTC"),
        (&token(&token("")), "another token has this `sha256`"),
        (
            "[[tenants.a.certificates]]\ndns = 'a'\nuri = 'b'",
            "FILE:1:1: write one of `uri`, `dns`, `email` and `common-name`",
        ),
        (
            "[[tenants.a.certificates]]\ndns = 'a'\n[[tenants.b.certificates]]\ndns = 'A'",
            "each has one tenant",
        ),
        ("[[tenants.a.jwts]]\nissuer = 'x'\nclaims = {a = 'b'}", "FILE:2:10: there is no [issuers.x]"),
        ("[[tenants.a.jwts]]\nissuer = 'x'", "[[tenants.a.jwts]] has no `claims`"),
        (&issuer("jwks = 'no.json'"), "FILE:5:8: `jwks` cannot be used: cannot read `"),
        (&issuer("jwks = 'http://a.example/'"), "could sign for everybody: use https"),
        (&issuer("jwks = 'ftp://a.example/'"), "write https://HOST/PATH, or a file"),
        (&issuer("leeway = '1h'\njwks = 'https://a.example'"), "FILE:5:10: `leeway` is longer than 5min"),
        (&issuer(""), "FILE:2:10: [issuers.x] has no `jwks`"),
        (
            &(issuer("jwks = 'https://a.example'\n") + "[[tenants.a.jwts]]\nissuer = 'x'\nclaims = {}"),
            "`claims` is empty, so that every JWT of the issuer would match",
        ),
    ] {
        let said = mistakes("wrong.toml", text);
        assert!(said.contains(expected), "{text}\nsays\n{said}\nand not\n{expected}");
    }
    let several = mistakes("wrong.toml", "queu = 1\n[tenants.a]\nx = 1\n[[tenants.a.tokens]]\nsha256 = ''");
    assert_eq!(several.lines().count(), 3, "{several}");
}

#[test]
fn a_wrong_file_leaves_the_tenants_as_they_are() {
    let name = "reload.toml";
    let setup = read_text(name, &format!("[[tenants.a.tokens]]\nsha256 = '{DIGEST}'")).expect("it is right");
    let tenants = setup.tenants().expect("one");
    let has_tokens = || tenants.roster().tokens.len();
    for wrong in
        ["[tenants.a", "[tenants.a]\nx = 1", "queu = 1\n[tenants.a]", "", "listen = 'x'\n[tenants.a]"]
    {
        file(name, wrong);
        setup.reload().expect_err(wrong);
        assert_eq!(has_tokens(), 1, "{wrong:?}");
    }
    file(name, "[tenants.a]\n[tenants.b]");
    assert_eq!(setup.reload().expect("it is right"), "2 tenants, 0 tokens, 0 certificates, 0 issuers");
    assert_eq!(has_tokens(), 0);
}

#[test]
fn what_waits_gets_the_quota_of_now() {
    let name = "quota.toml";
    let setup = read_text(name, "[tenants.a]\nrunning = 2").expect("it is right");
    let tenants = setup.tenants().expect("one");
    let (a, b) = ("a".parse().expect("a name"), "b".parse().expect("a name"));
    let running = |tenant| tenants.current(tenant).quota().running;
    assert_eq!((running(&a), running(&b)), (Some(2), None), "as after a restart, by their names");
    file(name, "[tenants.a]\nrunning = 3\n[tenants.b]\nrunning = 1");
    setup.reload().expect("it is right");
    assert_eq!((running(&a), running(&b)), (Some(3), Some(1)));
}

#[test]
fn the_first_tenant_comes_with_a_restart() {
    let setup = read_text("first.toml", "queue = 7").expect("it is right");
    assert!(setup.tenants().is_none());
    setup.reload().expect("nothing changes");
    file("first.toml", "[tenants.a]");
    let error = setup.reload().expect_err("whoever called without a credential could no longer").to_string();
    assert!(error.contains("with a restart"), "{error}");
}
