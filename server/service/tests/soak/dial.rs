//! Connections of clients to the service.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rcgen::Certificate;
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::{Certificate as Pem, Channel, ClientTlsConfig, Error};
use tonic::{Request, Status};
use tower::service_fn;

/// How to reach the service.
pub(crate) struct Door {
    address: SocketAddr,
    pem: String,
    trust: Arc<ClientConfig>,
    /// What clients that may run something send.
    pub(crate) bearer: Bearer,
}

/// How a connection ends when its socket is dropped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    /// With a FIN.
    Properly,
    /// With a RST, as if the process had been killed in the middle of reading.
    Abruptly,
}

impl Door {
    pub(crate) fn new(address: SocketAddr, certificate: &Certificate, token: &str) -> Door {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::clone(certificate.der())).unwrap();
        let mut trust = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        trust.alpn_protocols = vec![b"h2".to_vec()];
        let bearer = Bearer(format!("Bearer {token}").parse().unwrap());
        Door { address, pem: certificate.pem(), trust: Arc::new(trust), bearer }
    }

    /// A bare connection.
    pub(crate) async fn tcp(&self, from: Ipv4Addr, leave: Leave) -> io::Result<TcpStream> {
        connect(self.address, from, leave).await
    }

    /// A connection with TLS, on which nothing is spoken yet.
    pub(crate) async fn tls(&self, from: Ipv4Addr, leave: Leave) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::clone(&self.trust)).connect(name, self.tcp(from, leave).await?).await
    }

    /// A connection that speaks gRPC.
    pub(crate) async fn grpc(&self, from: Ipv4Addr, leave: Leave) -> Result<Channel, Error> {
        let tls = ClientTlsConfig::new().ca_certificate(Pem::from_pem(&self.pem));
        let endpoint = Channel::from_shared(format!("https://{}", self.address)).unwrap().tls_config(tls)?;
        let address = self.address;
        let connector = service_fn(move |_| async move {
            Ok::<_, io::Error>(TokioIo::new(connect(address, from, leave).await?))
        });
        endpoint.connect_with_connector(connector).await
    }
}

async fn connect(address: SocketAddr, from: Ipv4Addr, leave: Leave) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let connection = socket.connect(address).await?;
    connection.set_nodelay(true)?;
    if leave == Leave::Abruptly {
        SockRef::from(&connection).set_linger(Some(Duration::ZERO))?;
    }
    Ok(connection)
}

/// Adds the token to calls.
#[derive(Clone)]
pub(crate) struct Bearer(pub(crate) MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}
