//! GET, for the keys of an issuer.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, HOST, USER_AGENT};
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The maximum size of an answer, in bytes.
const MAX_ANSWER: usize = 1 << 20;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What an https server must prove to be trusted.
#[derive(Clone)]
pub(super) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Trusts the authorities in a PEM file, or else those of the system.
    pub(super) fn new(authorities: Option<&Path>) -> io::Result<Trust> {
        let mut roots = RootCertStore::empty();
        match authorities {
            Some(file) => {
                for certificate in CertificateDer::pem_file_iter(file).map_err(io::Error::other)? {
                    roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has ciphers for TLS 1.2 and 1.3");
        Ok(Trust(Arc::new(builder.with_root_certificates(roots).with_no_client_auth())))
    }
}

/// The body of the answer to a GET. Redirections are not followed: what is trusted is this address.
pub(super) async fn get(uri: &Uri, trust: &Trust) -> Result<Bytes, BoxError> {
    timeout(PATIENCE, answer(uri, trust)).await.map_err(|_| format!("no answer within {PATIENCE:?}"))?
}

async fn answer(uri: &Uri, trust: &Trust) -> Result<Bytes, BoxError> {
    let host = uri.host().ok_or("the URL has no host")?;
    let is_tls = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    // An IPv6 address is in brackets in a URL only.
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let connection = TcpStream::connect((name, port)).await?;
    if !is_tls {
        return ask(uri, connection).await;
    }
    let name = ServerName::try_from(name.to_owned())?;
    ask(uri, TlsConnector::from(Arc::clone(&trust.0)).connect(name, connection).await?).await
}

async fn ask(
    uri: &Uri,
    connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<Bytes, BoxError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(connection)).await?;
    let connection = tokio::spawn(connection);
    let authority = uri.authority().map_or("", Authority::as_str);
    let request = Request::get(uri.path_and_query().map_or("/", PathAndQuery::as_str))
        .header(HOST, authority)
        .header(USER_AGENT, concat!("halfopend/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/json")
        .body(Body::empty())?;
    let answered = async {
        let response = sender.send_request(request).await?;
        match response.status() {
            StatusCode::OK => Ok(Limited::new(response.into_body(), MAX_ANSWER).collect().await?.to_bytes()),
            status => Err(BoxError::from(format!("the answer is {status}"))),
        }
    };
    let answer = answered.await;
    connection.abort();
    answer
}
