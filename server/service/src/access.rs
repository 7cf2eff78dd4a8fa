//! Who may use a port, and how.

use std::str::FromStr;

use axum::http::{HeaderName, HeaderValue, Method, Uri, header};
use halfopen_proto::Token;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::port::PortLimits;
use crate::tenants::Tenants;
use crate::tls::Tls;

/// The headers that clients of gRPC-Web send.
const REQUEST_HEADERS: [HeaderName; 5] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("x-grpc-web"),
    HeaderName::from_static("x-user-agent"),
];
/// The headers in which a status is sent if there is no body.
const RESPONSE_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status-details-bin"),
];

/// Who may use a port, and how. By default anybody may, without TLS, but no page of another origin in a browser.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The certificate and key for TLS; `None` serves without TLS.
    pub tls: Option<Tls>,
    /// The token that callers must send. Every call needs it, including reflection; only health checks do not. Whoever has it is
    /// the tenant `default`, and may do everything.
    pub token: Option<Token>,
    /// Who else may call.
    pub tenants: Option<Tenants>,
    /// The origins whose pages may call from a browser.
    pub origins: Vec<Origin>,
    /// What clients may hold, whoever they are.
    pub limits: PortLimits,
}

impl Access {
    /// What tells browsers which pages may call (CORS); `None` if no page may.
    pub(crate) fn cors(&self) -> Option<CorsLayer> {
        let listed = || self.origins.iter().filter_map(|Origin(origin)| origin.clone());
        let allowed = match self.origins.iter().any(|Origin(origin)| origin.is_none()) {
            true => AllowOrigin::any(),
            false => AllowOrigin::list(listed()),
        };
        let cors = CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(REQUEST_HEADERS)
            .expose_headers(RESPONSE_HEADERS);
        (!self.origins.is_empty()).then_some(cors)
    }
}

/// The origin of pages (RFC 6454): `https://example.com`, or `*` for any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(Option<HeaderValue>);

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Origin, String> {
        if text == "*" {
            return Ok(Origin(None));
        }
        let wrong = || {
            format!("`{text}` is not an origin: write https://HOST or http://HOST:PORT, without a path, or *")
        };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(wrong)?;
        // As browsers send it, so that it can be compared byte by byte.
        let origin = format!("{scheme}://{authority}").to_ascii_lowercase();
        let is_origin = origin == text.to_ascii_lowercase() && !authority.as_str().contains('@');
        match HeaderValue::from_str(&origin) {
            Ok(origin) if is_origin => Ok(Origin(Some(origin))),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        for (text, expected) in [
            ("*", Some(None)),
            ("https://example.com", Some(Some("https://example.com"))),
            ("HTTP://Localhost:3000", Some(Some("http://localhost:3000"))),
            ("https://[::1]:8443", Some(Some("https://[::1]:8443"))),
            ("https://example.com/", None),
            ("https://example.com/page", None),
            ("https://user@example.com", None),
            ("example.com", None),
            ("", None),
            ("https://a b", None),
        ] {
            let origin = text.parse::<Origin>().ok();
            let found =
                origin.as_ref().map(|Origin(origin)| origin.as_ref().map(|origin| origin.to_str().unwrap()));
            assert_eq!(found, expected, "{text}");
        }
    }
}
