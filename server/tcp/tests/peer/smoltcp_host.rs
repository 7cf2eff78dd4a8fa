//! smoltcp, as a host of a case.

use std::cell::Cell;
use std::collections::VecDeque;

use halfopen_tcp::{CongestionAlgorithm, Instant, Received};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::socket::tcp::{CongestionControl, RecvError, Socket, SocketBuffer, State};
use smoltcp::time::{Duration, Instant as Clock};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr, Ipv4Packet, TcpPacket, TcpSeqNumber};

use crate::host::{Host, PORT, Standing, address};
use crate::plan::Tuning;

thread_local! {
    /// smoltcp asks a plain function for its timestamps.
    static MILLISECONDS: Cell<u32> = const { Cell::new(0) };
}

/// More segments than the largest buffer gives.
///
/// smoltcp 0.14 sends empty segments without end when its window probe is due and the peer has acknowledged everything
/// with a window of zero: the timer is neither stopped nor set again (`dispatch`, FIN-WAIT-2).
const FLOOD: usize = 1000;

/// The queues of a network card.
struct Card {
    received: VecDeque<Vec<u8>>,
    sent: VecDeque<Vec<u8>>,
    mtu: usize,
}

struct Incoming(Vec<u8>);
struct Outgoing<'a>(&'a mut VecDeque<Vec<u8>>);

impl phy::RxToken for Incoming {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl phy::TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut octets = vec![0; len];
        let result = f(&mut octets);
        self.0.push_back(octets);
        result
    }
}

impl Device for Card {
    type RxToken<'a> = Incoming;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _now: Clock) -> Option<(Incoming, Outgoing<'_>)> {
        Some((Incoming(self.received.pop_front()?), Outgoing(&mut self.sent)))
    }

    fn transmit(&mut self, _now: Clock) -> Option<Outgoing<'_>> {
        (self.sent.len() < FLOOD).then_some(Outgoing(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

/// smoltcp's TCP.
pub(crate) struct Smoltcp {
    card: Card,
    interface: Interface,
    sockets: SocketSet<'static>,
    socket: SocketHandle,
    /// The newest state that is not CLOSED.
    last: State,
    clean: bool,
    /// What it had received when TIME-WAIT began: with its end it forgets all that was not read, and the FIN.
    kept: VecDeque<u8>,
    /// Until when it is left alone, after a flood.
    quiet_until: Instant,
}

impl Smoltcp {
    pub(crate) fn new(end: usize, seed: u64, tuning: &Tuning) -> Smoltcp {
        let mut card =
            Card { received: VecDeque::new(), sent: VecDeque::new(), mtu: usize::from(tuning.mtu) };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed.wrapping_add(end as u64);
        let mut interface = Interface::new(config, &mut card, Clock::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(IpAddress::Ipv4(address(end)), 24)).expect("room for one address");
        });
        let mut sockets = SocketSet::new(vec![]);
        let socket = sockets.add(socket(tuning));
        let tcp = sockets.get_mut::<Socket<'_>>(socket);
        if end == 0 {
            let remote = (IpAddress::Ipv4(address(1)), PORT);
            let port = 50_000 + (seed % 10_000) as u16;
            tcp.connect(interface.context(), remote, port).expect("the addresses are good");
        } else {
            tcp.listen(PORT).expect("the socket is new");
        }
        let last = tcp.state();
        Smoltcp {
            card,
            interface,
            sockets,
            socket,
            last,
            clean: false,
            kept: VecDeque::new(),
            quiet_until: Instant::ZERO,
        }
    }

    fn tcp(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.socket)
    }

    fn poll(&mut self, now: Instant) {
        MILLISECONDS.set((now.as_nanos() / 1_000_000) as u32);
        self.interface.poll(clock(now), &mut self.card, &mut self.sockets);
        if self.card.sent.len() >= FLOOD {
            self.card.sent.truncate(1);
            self.quiet_until = now + std::time::Duration::from_secs(10);
        }
        let state = self.tcp().state();
        if state == State::TimeWait {
            self.clean = true;
            let mut octets = vec![0; self.tcp().recv_queue()];
            let count = self.tcp().recv_slice(&mut octets).unwrap_or(0);
            self.kept.extend(&octets[..count]);
        }
        if state != State::Closed {
            self.last = state;
        }
    }
}

/// A segment with data and FIN as two.
///
/// The window that smoltcp 0.14 tells in a window probe is not the one it remembers; what is beyond the latter it cuts
/// off, and takes the FIN behind it all the same: the octets between are lost.
fn fin_apart(datagram: &[u8]) -> Vec<Vec<u8>> {
    let whole = || vec![datagram.to_vec()];
    let Ok(ip) = Ipv4Packet::new_checked(datagram) else { return whole() };
    let (source, destination) = (IpAddress::Ipv4(ip.src_addr()), IpAddress::Ipv4(ip.dst_addr()));
    let Ok(tcp) = TcpPacket::new_checked(ip.payload()) else { return whole() };
    let (length, headers) = (tcp.payload().len(), 20 + usize::from(tcp.header_len()));
    // What is damaged stays so.
    let good = ip.verify_checksum() && tcp.verify_checksum(&source, &destination);
    if !good || !tcp.fin() || length == 0 || ip.header_len() != 20 {
        return whole();
    }
    let again = |mut octets: Vec<u8>, fin: bool, seq: TcpSeqNumber| {
        let total = octets.len() as u16;
        let mut ip = Ipv4Packet::new_unchecked(&mut octets);
        ip.set_total_len(total);
        ip.fill_checksum();
        let mut tcp = TcpPacket::new_unchecked(ip.payload_mut());
        tcp.set_fin(fin);
        tcp.set_seq_number(seq);
        tcp.fill_checksum(&source, &destination);
        octets
    };
    let seq = tcp.seq_number();
    vec![again(datagram.to_vec(), false, seq), again(datagram[..headers].to_vec(), true, seq + length)]
}

