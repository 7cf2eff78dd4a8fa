//! The requirements of RFC 9293 that no other test shows, by their tags. docs/rfc9293.md is the list of all.

mod addresses;
mod outside;
mod segments;
mod sending;
mod table;
mod waiting;

use etherparse::{IpNumber, Ipv4Header, TcpHeader};

use super::pair::{Fate, Pair, pattern};
use super::*;
use crate::{Disposition, DropReason, Errno, Received, Report};

const URG: Flags = Flags::URG;

/// The recommended values without options, our ISS being 100.
fn recommended() -> Settings {
    Settings {
        timestamps: false,
        sack: false,
        window_scale: None,
        initial_sequence: Some(100),
        ..Profile::Rfc9293.settings()
    }
}

/// A connection in ESTABLISHED that sends as much as the peer's window takes, 1460 octets a segment.
fn eager(settings: Settings) -> Lone {
    let mut lone = Lone::new(Settings {
        congestion: crate::CongestionAlgorithm::None,
        segmentation_offload: false,
        packet_memory: false,
        send_buffer: 1 << 20,
        ..settings
    });
    lone.connect();
    lone.sent_now();
    let options = Options { mss: Some(1460), ..Options::default() };
    lone.deliver_with(SYN | ACK, 300, 101, b"", 65_535, options);
    lone.events();
    lone
}

impl Lone {
    fn send(&mut self, octets: &[u8]) -> Vec<Brief> {
        self.write(octets);
        self.sent_now()
    }

    fn receive(&mut self) -> Result<Received, Errno> {
        let id = self.id();
        self.endpoint.receive(self.now, id, &mut [0; 65_536])
    }

    /// A datagram of the peer with any options, right or wrong, of TCP and of IP.
    fn datagram(&self, (flags, seq, ack, len): Brief, tcp_options: &[u8], ip_options: &[u8]) -> Vec<u8> {
        let (IpAddr::V4(from), IpAddr::V4(to)) = (self.peer.ip(), self.local.ip()) else { panic!("IPv4") };
        let payload = vec![b'x'; len];
        let mut tcp = TcpHeader::new(self.peer.port(), self.local.port(), seq, 65_535);
        tcp.acknowledgment_number = ack;
        (tcp.syn, tcp.fin, tcp.rst) = (flags.contains(SYN), flags.contains(FIN), flags.contains(RST));
        (tcp.ack, tcp.psh, tcp.urg) = (flags.contains(ACK), flags.contains(PSH), flags.contains(URG));
        tcp.set_options_raw(tcp_options).unwrap();
        let total = (tcp.header_len() + len) as u16;
        let mut ip = Ipv4Header::new(total, 64, IpNumber::TCP, from.octets(), to.octets()).unwrap();
        ip.options = ip_options.try_into().unwrap();
        ip.set_payload_len(usize::from(total)).unwrap();
        ip.header_checksum = ip.calc_header_checksum();
        tcp.checksum = tcp.calc_checksum_ipv4(&ip, &payload).unwrap();
        [&ip.to_bytes()[..], &tcp.to_bytes()[..], &payload[..]].concat()
    }

    /// Takes a datagram; what it is answered.
    fn take(&mut self, datagram: &[u8]) -> (Disposition, Vec<Brief>) {
        let arrival = self.endpoint.handle_datagram(self.now, datagram);
        if self.connection.is_none() {
            self.connection = arrival.connection;
        }
        (arrival.disposition, self.sent_now())
    }

    /// What was reported to the application.
    fn reports(&mut self) -> Vec<Report> {
        let report = |kind| if let EventKind::Report(report) = kind { Some(report) } else { None };
        self.events().into_iter().filter_map(report).collect()
    }

    /// The datagrams that are sent now.
    fn datagrams(&mut self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| {
            let mut buffer = Vec::new();
            self.endpoint.poll_transmit(self.now, &mut buffer).map(|_| buffer)
        })
        .collect()
    }
}
