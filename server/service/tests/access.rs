//! Who may use a port, and how: TLS and the token.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, io};

use common::{PATIENCE, Server, all, named};
use halfopen_proto::v1::GetServerRequest;
use halfopen_proto::v1::run_service_client::RunServiceClient;
use halfopen_proto::v1::server_service_client::ServerServiceClient;
use halfopend::{Access, Tls};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

/// A folder of this test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A certificate for this machine, and the files of it and its key.
struct Files {
    certified: CertifiedKey<KeyPair>,
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new(name: &str) -> Files {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certified = generate_simple_self_signed(names).unwrap();
        let (certificate, key) = (folder(name).join("certificate.pem"), folder(name).join("key.pem"));
        fs::write(&certificate, certified.cert.pem()).unwrap();
        fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
        Files { certified, certificate, key }
    }

    fn tls(&self) -> Tls {
        Tls::from_files(&self.certificate, &self.key).expect("a pair")
    }

    async fn serve(&self) -> Server {
        Server::open_to(&Access { tls: Some(self.tls()), ..Access::default() }).await
    }

    /// A client's connection that trusts the certificate and offers these protocols.
    async fn connect(&self, server: &Server, protocols: &[&[u8]]) -> impl AsyncRead + AsyncWrite + use<> {
        self.try_connect(&server.address, protocols).await.unwrap()
    }

    /// The same; fails if the certificate of the server is not this one.
    async fn try_connect(
        &self,
        address: &str,
        protocols: &[&[u8]],
    ) -> io::Result<impl AsyncRead + AsyncWrite + use<>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::clone(self.certified.cert.der())).unwrap();
        let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let connection = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, connection).await
    }
}

const HEALTHZ: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

async fn http1(mut connection: impl AsyncRead + AsyncWrite + Unpin, request: &[u8]) -> String {
    connection.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_run_over_tls_is_the_same_run() {
    let files = Files::new("same-run");
    let server = files.serve().await;
    // A silent client delays nobody.
    let _silent = TcpStream::connect(&server.address).await.unwrap();
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(files.certified.cert.pem()));
    let endpoint = Channel::from_shared(format!("https://{}", server.address)).unwrap();
    let channel = endpoint.tls_config(tls).unwrap().connect().await.unwrap();
    let hidden = RunServiceClient::new(channel).execute_run(named("dead-client")).await.unwrap();
    let mut in_memory = RunServiceClient::new(server.service.connect());
    let open = in_memory.execute_run(named("dead-client")).await.unwrap();
    assert_eq!(all(hidden.into_inner()).await, all(open.into_inner()).await);
}

#[tokio::test]
async fn http_1_is_spoken_over_tls_too() {
    let files = Files::new("http-1");
    let server = files.serve().await;
    for protocols in [&[b"http/1.1".as_slice()][..], &[]] {
        let answer = http1(Box::pin(files.connect(&server, protocols).await), HEALTHZ).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("serving\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_without_tls_gets_an_answer_that_says_so() {
    let server = Files::new("no-tls").serve().await;
    let answer = http1(TcpStream::connect(&server.address).await.unwrap(), HEALTHZ).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("use https://"), "{answer}");
    let mut runs = server.runs().await;
    for _ in 0..2 {
        let status = runs.execute_run(named("dead-client")).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition, "clients do not try again: {status:?}");
        assert!(status.message().contains("use https://"), "{status:?}");
        assert_eq!(status.get_details_error_info().unwrap().reason, "TLS_REQUIRED");
    }
    // And the port is still there for others.
    let answer = http1(TcpStream::connect(&server.address).await.unwrap(), b"?").await;
    assert!(answer.contains("use https://"), "{answer}");
}

#[tokio::test]
async fn a_certificate_is_replaced_while_the_server_runs() {
    let (old, new) = (Files::new("reload"), Files::new("reload-new"));
    let tls = old.tls();
    let server = Server::open_to(&Access { tls: Some(tls.clone()), ..Access::default() }).await;
    http1(Box::pin(old.connect(&server, &[]).await), HEALTHZ).await;
    fs::write(&old.certificate, "not a certificate").unwrap();
    assert!(tls.reload().is_err());
    let answer = http1(Box::pin(old.connect(&server, &[]).await), HEALTHZ).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "the old one stays: {answer}");
    fs::copy(&new.certificate, &old.certificate).unwrap();
    fs::copy(&new.key, &old.key).unwrap();
    tls.reload().expect("a pair");
    let answer = http1(Box::pin(new.connect(&server, &[]).await), HEALTHZ).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[cfg(unix)]