fn clock(now: Instant) -> Clock {
    Clock::from_micros((now.as_nanos() / 1000) as i64)
}

fn socket(tuning: &Tuning) -> Socket<'static> {
    let buffer = |octets: u32| SocketBuffer::new(vec![0; octets as usize]);
    let mut socket = Socket::new(buffer(tuning.receive_buffer), buffer(tuning.send_buffer));
    socket.set_congestion_control(match tuning.congestion {
        CongestionAlgorithm::Cubic => CongestionControl::Cubic,
        CongestionAlgorithm::NewReno => CongestionControl::Reno,
        CongestionAlgorithm::None => CongestionControl::None,
    });
    socket.set_nagle_enabled(tuning.nagle);
    socket.set_ack_delay(tuning.delayed_ack.then(|| Duration::from_millis(40)));
    // It never gives up otherwise. Without keepalive of its own: the octet of its questions may stand in place of one
    // under way, or of its FIN, and a peer that has not seen that takes it for data.
    socket.set_timeout(Some(Duration::from_secs(120)));
    if tuning.timestamps {
        socket.set_tsval_generator(Some(|| MILLISECONDS.get()));
    }
    socket
}

impl Host for Smoltcp {
    fn standing(&mut self) -> Standing {
        let (last, clean, keeps) = (self.last, self.clean, !self.kept.is_empty());
        let tcp = self.tcp();
        match tcp.state() {
            _ if tcp.can_recv() || keeps => Standing::Open,
            State::Closed if clean => Standing::Clean,
            State::Closed => Standing::Failed(format!("CLOSED after {last}")),
            State::Listen | State::SynSent | State::SynReceived => Standing::Opening,
            State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => Standing::Open,
        }
    }

    fn write(&mut self, _now: Instant, octets: &[u8]) -> usize {
        self.tcp().send_slice(octets).unwrap_or(0)
    }

    fn read(&mut self, _now: Instant, buffer: &mut [u8]) -> Received {
        if self.last == State::TimeWait {
            let count = buffer.len().min(self.kept.len());
            buffer.iter_mut().zip(self.kept.drain(..count)).for_each(|(to, octet)| *to = octet);
            return if count > 0 { Received::Octets(count) } else { Received::End };
        }
        match self.tcp().recv_slice(buffer) {
            Ok(0) | Err(RecvError::InvalidState) => Received::Nothing,
            Ok(count) => Received::Octets(count),
            Err(RecvError::Finished) => Received::End,
        }
    }

    fn shutdown(&mut self, _now: Instant) {
        self.tcp().close();
    }

    /// smoltcp cannot close the reading half: only `abort` makes sure that no peer waits for a window for ever.
    fn close(&mut self, now: Instant) {
        let tcp = self.tcp();
        if matches!(tcp.state(), State::LastAck | State::Closing | State::TimeWait | State::Closed) {
            return;
        }
        self.abort(now);
    }

    fn abort(&mut self, _now: Instant) {
        self.tcp().abort();
    }

    fn is_acknowledged(&mut self) -> bool {
        matches!(self.tcp().state(), State::Closed | State::TimeWait | State::FinWait2)
    }

    fn arrives(&mut self, now: Instant, datagram: &[u8]) {
        let was_last_ack = self.tcp().state() == State::LastAck;
        for datagram in fin_apart(datagram) {
            self.card.received.push_back(datagram);
        }
        self.poll(now);
        // The ACK of its FIN, a RST, or its own patience at an end? It does not say.
        let is_reset = datagram.get(33).is_some_and(|flags| flags & 0x04 != 0);
        let tcp = self.tcp();
        let closed = tcp.state() == State::Closed && tcp.send_queue() == 0;
        self.clean |= was_last_ack && closed && !is_reset;
    }

    fn wake(&mut self, now: Instant) {
        if now >= self.quiet_until {
            self.poll(now);
        }
    }

    fn wakes_at(&mut self, now: Instant) -> Option<Instant> {
        let at = self.interface.poll_at(clock(now), &self.sockets)?;
        let at = Instant::ZERO + std::time::Duration::from_micros(at.total_micros() as u64);
        // What is due at once was done by `transmit`, but for what it forgets to strike off its list.
        Some(at.max(now + std::time::Duration::from_millis(1)).max(self.quiet_until))
    }

    fn transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.card.sent.is_empty() && now >= self.quiet_until {
            self.poll(now);
        }
        self.card.sent.pop_front()
    }

    fn leftovers(&mut self) -> Vec<String> {
        let state = self.tcp().state();
        let over = matches!(state, State::Closed | State::Listen);
        if over { Vec::new() } else { vec![format!("smoltcp in {state}")] }
    }

    fn describe(&mut self) -> String {
        let (last, clean) = (self.last, self.clean);
        let tcp = self.tcp();
        let (unsent, unread) = (tcp.send_queue(), tcp.recv_queue());
        format!("smoltcp: {} after {last}, clean {clean}, to send {unsent}, unread {unread}", tcp.state())
    }
}
