//! What a right scenario becomes.

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use halfopen_scenario::*;
use halfopen_tcp::{
    CongestionAlgorithm, Errno, Flags, GiveUp, KeepaliveSettings, Profile, RtoMin, RtoSettings, SendFlags,
    SocketOptions, State, WindowScale,
};

const MS: fn(u64) -> Duration = Duration::from_millis;
const S: fn(u64) -> Duration = Duration::from_secs;

fn good(text: &str) -> Scenario {
    load(text).unwrap_or_else(|diagnostics| panic!("{}", diagnostics.render("good.yaml", text, false)))
}

fn whole() -> Scenario {
    load_variant(include_str!("whole.yaml"), Some("as-is")).expect("right")
}

#[test]
fn variants_are_laid_over_it() {
    let all = load_all(include_str!("whole.yaml")).expect("right");
    let seen: Vec<(String, Duration, &str)> = all
        .iter()
        .map(|scenario| (scenario.name(), scenario.network.link.latency, scenario.title.as_str()))
        .collect();
    let as_is = ("whole/as-is".to_owned(), MS(20), "Everything there is to say");
    assert_eq!(seen, [as_is, ("whole/slow".to_owned(), MS(80), "More to say")]);
}

#[test]
fn the_head_is_the_comment_before_anything_else() {
    let scenario = whole();
    assert_eq!((scenario.id.as_str(), scenario.source.as_str()), ("whole", "RFC 9293"));
    assert_eq!(scenario.description, "Every word of the language, once.\nTwo lines of it.");
}

#[test]
fn hosts_have_addresses_and_settings() {
    let scenario = whole();
    let [client, server, other, peer, _outside] = &scenario.hosts[..] else { panic!("five hosts") };
    assert!(peer.is_scripted && !client.is_scripted);
    assert_eq!(client.addresses, ["192.0.2.1".parse::<IpAddr>().unwrap(), "fd00::1".parse().unwrap()]);
    assert_eq!(server.addresses, ["10.0.0.2".parse::<IpAddr>().unwrap()]);
    assert_eq!((client.profile, server.profile), (Profile::Rfc9293, Profile::Linux));
    assert_eq!(client.settings().ephemeral_ports, 40000..=50000);
    let tcp = server.settings();
    assert_eq!(tcp.keepalive, Some(KeepaliveSettings { idle: S(7200), interval: S(75), probes: 10 }));
    assert_eq!(
        tcp.rto,
        RtoSettings {
            initial: S(1),
            min: MS(200),
            max: S(120),
            min_applies: RtoMin::Variance,
            retries_base: MS(200),
            granularity: MS(4)
        }
    );
    assert_eq!((tcp.give_up, tcp.orphan_give_up), (GiveUp::Retries(5), GiveUp::Retries(4)));
    assert_eq!((tcp.user_timeout, other.settings().user_timeout), (Some(S(30)), None));
    assert_eq!((tcp.nagle, tcp.sack, tcp.timestamps, tcp.tail_loss_probe), (false, false, true, false));
    assert_eq!((tcp.dsack, tcp.frto, tcp.slow_start_after_idle), (false, false, false));
    assert_eq!(tcp.congestion, CongestionAlgorithm::NewReno);
    assert_eq!((tcp.fin_timeout, tcp.time_wait), (None, S(240)));
    assert_eq!(
        (tcp.window_scale, tcp.receive_buffer, tcp.send_buffer),
        (Some(WindowScale::Shift(7)), 65_536, 1_000_000)
    );
    assert_eq!(
        (tcp.mss, tcp.mtu, tcp.initial_window, tcp.initial_sequence),
        (Some(1400), 1400, 4, Some(100))
    );
    let tcp = other.settings();
    assert_eq!(tcp.keepalive, Some(Profile::Linux.settings().keepalive_numbers));
    assert_eq!((tcp.delayed_ack, tcp.window_scale, tcp.fin_timeout), (None, None, Some(S(60))));
}

