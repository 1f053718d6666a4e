//! /metrics, /healthz and /readyz.
//!
//! | path       | 200 means                                                                    |
//! |------------|------------------------------------------------------------------------------|
//! | `/healthz` | the agent's loop answers                                                     |
//! | `/readyz`  | the cluster has been read and the first program is installed                 |
//! | `/metrics` | numbers in Prometheus' text format, names beginning with `fairway_agent_`    |

use std::{convert::Infallible, fmt::Write as _, net::SocketAddr, time::Duration};

use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    time::timeout,
};

/// The loop may be waiting for the kernel or the API server for a few seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// The agent at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    /// Whether the first program is installed.
    pub(crate) ready: bool,
    /// Of the proxy.
    pub(crate) proxy: fairway_l7::Snapshot,
    /// Of the announcer.
    pub(crate) announcer: fairway_announce::Counters,
    /// Addresses that this node answers for.
    pub(crate) announced: usize,
    /// Addresses and ports that are served.
    pub(crate) served: usize,
    /// Agents that are alive.
    pub(crate) alive: usize,
    /// Agents that died.
    pub(crate) dead: usize,
    /// Secrets without usable certificate.
    pub(crate) certificates_missing: usize,
    /// Parts of the program that are not in force.
    pub(crate) failures: usize,
}

/// Asks the loop for its figures.
pub(crate) type Question = oneshot::Sender<Figures>;

/// Serves until the process ends.
pub(crate) async fn serve(listener: TcpListener, questions: mpsc::Sender<Question>) {
    loop {
        // A connection that could not be accepted is its client's to try again.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let questions = questions.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(&questions, request));
            // A connection that ends badly ends nothing else.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Binds the address; a taken one is said at once.
pub(crate) async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

async fn answer(
    questions: &mpsc::Sender<Question>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let figures = timeout(PATIENCE, ask(questions)).await.ok().flatten();
    let (status, body) = match (request.uri().path(), figures) {
        ("/healthz" | "/readyz" | "/metrics", None) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the agent's loop does not answer\n".to_owned())
        }
        ("/readyz", Some(figures)) if !figures.ready => {
            (StatusCode::SERVICE_UNAVAILABLE, "nothing has been installed yet\n".to_owned())
        }
        ("/healthz" | "/readyz", Some(_)) => (StatusCode::OK, "ok\n".to_owned()),
        ("/metrics", Some(figures)) => (StatusCode::OK, text(&figures)),
        _ => (StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    Ok(response)
}

async fn ask(questions: &mpsc::Sender<Question>) -> Option<Figures> {
    let (question, answer) = oneshot::channel();
    questions.send(question).await.ok()?;
    answer.await.ok()
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

fn text(figures: &Figures) -> String {
    let (proxy, announcer) = (&figures.proxy, &figures.announcer);
    let mut out = String::new();
    answers(&mut out, proxy.answers);
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let rows = [
        ("requests_refused_total", Kind::Counter, "Requests refused as malformed.", proxy.refused),
        ("connections", Kind::Gauge, "Client connections open now.", proxy.connections),
        ("connections_accepted_total", Kind::Counter, "Client connections accepted.", proxy.accepted),
        (
            "tls_handshakes_failed_total",
            Kind::Counter,
            "TLS handshakes that did not succeed.",
            proxy.handshakes_failed,
        ),
        (
            "upstream_connects_failed_total",
            Kind::Counter,
            "Failed attempts to connect to an endpoint.",
            proxy.connects_failed,
        ),
        (
            "upstream_retries_total",
            Kind::Counter,
            "Requests sent again on another connection.",
            proxy.retries,
        ),
        ("upgrades_total", Kind::Counter, "Connections turned into tunnels.", proxy.upgrades),
        (
            "addresses_announced",
            Kind::Gauge,
            "Addresses that this node answers for.",
            count(figures.announced),
        ),
        ("frontends_served", Kind::Gauge, "Addresses and ports that are served.", count(figures.served)),
        (
            "neighbour_answers_total",
            Kind::Counter,
            "ARP requests and neighbour solicitations answered.",
            announcer.answered,
        ),
        (
            "announcements_total",
            Kind::Counter,
            "Announcements sent without being asked.",
            announcer.announced,
        ),
        (
            "conflicts_total",
            Kind::Counter,
            "Packets in which another host claimed an address.",
            announcer.conflicts,
        ),
        ("peers_alive", Kind::Gauge, "Agents that are alive, this one included.", count(figures.alive)),
        ("peers_dead", Kind::Gauge, "Agents that ceased to renew their lease.", count(figures.dead)),
        (
            "certificates_missing",
            Kind::Gauge,
            "Secrets that give no certificate now.",
            count(figures.certificates_missing),
        ),
        ("failures", Kind::Gauge, "Parts of the program that are not in force.", count(figures.failures)),
    ];
    for (name, kind, help, value) in rows {
        head(&mut out, name, kind, help);
        // Writing to a String cannot fail.
        let _ = writeln!(out, "fairway_agent_{name} {value}");
    }
    out
}

fn head(out: &mut String, name: &str, kind: Kind, help: &str) {
    let kind = match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# HELP fairway_agent_{name} {help}\n# TYPE fairway_agent_{name} {kind}");
}

fn answers(out: &mut String, answers: [u64; 5]) {
    head(out, "requests_total", Kind::Counter, "Requests answered, by class of status.");
    for (class, number) in (1_u8..).zip(answers) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "fairway_agent_requests_total{{status=\"{class}xx\"}} {number}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_help_and_type() {
        let proxy = fairway_l7::Snapshot { answers: [0, 7, 0, 1, 0], ..Default::default() };
        let text = text(&Figures { proxy, announced: 3, ..Figures::default() });
        for line in ["fairway_agent_requests_total{status=\"2xx\"} 7", "fairway_agent_addresses_announced 3"]
        {
            assert!(text.lines().any(|present| present == line), "{line} in {text}");
        }
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        for sample in samples {
            let name = sample.split(['{', ' ']).next().unwrap();
            assert!(
                text.contains(&format!("# TYPE {name} ")) && text.contains(&format!("# HELP {name} ")),
                "{name}"
            );
        }
    }
}
