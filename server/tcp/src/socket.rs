//! What an application may ask of a socket: its options, and the flags of `send`.

use std::time::Duration;

use crate::KeepaliveSettings;

/// Options of a socket (socket(7), tcp(7)); `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// SO_KEEPALIVE with its parameters; `Some(None)` turns it off.
    pub keepalive: Option<Option<KeepaliveSettings>>,
    /// TCP_NODELAY.
    pub nodelay: Option<bool>,
    /// TCP_CORK: segments that are not full are held back until more is written, the cork is removed, or an RTO has passed with
    /// nothing in flight.
    pub cork: Option<bool>,
    /// TCP_USER_TIMEOUT; `Some(None)` turns it off.
    pub user_timeout: Option<Option<Duration>>,
    /// SO_LINGER: how long `close` waits until everything sent is acknowledged. Zero makes it reset the connection;
    /// `Some(None)` turns lingering off.
    pub linger: Option<Option<Duration>>,
    /// SO_RCVBUF: the buffer for received data, octets. Before the SYN is sent it also decides the window scale.
    pub receive_buffer: Option<u32>,
    /// SO_SNDBUF: the buffer for unacknowledged data, octets.
    pub send_buffer: Option<u32>,
    /// TCP_NOTSENT_LOWAT: octets that may be in the send buffer without being sent; `Some(None)` is no limit but the buffer's.
    pub notsent_lowat: Option<Option<u32>>,
    /// TCP_MAXSEG: the largest MSS that is announced to the peer or accepted from it, octets. It has no effect after the handshake.
    pub mss: Option<u16>,
}

impl SocketOptions {
    /// No option is set.
    pub const NONE: SocketOptions = SocketOptions {
        keepalive: None,
        nodelay: None,
        cork: None,
        user_timeout: None,
        linger: None,
        receive_buffer: None,
        send_buffer: None,
        notsent_lowat: None,
        mss: None,
    };
}

/// The flags of `send` (send(2)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendFlags {
    /// MSG_MORE: more will follow, so that a segment which is not full waits for it, until the next acknowledgment or for an RTO.
    pub more: bool,
    /// MSG_EOR: the last of the octets ends a record, beyond which no segment goes.
    pub end_of_record: bool,
}