#[tokio::test]
async fn sighup_reloads_the_certificate() {
    use std::io::BufRead;
    use std::process::{Command, Stdio};
    let (old, new) = (Files::new("hangup"), Files::new("hangup-new"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_halfopend"))
        .args(["--listen", "127.0.0.1:0", "--tls-cert"])
        .arg(&old.certificate)
        .arg("--tls-key")
        .arg(&old.key)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    io::BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = line["listening"].as_str().unwrap();
    drop(old.try_connect(address, &[]).await.expect("its certificate"));
    fs::copy(&new.certificate, &old.certificate).unwrap();
    fs::copy(&new.key, &old.key).unwrap();
    assert!(new.try_connect(address, &[]).await.is_err(), "it is not read before the signal");
    assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap().success());
    let reloaded = async {
        while new.try_connect(address, &[]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reloaded).await.expect("it is read again");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn unusable_files_are_errors_that_help() {
    let (files, other) = (Files::new("files"), Files::new("files-other"));
    let at = |name: &str, text: &str| {
        let path = folder("files").join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let missing = folder("files").join("missing.pem");
    let text = at("text.pem", "nothing of the kind\n");
    let der = folder("files").join("certificate.der");
    fs::write(&der, files.certified.cert.der()).unwrap();
    let encrypted = at(
        "encrypted.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let garbage = at("garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let both = at("both.pem", &(files.certified.signing_key.serialize_pem() + &files.certified.cert.pem()));
    let (certificate, key) = (&files.certificate, &files.key);
    for (certificate, key, part) in [
        (&missing, key, "cannot read `"),
        (certificate, &missing, "missing.pem`: "),
        (&text, key, "no certificate in PEM format"),
        (&der, key, "no certificate in PEM format"),
        (key, certificate, "are the two files swapped?"),
        (
            certificate,
            certificate,
            "no private key in PEM format (-----BEGIN PRIVATE KEY-----); it has a certificate",
        ),
        (certificate, &encrypted, "openssl pkey"),
        (certificate, &other.key, "does not belong to the certificate"),
        (&garbage, key, "cannot use `"),
    ] {
        let error = Tls::from_files(certificate, key).expect_err(part).to_string();
        assert!(error.contains(part), "no {part:?} in {error:?}");
    }
    Tls::from_files(&both, &both).expect("one file may have both");
}

/// A server with the token `s3cret`.
async fn guarded() -> Server {
    Server::open_to(&Access { token: Some("s3cret".parse().unwrap()), ..Access::default() }).await
}

#[tokio::test]
async fn every_call_but_health_checks_needs_the_token() {
    let server = guarded().await;
    let channel = server.channel().await;
    for (header, expected) in [
        (None, Some("TOKEN_MISSING")),
        (Some("Basic s3cret"), Some("TOKEN_MISSING")),
        (Some("Bearer wrong"), Some("TOKEN_WRONG")),
        (Some("Bearer s3cret2"), Some("TOKEN_WRONG")),
        (Some("Bearer s3cret"), None),
    ] {
        let with = |mut request: Request<()>| {
            if let Some(header) = header {
                request.metadata_mut().insert("authorization", MetadataValue::from_static(header));
            }
            Ok(request)
        };
        let runs = RunServiceClient::with_interceptor(channel.clone(), with)
            .execute_run(named("dead-client"))
            .await
            .map(|_| ());
        let server = ServerServiceClient::with_interceptor(channel.clone(), with)
            .get_server(GetServerRequest {})
            .await
            .map(|_| ());
        for answer in [runs, server] {
            let reason = answer.err().map(|status| {
                assert_eq!(status.code(), Code::Unauthenticated, "{status}");
                status.get_details_error_info().unwrap().reason
            });
            assert_eq!(reason.as_deref(), expected, "{header:?}");
        }
        let health = HealthClient::with_interceptor(channel.clone(), with);
        health.clone().check(HealthCheckRequest::default()).await.expect("everybody may ask");
    }
    assert!(http1(TcpStream::connect(&server.address).await.unwrap(), HEALTHZ).await.contains("serving"));
    // Inside the process nobody asks for it.
    let mut inside = RunServiceClient::new(server.service.connect());
    inside.execute_run(named("dead-client")).await.expect("no token");
}

#[tokio::test]
async fn reflection_needs_the_token_and_grpc_web_gets_the_refusal() {
    let server = guarded().await;
    for path in
        ["grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "halfopen.v1.RunService/ExecuteRun"]
    {
        let head = format!(
            "POST /{path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/grpc-web+proto\r\n\
             connection: close\r\ncontent-length: 5\r\n\r\n\0\0\0\0\0"
        );
        let answer = http1(TcpStream::connect(&server.address).await.unwrap(), head.as_bytes()).await;
        // 16 is UNAUTHENTICATED.
        assert!(answer.to_lowercase().replace(' ', "").contains("grpc-status:16"), "{answer}");
        assert!(answer.contains("authorization"), "it says what to do: {answer}");
    }
}
