//! TLS on the port: the certificate of the server, and the handshakes with clients.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{Error, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

use crate::status::{self, WANTS_TLS};

/// The protocols over TLS. gRPC needs the first; many clients of gRPC-Web and of /healthz support only the second.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// A certificate and its private key, with which a server proves its identity.
#[derive(Clone)]
pub struct Tls {
    files: Files,
    /// Replaced as a whole; a connection keeps the one that it began with.
    config: Arc<RwLock<Arc<ServerConfig>>>,
}

/// The files that TLS is made of.
#[derive(Clone, Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    clients: Option<Clients>,
}

/// The certificates of clients.
#[derive(Clone, Debug)]
struct Clients {
    /// The file of those who issue them.
    authorities: PathBuf,
    /// Whether a client without one is refused.
    required: bool,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}

/// Why TLS files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The certificate file has no certificate.
    #[error("`{}` has no certificate in PEM format (-----BEGIN CERTIFICATE-----){hint}", .file.display())]
    NoCertificate {
        /// The file.
        file: PathBuf,
        /// What to do, if the file shows it.
        hint: &'static str,
    },
    /// The key file has no private key.
    #[error("`{}` has no private key in PEM format (-----BEGIN PRIVATE KEY-----){hint}", .file.display())]
    NoKey {
        /// The file.
        file: PathBuf,
        /// What to do, if the file shows it.
        hint: &'static str,
    },
    /// A certificate cannot be one of an authority.
    #[error("cannot trust the certificates of clients by `{}`: {reason}", .file.display())]
    NoAuthority {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The key does not belong to the certificate.
    #[error("the private key in `{}` does not belong to the certificate in `{}`", .key.display(), .certificate.display())]
    NotAPair {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// The certificate or the key is of an unsupported kind.
    #[error("cannot use `{}` with `{}`: {source}", .certificate.display(), .key.display())]
    Unusable {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
        /// Why.
        source: Error,
    },
}

impl Tls {
    /// Reads two PEM files: the certificate of the server, followed by its intermediate certificates, and its private key.
    /// One file may have both. Fails if a file cannot be read, or the two cannot be used together.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Tls, TlsError> {
        Tls::new(Files { certificate: certificate.to_owned(), key: key.to_owned(), clients: None })
    }

    /// The same, and clients may have a certificate, or must if it is `required`, from an authority in another PEM file.
    pub fn with_clients(
        certificate: &Path,
        key: &Path,
        authorities: &Path,
        required: bool,
    ) -> Result<Tls, TlsError> {
        let clients = Some(Clients { authorities: authorities.to_owned(), required });
        Tls::new(Files { certificate: certificate.to_owned(), key: key.to_owned(), clients })
    }

    fn new(files: Files) -> Result<Tls, TlsError> {
        let config = Arc::new(RwLock::new(Arc::new(files.read()?)));
        Ok(Tls { files, config })
    }

    /// Reads the files again, for connections from now on; also for clones. If this fails, everything stays as it is.
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = Arc::new(self.files.read()?);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Performs the TLS handshake. A client that speaks something else gets an error, and `None` is returned.
    pub(crate) async fn accept(&self, connection: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        /// The type of the first TLS record (RFC 8446 §5.1).
        const HANDSHAKE_RECORD: u8 = 22;
        let mut first = [0; 3];
        match connection.peek(&mut first).await? {
            0 => Ok(None),
            _ if first[0] == HANDSHAKE_RECORD => {
                let config = Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner));
                TlsAcceptor::from(config).accept(connection).await.map(Some)
            }
            _ => refuse(connection, first == *b"PRI").await.map(|()| None),
        }
    }
}

impl Files {
    fn read(&self) -> Result<ServerConfig, TlsError> {
        let Files { certificate, key, clients } = self;
        let chain = chain(certificate, &read(certificate)?)?;
        let secret = secret(key, &read(key)?)?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has ciphers for TLS 1.2 and 1.3");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier(clients.verifier()?),
        };
        let mut config = builder.with_single_cert(chain, secret).map_err(|error| {
            let (certificate, key) = (certificate.clone(), key.clone());
            match error {
                Error::InconsistentKeys(_) => TlsError::NotAPair { certificate, key },
                source => TlsError::Unusable { certificate, key, source },
            }
        })?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(config)
    }
}

impl Clients {
    /// What checks the certificates of clients.
    fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let Clients { authorities, required } = self;
        let unusable = |error: &dyn fmt::Display| TlsError::NoAuthority {
            file: authorities.clone(),
            reason: error.to_string(),
        };
        let mut roots = RootCertStore::empty();
        for certificate in chain(authorities, &read(authorities)?)? {
            roots.add(certificate).map_err(|error| unusable(&error))?;
        }
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = if *required { verifier } else { verifier.allow_unauthenticated() };
        verifier.build().map_err(|error| unusable(&error))
    }
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|source| TlsError::Read { file: file.to_owned(), source })
}

/// The certificates in a file.
fn chain(file: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(bytes).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => {
            let hint = if has(bytes, "PRIVATE KEY-----") {
                "; it has a private key; are the two files swapped?"
            } else {
                ""
            };
            Err(TlsError::NoCertificate { file: file.to_owned(), hint })
        }
    }
}

/// The first private key in a file.
fn secret(file: &Path, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(bytes).map_err(|_| {
        let hint = if has(bytes, "ENCRYPTED") {
            "; its key is encrypted; `openssl pkey -in FILE -out FILE` removes the passphrase"
        } else if has(bytes, "BEGIN CERTIFICATE") {
            "; it has a certificate; are the two files swapped?"
        } else {
            ""
        };
        TlsError::NoKey { file: file.to_owned(), hint }
    })
}

fn has(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

/// Answers in HTTP, 1.1 or 2, that the port speaks TLS, then reads until the client closes: closing a connection with unread
/// bytes sends a RST, which may overtake the answer.
async fn refuse(mut connection: TcpStream, http2: bool) -> io::Result<()> {
    if http2 {
        return refuse_calls(connection).await;
    }
    connection.write_all(&bad_request()).await?;
    connection.shutdown().await?;
    let mut rest = [0; 1024];
    while connection.read(&mut rest).await? > 0 {}
    Ok(())
}

fn bad_request() -> Vec<u8> {
    let length = WANTS_TLS.len() + 1;
    let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length:";
    format!("{head} {length}\r\n\r\n{WANTS_TLS}\n").into_bytes()
}

/// Answers every call with a gRPC status: a client of gRPC takes a refused connection for a server that is away, and
/// tries again without end.
async fn refuse_calls(connection: TcpStream) -> io::Result<()> {
    let router = TowerToHyperService::new(Router::new().fallback(refusal));
    let http2 = auto::Builder::new(TokioExecutor::new()).http2_only();
    http2.serve_connection(TokioIo::new(connection), router).await.map_err(io::Error::other)
}

async fn refusal(request: Request) -> Response {
    let kind = request.headers().get(CONTENT_TYPE);
    match kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc")) {
        true => status::tls_required().into_http(),
        false => (StatusCode::BAD_REQUEST, format!("{WANTS_TLS}\n")).into_response(),
    }
}
