//! What somebody outside does: read, and written so that it is read as the same.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use halfopen_scenario::{
    CallKind, Calls, Fault, HostId, Limits, LoadOptions, Location, Scenario, Socket, TimedCall, When, load,
    load_faults, load_with, write,
};
use halfopen_tcp::{KeepaliveSettings, Profile, SendFlags, SocketOptions};
use proptest::option;
use proptest::prelude::*;

const HEAD: &str = "scenario: test\nhosts: {client: {}, server: {}, other: {addresses: [\"fd00::3\"]}}\n";

const MS: fn(u64) -> Duration = Duration::from_millis;
const CLIENT: HostId = HostId(0);
const SERVER: HostId = HostId(1);

fn text(calls: &str) -> String {
    format!("{HEAD}faults:\n  - drop: SYN\n    first: 1\ncalls:\n{calls}")
}

fn good(text: &str) -> Scenario {
    load(text).unwrap_or_else(|wrong| panic!("{}", wrong.render("text", text, false)))
}

fn bad(text: &str) -> String {
    load(text).expect_err(text).to_string()
}

#[test]
fn calls_are_made_at_their_times_on_sockets_with_names() {
    let calls = good(&text(
        "  - {at: 0s, listen: 0, host: server, address: 10.0.0.2, as: s1}
  - {at: 0s, connect: server:80, host: client, port: 4000, set: {linger: off}, as: s2}
  - {at: 40ms, turn: 3, accept: s1}
  - {at: 40ms, turn: 3, send: {base64: AP8=}, on: s2, more: on}
  - {at: 1s, fault: {freeze: server}}
  - {at: 2s, lift: 2}
  - {at: 3s, finish}
",
    ))
    .calls;
    assert_eq!(calls.sockets, ["s1", "s2"]);
    let [listen, connect, accept, send, fault, lift, finish] = &calls.list[..] else { panic!("{calls:?}") };
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    assert!(
        matches!(&listen.call, CallKind::Listen { host: SERVER, port: None, address: Some(own), backlog: 4096,
        reuse_address: true, options: SocketOptions::NONE, socket: Some(Socket(0)) } if *own == address("10.0.0.2"))
    );
    assert!(
        matches!(&connect.call, CallKind::Connect { host: CLIENT, to, from: None, local_port: Some(4000),
        options, socket: Some(Socket(1)) }
        if *to == SocketAddr::new(address("10.0.0.2"), 80)
            && *options == SocketOptions { linger: Some(None), ..SocketOptions::NONE })
    );
    assert_eq!((accept.time, accept.turn), (MS(40), 3));
    assert_eq!(accept.call, CallKind::Accept { listener: Socket(0), socket: None });
    assert_eq!((send.call.name(), send.call.on(), send.turn), ("send", Some(Socket(1)), 3));
    assert!(
        matches!(&send.call, CallKind::Send { octets, flags: SendFlags { more: true, end_of_record: false }, .. }
        if **octets == [0, 255])
    );
    assert!(matches!(&fault.call, CallKind::AddFault(fault)
        if fault.when == When::At(MS(1000)) && fault.location.path == "calls[4].fault"));
    assert_eq!(
        (fault.location.path.as_str(), fault.text.as_str()),
        ("calls[4]", "at: 1s, fault: {freeze: server}")
    );
    assert_eq!((&lift.call, &finish.call), (&CallKind::LiftFault(1), &CallKind::Finish));
}

