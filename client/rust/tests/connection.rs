//! How a server is reached: TLS, certificates, tokens, and the error when there is no agreement.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Authority, HERE, authority, serve, tls};
use halfopen_client::{Client, ClientError, ConnectOptions, Token};
use rcgen::{BasicConstraints, CertificateParams, IsCa, date_time_ymd};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// The number of bundled scenarios of a server, or why it cannot be had.
async fn ask(address: &str, ca: Option<&Authority>, token: Option<&str>) -> Result<usize, ClientError> {
    let token: Option<Token> = token.map(|token| token.parse().unwrap());
    let options = ConnectOptions { ca: ca.map(|authority| authority.pem().into_bytes()), token };
    let mut client = Client::connect_with(address, &options).await?;
    Ok(client.list().await?.len())
}

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
        (good, Some(&other), "has no trusted signature"),
        // What the system trusts, if it has anything to trust.
        (good, None, "certificate"),
        (expired, Some(&known), "has expired"),
        (early, Some(&known), "not valid yet"),
        (elsewhere, Some(&known), "is for server.example; use that name"),
        (signer, Some(&known), "basicConstraints=critical,CA:FALSE"),
    ] {
        let error = ask(&format!("https://localhost:{port}"), ca, None).await.expect_err(part).to_string();
        assert!(error.contains(part), "no {part:?} in {error:?}");
    }
}

#[tokio::test]
async fn mixing_up_http_and_https_is_an_error_that_says_so() {
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
async fn a_token_is_sent_and_a_wrong_one_refused() {
    let known = authority();
    let hidden = serve(Some(tls("token", &known, HERE, |_| ())), Some("s3cret")).await;
    let open = serve(None, Some("s3cret")).await;
    for (address, ca) in
        [(format!("https://127.0.0.1:{hidden}"), Some(&known)), (format!("http://127.0.0.1:{open}"), None)]
    {
        ask(&address, ca, Some("s3cret")).await.expect("it is the token");
        for (token, part) in [(None, "requires a token"), (Some("secret"), "the token is wrong")] {
            let error = ask(&address, ca, token).await.expect_err(part);
            assert!(matches!(error, ClientError::Refused { .. }), "{error:?}");
            assert!(error.to_string().contains(part), "no {part:?} in {error}");
        }
    }
}
