//! The arguments that commands share.

use std::fs;
use std::path::PathBuf;

use anstream::ColorChoice;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, ValueEnum};
use halfopen_client::{Client, ConnectOptions, Token};
use halfopend::{Config, Service};

use crate::failure::Failure;

/// The heading of these options in the help.
const GLOBAL: &str = "Global options";

/// Options of every command.
#[derive(Args, Debug)]
pub(crate) struct GlobalArgs {
    /// The server to use, as http://host:port or https://host:port [default: a service inside this process]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "URL", env = "HALFOPEN_SERVER")]
    pub(crate) server: Option<String>,

    /// Trust server certificates signed by a certificate in this PEM file, instead of by those that the system trusts
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE", env = "HALFOPEN_CA")]
    ca: Option<PathBuf>,

    /// The token that the server requires; set HALFOPEN_TOKEN instead to hide it from other users of this machine
    ///
    /// It is sent only over https, or to this machine.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "TOKEN", env = "HALFOPEN_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<Token>,

    /// Read options from this file instead of the nearest halfopen.toml
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,

    /// Read no halfopen.toml
    #[arg(long, global = true, help_heading = GLOBAL)]
    no_config: bool,

    /// When to use colours; `auto` respects NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "WHEN", default_value = "auto", value_parser = color())]
    pub(crate) color: ColorChoice,

    /// The options that the environment or the file sets, each with its place
    #[arg(skip)]
    pub(crate) settings: Vec<String>,
}

impl GlobalArgs {
    /// The requested service, or one in this process.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        self.connect_or(&Config::own()).await
    }

    /// The requested service, or one in this process with this configuration.
    pub(crate) async fn connect_or(&self, own: &Config) -> Result<Client, Failure> {
        match &self.server {
            Some(address) => Ok(Client::connect_with(address, &self.connect_options()?).await?),
            None => GlobalArgs::here(own),
        }
    }

    /// A service in this process.
    pub(crate) fn here(config: &Config) -> Result<Client, Failure> {
        let service = Service::new(config).map_err(Failure::Start)?;
        Ok(Client::new(service.connect(), "this process".to_owned()))
    }

    /// How to reach the service, besides its address.
    fn connect_options(&self) -> Result<ConnectOptions, Failure> {
        let read = |file: &PathBuf| {
            fs::read(file)
                .map_err(|error| Failure::Usage(format!("cannot read --ca `{}`: {error}", file.display())))
        };
        Ok(ConnectOptions { ca: self.ca.as_ref().map(read).transpose()?, token: self.token.clone() })
    }
}

/// An output format of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// One JSON object per line: the verdict of each run and what led to it
    Json,
    /// Every event as proto3 JSON, one per line; the same as json where there are no events
    Ndjson,
}

/// An output format of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

fn color() -> impl clap::builder::TypedValueParser<Value = ColorChoice> {
    PossibleValuesParser::new(["auto", "always", "never"]).map(|when| match when.as_str() {
        "always" => ColorChoice::Always,
        "never" => ColorChoice::Never,
        _ => ColorChoice::Auto,
    })
}
