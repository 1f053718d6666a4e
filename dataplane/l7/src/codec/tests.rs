use proptest::prelude::*;

use super::*;
use crate::table::Forwarded;

fn hop(rule: Forwarded) -> Hop<'static> {
    Hop { client: "192.0.2.7", scheme: "http", port: 80, rule }
}

fn request(input: &str) -> Result<Option<Request>, Refusal> {
    read_request(input.as_bytes(), &hop(Forwarded::Replace), &mut Vec::new())
}

fn written(input: &str, rule: Forwarded) -> String {
    let mut out = Vec::new();
    read_request(input.as_bytes(), &hop(rule), &mut out).unwrap().unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn requests_with_a_doubtful_length_or_host_are_refused() {
    let cases = [
        ("both lengths", "Host: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n", Refusal::Length),
        (
            "both lengths, turned",
            "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            Refusal::Length,
        ),
        ("two lengths", "Host: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n", Refusal::Length),
        ("a list of lengths", "Host: a\r\nContent-Length: 3, 3\r\n", Refusal::Length),
        ("a signed length", "Host: a\r\nContent-Length: +3\r\n", Refusal::Length),
        ("an empty length", "Host: a\r\nContent-Length: \r\n", Refusal::Length),
        ("a huge length", "Host: a\r\nContent-Length: 99999999999999999999\r\n", Refusal::Length),
        ("another coding", "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", Refusal::Length),
        (
            "a coding twice",
            "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Refusal::Length,
        ),
        ("a hidden coding", "Host: a\r\nTransfer-Encoding: \x0bchunked\r\n", Refusal::Malformed),
        ("a space before the colon", "Host: a\r\nContent-Length : 3\r\n", Refusal::Malformed),
        ("a folded header", "Host: a\r\nX: 1\r\n 2\r\n", Refusal::Malformed),
        ("a bare line feed", "Host: a\nX: 1\r\n", Refusal::Malformed),
        ("no host", "X: 1\r\n", Refusal::Host),
        ("two hosts", "Host: a\r\nHost: a\r\n", Refusal::Host),
        ("a host with a path", "Host: a/b\r\n", Refusal::Host),
        ("a host with user", "Host: u@a\r\n", Refusal::Host),
    ];
    for (name, headers, want) in cases {
        assert_eq!(request(&format!("POST / HTTP/1.1\r\n{headers}\r\n")), Err(want), "{name}");
    }
    assert_eq!(request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), Err(Refusal::Length));
    assert_eq!(request("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"), Err(Refusal::Method));
    assert_eq!(request("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Err(Refusal::Malformed));
    let many = "X: y\r\n".repeat(MAX_HEADERS + 1);
    assert_eq!(request(&format!("GET / HTTP/1.1\r\n{many}\r\n")), Err(Refusal::TooManyHeaders));
}

#[test]
fn a_request_head_is_written_for_the_next_hop() {
    let input = "GET /a?b HTTP/1.1\r\nhost: A.b:1\r\nX-Forwarded-For: 6.6.6.6\r\nConnection: close, X-Own\r\n\
                 X-Own: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nCookie: c\r\n\r\n";
    let want = "GET /a?b HTTP/1.1\r\nHost: A.b:1\r\nCookie: c\r\nX-Forwarded-For: 192.0.2.7\r\n\
                X-Forwarded-Proto: http\r\nX-Forwarded-Host: A.b:1\r\nX-Forwarded-Port: 80\r\n\r\n";
    assert_eq!(written(input, Forwarded::Replace), want);
    let appended = written(input, Forwarded::Append);
    assert!(appended.contains("X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n"), "{appended}");
}

#[test]
fn an_absolute_target_names_the_host() {
    let input = "GET http://real/p?q HTTP/1.1\r\nHost: other\r\n\r\n";
    let out = written(input, Forwarded::Replace);
    assert!(out.starts_with("GET /p?q HTTP/1.1\r\nHost: real\r\n"), "{out}");
}

#[test]
fn upgrades_are_passed_on_except_to_http2() {
    let ask = |headers: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{headers}\r\n");
    let websocket = ask("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n");
    assert!(request(&websocket).unwrap().unwrap().upgrade);
    let out = written(&websocket, Forwarded::Replace);
    assert!(out.ends_with("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), "{out}");
    for other in
        ["Connection: Upgrade\r\nUpgrade: h2c\r\n", "Upgrade: websocket\r\n", "Connection: Upgrade\r\n"]
    {
        assert!(!request(&ask(other)).unwrap().unwrap().upgrade, "{other}");
        assert!(!written(&ask(other), Forwarded::Replace).contains("Upgrade"), "{other}");
    }
}

#[test]
fn persistence_follows_version_and_connection() {
    let cases = [
        ("HTTP/1.1", "", true),
        ("HTTP/1.1", "Connection: Close\r\n", false),
        ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: keep-alive\r\n", true),
    ];
    for (version, header, want) in cases {
        let got = request(&format!("GET / {version}\r\nHost: a\r\n{header}\r\n")).unwrap().unwrap();
        assert_eq!(got.persistent, want, "{version} {header}");
    }
}

fn asked(method: Method, old: bool) -> Asked {
    Asked { method, old, persistent: true, upgrade: false }
}

#[test]
fn a_response_ends_where_its_status_and_request_say() {
    let cases = [
        ("200", "Content-Length: 5\r\n", Method::Safe, Body::Length(5)),
        ("200", "Transfer-Encoding: chunked\r\n", Method::Safe, Body::Chunked),
        ("200", "", Method::Safe, Body::UntilClose),
        ("200", "Content-Length: 5\r\n", Method::Head, Body::None),
        ("204", "", Method::Safe, Body::None),
        ("304", "Content-Length: 5\r\n", Method::Safe, Body::None),
        ("100", "", Method::Unsafe, Body::None),
    ];
    for (status, header, method, want) in cases {
        let input = format!("HTTP/1.1 {status} X\r\n{header}\r\n");
        let got = read_response(input.as_bytes(), &asked(method, false), &mut Vec::new()).unwrap().unwrap();
        assert_eq!(got.body, want, "{status} {header}");
    }
    for bad in [
        "HTTP/1.1 200 X\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 X\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 X\r\nA: b\n\r\n",
        "HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.0 200 X\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let got = read_response(bad.as_bytes(), &asked(Method::Safe, false), &mut Vec::new());
        assert!(got.is_err(), "{bad}");
    }
}

#[test]
fn an_open_end_becomes_chunks_or_a_close() {
    let input = b"HTTP/1.1 200 OK\r\nConnection: close\r\nA: b\r\n\r\n";
    let mut out = Vec::new();
    let new = read_response(input, &asked(Method::Safe, false), &mut out).unwrap().unwrap();
    assert!(new.chunked && new.persistent && !new.reusable);
    assert_eq!(out, b"HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n");
    out.clear();
    let old = read_response(input, &asked(Method::Safe, true), &mut out).unwrap().unwrap();
    assert!(!old.chunked && !old.persistent);
    assert_eq!(out, b"HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\n");
}

/// Feeds `input` in pieces of `size` and collects the content; gives what is left behind the body too.
fn decode(body: Body, input: &[u8], size: usize) -> Result<(Vec<u8>, bool, usize), Refusal> {
    let (mut decoder, mut content, mut used) = (Decoder::new(body), Vec::new(), 0);
    for piece in input.chunks(size) {
        let mut rest = piece;
        while !decoder.is_done() {
            let step = decoder.step(rest)?;
            rest = &rest[step.skip..];
            used += step.skip;
            match step.next {
                Next::Content(count) => {
                    content.extend_from_slice(&rest[..count]);
                    rest = &rest[count..];
                    used += count;
                }
                Next::More | Next::End => break,
            }
        }
    }
    Ok((content, decoder.is_done(), used))
}

#[test]
fn chunks_are_read_exactly() {
    let good = [
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5;a=b\r\nhello\r\n000\r\nTrailer: x\r\n\r\n", "hello"),
        ("A\r\n0123456789\r\n1\r\n!\r\n0\r\n\r\n", "0123456789!"),
        ("0\r\n\r\n", ""),
    ];
    for (input, want) in good {
        for size in 1..=input.len() {
            let with_more = format!("{input}GET");
            let got = decode(Body::Chunked, with_more.as_bytes(), size).unwrap();
            assert_eq!(got, (want.as_bytes().to_vec(), true, input.len()), "{input:?} by {size}");
        }
    }
    let bad = [
        "\r\n",
        "5\nhello",
        "5\r\nhelloX",
        "5\r\nhello\n",
        "g\r\n",
        "-1\r\n",
        "0x5\r\n",
        " 5\r\n",
        "5 \r\n",
        "fffffffffffffffff\r\n",
        "0\r\n\n",
        "0\r\n x\r\n",
        "5;a\nb\r\n",
        "0\r\nT: a\rb\r\n",
    ];
    for input in bad {
        assert_eq!(decode(Body::Chunked, input.as_bytes(), 3), Err(Refusal::Chunk), "{input:?}");
    }
    let flood = format!("1;{}", "x".repeat(10_000));
    assert_eq!(decode(Body::Chunked, flood.as_bytes(), 100), Err(Refusal::Chunk));
}

proptest! {
    #[test]
    fn nothing_that_arrives_panics(input in prop::collection::vec(any::<u8>(), 0..300), size in 1_usize..50) {
        let _ = read_request(&input, &hop(Forwarded::Append), &mut Vec::new());
        let _ = read_response(&input, &asked(Method::Safe, false), &mut Vec::new());
        let _ = decode(Body::Chunked, &input, size);
    }

    #[test]
    fn nothing_that_nearly_is_http_panics(
        parts in prop::collection::vec(prop::sample::select(vec![
            "GET ", "/", "http://a/", " HTTP/1.1", "HTTP/1.1 200 OK", "\r\n", "\n", "Host: a", "Connection: ",
            "Upgrade: x", "Upgrade", "Transfer-Encoding: chunked", "Content-Length: ", "5", ",", ";", ":", " ", "%",
        ]), 0..30),
    ) {
        let input = parts.concat();
        if let Ok(Some(request)) = request(&input) {
            prop_assert!(request.consumed <= input.len());
            prop_assert!(!input[..request.consumed].replace("\r\n", "").contains('\n'));
        }
        let _ = read_response(input.as_bytes(), &asked(Method::Head, true), &mut Vec::new());
    }

    #[test]
    fn chunked_content_survives_any_cut(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
        size in 1_usize..60,
    ) {
        let mut input = Vec::new();
        for chunk in &chunks {
            input.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            input.extend_from_slice(chunk);
            input.extend_from_slice(b"\r\n");
        }
        input.extend_from_slice(b"0\r\n\r\n");
        prop_assert_eq!(decode(Body::Chunked, &input, size), Ok((chunks.concat(), true, input.len())));
    }
}
