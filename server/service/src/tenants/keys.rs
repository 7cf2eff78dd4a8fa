//! The keys of an issuer of JWTs: a JWKS (RFC 7517), from a file or from the issuer.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::Uri;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::fetch::{Trust, get};
use super::verifier::fits;

/// How long to wait between two attempts to get the keys, whoever asks for unknown ones.
const PAUSE: Duration = Duration::from_secs(60);
/// After what time the keys are asked for again, so that those that the issuer has withdrawn are forgotten.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// Where keys come from.
#[derive(Clone)]
pub(crate) enum KeySource {
    /// A file.
    File(PathBuf),
    /// A URL, and the file with the authorities that its server must have its certificate from, if not those of the system.
    Url(Uri, Option<PathBuf>),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeySource::File(path) => path.display().fmt(f),
            KeySource::Url(uri, _) => uri.fmt(f),
        }
    }
}

/// The keys of an issuer.
pub(crate) struct Keys {
    source: KeySource,
    trust: Option<Trust>,
    cached: RwLock<Cached>,
    /// When they were last asked for; held by whoever asks.
    asked: Mutex<Option<Instant>>,
}

#[derive(Clone, Default)]
struct Cached {
    keys: Arc<[Jwk]>,
    since: Option<Instant>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.source)
    }
}

impl Keys {
    /// The keys from a source. A file is read at once; fails if it is no JWKS. A URL is asked when the first key is needed.
    pub(crate) fn new(source: KeySource) -> Result<Keys, String> {
        let (cached, trust) = match &source {
            KeySource::File(path) => (Cached::new(read(path)?), None),
            KeySource::Url(_, authorities) => {
                let trust = Trust::new(authorities.as_deref()).map_err(|error| match authorities {
                    Some(file) => format!("cannot use `{}`: {error}", file.display()),
                    None => error.to_string(),
                })?;
                (Cached::default(), Some(trust))
            }
        };
        Ok(Keys { source, trust, cached: RwLock::new(cached), asked: Mutex::default() })
    }

    /// Takes the keys that another one got from the same URL: an issuer that is away does not lock out those whom it let in.
    pub(crate) fn adopt(&self, other: &Keys) {
        if let (KeySource::Url(own, _), KeySource::Url(others, _)) = (&self.source, &other.source)
            && own == others
        {
            *self.cached.write().unwrap_or_else(PoisonError::into_inner) = other.cached();
        }
    }

    /// The key with that id, for an algorithm; without an id, the only one for it.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let cached = self.cached();
        match (cached.find(id, algorithm), cached.is_old()) {
            (Some(key), false) => Some(key),
            (Some(_), true) => {
                // Only one call waits for that.
                if let Ok(asked) = self.asked.try_lock() {
                    self.ask(asked).await;
                }
                self.cached().find(id, algorithm)
            }
            (None, _) => {
                self.ask(self.asked.lock().await).await;
                self.cached().find(id, algorithm)
            }
        }
    }

    /// Asks for the keys, unless that was tried a short time ago. If it fails, those that are known stay.
    async fn ask(&self, mut asked: MutexGuard<'_, Option<Instant>>) {
        if asked.is_some_and(|asked| asked.elapsed() < PAUSE) {
            return;
        }
        *asked = Some(Instant::now());
        let keys = match (&self.source, &self.trust) {
            (KeySource::Url(uri, _), Some(trust)) => match get(uri, trust).await {
                Ok(text) => parse(&text),
                Err(error) => Err(error.to_string()),
            },
            (KeySource::File(path), _) => read(path),
            (KeySource::Url(..), None) => return,
        };
        match keys {
            Ok(keys) => *self.cached.write().unwrap_or_else(PoisonError::into_inner) = Cached::new(keys),
            Err(error) => tracing::warn!(source = %self.source, "cannot get the keys of an issuer: {error}"),
        }
    }

    fn cached(&self) -> Cached {
        self.cached.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Cached {
    fn new(keys: Vec<Jwk>) -> Cached {
        Cached { keys: keys.into(), since: Some(Instant::now()) }
    }

    fn is_old(&self) -> bool {
        self.since.is_none_or(|since| since.elapsed() >= MAX_AGE)
    }

    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let mut fitting = self.keys.iter().filter(|key| id.is_none() || key.common.key_id.as_deref() == id);
        let mut next = || fitting.find_map(|key| usable(key, algorithm));
        let key = next()?;
        next().is_none().then_some(key)
    }
}

/// A key, if it may sign with an algorithm.
fn usable(jwk: &Jwk, algorithm: Algorithm) -> Option<DecodingKey> {
    let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let is_for_it =
        jwk.common.key_algorithm.is_none_or(|named| named.to_string() == format!("{algorithm:?}"));
    let key = DecodingKey::from_jwk(jwk).ok()?;
    (signs && is_for_it && fits(algorithm, &key)).then_some(key)
}

fn read(path: &Path) -> Result<Vec<Jwk>, String> {
    let text = std::fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    parse(&text).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// The keys in a JWKS. Those of unknown kinds are left out (RFC 7517 §5).
fn parse(text: &[u8]) -> Result<Vec<Jwk>, String> {
    let set: Value = serde_json::from_slice(text).map_err(|error| format!("not JSON: {error}"))?;
    let keys = set.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or(r#"not a set of keys (JWKS): there is no list "keys""#)?;
    Ok(keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_adopted_from_the_same_url_only() {
        let keys = |url: &'static str| Keys::new(KeySource::Url(Uri::from_static(url), None)).expect("a URL");
        let set = br#"{"keys": [{"kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB"}, {"kty": "new", "kid": "2"}]}"#;
        let old = keys("https://a.example/jwks");
        *old.cached.write().expect("no panic") = Cached::new(parse(set).expect("a set"));
        for (url, expected) in [("https://a.example/jwks", 1), ("https://b.example/jwks", 0)] {
            let new = keys(url);
            new.adopt(&old);
            assert_eq!(new.cached().keys.len(), expected, "{url}");
        }
    }

    #[test]
    fn what_is_no_set_of_keys_says_so() {
        for (text, expected) in
            [("", "not JSON"), ("[]", "no list \"keys\""), (r#"{"keys": {}}"#, "no list \"keys\"")]
        {
            let error = parse(text.as_bytes()).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
