//! How a server is reached: its address, TLS, and the token.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use halfopen_proto::Token;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{CertificateError, Error as Tls};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Uri};
use tonic::{Request, Status};

use crate::error::{BadOptions, ClientError, Refusal};

/// How long to wait for an answer before the server counts as gone.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often an idle server is pinged: our own connection may be half-open, too.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// How to reach a server, besides its address.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// Certificates in PEM format; the certificate of the server must be signed by one of them. Without them: those
    /// that the system trusts.
    pub ca: Option<Vec<u8>>,
    /// The token that is sent with each call. It is sent only over TLS, or to this machine.
    pub token: Option<Token>,
}

/// A connection that sends the token with each call.
pub(crate) type Line = InterceptedService<Channel, Bearer>;

/// Adds the token to a request, if there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

impl Bearer {
    fn new(token: Option<&Token>) -> Bearer {
        Bearer(token.map(|token| {
            let mut value =
                MetadataValue::try_from(token.bearer()).expect("a token consists of visible characters");
            value.set_sensitive(true);
            value
        }))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// Connects to a server, and returns the connection with the full address.
pub(crate) async fn connect(address: &str, options: &ConnectOptions) -> Result<(Line, String), ClientError> {
    let (endpoint, server) = endpoint(address, options)?;
    match endpoint.connect().await {
        Ok(channel) => Ok((InterceptedService::new(channel, Bearer::new(options.token.as_ref())), server)),
        Err(error) => Err(unreachable(&server, &error)),
    }
}

fn endpoint(address: &str, options: &ConnectOptions) -> Result<(Endpoint, String), ClientError> {
    let bad =
        |reason: &str| ClientError::BadAddress { address: address.to_owned(), reason: reason.to_owned() };
    let server = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let endpoint = Endpoint::from_shared(server.clone()).map_err(|error| bad(&chain(&error)))?;
    let endpoint = endpoint
        .connect_timeout(PATIENCE)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(ASK_EVERY)
        .keep_alive_timeout(PATIENCE)
        .keep_alive_while_idle(true);
    match endpoint.uri().scheme_str() {
        Some("https") => match endpoint.tls_config(tls(options)?) {
            Ok(endpoint) => Ok((endpoint, server)),
            Err(error) => Err(BadOptions::NoTls { reason: chain(&error) }.into()),
        },
        Some("http") if options.ca.is_some() => Err(BadOptions::UnusedCa { server }.into()),
        Some("http") if options.token.is_some() && !is_here(endpoint.uri()) => {
            Err(BadOptions::TokenInClear { server }.into())
        }
        Some("http") => Ok((endpoint, server)),
        _ => Err(bad("only http:// and https:// are supported")),
    }
}

/// Whether the server is on this machine, so that nobody can listen on the way.
fn is_here(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn tls(options: &ConnectOptions) -> Result<ClientTlsConfig, ClientError> {
    let config = ClientTlsConfig::new().timeout(PATIENCE);
    let Some(pem) = &options.ca else { return Ok(config.with_native_roots()) };
    // What is not a certificate would be skipped silently.
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => {
            Ok(config.ca_certificates([Certificate::from_pem(pem)]))
        }
        _ => Err(BadOptions::EmptyCa.into()),
    }
}

/// Why a connection failed.
pub(crate) fn unreachable(server: &str, error: &(dyn Error + 'static)) -> ClientError {
    let (server, text) = (server.to_owned(), chain(error));
    let https = server.starts_with("https://");
    let reason = match find(error) {
        Some(error) => disagreement(error),
        None if https && text.contains("HTTP/2 was not negotiated") => {
            let text = "it speaks TLS, but not HTTP/2, which gRPC needs; is it a halfopen server?";
            Refusal::Other(text.to_owned())
        }
        None if text.contains("tcp connect error") || text.contains("dns error") => {
            return ClientError::NoServer { server, reason: text };
        }
        // The server accepted the connection, but did not understand us.
        None => {
            let other =
                if https { "does not speak TLS, write http://" } else { "speaks TLS, write https://" };
            return ClientError::NoServer { server, reason: format!("{text}; if it {other}") };
        }
    };
    ClientError::Refused { server, reason }
}

/// The TLS error among the causes of an error.
fn find<'a>(mut error: &'a (dyn Error + 'static)) -> Option<&'a Tls> {
    loop {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // What an `io::Error` wraps is not its source.
        error = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => inner,
            None => error.source()?,
        };
    }
}

/// What is wrong with TLS, and what to do.
fn disagreement(error: &Tls) -> Refusal {
    match error {
        Tls::InvalidCertificate(error) => distrust(error),
        Tls::InvalidMessage(_) => Refusal::NoTls,
        error => Refusal::Other(format!("the TLS handshake failed: {error}")),
    }
}

fn distrust(error: &CertificateError) -> Refusal {
    let text = match error {
        // If an authority has the same name and another key, the last two occur.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            return Refusal::Untrusted;
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired; it needs a new one".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; check the clock of this machine".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            let names: Vec<&str> = presented.iter().map(|name| inner(name)).collect();
            format!("its certificate is for {}; use that name", names.join(", "))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name; use that name".to_owned()
        }
        error if format!("{error:?}").contains("CaUsedAsEndEntity") => {
            "its certificate is that of an authority (CA:TRUE), which a server cannot use; `openssl req -x509` makes \
             another with `-addext basicConstraints=critical,CA:FALSE`"
                .to_owned()
        }
        error => format!("its certificate is not valid: {error}"),
    };
    Refusal::Other(text)
}

/// `localhost` of `DnsName("localhost")`.
fn inner(name: &str) -> &str {
    name.split_once('(').map_or(name, |(_, name)| name.trim_matches(['"', ')', ' ']))
}

/// An error and its causes, each once, the most general first.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, options: &ConnectOptions) -> Option<String> {
        endpoint(address, options).err().map(|error| error.to_string())
    }

