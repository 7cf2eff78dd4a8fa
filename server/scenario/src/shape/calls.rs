//! What somebody outside does, call by call.

use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::arguments::{Direction, Nothing, Octets};
use super::items::items;
use super::options::Options;
use super::{Given, Opt};
use crate::address::{Destination, Port, PortOrAny};
use crate::de::Spanned;
use crate::parse::{Scalar, Switch};
use crate::quantity::Size;

/// The name of a socket.
type Name = Scalar<String>;

items! {
    /// A call: one word for what is done, and beside it when, and on what.
    enum Call { all: moment: Moment = "+moment" }

    /// Opens a listening socket.
    struct Listen {
        /// Opens a listening socket on this port; 0 is any that is free.
        pub(crate) listen: Given<Scalar<PortOrAny>>,
        #[serde(rename = "+caller")]
        pub(crate) caller: Caller,
        /// The address to listen on: every address of the host by default.
        pub(crate) address: Opt<IpAddr>,
        /// How many connections may wait for `accept`: 4096 by default.
        pub(crate) backlog: Opt<u32>,
        /// Whether the port may be that of earlier connections, as with SO_REUSEADDR: `on` by default.
        pub(crate) reuse_address: Opt<Switch>,
        /// The socket options that its connections inherit.
        pub(crate) set: Option<Spanned<Options>>,
        #[serde(rename = "+opened")]
        pub(crate) opened: Opened,
    }

    /// Begins to open a connection.
    struct Connect {
        /// Begins to open a connection to a host or an address.
        pub(crate) connect: Given<Scalar<Destination>>,
        #[serde(rename = "+caller")]
        pub(crate) caller: Caller,
        /// The local address of the connection: by default, the first of the host.
        pub(crate) from: Opt<IpAddr>,
        /// The local port of the connection: any by default.
        pub(crate) port: Opt<Port>,
        /// Socket options that are set before the connection is opened.
        pub(crate) set: Option<Spanned<Options>>,
        #[serde(rename = "+opened")]
        pub(crate) opened: Opened,
    }

    /// Asks for the outcome of `connect`.
    struct FinishConnect {
        /// Asks whether `connect` has opened this socket (SO_ERROR).
        pub(crate) finish_connect: Given<Name>,
    }

    /// Accepts a connection.
    struct Accept {
        /// Accepts the oldest connection that waits on this listening socket.
        pub(crate) accept: Given<Name>,
        #[serde(rename = "+opened")]
        pub(crate) opened: Opened,
    }

    /// Sends data.
    struct Send {
        /// Sends as much of this data as the send buffer takes.
        pub(crate) send: Given<Octets>,
        #[serde(rename = "+on")]
        pub(crate) on: On,
        /// Whether a segment that is not full waits for more (MSG_MORE).
        pub(crate) more: Opt<Switch>,
        /// Whether the data ends a record, beyond which no segment goes (MSG_EOR).
        pub(crate) end_of_record: Opt<Switch>,
    }

    /// Receives data.
    struct Receive {
        /// Receives what has arrived, but no more than this.
        pub(crate) receive: Given<Scalar<Size>>,
        #[serde(rename = "+on")]
        pub(crate) on: On,
    }

    /// Closes one direction.
    struct Shutdown {
        /// Closes one direction of the connection.
        pub(crate) shutdown: Given<Scalar<Direction>>,
        #[serde(rename = "+on")]
        pub(crate) on: On,
    }

    /// Sets socket options.
    struct Set {
        /// Sets socket options.
        pub(crate) set: Given<Options>,
        #[serde(rename = "+on")]
        pub(crate) on: On,
    }

    /// Asks for the status of a socket.
    struct Status {
        /// Asks what TCP knows of this socket (RFC 9293 §3.9.1.6).
        pub(crate) status: Given<Name>,
    }

    /// Closes a socket.
    struct Close {
        /// Closes this socket.
        pub(crate) close: Given<Name>,
    }

    /// Aborts a connection.
    struct Abort {
        /// Resets the connection of this socket, and closes it.
        pub(crate) abort: Given<Name>,
    }

    /// Adds a fault.
    struct Fault {
        /// Adds a fault, which begins now unless it says when.
        pub(crate) fault: Given<Spanned<super::Fault>>,
    }

    /// Lifts a fault.
    struct Lift {
        /// Lifts the fault of this number, counted from 1: the scenario's, then those that calls have added.
        pub(crate) lift: Given<Spanned<Scalar<u32>>>,
    }

    /// Ends the run.
    struct Finish {
        /// Ends the run now. Always the last call.
        #[expect(dead_code, reason = "the word says all")]
        pub(crate) finish: Given<Nothing>,
    }
}

/// When a call is made.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Moment {
    #[schemars(required)]
    /// The time of the run at which the call is made.
    pub(crate) at: Opt<Duration>,
    /// How many turns of that instant, of hosts and of the network, come before the call: none by default.
    pub(crate) turn: Opt<u32>,
}

/// Where a socket is opened.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Caller {
    #[schemars(required)]
    /// The host that makes the call.
    pub(crate) host: Opt<String>,
}

/// What a new socket is called.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Opened {
    /// The name of the new socket, by which later calls say which they mean.
    pub(crate) r#as: Opt<String>,
}

/// Which socket a call is made on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct On {
    #[schemars(required)]
    /// The socket.
    pub(crate) on: Opt<String>,
}