#[test]
fn they_stand_on_a_line_each() {
    let calls = "  - {at: 0s, listen: 80, host: server, backlog: 1, as: s1}
  - {at: 0s, connect: server:80, host: client, set: {keepalive: {idle: 10s}, notsent-lowat: off}, as: s2}
  - {at: 0s, connect: \"[fd00::9]:80\", host: other}
  - {at: 40ms, turn: 3, finish-connect: s2}
  - {at: 40ms, turn: 5, accept: s1, as: s3}
  - {at: 40ms, turn: 5, send: {text: \"GET / HTTP/1.0\\r\\n\\r\\n\"}, on: s2, end-of-record: on}
  - {at: 60ms, send: {base64: \"AP8=\"}, on: s2}
  - {at: 60ms, receive: 64 KiB, on: s3}
  - {at: 60ms, shutdown: write, on: s2}
  - {at: 60ms, set: {}, on: s2}
  - {at: 1s, fault: {partition: [client, server], at: 1s}}
  - {at: 1s, fault: {drop: FIN, first: 1}}
  - {at: 2s, lift: 1}
  - {at: 3s, finish}
";
    let text = text(calls);
    assert_eq!(write(&good(&text)), text);
}

#[test]
fn a_scenario_for_a_session_has_none() {
    let session = LoadOptions { session: true, ..LoadOptions::default() };
    let text = text("  - {at: 0s, finish}\n");
    let mistakes = load_with(&text, session).expect_err("it has calls").to_string();
    assert!(mistakes.contains("a session makes its own calls"), "{mistakes}");
}

#[test]
fn calls_count_where_a_scenario_is_looked_at_as_a_whole() {
    let connects =
        "scenario: test\nhosts: {client: {}, server: {}}\napplications: {client: [connect: server:80]}\n";
    assert!(bad(connects).contains("nobody listens"));
    good(&format!("{connects}calls: [{{at: 0s, listen: 80, host: server}}]\n"));
    let moved = "{at: 1s, fault: {move-address: 10.0.0.2, to: client}}";
    let lost = |first: &str| {
        text(&format!("  - {first}\n  - {{at: 2s, fault: {{lose-address: 10.0.0.2, from: client}}}}\n"))
    };
    good(&lost(moved));
    assert!(bad(&lost("{at: 0s, listen: 80, host: server}")).contains("never has the address"));
}

#[test]
fn there_is_a_limit_to_calls_and_to_faults() {
    let calls = |call: &str, number| text(&format!("  - {call}\n").repeat(number));
    let listen = "{at: 0s, listen: 0, host: server}";
    assert_eq!(good(&calls(listen, Limits::MAX_CALLS)).calls.list.len(), Limits::MAX_CALLS);
    assert!(bad(&calls(listen, Limits::MAX_CALLS + 1)).contains("10001 calls, more than 10000"));
    let drop = "{at: 0s, fault: {drop: {}}}";
    // One is a fault of the scenario.
    good(&calls(drop, Limits::MAX_FAULTS - 1));
    assert!(bad(&calls(drop, Limits::MAX_FAULTS + 1)).contains("1001 faults, more than 1000"));
}

#[test]
fn one_mistake_hides_no_other_and_causes_none() {
    let wrong = bad(&text(
        "  - {at: 0s, listn: 80, host: server, as: s1}\n  - {at: 1s, accept: s1}\n  - {at: 0s, close: s9}\n",
    ));
    assert_eq!(wrong.lines().filter(|line| line.contains("error")).count().max(2), 2, "{wrong}");
    assert!(wrong.contains("did you mean `listen`?") && wrong.contains("made later, at 1s"), "{wrong}");
    assert!(!wrong.contains("no socket is called"), "{wrong}");
}

/// Options that a text can say.
fn options(beside: bool) -> impl Strategy<Value = SocketOptions> {
    let time = || (1_u64..10_000_000_000_000).prop_map(Duration::from_nanos);
    let usual = Profile::Linux.settings().keepalive_numbers;
    let keepalive =
        (prop_oneof![Just(usual.idle), time()], prop_oneof![Just(usual.interval), time()], 1_u32..20)
            .prop_map(|(idle, interval, probes)| KeepaliveSettings { idle, interval, probes });
    let buffer = || option::of(Limits::MIN_BUFFER..=Limits::MAX_BUFFER);
    let mss = if beside { option::of(Limits::MIN_MSS..=u16::MAX).boxed() } else { Just(None).boxed() };
    let times = (option::of(option::of(time())), option::of(option::of(time())));
    (
        option::of(option::of(keepalive)),
        (any::<Option<bool>>(), any::<Option<bool>>()),
        times,
        (buffer(), buffer(), option::of(option::of(1_u32..))),
        mss,
    )
        .prop_map(|(keepalive, (nodelay, cork), (user_timeout, linger), buffers, mss)| SocketOptions {
            keepalive,
            nodelay,
            cork,
            user_timeout,
            linger,
            receive_buffer: buffers.0,
            send_buffer: buffers.1,
            notsent_lowat: buffers.2,
            mss,
        })
}

fn destination() -> impl Strategy<Value = SocketAddr> {
    let addresses = ["10.0.0.1", "10.0.0.2", "127.0.0.1", "192.0.2.7", "fd00::3", "::1"];
    let address = prop::sample::select(addresses.to_vec()).prop_map(|text| text.parse().expect("an address"));
    (address, 1_u16..).prop_map(|(address, port): (IpAddr, u16)| SocketAddr::new(address, port))
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    let pieces =
        ["GET / HTTP/1.0\r\n", "true", "1e16", "\u{feff}", "\u{2028}", "\0", "\u{85}", "'\"\\", ": #", " "];
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        ".{0,40}".prop_map(String::into_bytes),
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..5)
            .prop_map(|pieces| pieces.concat().into_bytes()),
        // More than a line of a parser's buffer.
        (any::<u8>(), 1000_usize..20_000).prop_map(|(octet, size)| vec![octet; size]),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    let texts = [
        "{drop: FIN}",
        "{delay: {from: client}, by: 3ms, at: 9s}",
        "{freeze: server}",
        "{duplicate: {from: server, payload: any}, copies: 2, skip: 1, nth: 2, between: [1s, 5s]}",
        "{power-loss: client, when: {server: ESTABLISHED}, may-not-happen: on}",
        "{partition: [client, server]}",
    ];
    let scenario = good(&text("  - {at: 0s, finish}\n"));
    prop::sample::select(texts.to_vec())
        .prop_map(move |text| load_faults(text, &scenario, MS(4)).expect("a fault").remove(0))
}

/// What is called, on the socket that a number chooses if it needs one.
#[derive(Clone, Debug)]
enum Plan {
    Opens(CallKind),
    Accept,
    OnConnection(CallKind),
    OnAny(CallKind),
    Alone(CallKind),
}

fn plan() -> impl Strategy<Value = Plan> {
    let host = || (0_usize..2).prop_map(HostId);
    let some = Socket(0);
    let listen = (host(), option::of(1_u16..), any::<u32>(), any::<bool>(), options(true));
    let listen = listen.prop_map(|(host, port, backlog, reuse_address, options)| {
        let address = port.filter(|port| port % 2 == 0).map(|_| IpAddr::from([10, 0, 0, 2]));
        Plan::Opens(CallKind::Listen { host, port, address, backlog, reuse_address, options, socket: None })
    });
    let connect = (host(), destination(), any::<bool>(), option::of(1_u16..), options(true));
    let connect = connect.prop_map(|(host, to, names_own, local_port, options)| {
        let from = names_own.then(|| "fd00::1".parse().expect("an address"));
        Plan::Opens(CallKind::Connect { host, to, from, local_port, options, socket: None })
    });
    let send = (octets(), any::<bool>(), any::<bool>()).prop_map(move |(octets, more, end_of_record)| {
        let octets = Arc::from(octets);
        Plan::OnConnection(CallKind::Send { socket: some, octets, flags: SendFlags { more, end_of_record } })
    });
    let receive = (1..=Limits::MAX_RECEIVED).prop_map(move |max| CallKind::Receive { socket: some, max });
    let set = options(false).prop_map(move |options| CallKind::Set { socket: some, options });
    let on_connection = prop_oneof![
        receive,
        set,
        Just(CallKind::FinishConnect(some)),
        Just(CallKind::ShutdownWrite(some)),
        Just(CallKind::ShutdownRead(some)),
        Just(CallKind::Abort(some)),
    ];
    prop_oneof![
        listen,
        connect,
        send,
        Just(Plan::Accept),
        on_connection.prop_map(Plan::OnConnection),
        prop_oneof![Just(CallKind::Close(some)), Just(CallKind::Status(some))].prop_map(Plan::OnAny),
        fault().prop_map(|fault| Plan::Alone(CallKind::AddFault(Box::new(fault)))),
        Just(Plan::Alone(CallKind::LiftFault(0))),
    ]
}

/// The calls that plans come to; a plan for which there is no socket yet is left out.
fn calls(plans: Vec<(Plan, prop::sample::Index, u64, u32)>, finishes: bool) -> Calls {
    let mut made = Calls::default();
    let mut is_listening: Vec<bool> = Vec::new();
    let (mut time, mut turn) = (Duration::ZERO, 0);
    for (plan, choice, wait, turns) in plans {
        (time, turn) = if wait > 0 { (time + MS(wait), turns) } else { (time, turn + turns) };
        let choose = |wanted: &dyn Fn(bool) -> bool| {
            let found: Vec<usize> = (0..is_listening.len()).filter(|at| wanted(is_listening[*at])).collect();
            (!found.is_empty()).then(|| Socket(found[choice.index(found.len())]))
        };
        let (mut call, on) = match plan {
            Plan::Opens(call) | Plan::Alone(call) => (call, None),
            Plan::Accept => match choose(&|listens| listens) {
                Some(listener) => (CallKind::Accept { listener, socket: None }, None),
                None => continue,
            },
            Plan::OnConnection(call) => match choose(&|listens| !listens) {
                found @ Some(_) => (call, found),
                None => continue,
            },
            Plan::OnAny(call) => match choose(&|_| true) {
                found @ Some(_) => (call, found),
                None => continue,
            },
        };
        match &mut call {
            CallKind::FinishConnect(socket)
            | CallKind::Send { socket, .. }
            | CallKind::Receive { socket, .. }
            | CallKind::ShutdownWrite(socket)
            | CallKind::ShutdownRead(socket)
            | CallKind::Close(socket)
            | CallKind::Abort(socket)
            | CallKind::Set { socket, .. }
            | CallKind::Status(socket) => *socket = on.expect("it needs one"),
            CallKind::Listen { socket, .. }
            | CallKind::Connect { socket, .. }
            | CallKind::Accept { socket, .. }
                if wait % 4 > 0 =>
            {
                *socket = Some(Socket(made.sockets.len()));
                made.sockets.push(format!("s{}", made.sockets.len() + 1));
            }
            _ => {}
        }
        if call.opens().is_some() {
            is_listening.push(matches!(call, CallKind::Listen { .. }));
        }
        made.list.push(TimedCall { time, turn, call, location: Location::default(), text: String::new() });
    }
    if finishes || made.list.is_empty() {
        let call = CallKind::Finish;
        made.list.push(TimedCall { time, turn, call, location: Location::default(), text: String::new() });
    }
    made
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_calls_come_back(
        plans in prop::collection::vec((plan(), any::<prop::sample::Index>(), 0_u64..5, 0_u32..3), 0..40),
        finishes in any::<bool>(),
    ) {
        let scenario = Scenario { calls: calls(plans, finishes), ..good(&text("  - {at: 0s, finish}\n")) };
        let text = write(&scenario);
        let read = load(&text).unwrap_or_else(|wrong| panic!("{}\n{text}", wrong.render("text", &text, false)));
        prop_assert_eq!(read.without_places(), scenario.without_places(), "{}", text);
    }
}
