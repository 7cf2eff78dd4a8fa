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

/// What the help calls the options of every command.
const GLOBAL: &str = "For every command";

/// What every command heeds.
#[derive(Args, Debug)]
pub(crate) struct GlobalArgs {
    /// The service to use, as http://host:port or https://host:port; without it, one inside this process
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "URL", env = "HALFOPEN_SERVER")]
    pub(crate) server: Option<String>,

    /// Trust a server over https whose certificate is signed by one in this PEM file, instead of by those whom the system
    /// trusts
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE", env = "HALFOPEN_CA")]
    ca: Option<PathBuf>,

    /// The token that the server wants; better given by the environment, which others do not see
    ///
    /// It is sent over https only, or to this machine.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "TOKEN", env = "HALFOPEN_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<Token>,

    /// Read options from this file instead of the nearest halfopen.toml
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,

    /// Read no halfopen.toml
    #[arg(long, global = true, help_heading = GLOBAL)]
    no_config: bool,

    /// When to use colours; NO_COLOR and CLICOLOR_FORCE are heeded by `auto`
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "WHEN", default_value = "auto", value_parser = color())]
    pub(crate) color: ColorChoice,

    /// The options that the environment or the file set, each with its place
    #[arg(skip)]
    pub(crate) settings: Vec<String>,
}

impl GlobalArgs {
    /// The service that was asked for, or one in this process.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        match &self.server {
            Some(address) => Ok(Client::connect_with(address, &self.connect_options()?).await?),
            None => GlobalArgs::here(),
        }
    }

    /// A service in this process.
    pub(crate) fn here() -> Result<Client, Failure> {
        let service = Service::new(&Config::default()).map_err(Failure::Start)?;
        Ok(Client::new(service.connect(), "this process".to_owned()))
    }

    /// How to reach the service, beside its address.
    fn connect_options(&self) -> Result<ConnectOptions, Failure> {
        let read = |file: &PathBuf| {
            fs::read(file)
                .map_err(|error| Failure::Usage(format!("cannot read --ca `{}`: {error}", file.display())))
        };
        Ok(ConnectOptions { ca: self.ca.as_ref().map(read).transpose()?, token: self.token.clone() })
    }
}

/// A form of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// One JSON object a line: for each run its verdict and what led to it
    Json,
    /// Every event as proto3 JSON, one a line; elsewhere the same as json
    Ndjson,
}

/// A form of something that is said in words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

fn color() -> impl clap::builder::TypedValueParser<Value = ColorChoice> {
    PossibleValuesParser::new(["auto", "always", "never"]).map(|when| match when.as_str() {
        "always" => ColorChoice::Always,
        "never" => ColorChoice::Never,
        _ => ColorChoice::Auto,
    })
}