#[test]
fn a_queue_may_be_said_of_all_links_and_a_bandwidth_of_one() {
    let scenario = good(
        "scenario: queue\nhosts: {a: , b: }\nnetwork: {queue: 9 segments, links: [{from: a, bandwidth: 1 Mbit/s}]}\napplications: {a: \
         [listen: 80]}\n",
    );
    let link = scenario.network.link(HostId(0), HostId(1));
    assert_eq!((link.queue, link.bandwidth), (Queue::Segments(9), NonZeroU64::new(1_000_000)));
}

#[test]
fn links_are_laid_over_those_of_the_network_and_over_one_another() {
    let network = whole().network;
    let all = Link {
        latency: MS(20),
        jitter: Jitter { most: MS(5), distribution: Distribution::Even },
        mtu: 1280,
        ..Link::default()
    };
    assert_eq!((network.link, network.icmp), (all, false));
    let [client, server, other] = [HostId(0), HostId(1), HostId(2)];
    let between = Link {
        jitter: Jitter { most: MS(10), distribution: Distribution::Normal },
        bandwidth: NonZeroU64::new(10_000_000),
        queue: Queue::Segments(100),
        neighbours: true,
        ..all
    };
    let bursts = Bursts { begin: 10_000, end: 250_000, during: 900_000, between: 1_000 };
    let there = Link {
        latency: MS(80),
        queue: Queue::Octets(65536),
        loss: Loss::Bursts(bursts),
        mtu: 1400,
        ..between
    };
    let from_other = Link { loss: Loss::Random(25_000), ..all };
    for (from, to, link) in [
        (client, server, there),
        (server, client, between),
        (other, client, from_other),
        (other, server, from_other),
        (client, other, all),
    ] {
        assert_eq!(*network.link(from, to), link, "{from:?} {to:?}");
    }
}

#[test]
fn middleboxes_are_presets_with_something_laid_over_them() {
    let middleboxes = whole().network.middleboxes;
    let names: Vec<&str> = middleboxes.iter().map(|middlebox| middlebox.name.as_str()).collect();
    assert_eq!(names, ["nat", "lb", "one-way", "firewall", "home"]);
    let idle = |state| middleboxes[0].settings.idle.of(state).map(|time| time.as_secs());
    assert_eq!(
        TrackedState::ALL.map(idle),
        [60, 60, 0, 3600, 3600, 30, 120, 10].map(|s| (s > 0).then_some(s))
    );
    assert_eq!(middleboxes[0].settings.mss_clamp, Some(1200));
    assert_eq!(middleboxes[2].settings.idle.of(TrackedState::Established), None);
    let translates = Translates { to: IpAddr::from([203, 0, 113, 1]), ports: 1024 };
    assert_eq!(middleboxes[4].settings.translates, Some(translates));
    assert_eq!(middleboxes[4].stands, Stands::InFrontOf(vec![HostId(0), HostId(2)]));
}

