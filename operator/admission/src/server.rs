//! The listening socket: one question a request, one answer each, over HTTP/1.1 and TLS.
//!
//! | limit           | value | why                                                                       |
//! |-----------------|-------|---------------------------------------------------------------------------|
//! | connections     | 256   | API servers keep far fewer; anybody in the cluster could open more        |
//! | handshake, head | 10 s  | as above                                                                  |
//! | body            | 8 MiB | an object has at most 3 MiB, and a question holds it as it is and would be |
//!
//! A question that is not understood, or comes before anything can be answered, gets an HTTP error: the API server
//! then does what its `failurePolicy` says.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use fairway_core::admission::Answer;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::CONTENT_TYPE,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::{
    server::{ClientHello, ResolvesServerCert, ServerConfig},
    sign::CertifiedKey,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info};

use crate::{
    certificate::{CertificateError, Pair, provider},
    review::{Review, ReviewError},
};

const CONNECTIONS: usize = 256;
const PATIENCE: Duration = Duration::from_secs(10);
const BODY: usize = 8 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// No question is answered at this path.
    #[error("nothing is answered here")]
    Elsewhere,
    /// What answers are made from is not known yet.
    #[error("the cluster has not been read yet")]
    TooEarly,
    /// The question.
    #[error(transparent)]
    Question(#[from] ReviewError),
}

impl Unanswered {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Elsewhere => StatusCode::NOT_FOUND,
            Self::TooEarly => StatusCode::SERVICE_UNAVAILABLE,
            Self::Question(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// Decides what is answered.
#[async_trait]
pub trait Judge: Send + Sync {
    /// The answer to the question that was put to a path.
    async fn judge(&self, path: &str, review: &Review) -> Result<Answer, Unanswered>;
}

/// The certificate that new connections get. Without one, handshakes fail.
#[derive(Debug, Default)]
pub struct Serving(ArcSwapOption<CertifiedKey>);

impl Serving {
    /// New connections get this one from now on; the others stay as they are.
    ///
    /// # Errors
    /// A pair that cannot be served; what was served before is served on.
    pub fn set(&self, pair: &Pair) -> Result<(), CertificateError> {
        self.0.store(Some(pair.certified()?));
        Ok(())
    }
}

impl ResolvesServerCert for Serving {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.load_full()
    }
}

/// The socket, bound before anything else so that a taken port is said at once.
pub struct Server {
    listener: TcpListener,
    tls: TlsAcceptor,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address.
    #[error("{0} cannot be listened on")]
    Address(SocketAddr, #[source] std::io::Error),
    /// TLS.
    #[error("TLS cannot be served")]
    Tls(#[from] rustls::Error),
}

impl Server {
    /// Binds.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn bind(address: SocketAddr, serving: Arc<Serving>) -> Result<Self, BindError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(serving);
        // One question at a time on a connection, so that several replicas share them.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let listener =
            TcpListener::bind(address).await.map_err(|error| BindError::Address(address, error))?;
        info!(address = %listener.local_addr().unwrap_or(address), "answering the API server");
        Ok(Self { listener, tls: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until told to stop; questions that were put before are answered still.
    pub async fn serve(self, judge: Arc<dyn Judge>, stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut stopping = stop.clone();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stopping.wait_for(|stop| *stop) => break,
            };
            // Without a place, or when it could not be accepted, a connection is its client's to try again.
            let (Ok((stream, _)), Ok(place)) = (accepted, Arc::clone(&places).try_acquire_owned()) else {
                continue;
            };
            let (tls, judge, stop) = (self.tls.clone(), Arc::clone(&judge), stop.clone());
            tokio::spawn(async move {
                converse(&tls, stream, judge, stop).await;
                drop(place);
            });
        }
        let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
        // Whoever takes longer than this is cut off.
        let _ = tokio::time::timeout(PATIENCE / 2, places.acquire_many(all)).await;
    }
}

/// One connection, to its end.
async fn converse(
    tls: &TlsAcceptor,
    stream: TcpStream,
    judge: Arc<dyn Judge>,
    mut stop: watch::Receiver<bool>,
) {
    let stream = match tokio::time::timeout(PATIENCE, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return debug!(error = %error, "a handshake failed"),
        Err(_) => return debug!("a handshake took too long"),
    };
    let service = service_fn(|request| {
        let judge = Arc::clone(&judge);
        async move { Ok::<_, Infallible>(respond(judge.as_ref(), request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = told(&mut stop) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(error = %error, "a connection ended badly");
    }
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // Whoever could tell is gone: that is an end too.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn respond(judge: &dyn Judge, request: Request<Incoming>) -> Response<Full<Bytes>> {
    if request.method() != Method::POST {
        return text(StatusCode::METHOD_NOT_ALLOWED, "questions are put by POST");
    }
    let path = request.uri().path().to_owned();
    let Ok(body) = Limited::new(request.into_body(), BODY).collect().await else {
        return text(StatusCode::PAYLOAD_TOO_LARGE, "the question did not arrive, or is too long");
    };
    match answer(judge, &path, &body.to_bytes()).await {
        Ok(answer) => {
            let mut response = text(StatusCode::OK, &answer);
            response
                .headers_mut()
                .insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => text(error.status(), &error.to_string()),
    }
}

async fn answer(judge: &dyn Judge, path: &str, body: &[u8]) -> Result<String, Unanswered> {
    let review = Review::read(body)?;
    let answer = judge.judge(path, &review).await?;
    Ok(review.answer(&answer).to_string())
}

fn text(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *response.status_mut() = status;
    response
}
