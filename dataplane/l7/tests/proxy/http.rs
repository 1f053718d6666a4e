//! Routing, framing, refusals, retries, swaps and drains.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{self, Server, Wire, all_to, eventually, limits, reserve, start, to};
use fairway_l7::{
    Action, Drained, FixedResponse, HostPattern, Limits, PathPattern, Protocol, Redirect, RouteTable, Scheme,
};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn each_request_of_a_connection_is_routed_by_host_and_path() {
    let (at, one, two) = (reserve(), Server::named("one"), Server::named("two"));
    let mut table = RouteTable::builder();
    table.listen(at.address, Protocol::Plain).unwrap();
    let mut route = |host: &str, path: PathPattern, action: Action| {
        table.route(at.address, &HostPattern::parse(host).unwrap(), &path, action).unwrap();
    };
    route("a", PathPattern::prefix("/").unwrap(), to(&[one.address]));
    route("a", PathPattern::exact("/two").unwrap(), to(&[two.address]));
    route("a", PathPattern::prefix("/none").unwrap(), to(&[]));
    route(
        "*.b",
        PathPattern::prefix("/").unwrap(),
        Action::Redirect(Redirect::new(301).unwrap().to_scheme(Scheme::Https)),
    );
    let page = FixedResponse::new(403, "text/html", "<p>no").unwrap();
    route("c", PathPattern::prefix("/").unwrap(), Action::Fixed(page));
    let proxy = start(limits());
    let installed = proxy.install(Arc::new(table.build())).unwrap();
    assert_eq!(installed.opened, [at.address]);
    let mut wire = Wire::connect(at.address);
    let mut ask = |host: &str, path: &str| wire.ask(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    assert_eq!(ask("a", "/x").text(), "one");
    assert_eq!(ask("A:8080", "/two").text(), "two");
    assert_eq!(ask("a", "/two/").text(), "one");
    assert_eq!(ask("a", "/none").status(), 503);
    assert_eq!(ask("x.b", "/p?q").header("location"), Some("https://x.b/p?q"));
    let fixed = ask("c", "/");
    assert_eq!(
        (fixed.status(), fixed.text(), fixed.header("content-type")),
        (403, "<p>no", Some("text/html"))
    );
    assert_eq!(ask("unknown", "/").status(), 404);
    let seen = proxy.counters();
    assert_eq!((seen.accepted, seen.connections, seen.answers), (1, 1, [0, 3, 1, 2, 1]));
}

#[test]
fn connections_are_kept_on_both_sides() {
    let (at, echo) = (reserve(), Server::echo());
    let proxy = start(limits());
    proxy.install(all_to(at.address, &[echo.address])).unwrap();
    let mut wire = Wire::connect(at.address);
    for _ in 0..50 {
        let answer = wire.ask(GET);
        assert_eq!(answer.status(), 200);
        assert!(answer.text().contains("X-Forwarded-For: 127.0.0.1\r\n"), "{}", answer.text());
    }
    assert_eq!(echo.connections.load(Ordering::SeqCst), 1);
    let pipelined = [GET, GET, GET].concat();
    wire.send(&pipelined);
    (0..3).for_each(|_| assert_eq!(wire.message().unwrap().status(), 200));
    let last = wire.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(last.header("connection"), Some("close"));
    assert!(wire.is_closed());
}

#[test]
fn upstreams_are_told_the_port_that_clients_know() {
    let (at, echo) = (reserve(), Server::echo());
    let mut table = RouteTable::builder();
    table.listen(at.address, Protocol::Plain).unwrap().public_port(at.address, 80).unwrap();
    table.default_action(at.address, to(&[echo.address])).unwrap();
    let proxy = start(limits());
    proxy.install(Arc::new(table.build())).unwrap();
    let answer = Wire::connect(at.address).ask(GET);
    assert!(answer.text().contains("X-Forwarded-Port: 80\r\n"), "{}", answer.text());
}

#[test]
fn an_address_that_is_not_here_yet_can_be_listened_on() {
    let proxy = start(limits());
    let foreign = "192.0.2.77:80".parse().unwrap();
    let installed = proxy.install(all_to(foreign, &[])).unwrap();
    assert_eq!(installed.opened, [foreign]);
}

#[test]
fn bodies_pass_in_both_framings_and_directions() {
    let (at, echo) = (reserve(), Server::echo());
    let proxy = start(Limits::default());
    proxy.install(all_to(at.address, &[echo.address])).unwrap();
    let mut wire = Wire::connect(at.address);
    let big = "x".repeat(700_000);
    let sized =
        wire.ask(&format!("POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{big}", big.len()));
    assert!(sized.text().ends_with(&big));
    let chunks: String = big
        .as_bytes()
        .chunks(9000)
        .map(|c| format!("{:x};e\r\n{}\r\n", c.len(), "x".repeat(c.len())))
        .collect();
    let head = "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunked = wire.ask(&format!("{head}{chunks}0\r\nTrailer: t\r\n\r\n"));
    let text = chunked.text();
    assert!(text.contains("Transfer-Encoding: chunked") && text.ends_with(&big) && !text.contains("Trailer"));
    assert_eq!(wire.ask(GET).status(), 200);
    assert_eq!(echo.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn responses_end_as_their_framing_says() {
    let server = Server::start(|_, mut wire| {
        while let Some(asked) = wire.message() {
            let path = asked.head.split(' ').nth(1).unwrap().to_owned();
            match path.as_str() {
                "/chunked" => wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n"),
                "/head" => wire.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
                "/204" => wire.send("HTTP/1.1 204 No Content\r\n\r\n"),
                "/304" => wire.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
                "/early" => wire.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!"),
                "/short" => {
                    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
                    return;
                }
                _ => {
                    wire.send("HTTP/1.0 200 OK\r\n\r\nto the end");
                    return;
                }
            }
        }
    });
    let at = reserve();
    let proxy = start(limits());
    proxy.install(all_to(at.address, &[server.address])).unwrap();
    let mut wire = Wire::connect(at.address);
    let get = |path: &str, version: &str| format!("GET {path} {version}\r\nHost: a\r\n\r\n");
    assert_eq!(wire.ask(&get("/chunked", "HTTP/1.1")).text(), "abcde");
    wire.send("HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(wire.head().unwrap().contains("Content-Length: 99"));
    assert_eq!(wire.ask(&get("/204", "HTTP/1.1")).status(), 204);
    wire.send(&get("/304", "HTTP/1.1"));
    assert!(wire.head().unwrap().starts_with("HTTP/1.1 304"));
    assert_eq!(wire.ask(&get("/early", "HTTP/1.1")).status(), 103);
    assert_eq!(wire.message().unwrap().text(), "!");
    assert_eq!(wire.ask(&get("/close", "HTTP/1.1")).text(), "to the end");
    wire.send(&get("/short", "HTTP/1.1"));
    wire.head().unwrap();
    assert_eq!(wire.exact(3), b"abc");
    assert!(wire.is_closed(), "a body that is cut short is not passed off as whole");
    let mut old = Wire::connect(at.address);
    old.send(&get("/chunked", "HTTP/1.0"));
    assert!(old.head().unwrap().contains("Connection: close"));
    assert_eq!(old.exact(5), b"abcde");
    assert!(old.is_closed());
}

#[test]
fn expected_continue_is_the_upstreams_to_give() {
    let server = Server::start(|_, mut wire| {
        let head = wire.head().unwrap();
        assert!(head.contains("Expect: 100-continue"), "{head}");
        wire.send("HTTP/1.1 100 Continue\r\n\r\n");
        let body = String::from_utf8(wire.exact(5)).unwrap();
        wire.send(&format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{body}"));
    });
    let at = reserve();
    let proxy = start(limits());
    proxy.install(all_to(at.address, &[server.address])).unwrap();
    let mut wire = Wire::connect(at.address);
    let first = wire.ask("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(first.status(), 100);
    assert_eq!(wire.ask("hello").text(), "hello");
}

#[test]
fn an_answer_before_the_end_of_the_request_arrives() {
    let server = Server::start(|_, mut wire| {
        wire.head().unwrap();
        wire.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
        eventually("the proxy closes", || wire.is_closed());
    });
    let at = reserve();
    let proxy = start(limits());
    proxy.install(all_to(at.address, &[server.address])).unwrap();
    let mut wire = Wire::connect(at.address);
    let answer = wire.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nstart");
    assert_eq!((answer.status(), answer.text()), (413, "no"));
    assert!(wire.is_closed());
}

#[test]
fn smuggling_is_refused_and_the_connection_closed() {
    let (at, echo) = (reserve(), Server::echo());
    let proxy = start(limits());
    proxy.install(all_to(at.address, &[echo.address])).unwrap();
    let cases = [
        (
            "both lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (
            "two lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
            400,
        ),
        ("bare line feeds", "GET / HTTP/1.1\nHost: a\n\n", 400),
        ("a folded header", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400),
        (
            "a bad chunk",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
            400,
        ),
        ("an unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 400),
        ("a climbing path", "GET /../x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("another protocol", "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", 400),
    ];
    for (name, request, status) in cases {
        let mut wire = Wire::connect(at.address);
        let answer = wire.ask(request);
        assert_eq!((answer.status(), answer.header("connection")), (status, Some("close")), "{name}");
        assert!(wire.is_closed(), "{name}");
    }
    let mut wire = Wire::connect(at.address);
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    assert_eq!(wire.ask(&long).status(), 431);
    assert_eq!(proxy.counters().refused, 9);
}

#[test]
fn an_upgraded_connection_is_a_tunnel() {
    let server = Server::start(|_, mut wire| {
        let head = wire.head().unwrap();
        assert!(head.contains("Connection: Upgrade\r\nUpgrade: websocket\r\n"), "{head}");
        wire.send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst",
        );
        for _ in 0..3 {
            let said = String::from_utf8(wire.exact(4)).unwrap();
            wire.send(&said.to_uppercase());
        }
        assert!(wire.is_closed(), "the client's end is passed on");
        wire.send("bye");
    });
    let at = reserve();
    let proxy = start(limits());
    proxy.install(all_to(at.address, &[server.address])).unwrap();
    let mut wire = Wire::connect(at.address);
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nping");
    let head = wire.head().unwrap();
    assert!(head.starts_with("HTTP/1.1 101") && head.contains("Upgrade: websocket"), "{head}");
    assert_eq!(wire.exact(9), b"firstPING");
    proxy.install(all_to(at.address, &[])).unwrap();
    for _ in 0..2 {
        wire.send("more");
        assert_eq!(wire.exact(4), b"MORE", "a new table does not cut a tunnel");
    }
    wire.stream.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(wire.exact(3), b"bye");
    assert!(wire.is_closed());
    assert_eq!(proxy.counters().upgrades, 1);
}

/// A server that closes each connection after one response, as if its idle time-out had struck just then.
fn forgetful(requests: Arc<AtomicUsize>) -> Server {
    Server::start(move |_, mut wire| {
        if wire.message().is_some() {
            requests.fetch_add(1, Ordering::SeqCst);
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
        // The next request is received and dropped unread: a reset without a byte of response.
        wire.stream.get_ref().set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let _ = wire.stream.get_ref().peek(&mut [0; 1]);
    })
}

#[test]
fn a_stale_connection_is_replaced_for_safe_requests_only() {
    let (at, requests) = (reserve(), Arc::new(AtomicUsize::new(0)));
    let server = forgetful(Arc::clone(&requests));
    let proxy = fairway_l7::Proxy::start(fairway_l7::Options {
        threads: std::num::NonZeroUsize::new(1),
        limits: limits(),
    })
    .unwrap();
    proxy.install(all_to(at.address, &[server.address])).unwrap();
    let mut wire = Wire::connect(at.address);
    for _ in 0..5 {
        assert_eq!(wire.ask(GET).text(), "ok");
    }
    assert_eq!((requests.load(Ordering::SeqCst), proxy.counters().retries), (5, 4));
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(wire.ask(post).status(), 502, "the request may have had its effect");
    assert_eq!(requests.load(Ordering::SeqCst), 5);
}

#[test]
fn an_endpoint_that_cannot_be_reached_is_passed_over() {
    let (at, dead, alive) = (reserve(), reserve(), Server::named("alive"));
    let proxy = start(limits());
    proxy.install(all_to(at.address, &[dead.address, alive.address])).unwrap();
    for _ in 0..6 {
        let mut wire = Wire::connect(at.address);
        assert_eq!(wire.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx").text(), "alive");
    }
    assert!((1..=2).contains(&proxy.counters().connects_failed), "a refusal is remembered by each thread");
    proxy.install(all_to(at.address, &[dead.address])).unwrap();
    assert_eq!(Wire::connect(at.address).ask(GET).status(), 502);
}

#[test]
fn a_silent_or_senseless_upstream_is_told_apart() {
    let silent = Server::start(|_, mut wire| {
        wire.message();
        let _ = wire.is_closed();
    });
    let senseless = Server::start(|_, mut wire| {
        wire.message();
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
    });
    let at = reserve();
    let proxy = start(limits());
    for (server, want) in [(&silent, 504), (&senseless, 502)] {
        proxy.install(all_to(at.address, &[server.address])).unwrap();
        let mut wire = Wire::connect(at.address);
        assert_eq!(wire.ask(GET).status(), want);
    }
}

#[test]
fn slow_heads_and_idle_connections_end() {
    let (at, echo) = (reserve(), Server::echo());
    let short = Duration::from_millis(150);
    let proxy = start(Limits { head_read: short, client_idle: short, ..limits() });
    proxy.install(all_to(at.address, &[echo.address])).unwrap();
    let mut slow = Wire::connect(at.address);
    assert_eq!(slow.ask("GET / HTTP/1.1\r\nHo").status(), 408);
    let mut idle = Wire::connect(at.address);
    assert_eq!(idle.ask(GET).status(), 200);
    assert!(idle.is_closed());
    eventually("nothing is left open", || proxy.counters().connections == 0);
}

#[test]
fn beyond_the_limit_a_connection_waits_for_its_turn() {
    let (at, server) = (reserve(), Server::named("served"));
    let threads = std::num::NonZeroUsize::new(1);
    let options = fairway_l7::Options { threads, limits: Limits { connections: 1, ..Limits::default() } };
    let proxy = fairway_l7::Proxy::start(options).unwrap();
    proxy.install(all_to(at.address, &[server.address])).unwrap();
    let mut first = Wire::connect(at.address);
    assert_eq!(first.ask(GET).text(), "served");
    let mut second = Wire::connect(at.address);
    second.send(GET);
    second.stream.get_ref().set_read_timeout(Some(Duration::from_millis(150))).unwrap();
    assert_eq!(second.head(), None, "it is not served while the first is open");
    assert_eq!(proxy.counters().accepted, 1);
    drop(first);
    second.stream.get_ref().set_read_timeout(Some(support::PATIENCE)).unwrap();
    assert_eq!(second.message().unwrap().text(), "served");
}

#[test]
fn a_connection_that_waits_while_its_listener_goes_is_served() {
    let (at, server) = (reserve(), Server::named("served"));
    let threads = std::num::NonZeroUsize::new(1);
    let options = fairway_l7::Options { threads, limits: Limits { connections: 1, ..Limits::default() } };
    let proxy = fairway_l7::Proxy::start(options).unwrap();
    proxy.install(all_to(at.address, &[server.address])).unwrap();
    let mut first = Wire::connect(at.address);
    assert_eq!(first.ask(GET).text(), "served");
    let mut waiting: Vec<Wire> = (0..5).map(|_| Wire::connect(at.address)).collect();
    proxy.install(Arc::new(RouteTable::default())).unwrap();
    for wire in &mut waiting {
        let answer = wire.ask(GET);
        assert_eq!((answer.text(), answer.header("connection")), ("served", Some("close")));
    }
}

#[test]
fn swapping_tables_under_load_loses_nothing() {
    let (at, other) = (reserve(), reserve());
    let servers = [Server::named("one"), Server::named("two")];
    let proxy = start(Limits::default());
    proxy.install(all_to(at.address, &[servers[0].address])).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|number| {
            let (stop, address) = (Arc::clone(&stop), at.address);
            thread::spawn(move || {
                let (mut wire, mut served) = (Wire::connect(address), 0_usize);
                while !stop.load(Ordering::SeqCst) {
                    if number % 2 == 1 {
                        wire = Wire::connect(address);
                    }
                    let answer = wire.ask(GET);
                    assert!(matches!(answer.text(), "one" | "two"), "{answer:?}");
                    served += 1;
                }
                served
            })
        })
        .collect();
    for round in 0..100 {
        let mut table = RouteTable::builder();
        table.listen(at.address, Protocol::Plain).unwrap();
        let action = to(&[servers[round % 2].address]);
        table.route(at.address, &HostPattern::Any, &PathPattern::prefix("/").unwrap(), action).unwrap();
        if round % 2 == 0 {
            table.listen(other.address, Protocol::Plain).unwrap();
        }
        proxy.install(Arc::new(table.build())).unwrap();
        thread::sleep(Duration::from_millis(3));
    }
    stop.store(true, Ordering::SeqCst);
    let served: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
    eprintln!("{served} requests over 100 tables, none lost");
    assert!(served > 100);
    assert_eq!(proxy.counters().answers, [0, served as u64, 0, 0, 0]);
}

#[test]
fn a_removed_listener_refuses_new_and_finishes_old_connections() {
    let (at, echo) = (reserve(), Server::echo());
    let proxy = start(limits());
    proxy.install(all_to(at.address, &[echo.address])).unwrap();
    let mut wire = Wire::connect(at.address);
    assert_eq!(wire.ask(GET).status(), 200);
    let installed = proxy.install(Arc::new(RouteTable::default())).unwrap();
    assert_eq!(installed.closed, [at.address]);
    eventually("new connections are refused", || std::net::TcpStream::connect(at.address).is_err());
    let last = wire.ask(GET);
    assert_eq!((last.status(), last.header("connection")), (200, Some("close")));
    assert!(wire.is_closed());
}

#[test]
fn an_address_in_use_changes_nothing() {
    let (at, echo) = (reserve(), Server::echo());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = start(limits());
    proxy.install(all_to(at.address, &[echo.address])).unwrap();
    let errors = proxy.install(all_to(taken.local_addr().unwrap(), &[])).unwrap_err();
    assert_eq!(errors.iter().map(|e| e.address).collect::<Vec<_>>(), [taken.local_addr().unwrap()]);
    assert_eq!(Wire::connect(at.address).ask(GET).status(), 200);
}

#[test]
fn a_drain_lets_requests_finish() {
    let server = Server::start(|_, mut wire| {
        wire.message();
        thread::sleep(Duration::from_millis(100));
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
    });
    let at = reserve();
    let proxy = start(Limits::default());
    proxy.install(all_to(at.address, &[server.address])).unwrap();
    let mut idle = Wire::connect(at.address);
    let mut busy = Wire::connect(at.address);
    busy.send(GET);
    eventually("the request is with the server", || server.connections.load(Ordering::SeqCst) == 1);
    let drained = thread::spawn(move || proxy.drain(Instant::now() + Duration::from_secs(5)));
    assert_eq!(busy.message().unwrap().text(), "done");
    assert!(busy.is_closed() && idle.is_closed());
    assert_eq!(drained.join().unwrap(), Drained::Complete);
}

#[test]
fn a_drain_ends_at_its_deadline() {
    let (at, silent) = (reserve(), Server::start(|_, mut wire| while wire.message().is_some() {}));
    let proxy = start(Limits::default());
    proxy.install(all_to(at.address, &[silent.address])).unwrap();
    let mut wire = Wire::connect(at.address);
    wire.send(GET);
    eventually("the request is with the server", || silent.connections.load(Ordering::SeqCst) == 1);
    assert_eq!(proxy.drain(Instant::now() + Duration::from_millis(50)), Drained::Cut(1));
    assert!(wire.is_closed());
}