#[test]
fn programs_have_their_connections() {
    let scenario = whole();
    let [web, ssh, client, ..] = &scenario.programs[..] else { panic!("three programs and more") };
    assert_eq!((web.name.as_str(), ssh.name.as_str(), client.name.as_str()), ("web", "ssh", "client"));
    assert_eq!((web.host, client.host), (HostId(1), HostId(0)));
    assert_eq!(web.connections, [Some("first".to_owned())]);
    assert_eq!(ssh.connections, [None]);
    let connection = Slot(0);
    let actions =
        |program: &Program| program.steps.iter().map(|step| step.action.clone()).collect::<Vec<_>>();
    let options = SocketOptions {
        keepalive: Some(Some(KeepaliveSettings { idle: S(10), interval: S(75), probes: 10 })),
        nodelay: Some(true),
        user_timeout: Some(None),
        linger: Some(Some(Duration::ZERO)),
        cork: Some(false),
        receive_buffer: Some(8192),
        send_buffer: Some(16_384),
        notsent_lowat: Some(Some(4096)),
        mss: None,
    };
    let listening = SocketOptions { keepalive: options.keepalive, mss: Some(536), ..SocketOptions::NONE };
    let connecting =
        SocketOptions { receive_buffer: Some(1 << 20), notsent_lowat: Some(None), ..SocketOptions::NONE };
    let (none, flags) = (SocketOptions::NONE, SendFlags::default());
    assert_eq!(
        actions(web),
        [
            Action::Listen { port: 80, backlog: 1, reuse_address: false, options: listening },
            Action::Accept { port: 80, connection },
            Action::Receive { connection, amount: Amount::Octets(1024) },
            Action::Receive { connection, amount: Amount::Next },
            Action::Receive { connection, amount: Amount::End },
            Action::Set { connection, options },
            Action::ShutdownRead { connection },
            Action::ShutdownWrite { connection },
            Action::Close { connection },
        ]
    );
    assert_eq!(ssh.steps[2].action, Action::Accept { port: 22, connection });
    assert_eq!(ssh.steps[3].action, Action::CloseListener { port: 23 });
    assert_eq!(ssh.steps[5].action, Action::Abort { connection });
    let to = |text: &str| text.parse::<SocketAddr>().unwrap();
    assert_eq!(
        actions(client),
        [
            Action::Connect {
                to: to("10.0.0.2:80"),
                from: Some("192.0.2.1".parse().unwrap()),
                local_port: Some(40001),
                options: connecting,
                connection
            },
            Action::Connect {
                to: to("[fd00::3]:81"),
                from: None,
                local_port: None,
                options: none,
                connection: Slot(1)
            },
            Action::Send { connection, payload: Payload::Octets(100), times: 5, every: S(1), flags },
            Action::Send {
                connection: Slot(1),
                payload: Payload::Text("GET / HTTP/1.0\r\n\r\n".to_owned()),
                times: 1,
                every: Duration::ZERO,
                flags: SendFlags { more: true, end_of_record: true },
            },
            Action::Poll { connection: Slot(1), events: vec![PollEvent::In] },
            Action::Poll { connection: Slot(1), events: vec![PollEvent::Out, PollEvent::ReadHup] },
            Action::Ping { connection: Slot(1), octets: 17, times: Some(3), every: S(30) },
            Action::Repeat { body: 3, times: Some(30_000), every: MS(2) },
            Action::Connect {
                to: to("10.0.0.2:80"),
                from: None,
                local_port: None,
                options: none,
                connection: Slot(2)
            },
            Action::Receive { connection: Slot(2), amount: Amount::Octets(1) },
            Action::Close { connection: Slot(2) },
            Action::Repeat { body: 1, times: None, every: Duration::ZERO },
            Action::Send {
                connection: Slot(1),
                payload: Payload::Octets(1),
                times: 1,
                every: Duration::ZERO,
                flags,
            },
            Action::Wait(MS(1500)),
            Action::WaitUntil(S(60)),
            Action::Send { connection, payload: Payload::Octets(1), times: 1, every: Duration::ZERO, flags },
            Action::Hold,
        ]
    );
    assert!(web.steps[4].may_not_happen && !web.steps[3].may_not_happen);
    let failures = [web.steps[6].failure, web.steps[7].failure, client.steps[15].failure];
    assert_eq!(
        failures,
        [
            Failure::EndsProgram,
            Failure::May,
            Failure::Must(Errors::from_iter([Errno::BrokenPipe, Errno::ConnectionReset]))
        ]
    );
    assert_eq!(web.steps[2].text, "receive: 1 KiB");
    assert_eq!(client.steps[2].text, "send: 100 B, every: 1s, times: 5, on: pool-1");
    assert_eq!(client.steps[16].text, "hold");
    assert_eq!(client.steps[7].text, "repeat: […], times: 30000, every: 2ms, error: EADDRNOTAVAIL");
    let timeouts = [&web.steps[1], &client.steps[4], &client.steps[6], &client.steps[9], &client.steps[10]];
    assert_eq!(timeouts.map(|step| step.timeout), [Some(S(60)), Some(S(0)), Some(S(15)), Some(S(1)), None]);
    assert_eq!(
        web.steps[0].location,
        Location { line: 96, column: 9, path: "applications.server.web[0]".to_owned() }
    );
}

