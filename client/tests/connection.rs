//! How a server is reached: TLS, certificates, tokens, and what is said when there is no agreement.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::{Path, PathBuf};
use std::{env, fs};

use common::program;
use halfopen::client::{Client, ClientError, ConnectOptions, Token};
use halfopend::{Access, Config, Service, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A file of this test.
fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

/// TLS by a certificate for these names that the authority has signed, changed by `change`.
fn tls(name: &str, signer: &Authority, names: &[&str], change: fn(&mut CertificateParams)) -> Tls {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, signer).unwrap();
    let certificate = file(&format!("{name}.certificate.pem"), &certificate.pem());
    Tls::from_files(&certificate, &file(&format!("{name}.key.pem"), &key.serialize_pem())).unwrap()
}

/// Serves for as long as the test goes on; gives the port.
async fn serve(tls: Option<Tls>, token: Option<&str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let access = Access { tls, token: token.map(|token| token.parse().unwrap()) };
    let service = Service::new(&Config::default()).unwrap();
    tokio::spawn(async move { service.serve(listener, &access, std::future::pending()).await });
    port
}

/// The number of bundled scenarios that a server tells, or why not.
async fn ask(address: &str, ca: Option<&Authority>, token: Option<&str>) -> Result<usize, ClientError> {
    let token: Option<Token> = token.map(|token| token.parse().unwrap());
    let options = ConnectOptions { ca: ca.map(|authority| authority.pem().into_bytes()), token };
    let mut client = Client::connect_with(address, &options).await?;
    Ok(client.list().await?.len())
}

const HERE: &[&str] = &["localhost", "127.0.0.1"];

#[tokio::test]
async fn a_server_over_tls_is_trusted_for_a_reason() {
    let (known, other) = (authority(), authority());
    let good = serve(Some(tls("good", &known, HERE, |_| ())), None).await;
    let long_ago = |params: &mut CertificateParams| params.not_after = date_time_ymd(2001, 1, 1);
    let expired = serve(Some(tls("expired", &known, HERE, long_ago)), None).await;
    let far_off = |params: &mut CertificateParams| params.not_before = date_time_ymd(2999, 1, 1);
    let early = serve(Some(tls("early", &known, HERE, far_off)), None).await;
    let elsewhere = serve(Some(tls("elsewhere", &known, &["server.example"], |_| ())), None).await;
    let is_ca = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let signer = serve(Some(tls("signer", &known, HERE, is_ca)), None).await;

    for host in HERE {
        let listed = ask(&format!("https://{host}:{good}"), Some(&known), None).await;
        assert!(listed.as_ref().is_ok_and(|scenarios| *scenarios > 10), "{listed:?}");
    }
    for (port, ca, part) in [
        (good, Some(&other), "signed by nobody who is trusted; --ca FILE"),
        // What the system trusts, if it has anything to trust.
        (good, None, "--ca FILE"),
        (expired, Some(&known), "has expired"),
        (early, Some(&known), "not valid yet"),
        (elsewhere, Some(&known), "is for server.example; call it by that name"),
        (signer, Some(&known), "basicConstraints=critical,CA:FALSE"),
    ] {
        let error = ask(&format!("https://localhost:{port}"), ca, None).await.expect_err(part).to_string();
        assert!(error.contains(part), "no {part:?} in {error:?}");
    }
}

