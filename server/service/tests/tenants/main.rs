//! Tenants: which credential may make which call, what each tenant may have, and what a running server learns of a changed file.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../common/mod.rs"]
mod common;

mod authorities;
mod calls;
mod jwts;
#[cfg(all(feature = "history", unix))]
mod kept;
mod program;
mod quotas;
mod signer;
mod table;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io};

use clap::{Args, Command};
use halfopend::{Access, ServeOptions, Service, Setup};

use self::common::Server;

/// An empty folder of a test.
fn folder() -> PathBuf {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tenants").join(number.to_string());
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("{error}"),
        _ => fs::create_dir_all(&folder).unwrap(),
    }
    folder
}

/// What a file in a folder says.
fn setup(folder: &Path, text: &str) -> Setup {
    let file = folder.join("halfopend.toml");
    fs::write(&file, text).unwrap();
    Setup::read(&file, &ServeOptions::augment_args(Command::new("halfopend"))).unwrap()
}

/// A server with the tenants of a file.
async fn server(folder: &Path, text: &str) -> Server {
    let access = Access { tenants: setup(folder, text).tenants(), ..Access::default() };
    Server::serve(Service::new(&common::config()).unwrap(), access).await
}

/// The SHA-256 of a token, as a file has it.
fn sha256(token: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
    digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

/// An entry for a token.
fn token(tenant: &str, token: &str, rest: &str) -> String {
    format!("[[tenants.{tenant}.tokens]]\nname = 'ci'\nsha256 = '{}'\n{rest}\n", sha256(token))
}
