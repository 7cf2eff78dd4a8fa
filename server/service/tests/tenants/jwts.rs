//! JWTs: which are accepted, and where the keys come from.

use std::fs;
use std::time::Duration;

use halfopen_proto::v1::GetServerRequest;
use halfopen_proto::v1::server_service_client::ServerServiceClient;
use ring::hmac;
use serde_json::{Value, json};
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_types::StatusExt;

use super::authorities::Authority;
use super::signer::{AUDIENCE, ISSUER, Jwks, Signer, base64, claims, ed25519, seconds};
use super::{folder, server};

/// A file with one issuer, whose keys come from there, and one tenant.
fn file(jwks: &str) -> String {
    format!(
        "[issuers.ci]\nissuer = '{ISSUER}'\naudience = ['other', '{AUDIENCE}']\njwks = '{jwks}'\nleeway = '10s'\n\
         [[tenants.acme.jwts]]\nissuer = 'ci'\nclaims = {{ repository_owner = ['acme', 'acme-labs'] }}\n"
    )
}

/// The code and reason with which a token is refused, if it is.
async fn refusal(channel: &Channel, token: &str) -> Option<(Code, String)> {
    let mut request = Request::new(GetServerRequest {});
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let answer = ServerServiceClient::new(channel.clone()).get_server(request).await;
    answer.err().map(|status| (status.code(), status.get_details_error_info().unwrap().reason))
}

/// The claims of a good JWT, but for one, which has this value, or is not there.
fn but(claim: &str, value: Option<Value>) -> Value {
    let mut claims = claims("acme");
    let object = claims.as_object_mut().unwrap();
    match value {
        Some(value) => object.insert(claim.to_owned(), value),
        None => object.remove(claim),
    };
    claims
}

/// A JWT signed with a secret.
fn with_secret(secret: &[u8], header: &Value, claims: &Value) -> String {
    let text = format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    format!("{text}.{}", base64(hmac::sign(&key, text.as_bytes()).as_ref()))
}

#[tokio::test]
async fn only_what_a_trusted_issuer_has_signed_for_this_server_names_a_tenant() {
    let (folder, signer, other) = (folder(), Signer::new("1"), Signer::new("2"));
    let (edwards, signed_by_edwards) = ed25519("3", &claims("acme-labs"));
    let mut encrypting = other.jwk();
    encrypting["use"] = "enc".into();
    let unknown = json!({"kty": "FUTURE", "kid": "4"});
    // An octet key is no key of an issuer, whatever its set says.
    let octets = json!({"kty": "oct", "kid": "5", "k": base64(b"secret"), "alg": "HS256"});
    let set = json!({"keys": [unknown, octets, signer.jwk(), encrypting, edwards]});
    fs::write(folder.join("jwks.json"), set.to_string()).unwrap();
    let server = server(&folder, &file("jwks.json")).await;
    let channel = server.channel().await;

    let good = signer.sign(&claims("acme"));
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
    let es256 = |id: Value| json!({"alg": "ES256", "kid": id});
    let tampered = base64(claims("acme2").to_string().as_bytes());
    let none = base64(json!({"alg": "none", "kid": "1"}).to_string().as_bytes());
    let public = signer.jwk().to_string();
    let wrong = |reason: &str| Some((Code::Unauthenticated, reason.to_owned()));
    let nobody = Some((Code::PermissionDenied, "TENANT_MISSING".to_owned()));
    for (what, token, expected) in [
        ("a good one", good.clone(), None),
        ("one of Ed25519", signed_by_edwards, None),
        (
            "no id of a key, and one key for it",
            signer.sign_as(&json!({"alg": "ES256"}), &claims("acme")),
            None,
        ),
        ("within the leeway", signer.sign(&but("exp", Some(seconds(-5).into()))), None),
        ("one of several audiences", signer.sign(&but("aud", Some(json!(["x", AUDIENCE])))), None),
        ("expired", signer.sign(&but("exp", Some(seconds(-60).into()))), wrong("TOKEN_EXPIRED")),
        ("for ever", signer.sign(&but("exp", None)), wrong("JWT_WRONG")),
        ("a text as its end", signer.sign(&but("exp", Some("soon".into()))), wrong("JWT_WRONG")),
        ("not yet", signer.sign(&but("nbf", Some(seconds(60).into()))), wrong("JWT_WRONG")),
        ("no time to begin", signer.sign(&but("nbf", Some("now".into()))), wrong("JWT_WRONG")),
        ("another audience", signer.sign(&but("aud", Some("globex".into()))), wrong("JWT_WRONG")),
        ("no audience", signer.sign(&but("aud", None)), wrong("JWT_WRONG")),
        ("another issuer", signer.sign(&but("iss", Some("https://evil.example".into()))), wrong("JWT_WRONG")),
        ("no issuer", signer.sign(&but("iss", None)), wrong("JWT_WRONG")),
        ("an owner without a tenant", signer.sign(&claims("initech")), nobody.clone()),
        ("no owner", signer.sign(&but("repository_owner", None)), nobody.clone()),
        (
            "an owner in a list of lists",
            signer.sign(&but("repository_owner", Some(json!([["acme"]])))),
            nobody,
        ),
        ("an unknown key", other.sign_as(&es256("9".into()), &claims("acme")), wrong("JWT_WRONG")),
        (
            "another key under a known id",
            other.sign_as(&es256("1".into()), &claims("acme")),
            wrong("JWT_WRONG"),
        ),
        ("a key to encrypt with", other.sign(&claims("acme")), wrong("JWT_WRONG")),
        ("changed claims", format!("{header}.{tampered}.{signature}"), wrong("JWT_WRONG")),
        ("no signature", format!("{header}.{payload}."), wrong("JWT_WRONG")),
        ("half a signature", format!("{header}.{payload}.{}", &signature[..43]), wrong("JWT_WRONG")),
        ("the algorithm none", format!("{none}.{payload}."), wrong("TOKEN_WRONG")),
        (
            "a secret that is the public key",
            with_secret(signer.public(), &json!({"alg": "HS256", "kid": "1"}), &claims("acme")),
            wrong("JWT_WRONG"),
        ),
        (
            "a secret that is the public key as text",
            with_secret(public.as_bytes(), &json!({"alg": "HS256"}), &claims("acme")),
            wrong("JWT_WRONG"),
        ),
        (
            "a secret of the set",
            with_secret(b"secret", &json!({"alg": "HS256", "kid": "5"}), &claims("acme")),
            wrong("JWT_WRONG"),
        ),
        (
            "a key that it brings along",
            other.sign_as(&json!({"alg": "ES256", "jwk": other.jwk()}), &claims("acme")),
            wrong("JWT_WRONG"),
        ),
        ("three parts of nothing", "..".to_owned(), wrong("TOKEN_WRONG")),
        ("no JSON", format!("{}.{}.{}", base64(b"a"), base64(b"b"), base64(b"c")), wrong("TOKEN_WRONG")),
    ] {
        assert_eq!(refusal(&channel, &token).await, expected, "{what}");
    }
}