#[tokio::test]
async fn whoever_mixes_up_http_and_https_is_told() {
    let known = authority();
    let hidden = serve(Some(tls("mixed", &known, HERE, |_| ())), None).await;
    let open = serve(None, None).await;
    // Another's server, which hangs up when it does not understand.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 16]).await;
        }
    });
    for (scheme, ca, part) in [
        ("http", None, "if it speaks TLS, write https://"),
        ("https", Some(&known), "if it does not speak TLS, write http://"),
    ] {
        let error = ask(&format!("{scheme}://{other}"), ca, None).await.expect_err(part).to_string();
        assert!(error.contains(part), "no {part:?} in {error:?}");
    }
    for (address, ca, part) in [
        (format!("http://127.0.0.1:{hidden}"), None, "it speaks TLS; write https://"),
        (format!("127.0.0.1:{hidden}"), None, "it speaks TLS; write https://"),
        (format!("https://127.0.0.1:{open}"), Some(&known), "write http://"),
    ] {
        let error = ask(&address, ca, None).await.expect_err(part);
        assert!(matches!(error, ClientError::Refused { .. }), "{error:?}");
        assert!(error.to_string().contains(part), "no {part:?} in {error}");
    }
}

#[tokio::test]
async fn a_token_is_shown_and_a_wrong_one_refused() {
    let known = authority();
    let hidden = serve(Some(tls("token", &known, HERE, |_| ())), Some("s3cret")).await;
    let open = serve(None, Some("s3cret")).await;
    for (address, ca) in
        [(format!("https://127.0.0.1:{hidden}"), Some(&known)), (format!("http://127.0.0.1:{open}"), None)]
    {
        ask(&address, ca, Some("s3cret")).await.expect("it is the token");
        for (token, part) in [(None, "wants a token"), (Some("secret"), "not the server's token")] {
            let error = ask(&address, ca, token).await.expect_err(part);
            assert!(matches!(error, ClientError::Refused { .. }), "{error:?}");
            assert!(error.to_string().contains(part), "no {part:?} in {error}");
        }
    }
}

/// The code and the standard error of a command.
async fn halfopen(arguments: &[&str], token: Option<&str>) -> (Option<i32>, String) {
    let mut command = program::halfopen(arguments);
    if let Some(token) = token {
        command.env("HALFOPEN_TOKEN", token);
    }
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

#[tokio::test]
async fn the_command_line_knows_tls_and_the_token() {
    let known = authority();
    let server = serve(Some(tls("command", &known, HERE, |_| ())), Some("s3cret")).await;
    let server = format!("https://127.0.0.1:{server}");
    let ca = file("command.ca.pem", &known.pem()).display().to_string();
    let run = ["run", "dead-client", "--server", &server, "--ca", &ca];
    assert_eq!(halfopen(&run, Some("s3cret")).await, (Some(0), String::new()));
    let given = [&run[..], &["--token", "s3cret"]].concat();
    assert_eq!(halfopen(&given, Some("wrong")).await, (Some(0), String::new()), "options go before");
    for (arguments, token, code, part) in [
        (&run[..], None, 4, "wants a token"),
        (&run, Some("wrong"), 4, "not the server's token"),
        (&["list", "--server", &server, "--ca", "no-such.pem"], None, 2, "cannot read --ca `no-such.pem`"),
        (&["list", "--server", "http://192.0.2.1:1"], Some("s3cret"), 2, "in the clear; write https://"),
        (&["serve", "--token", "two words"], None, 2, "without spaces"),
        (&["serve", "--listen", "192.0.2.1:1"], Some(""), 2, "HALFOPEN_TOKEN is empty"),
        (&["serve", "--tls-cert", &ca], None, 2, "--tls-key"),
        // What the client sends and what the server wants are the same word, in the same place.
        (&["--token", "s3cret", "serve", "--listen", "192.0.2.1:1"], None, 4, "cannot listen"),
        (&["serve", "--listen", "192.0.2.1:1", "--token", "s3cret"], None, 4, "cannot listen"),
    ] {
        let (ended, told) = halfopen(arguments, token).await;
        assert_eq!(ended, Some(code), "{arguments:?}: {told}");
        assert!(told.contains(part), "{arguments:?}: no {part:?} in {told}");
    }
    let (_, help) = halfopen(&["list", "--no-such-option"], Some("s3cret")).await;
    assert!(!help.contains("s3cret"), "{help}");
}
