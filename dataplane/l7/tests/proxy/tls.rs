//! Certificates by name, over real handshakes on loopback.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use crate::support::{PATIENCE, Server, all_to, eventually, limits, reserve, start, to};
use fairway_l7::{
    Certificate, CertificateError, Certificates, Credential, HostPattern, PathPattern, Protocol, RouteTable,
};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

struct Pair {
    chain: String,
    key: String,
    leaf: CertificateDer<'static>,
}

fn pair(name: &str) -> Pair {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let leaf = made.cert.der().clone();
    Pair { chain: made.cert.pem(), key: made.signing_key.serialize_pem(), leaf }
}

impl Pair {
    fn credential(&self) -> Credential {
        Credential::Serve(Certificate::from_pem(self.chain.as_bytes(), self.key.as_bytes()).unwrap())
    }
}

/// Answers of one TLS connection to requests for these hosts, with the certificate that was shown.
fn ask(
    at: SocketAddr,
    name: &str,
    trusted: &[&Pair],
    hosts: &[&str],
) -> std::io::Result<(Vec<String>, CertificateDer<'static>)> {
    let mut roots = RootCertStore::empty();
    trusted.iter().for_each(|pair| roots.add(pair.leaf.clone()).unwrap());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let server = ServerName::try_from(name.to_owned()).unwrap();
    let socket = TcpStream::connect(at)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut tls = StreamOwned::new(ClientConnection::new(Arc::new(config), server).unwrap(), socket);
    let mut answers = Vec::new();
    for host in hosts {
        write!(tls, "GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            tls.read_exact(&mut byte)?;
            answer.push(byte[0]);
        }
        let head = String::from_utf8(answer).unwrap();
        let length = head.split("Content-Length: ").nth(1).unwrap().split('\r').next().unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        tls.read_exact(&mut body)?;
        answers.push(format!("{} {}", &head[9..12], String::from_utf8(body).unwrap()));
    }
    assert_eq!(tls.conn.alpn_protocol(), Some(b"http/1.1".as_slice()));
    Ok((answers, tls.conn.peer_certificates().unwrap()[0].clone().into_owned()))
}

fn serving(at: SocketAddr, certificates: Certificates, server: &Server) -> Arc<RouteTable> {
    let mut table = RouteTable::builder();
    table.listen(at, Protocol::Tls(certificates)).unwrap();
    table.route(at, &HostPattern::Any, &PathPattern::prefix("/").unwrap(), to(&[server.address])).unwrap();
    Arc::new(table.build())
}

fn host(name: &str) -> HostPattern {
    HostPattern::parse(name).unwrap()
}

#[test]
fn the_certificate_follows_the_name_and_a_refused_host_fails_closed() {
    let (at, server) = (reserve(), Server::named("served"));
    let (exact, wildcard, default) =
        (pair("a.example.com"), pair("*.example.com"), pair("other.example.org"));
    let mut certificates = Certificates::default();
    certificates.set(&host("a.example.com"), exact.credential());
    certificates.set(&host("*.example.com"), wildcard.credential());
    certificates.set(&host("closed.example.com"), Credential::Refuse);
    certificates.set(&HostPattern::Any, default.credential());
    let proxy = start(limits());
    proxy.install(serving(at.address, certificates, &server)).unwrap();
    let trusted = [&exact, &wildcard, &default];
    for (name, want) in [
        ("a.example.com", &exact),
        ("A.Example.com", &exact),
        ("b.example.com", &wildcard),
        ("other.example.org", &default),
    ] {
        let (answers, shown) = ask(at.address, name, &trusted, &[name, name]).unwrap();
        assert_eq!(answers, ["200 served", "200 served"], "{name}");
        assert_eq!(shown, want.leaf, "{name}");
    }
    let refused = ask(at.address, "closed.example.com", &trusted, &["closed.example.com"]).unwrap_err();
    assert!(refused.to_string().contains("AccessDenied"), "{refused}");
    eventually("the failure is counted", || proxy.counters().handshakes_failed == 1);
    let (answers, _) =
        ask(at.address, "b.example.com", &trusted, &["closed.example.com", "b.example.com"]).unwrap();
    assert_eq!(answers, ["421 421 Misdirected Request\n", "200 served"]);
}

#[test]
fn without_a_default_an_unknown_name_is_refused() {
    let (at, server, known) = (reserve(), Server::named("served"), pair("a.example.com"));
    let mut certificates = Certificates::default();
    certificates.set(&host("a.example.com"), known.credential());
    let proxy = start(limits());
    proxy.install(serving(at.address, certificates, &server)).unwrap();
    assert!(ask(at.address, "a.example.com", &[&known], &["a.example.com"]).is_ok());
    assert!(ask(at.address, "b.example.com", &[&known], &["b.example.com"]).is_err());
}

#[test]
fn a_new_certificate_is_shown_from_the_next_handshake_on() {
    let (at, server) = (reserve(), Server::named("served"));
    let (old, new) = (pair("a.example.com"), pair("a.example.com"));
    let proxy = start(limits());
    for pair in [&old, &new] {
        let mut certificates = Certificates::default();
        certificates.set(&host("a.example.com"), pair.credential());
        proxy.install(serving(at.address, certificates, &server)).unwrap();
        let (_, shown) = ask(at.address, "a.example.com", &[pair], &["a.example.com"]).unwrap();
        assert_eq!(shown, pair.leaf);
    }
    proxy.install(all_to(at.address, &[server.address])).unwrap();
    assert!(
        ask(at.address, "a.example.com", &[&new], &["a.example.com"]).is_err(),
        "the listener is plain now"
    );
}

#[test]
fn what_is_not_a_certificate_with_its_key_is_refused() {
    let (one, two) = (pair("a"), pair("b"));
    let read = |chain: &str, key: &str| Certificate::from_pem(chain.as_bytes(), key.as_bytes()).err();
    assert!(matches!(read("", &one.key), Some(CertificateError::Empty)));
    assert!(matches!(read(&one.chain, ""), Some(CertificateError::Key(_))));
    assert!(matches!(read(&one.chain, &two.key), Some(CertificateError::Mismatch(_))));
    assert!(matches!(read("-----BEGIN CERTIFICATE-----\n!\n", &one.key), Some(CertificateError::Chain(_))));
    assert!(read(&one.chain, &one.key).is_none());
}