#[tokio::test]
async fn unknown_keys_are_asked_for_once_in_a_while_and_an_issuer_that_is_away_locks_out_nobody() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let jwks = Jwks::serve(json!([old.jwk(), new.jwk()])).await;
    let folder = folder();
    let server = server(&folder, &file(&jwks.url)).await;
    let channel = server.channel().await;
    assert_eq!(jwks.asked(), 0, "nobody needs a key yet");
    let admitted = async |signer: &Signer| refusal(&channel, &signer.sign(&claims("acme"))).await.is_none();
    assert!(admitted(&old).await && admitted(&new).await);
    assert_eq!(jwks.asked(), 1);

    let flood = (0..20).map(|_| async { admitted(&Signer::new("unknown")).await });
    assert!(!futures_util::future::join_all(flood).await.contains(&true));
    assert_eq!(jwks.asked(), 1, "the keys were asked for a short time ago");
    let later = async |time| {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    };
    later(Duration::from_secs(61)).await;
    let flood = (0..20).map(|_| async { admitted(&Signer::new("unknown")).await });
    assert!(!futures_util::future::join_all(flood).await.contains(&true));
    assert_eq!(jwks.asked(), 2, "once for all");

    // After an hour they are asked for in any case.
    later(Duration::from_secs(3601)).await;
    let channel = server.channel().await;
    let admitted = async |signer: &Signer| refusal(&channel, &signer.sign(&claims("acme"))).await.is_none();
    assert!(admitted(&old).await);
    assert_eq!(jwks.asked(), 3);
    jwks.stop().await;
    later(Duration::from_secs(3601)).await;
    let channel = server.channel().await;
    assert_eq!(refusal(&channel, &old.sign(&claims("acme"))).await, None, "the issuer is away");
}

#[tokio::test]
async fn keys_are_taken_from_the_server_that_the_file_trusts_and_from_no_other() {
    let (signer, authority, other) = (Signer::new("1"), Authority::new("test"), Authority::new("other"));
    let jwks = format!("200 OK\r\n\r\n{}", json!({"keys": [signer.jwk()]}));
    let large = format!("200 OK\r\n\r\n{}", " ".repeat(2 << 20));
    let moved = "302 Found\r\nlocation: /elsewhere\r\n\r\n".to_owned();
    let of = |authority: &Authority, name: &str| authority.issue(name, 2099).acceptor();
    for (what, answer, tls, expected) in [
        ("a certificate of the authority", &jwks, of(&authority, "localhost"), true),
        ("a certificate of another authority", &jwks, of(&other, "localhost"), false),
        ("a certificate of another host", &jwks, of(&authority, "other.example"), false),
        ("a set that never ends", &large, of(&authority, "localhost"), false),
        ("a redirection", &moved, of(&authority, "localhost"), false),
    ] {
        let jwks = Jwks::answer(answer.clone(), Some(tls)).await;
        let folder = folder();
        fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
        let text = file(&jwks.url).replace("leeway", "ca = 'ca.pem'\nleeway");
        let server = server(&folder, &text).await;
        let refused = refusal(&server.channel().await, &signer.sign(&claims("acme"))).await;
        assert_eq!((refused.is_none(), jwks.asked()), (expected, 1), "{what}");
    }
}