    #[test]
    fn a_token_goes_over_tls_or_stays_on_this_machine() {
        let options = ConnectOptions { ca: None, token: Some("s3cret".parse().unwrap()) };
        for (address, here) in [
            ("127.0.0.1:7950", true),
            ("http://127.8.9.1:7950", true),
            ("http://[::1]:7950", true),
            ("http://localhost:7950", true),
            ("http://192.0.2.1:7950", false),
            ("http://localhost.example.com:7950", false),
            ("http://127.0.0.1.example.com", false),
            ("example.com:7950", false),
        ] {
            let refused = refused(address, &options);
            assert_eq!(refused.is_none(), here, "{address}: {refused:?}");
            assert!(refused.is_none_or(|text| text.contains("in the clear; write https://")), "{address}");
        }
    }

    #[test]
    fn an_authority_is_for_tls_and_has_certificates() {
        let with = |pem: &str| ConnectOptions { ca: Some(pem.into()), token: None };
        let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        for (address, pem, part) in [
            ("http://127.0.0.1:7950", pem, "have no effect; write https://"),
            ("https://127.0.0.1:7950", "nothing", "no certificate in PEM format"),
            ("https://127.0.0.1:7950", "", "no certificate in PEM format"),
            ("ftp://127.0.0.1", pem, "only http:// and https://"),
            ("https://", pem, "is not the address of a server"),
        ] {
            let text = refused(address, &with(pem)).unwrap_or_default();
            assert!(text.contains(part), "{address}: no {part:?} in {text:?}");
        }
    }

    #[test]
    fn the_name_of_a_certificate_is_shown_without_its_kind() {
        for (name, expected) in [
            (r#"DnsName("localhost")"#, "localhost"),
            ("IpAddress(10.0.0.1)", "10.0.0.1"),
            ("plain", "plain"),
        ] {
            assert_eq!(inner(name), expected);
        }
    }
}