#[test]
fn faults_say_what_which_and_when() {
    let scenario = whole();
    let faults = &scenario.faults;
    let effects: Vec<Effect> = faults.iter().map(|fault| fault.effect.clone()).collect();
    let flags = |flags| Match { flags: Some(flags), ..Match::default() };
    let segment = |matching, which, action| Effect::Segment { matching, skip: 0, which, action };
    let [client, server, other] = [HostId(0), HostId(1), HostId(2)];
    let precise = Match {
        from: Some(client),
        to: Some(server),
        connections: vec![ConnectionRef { program: 2, connection: Slot(0), nth: None }],
        flags: Some(FlagsMatch::Only(Flags::ACK)),
        payload: Some(PayloadMatch::None),
        size: Some(SizeMatch::Larger(39)),
        sequence: Some(1),
        acknowledgment: Some(1025),
        state: Some((server, State::SynReceived)),
        retransmission: Some(false),
        keepalive_probe: Some(false),
        window_probe: Some(false),
        window: Some(SizeMatch::Smaller(1024)),
        mss: Some(None),
        window_scale: Some(None),
        sack_permitted: Some(false),
        sack: Some(true),
        timestamps: Some(true),
    };
    let payload = |payload| Match { payload: Some(payload), ..Match::default() };
    let forgery = Forgery {
        port: None,
        from: client,
        to: server,
        connection: Some(ConnectionRef { program: 0, connection: Slot(0), nth: None }),
        flags: Flags::PSH | Flags::ACK,
        sequence: Number { base: Base::RcvNxt, plus: 100 },
        acknowledgment: Some(Number { base: Base::Initial, plus: -198_975 }),
        window: None,
        payload: Some(Payload::Octets(10)),
        is_unchecked: false,
        options: ForgedOptions { timestamps: Some(ForgedTimestamps::default()), ..ForgedOptions::default() },
    };
    let una = |plus| Number { base: Base::SndUna, plus };
    let nxt = |base| Number { base, plus: 0 };
    let initial = |plus| Number { base: Base::Initial, plus };
    let with_everything = Forgery {
        port: None,
        from: server,
        to: client,
        connection: None,
        flags: Flags::ACK,
        sequence: nxt(Base::RcvNxt),
        acknowledgment: Some(una(0)),
        window: Some(0),
        payload: Some(Payload::Text("hello".to_owned())),
        is_unchecked: true,
        options: ForgedOptions {
            mss: Some(536),
            window_scale: Some(2),
            sack_permitted: true,
            sack: vec![[una(10), nxt(Base::SndNxt)], [initial(1025), initial(2049)]],
            timestamps: Some(ForgedTimestamps { value: -1000, echo: 5 }),
        },
    };
    let from = |host| Match { from: Some(host), ..Match::default() };
    let second = ConnectionRef { program: 2, connection: Slot(2), nth: NonZeroU32::new(2) };
    let of_the_second = Match { connections: vec![second], ..payload(PayloadMatch::Any) };
    let with_options = Match {
        window: Some(SizeMatch::Exactly(0)),
        mss: Some(Some(1460)),
        window_scale: Some(Some(7)),
        ..from(client)
    };
    let delay = SegmentAction::Delay { by: MS(300) };
    let twice = SegmentAction::Duplicate { copies: 2, spacing: MS(1) };
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let moved =
        AddressMove { address: address("10.0.0.2"), from: Some(server), to: Some(client), announced: false };
    let lost = AddressMove { address: address("192.0.2.1"), from: Some(client), to: None, announced: true };
    let large = |larger_than, from, to| BlackHole { larger_than, from, to };
    let payload_bit = SegmentAction::Corrupt { bits: 1, field: Some(Field::Payload) };
    let small = Match { size: Some(SizeMatch::Smaller(100)), ..Match::default() };
    let everything = Rewrite {
        sequence: Some(Renumber::By(1000)),
        acknowledgment: Some(Renumber::To(1)),
        flags: Some(Flags::PSH | Flags::ACK),
        window: Some(10 << 10),
        urgent: Some(NewValue::To(3)),
        mss: Some(NewValue::To(536)),
        window_scale: Some(NewValue::To(2)),
        no_sack_permitted: true,
        no_sack: true,
        no_timestamps: true,
        congestion_experienced: true,
    };
    let nothing = Rewrite {
        sequence: Some(Renumber::To(-5)),
        acknowledgment: Some(Renumber::By(-1)),
        window: Some(0),
        urgent: Some(NewValue::Off),
        mss: Some(NewValue::Off),
        window_scale: Some(NewValue::Off),
        ..Rewrite::default()
    };
    assert_eq!(
        [everything, nothing].map(|rewrite| rewrite.to_string()),
        [
            "sequence seg.seq + 1000, acknowledgment 1, flags PSH+ACK, window 10240 B, urgent 3, mss 536 B, window-scale 2, \
             sack-permitted off, sack off, timestamps off, ecn CE",
            "sequence -5, acknowledgment seg.ack - 1, window 0 B, urgent off, mss off, window-scale off",
        ]
    );
    let syn = Forgery {
        from: HostId(3),
        to: server,
        connection: None,
        port: Some(80),
        flags: Flags::SYN,
        sequence: initial(0),
        acknowledgment: None,
        payload: None,
        options: ForgedOptions::default(),
        ..forgery.clone()
    };
    assert_eq!(
        effects,
        [
            segment(flags(FlagsMatch::AtLeast(Flags::SYN)), Which::First(2), SegmentAction::Drop),
            Effect::Segment { matching: precise, skip: 2, which: Which::Nth(3), action: SegmentAction::Drop },
            segment(payload(PayloadMatch::Octets(SizeMatch::Exactly(100))), Which::Every(2), delay),
            segment(of_the_second, Which::Probability(25_000), twice),
            segment(with_options, Which::All, SegmentAction::Reorder { behind: 3 }),
            segment(from(server), Which::All, SegmentAction::Corrupt { bits: 2, field: None }),
            segment(payload(PayloadMatch::Octets(SizeMatch::Larger(1024))), Which::All, payload_bit),
            segment(small, Which::All, SegmentAction::Rewrite(everything)),
            segment(flags(FlagsMatch::AtLeast(Flags::SYN)), Which::All, SegmentAction::Rewrite(nothing)),
            segment(
                Match { to: Some(other), ..Match::default() },
                Which::All,
                SegmentAction::Unreachable(Unreachable::Port)
            ),
            segment(
                from(other),
                Which::All,
                SegmentAction::Unreachable(Unreachable::FragmentationNeeded { mtu: 1400 })
            ),
            Effect::Inject(Box::new(forgery)),
            Effect::Inject(Box::new(with_everything)),
            Effect::PowerLoss(client),
            Effect::Reboot { host: other, back_after: S(5) },
            Effect::Kill { host: server, program: None, restarts_after: None },
            Effect::Kill { host: server, program: Some(1), restarts_after: Some(S(2)) },
            Effect::Freeze { host: server, resumes_after: Some(S(3)) },
            Effect::Pause { host: other, resumes_after: Some(S(3)), clock_stops: true },
            Effect::Pause { host: other, resumes_after: None, clock_stops: false },
            Effect::ClockJump { host: client, by: S(3600) },
            Effect::CablePull { host: server, replug_after: Some(S(4)) },
            Effect::BlackHole { hole: large(1480, None, None), heals_after: Some(S(5)) },
            Effect::BlackHole { hole: large(1280, Some(client), Some(server)), heals_after: None },
            Effect::Partition { cut: Cut::Between(vec![client, server]), heals_after: Some(S(10)) },
            Effect::Partition { cut: Cut::OneWay { from: client, to: server }, heals_after: None },
            Effect::Partition { cut: Cut::Isolate(other), heals_after: None },
            Effect::Address { change: moved, returns_after: Some(S(6)) },
            Effect::Address { change: lost, returns_after: None },
            Effect::Middlebox { middlebox: MiddleboxId(0), fault: MiddleboxFault::Forget },
            Effect::Middlebox {
                middlebox: MiddleboxId(0),
                fault: MiddleboxFault::BlocksNew { unblocks_after: Some(S(1)) },
            },
            Effect::Middlebox {
                middlebox: MiddleboxId(0),
                fault: MiddleboxFault::Reboot { back_after: S(1) }
            },
            Effect::Middlebox { middlebox: MiddleboxId(1), fault: MiddleboxFault::PowerLoss },
            Effect::Inject(Box::new(syn)),
        ]
    );
    let whens: Vec<When> = faults
        .iter()
        .filter(|fault| {
            !matches!(fault.effect.name(), "reorder" | "corrupt" | "rewrite" | "unreachable" | "inject")
        })
        .take(6)
        .map(|fault| fault.when)
        .collect();
    assert_eq!(
        whens,
        [
            When::Always,
            When::At(S(1)),
            When::Between(S(1), S(5)),
            When::State { host: server, state: State::CloseWait, lasted: MS(200) },
            When::At(S(1)),
            When::State { host: client, state: State::Established, lasted: Duration::ZERO },
        ]
    );
    assert_eq!(faults.iter().map(|fault| fault.may_not_happen).position(|may| may), Some(3));
    assert_eq!(faults[13].text, "power-loss: client, at: 1s");
}

