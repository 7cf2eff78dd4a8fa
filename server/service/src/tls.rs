//! TLS on the port: what the server shows, and connections that begin with it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error, ServerConfig};
use tokio_rustls::server::TlsStream;

/// How long a client may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long to wait when the operating system gives no more connections.
const BREATH: Duration = Duration::from_millis(100);
/// What may be spoken over TLS: gRPC needs the first, many clients of gRPC-Web and of /healthz know the second only.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// Connections that wait to be served.
const WAITING: usize = 16;
/// What is said to a client that does not speak TLS.
const WANTS_TLS: &str = "this port speaks TLS: use https://";

/// A certificate and its key, by which a server shows that it is who it says.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}

/// Why files give no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file of the certificate has none.
    #[error("`{}` has no certificate in PEM form (-----BEGIN CERTIFICATE-----){hint}", .file.display())]
    NoCertificate {
        /// The file.
        file: PathBuf,
        /// What it has instead, and what to do.
        hint: &'static str,
    },
    /// The file of the key has none.
    #[error("`{}` has no private key in PEM form (-----BEGIN PRIVATE KEY-----){hint}", .file.display())]
    NoKey {
        /// The file.
        file: PathBuf,
        /// What it has instead, and what to do.
        hint: &'static str,
    },
    /// They are not a pair.
    #[error("the key in `{}` is not that of the certificate in `{}`", .key.display(), .certificate.display())]
    NotAPair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// They are of a kind that cannot be used.
    #[error("cannot use `{}` with `{}`: {source}", .certificate.display(), .key.display())]
    Unusable {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why.
        source: Error,
    },
}

impl Tls {
    /// Reads PEM files: one with the server's certificate and, after it, those that lead to an authority; one with its
    /// key. One file may have both.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Tls, TlsError> {
        let read = |file: &Path| {
            std::fs::read(file).map_err(|source| TlsError::Read { file: file.to_owned(), source })
        };
        let chain = chain(certificate, &read(certificate)?)?;
        let secret = secret(key, &read(key)?)?;
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has ciphers for TLS 1.2 and 1.3");
        let mut config =
            builder.with_no_client_auth().with_single_cert(chain, secret).map_err(|error| match error {
                Error::InconsistentKeys(_) => TlsError::NotAPair { certificate, key },
                source => TlsError::Unusable { certificate, key, source },
            })?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Tls { config: Arc::new(config) })
    }

    /// The connections to a listener, each once it has agreed on TLS. Drop the stream to stop listening.
    pub(crate) fn incoming(
        self,
        listener: TcpListener,
    ) -> impl Stream<Item = io::Result<TlsStream<TcpStream>>> {
        let acceptor = TlsAcceptor::from(self.config);
        let (agreed, connections) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = agreed.closed() => return,
                };
                let Ok((connection, _)) =
                    accepted.inspect_err(|error| tracing::warn!("cannot accept: {error}"))
                else {
                    sleep(BREATH).await;
                    continue;
                };
                let (acceptor, agreed) = (acceptor.clone(), agreed.clone());
                // Each by itself: a client that says nothing holds up nobody.
                tokio::spawn(async move {
                    match timeout(HANDSHAKE, agree(&acceptor, connection)).await {
                        // Where nobody takes it the server is gone.
                        Ok(Ok(Some(connection))) => drop(agreed.send(Ok(connection)).await),
                        Ok(Ok(None)) => tracing::debug!("a client did not speak TLS"),
                        Ok(Err(error)) => tracing::debug!("no agreement on TLS: {error}"),
                        Err(_) => tracing::debug!("a client took too long to agree on TLS"),
                    }
                });
            }
        });
        stream::unfold(connections, |mut connections| async {
            connections.recv().await.map(|connection| (connection, connections))
        })
    }
}

/// Every certificate of a file.
fn chain(file: &Path, octets: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(octets).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => {
            let hint = if has(octets, "PRIVATE KEY-----") {
                "; it has a private key: are the two files swapped?"
            } else {
                ""
            };
            Err(TlsError::NoCertificate { file: file.to_owned(), hint })
        }
    }
}

/// The first key of a file.
fn secret(file: &Path, octets: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(octets).map_err(|_| {
        let hint = if has(octets, "ENCRYPTED") {
            "; its key is encrypted: `openssl pkey -in FILE -out FILE` writes it without a passphrase"
        } else if has(octets, "BEGIN CERTIFICATE") {
            "; it has a certificate: are the two files swapped?"
        } else {
            ""
        };
        TlsError::NoKey { file: file.to_owned(), hint }
    })
}

fn has(octets: &[u8], words: &str) -> bool {
    octets.windows(words.len()).any(|window| window == words.as_bytes())
}

/// Agrees with a client on TLS. One that speaks something else is told so, and gone.
async fn agree(acceptor: &TlsAcceptor, connection: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
    /// The type of the record that TLS begins with (RFC 8446 §5.1).
    const HANDSHAKE_RECORD: u8 = 22;
    // As for connections without TLS.
    connection.set_nodelay(true)?;
    let mut first = [0; 3];
    match connection.peek(&mut first).await? {
        0 => Ok(None),
        _ if first[0] == HANDSHAKE_RECORD => acceptor.accept(connection).await.map(Some),
        _ => tell(connection, first == *b"PRI").await.map(|()| None),
    }
}

/// Says in HTTP, 1.1 or 2, that TLS is wanted here, and takes what the client still sends: closing over unread octets is
/// a RST, which may overtake the answer.
async fn tell(mut connection: TcpStream, http2: bool) -> io::Result<()> {
    connection.write_all(&if http2 { go_away() } else { bad_request() }).await?;
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

/// SETTINGS, with which each side must begin, and GOAWAY (RFC 9113 §6.5, §6.8), which has room for words.
fn go_away() -> Vec<u8> {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GO_AWAY: u8 = 7;
    const INADEQUATE_SECURITY: [u8; 4] = [0, 0, 0, 0xc];
    let length = u8::try_from(8 + WANTS_TLS.len()).expect("it is short");
    let mut frames = SETTINGS.to_vec();
    frames.extend([0, 0, length, GO_AWAY, 0, 0, 0, 0, 0]);
    // No stream was heeded.
    frames.extend([0; 4]);
    frames.extend(INADEQUATE_SECURITY);
    frames.extend(WANTS_TLS.as_bytes());
    frames
}
