//! An issuer of JWTs, with a key that was made for the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub(crate) const ISSUER: &str = "https://ci.example";
pub(crate) const AUDIENCE: &str = "halfopen";

pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Seconds since 1970, from now.
pub(crate) fn seconds(from_now: i64) -> i64 {
    jsonwebtoken::get_current_timestamp() as i64 + from_now
}

/// The claims of a JWT that is good for a minute.
pub(crate) fn claims(owner: &str) -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "exp": seconds(60), "repository_owner": owner})
}

/// A key pair for ES256.
pub(crate) struct Signer {
    pub(crate) id: &'static str,
    pair: EcdsaKeyPair,
}

impl Signer {
    pub(crate) fn new(id: &'static str) -> Signer {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Signer { id, pair: EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap() }
    }

    /// The public key: a point, uncompressed.
    pub(crate) fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(crate) fn jwk(&self) -> Value {
        let (x, y) = self.public()[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
            "x": base64(x), "y": base64(y),
        })
    }

    /// A JWT with this header and these claims.
    pub(crate) fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let text =
            format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()));
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", base64(signature.as_ref()))
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&json!({"alg": "ES256", "typ": "JWT", "kid": self.id}), claims)
    }
}

/// A key pair of Ed25519, as a JWK, and a JWT that it has signed.
pub(crate) fn ed25519(id: &str, claims: &Value) -> (Value, String) {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let header = json!({"alg": "EdDSA", "kid": id});
    let text = format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()));
    let signature = pair.sign(text.as_bytes());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": base64(pair.public_key().as_ref())});
    (jwk, format!("{text}.{}", base64(signature.as_ref())))
}

async fn respond(mut client: impl AsyncRead + AsyncWrite + Unpin, answer: &str) {
    let mut request = vec![0; 4096];
    let length = client.read(&mut request).await.unwrap();
    assert!(request[..length].starts_with(b"GET /jwks?all HTTP/1.1\r\n"));
    let head = "HTTP/1.1 ".to_owned();
    client.write_all((head + answer).as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
}

/// The keys of an issuer on a port, and how often somebody asked for them.
pub(crate) struct Jwks {
    pub(crate) url: String,
    pub(crate) asked: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Jwks {
    pub(crate) async fn serve(keys: Value) -> Jwks {
        Jwks::answer(format!("200 OK\r\n\r\n{}", json!({"keys": keys})), None).await
    }

    /// Answers everybody the same, over TLS if there is something for it.
    pub(crate) async fn answer(answer: String, tls: Option<TlsAcceptor>) -> Jwks {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                match &tls {
                    None => respond(client, &answer).await,
                    Some(tls) => match tls.accept(client).await {
                        Ok(client) => respond(client, &answer).await,
                        Err(_) => continue,
                    },
                }
            }
        });
        Jwks { url: format!("{scheme}://localhost:{port}/jwks?all"), asked, serving }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// The issuer is away from now on.
    pub(crate) async fn stop(self) {
        self.serving.abort();
        let _ = self.serving.await;
    }
}