#[test]
fn programs_of_a_host_may_use_the_same_connection() {
    let scenario = whole();
    let [.., proxy, watch] = &scenario.programs[..] else { panic!("two programs and more") };
    let relay = Action::Relay {
        connections: [Slot(0), Slot(1)],
        half_close: OnEnd::ClosesBoth,
        reset: OnEnd::ClosesBoth,
        idle: Some(S(3600)),
    };
    assert_eq!(proxy.steps[3].action, relay);
    assert_eq!(proxy.shared, []);
    let down = ConnectionRef { program: 3, connection: Slot(0), nth: None };
    assert_eq!((&watch.connections[..], &watch.shared[..]), (&[][..], &[down][..]));
    assert_eq!(watch.steps[0].action, Action::Receive { connection: Slot(0), amount: Amount::Next });
    assert_eq!(watch.shared(Slot(0)), Some(down));
    assert_eq!(proxy.shared(Slot(1)), None);
}

#[test]
fn expectations_say_of_whom_and_when() {
    let scenario = whole();
    let expectations = &scenario.expectations;
    let of = |host, connection, claim| Claim::Host { host: HostId(host), connection, some: false, claim };
    let pick = |program| Some(ConnectionRef { program, connection: Slot(0), nth: None });
    let path = [State::Listen, State::SynReceived].map(PathItem::State);
    let path = [&path[..], &[PathItem::Gap, PathItem::State(State::Closed)]].concat();
    assert_eq!(expectations[0].claim, of(1, pick(0), HostClaim::States(path)));
    assert_eq!(expectations[1].claim, of(0, pick(2), HostClaim::Ends(State::TimeWait)));
    assert_eq!(expectations[1].at, Some(Window { from: S(0), to: S(90) }));
    assert_eq!(expectations[2].claim, of(0, None, HostClaim::Never(vec![State::Closing])));
    let exactly = Window { from: S(7950), to: S(7950) };
    let dead =
        HostClaim::Keepalive { outcome: KeepaliveOutcome::Dead, probes: Some(10), after: Some(exactly) };
    assert_eq!(expectations[4].claim, of(1, None, dead));
    assert_eq!(expectations[4].at, Some(Window { from: S(7949), to: S(7951) }));
    assert_eq!(expectations[6].claim, of(1, None, HostClaim::Received(1024)));
    let fin =
        Match { from: Some(HostId(0)), flags: Some(FlagsMatch::AtLeast(Flags::FIN)), ..Match::default() };
    assert_eq!(
        expectations[7].claim,
        Claim::Segments { matching: fin, count: Count::AtLeast(2), spacing: vec![] }
    );
    assert_eq!(expectations[7].text, "segments: {from: client, flags: FIN}, count: at least 2, within: 5s");
    let claims: Vec<&Claim> = expectations[8..].iter().map(|expectation| &expectation.claim).collect();
    let [Claim::Segments { count, spacing, .. }, Claim::Order(order), rest @ ..] = &claims[..] else {
        panic!("{claims:#?}");
    };
    let about = |from, to| Window { from, to };
    assert_eq!(
        (*count, &spacing[..]),
        (Count::Exactly(3), &[about(S(1), S(1)), about(MS(990), MS(1010))][..])
    );
    let like = |from, flags| {
        OrderItem::Segment(Match { from, flags: Some(FlagsMatch::AtLeast(flags)), ..Match::default() })
    };
    assert_eq!(*order, [like(None, Flags::SYN), OrderItem::Gap, like(Some(HostId(1)), Flags::FIN)]);
    let under = about(Duration::ZERO, S(3 * 3600) - Duration::from_nanos(1));
    let intact = Claim::Data { sender: None, wholeness: Wholeness::Intact };
    assert_eq!(rest[..3], [&Claim::AllClosed, &intact, &Claim::VirtualTime(under)]);
    let incomplete = Claim::Data { sender: Some(HostId(0)), wholeness: Wholeness::Incomplete };
    let third = Some(ConnectionRef { program: 2, connection: Slot(2), nth: NonZeroU32::new(3) });
    let errors = Errors::from_iter([Errno::ConnectionReset, Errno::TimedOut]);
    let of_some = |claim| Claim::Host { host: HostId(0), connection: None, some: true, claim };
    assert_eq!(
        rest[3..6],
        [&incomplete, &of(0, third, HostClaim::EndOfStream), &of_some(HostClaim::Error(errors))]
    );
    assert_eq!(expectations[10].at, Some(about(Duration::ZERO, S(90))));
    assert_eq!(expectations[9].text, "order: [SYN, …, {from: server, flags: FIN}], at: 5s");
    assert_eq!(
        (scenario.until, scenario.limits),
        (Some(S(30 * 86400)), Limits { virtual_time: S(60 * 86400), events: 5000 })
    );
}

