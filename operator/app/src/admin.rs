//! /metrics, /healthz and /readyz.
//!
//! | metric                             | type    | labels                |
//! |------------------------------------|---------|-----------------------|
//! | `fairway_aws_api_calls_total`      | counter | `service`, `operation` |
//! | `fairway_looks_total`              | counter | `unit`, `next`        |
//! | `fairway_admission_reviews_total`  | counter | `path`, `verdict`     |
//! | `fairway_held_by_peer`             | gauge   |                       |

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context as _;
use fairway_aws_api::calls::CallCounter;
use fairway_core::admission::{Answer, Verdict};
use fairway_engine::reconcile::Next;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode, body::Bytes, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, text::encode},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::Gauge,
    },
    registry::Registry,
};
use tokio::{net::TcpListener, sync::watch};

use crate::unit::Unit;

/// Counters of the process.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    looks: Family<LookLabels, Counter>,
    reviews: Family<ReviewLabels, Counter>,
    held_by_peer: Gauge,
    ready: Arc<AtomicBool>,
    /// Attempts of AWS calls.
    pub(crate) calls: CallCounter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LookLabels {
    unit: &'static str,
    next: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReviewLabels {
    path: String,
    verdict: &'static str,
}

/// Reads the call counter when metrics are asked for: attempts are counted where they are made, and nowhere twice.
#[derive(Debug)]
struct Calls(CallCounter);

impl prometheus_client::collector::Collector for Calls {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut family = encoder.encode_descriptor(
            "fairway_aws_api_calls",
            "Attempts of calls of AWS APIs.",
            None,
            prometheus_client::metrics::MetricType::Counter,
        )?;
        for (call, count) in self.0.snapshot() {
            let labels = [("service", call.service.to_string()), ("operation", call.operation.to_string())];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

impl Metrics {
    /// Everything at nought.
    pub(crate) fn new() -> Self {
        let (looks, calls, ready) =
            (Family::default(), CallCounter::default(), Arc::new(AtomicBool::new(false)));
        let (reviews, held_by_peer) = (Family::default(), Gauge::default());
        let mut registry = Registry::default();
        registry.register("fairway_looks", "Looks at units, by what follows.", Family::clone(&looks));
        registry.register(
            "fairway_admission_reviews",
            "Objects the API server asked about, by what it was answered.",
            Family::clone(&reviews),
        );
        registry.register(
            "fairway_held_by_peer",
            "1 while nothing is applied on AWS because the AWS Load Balancer Controller leads.",
            held_by_peer.clone(),
        );
        registry.register_collector(Box::new(Calls(calls.clone())));
        Self { registry: Arc::new(registry), looks, reviews, held_by_peer, ready, calls }
    }

    /// The cluster has been read.
    pub(crate) fn set_ready(&self) {
        self.ready.store(true, Ordering::Relaxed);
    }

    /// Whether the cluster has been read.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// A question of the API server's was answered. The path is one of those that are served.
    pub(crate) fn reviewed(&self, path: &str, answer: &Answer) {
        let verdict = match answer.verdict {
            Verdict::Allow => "allow",
            Verdict::Edit(_) => "edit",
            Verdict::Refuse(_) => "refuse",
        };
        self.reviews.get_or_create(&ReviewLabels { path: path.to_owned(), verdict }).inc();
    }

    /// Whether the peer is in the way.
    pub(crate) fn set_held_by_peer(&self, held: bool) {
        self.held_by_peer.set(i64::from(held));
    }

    /// A look has ended.
    pub(crate) fn looked(&self, unit: &Unit, next: &Next) {
        let unit = match unit {
            Unit::Stack(_) => "stack",
            Unit::InCluster(_) => "in_cluster",
            Unit::Targets(_) => "targets",
            Unit::Network => "network",
            Unit::Zone(_) => "zone",
        };
        let next = match next {
            Next::OnChange => "on_change",
            Next::Within(_) => "within",
            Next::Backoff(_) => "backoff",
            Next::Slow => "slow",
        };
        self.looks.get_or_create(&LookLabels { unit, next }).inc();
    }

    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The listening socket, bound before anything else so that a taken port is said at once.
pub(crate) struct Admin {
    listener: TcpListener,
    metrics: Metrics,
}

impl Admin {
    /// Binds.
    pub(crate) async fn bind(address: SocketAddr, metrics: Metrics) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("{address} cannot be listened on"))?;
        tracing::info!(address = %listener.local_addr().unwrap_or(address), "serving metrics and health");
        Ok(Self { listener, metrics })
    }

    /// Serves until told to stop.
    pub(crate) async fn serve(self, mut stop: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            // A connection that could not be accepted is its client's to try again.
            let Ok((stream, _)) = accepted else { continue };
            let metrics = self.metrics.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| std::future::ready(answer(&metrics, &request)));
                // A connection that ends badly ends nothing else.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }
}

fn answer(metrics: &Metrics, request: &Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, body) = match request.uri().path() {
        "/healthz" => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" if metrics.is_ready() => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, "the cluster has not been read yet\n".to_owned()),
        "/metrics" => match metrics.text() {
            Ok(text) => (StatusCode::OK, text),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        },
        _ => (StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    Ok(response)
}
