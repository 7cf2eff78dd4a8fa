//! Servers of this process, with certificates and tokens.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use halfopend::{Access, Config, Service, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpListener;

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority() -> Authority {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A file of this test.
pub(crate) fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

/// TLS by a certificate for these names that the authority has signed, changed by `change`.
pub(crate) fn tls(name: &str, signer: &Authority, names: &[&str], change: fn(&mut CertificateParams)) -> Tls {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, signer).unwrap();
    let certificate = file(&format!("{name}.certificate.pem"), &certificate.pem());
    Tls::from_files(&certificate, &file(&format!("{name}.key.pem"), &key.serialize_pem())).unwrap()
}

/// Serves for as long as the test goes on; gives the port.
pub(crate) async fn serve(tls: Option<Tls>, token: Option<&str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let access = Access { tls, token: token.map(|token| token.parse().unwrap()), ..Access::default() };
    let service = Service::new(&Config::default()).unwrap();
    tokio::spawn(async move { service.serve(listener, &access, std::future::pending()).await });
    port
}

pub(crate) const HERE: &[&str] = &["localhost", "127.0.0.1"];