#[test]
fn json_says_the_same_as_yaml() {
    let yaml = "scenario: same\nhosts: {a: {tcp: {nagle: off}}, b: }\napplications:\n  b: [listen: 80, accept]\n  \
                a:\n    - connect: b:80\n    - send: 1 B\n";
    let json = r#"{"scenario": "same", "hosts": {"a": {"tcp": {"nagle": false}}, "b": {}},
        "applications": {"b": [{"listen": 80}, "accept"], "a": [{"connect": "b:80"}, {"send": "1 B"}]}}"#;
    let (yaml, json) = (good(yaml), good(json));
    assert_eq!(yaml.hosts[0].tcp, json.hosts[0].tcp);
    let actions = |scenario: &Scenario| {
        let steps = scenario.programs.iter().flat_map(|program| &program.steps);
        steps.map(|step| (step.action.clone(), step.text.clone())).collect::<Vec<_>>()
    };
    assert_eq!(actions(&yaml), actions(&json));
}

#[test]
fn anchors_and_a_byte_order_mark_are_fine() {
    let scenario = good(
        "\u{feff}scenario: anchors\nhosts: {a: &same {tcp: {sack: off}}, b: *same}\napplications: {a: [listen: 80]}\n",
    );
    assert_eq!(scenario.hosts[1].tcp.sack, Some(false));
}

#[test]
fn a_later_end_raises_the_limit_of_virtual_time() {
    let text = "scenario: long\nhosts: {a: , b: }\napplications: {a: [listen: 80]}\nuntil: 365d\n";
    assert_eq!(good(text).limits.virtual_time, S(365 * 86400));
}

#[test]
fn a_list_of_one_expectation_is_not_that_expectation() {
    let text = "scenario: one\nhosts: {a: , b: }\napplications:\n  a:\n    - wait: 5s\nexpect:\n  - a: {ends: CLOSED}\n";
    let scenario = good(text);
    assert_eq!(scenario.expectations[0].text, "a: {ends: CLOSED}");
    assert_eq!(scenario.programs[0].steps[0].text, "wait: 5s");
}
