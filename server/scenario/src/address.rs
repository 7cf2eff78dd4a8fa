//! Ports and addresses.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use schemars::Schema;

use crate::forms;
use crate::parse::{Mistake, Parse, expected};
use crate::wording::short;

/// A port that can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Port(pub(crate) u16);

impl Parse for Port {
    const WHAT: &'static str = "a port such as `80`";

    fn schema() -> Schema {
        forms::any_of([forms::whole(1, u16::MAX.into()), forms::text("[0-9]+", ["80"])])
    }

    fn parse(text: &str) -> Result<Port, Mistake> {
        text.parse::<i128>().map_err(|_| expected::<Port>(text)).and_then(Port::number)
    }

    fn number(number: i128) -> Result<Port, Mistake> {
        u16::try_from(number)
            .ok()
            .filter(|port| *port != 0)
            .map(Port)
            .ok_or_else(|| Mistake::new(format!("{number} is not a port"), "ports go from 1 to 65535"))
    }
}

/// A port, or 0: any that is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PortOrAny(pub(crate) Option<u16>);

impl Parse for PortOrAny {
    const WHAT: &'static str = "a port such as `80`, or `0` for any";

    fn schema() -> Schema {
        forms::any_of([forms::whole(0, u16::MAX.into()), forms::text("[0-9]+", ["80", "0"])])
    }

    fn parse(text: &str) -> Result<PortOrAny, Mistake> {
        text.parse::<i128>().map_err(|_| expected::<PortOrAny>(text)).and_then(PortOrAny::number)
    }

    fn number(number: i128) -> Result<PortOrAny, Mistake> {
        match number {
            0 => Ok(PortOrAny(None)),
            _ => Port::number(number).map(|Port(port)| PortOrAny(Some(port))),
        }
    }
}

/// `32768-60999`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ports(pub(crate) RangeInclusive<u16>);

impl Parse for Ports {
    const WHAT: &'static str = "a range of ports such as `32768-60999`";

    fn schema() -> Schema {
        forms::text(r"[0-9]+\s*-\s*[0-9]+", ["32768-60999"])
    }

    fn parse(text: &str) -> Result<Ports, Mistake> {
        let (first, last) = text.split_once('-').ok_or_else(|| expected::<Ports>(text))?;
        let (Port(first), Port(last)) = (Port::parse(first.trim())?, Port::parse(last.trim())?);
        if first > last {
            return Err(Mistake::new(
                format!("`{text}` ends before it begins"),
                format!("write {last}-{first}"),
            ));
        }
        Ok(Ports(first..=last))
    }
}

/// `server:80`, `10.0.0.2:80`, `[fd00::2]:80`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Parse for Destination {
    const WHAT: &'static str = "a host and a port such as `server:80`";

    fn schema() -> Schema {
        forms::text(r"(\[.+\]|[^:]+):\s*[0-9]+", ["server:80", "[fd00::2]:80"])
    }

    fn parse(text: &str) -> Result<Destination, Mistake> {
        let (host, port) = text.rsplit_once(':').ok_or_else(|| {
            Mistake::new(format!("`{}` has no port", short(text)), format!("write `{}:80`", short(text)))
        })?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if bare.is_empty() || (bare == host && host.contains(':')) {
            let mut mistake = expected::<Destination>(text);
            mistake.help = "put an IPv6 address in brackets: `[fd00::2]:80`".to_owned();
            return Err(mistake);
        }
        Ok(Destination { host: bare.to_owned(), port: Port::parse(port.trim())?.0 })
    }
}

impl Parse for IpAddr {
    const WHAT: &'static str = "an IPv4 or IPv6 address such as `10.0.0.1`";

    fn schema() -> Schema {
        forms::text("[0-9a-fA-F:.]+", ["10.0.0.1", "fd00::1"])
    }

    fn parse(text: &str) -> Result<IpAddr, Mistake> {
        text.parse().map_err(|_| expected::<IpAddr>(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_and_ports() {
        let to = |host: &str, port| Ok(Destination { host: host.to_owned(), port });
        assert_eq!(Destination::parse("server:80"), to("server", 80));
        assert_eq!(Destination::parse("[fd00::2]:80"), to("fd00::2", 80));
        for wrong in ["server", "server:", "server:0", "server:70000", "fd00::2:80", ":80"] {
            assert!(Destination::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Ports::parse("32768-60999"), Ok(Ports(32768..=60999)));
        assert!(Ports::parse("9-1").expect_err("9-1").help.contains("1-9"));
    }
}
