use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use fairway_core::admission::Answer;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::*;
use crate::{
    certificate::provider,
    review::Review,
    server::{Judge, Server, Unanswered},
};

const LIFETIME: u64 = 1200;
const HOST: &str = "127.0.0.1";

/// What replicas share: one keyring, and one bundle that an API server uses.
#[derive(Default)]
struct Site {
    kept: Mutex<Option<Kept>>,
    writes: AtomicU64,
    bundle: Mutex<String>,
    now: AtomicU64,
}

struct Desk {
    site: Arc<Site>,
    leads: AtomicBool,
}

#[async_trait]
impl Cabinet for Desk {
    async fn load(&self) -> Result<Option<Kept>, Failure> {
        Ok(self.site.kept.lock().unwrap().clone())
    }

    async fn save(&self, keyring: &str, _: &str, over: Option<&str>) -> Result<Saved, Failure> {
        let mut kept = self.site.kept.lock().unwrap();
        if kept.as_ref().map(|kept| kept.version.as_str()) != over {
            return Ok(Saved::Beaten);
        }
        let version = self.site.writes.fetch_add(1, Ordering::Relaxed).to_string();
        *kept = Some(Kept { keyring: Some(keyring.to_owned()), version });
        Ok(Saved::Written)
    }

    async fn in_use(&self) -> Result<Vec<String>, Failure> {
        Ok(vec![self.site.bundle.lock().unwrap().clone()])
    }

    async fn trust(&self, bundle: &str) -> Result<(), Failure> {
        bundle.clone_into(&mut self.site.bundle.lock().unwrap());
        Ok(())
    }

    fn leads(&self) -> bool {
        self.leads.load(Ordering::Relaxed)
    }
}

struct Replica {
    keeper: Keeper,
    address: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    served: tokio::task::JoinHandle<()>,
}

struct Yes;

#[async_trait]
impl Judge for Yes {
    async fn judge(&self, path: &str, _: &Review) -> Result<Answer, Unanswered> {
        if path == "/yes" { Ok(Answer::allow()) } else { Err(Unanswered::Elsewhere) }
    }
}

impl Replica {
    async fn start(site: &Arc<Site>, leads: bool) -> Self {
        let serving = Arc::new(Serving::default());
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), Arc::clone(&serving)).await.unwrap();
        let (address, (stop, stopping)) = (server.address().unwrap(), watch::channel(false));
        let served = tokio::spawn(server.serve(Arc::new(Yes), stopping));
        let desk = Desk { site: Arc::clone(site), leads: AtomicBool::new(leads) };
        let clock = Arc::clone(site);
        let now: Now = Arc::new(move || clock.now.load(Ordering::Relaxed));
        let terms = Terms { names: BTreeSet::from([HOST.to_owned()]), lifetime: LIFETIME };
        Self { keeper: Keeper::new(Arc::new(desk), terms, now, serving), address, stop, served }
    }

    /// Asks as an API server does that uses a bundle; gives the status.
    async fn ask(&self, path: &str, bundle: &str) -> Result<u16, std::io::Error> {
        let mut roots = RootCertStore::empty();
        for authority in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
            roots.add(authority.unwrap()).unwrap();
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(HOST).unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let body = r#"{"apiVersion":"admission.k8s.io/v1","request":{"uid":"1"}}"#;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer.split(' ').nth(1).unwrap().parse().unwrap())
    }

    async fn end(self) {
        self.stop.send_replace(true);
        self.served.await.unwrap();
    }
}

/// Certificates are checked against the real clock, so time begins there.
#[expect(clippy::disallowed_methods, reason = "TLS looks at the machine's clock")]
fn site() -> Arc<Site> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    Arc::new(Site { now: AtomicU64::new(now), ..Site::default() })
}

#[tokio::test]
async fn replicas_share_one_keyring_and_only_the_leader_says_whom_to_trust() {
    let site = site();
    let (leader, follower) = (Replica::start(&site, true).await, Replica::start(&site, false).await);
    // Both find nothing and make one: the second is refused, and reads the first's.
    let (one, other) = tokio::join!(leader.keeper.look(), follower.keeper.look());
    one.unwrap();
    other.unwrap();
    assert_eq!(site.writes.load(Ordering::Relaxed), 1);
    follower.keeper.look().await.unwrap();
    assert_eq!(*site.bundle.lock().unwrap(), "", "a follower tells nobody");
    leader.keeper.look().await.unwrap();
    let bundle = site.bundle.lock().unwrap().clone();
    for replica in [&leader, &follower] {
        assert_eq!(replica.ask("/yes", &bundle).await.unwrap(), 200);
        assert_eq!(replica.ask("/no", &bundle).await.unwrap(), 404);
    }
    let stranger = Keyring::make(&leader.keeper.terms, site.now.load(Ordering::Relaxed)).unwrap().bundle();
    assert!(leader.ask("/yes", &stranger).await.is_err());
    leader.end().await;
    follower.end().await;
}

#[tokio::test]
async fn a_rotation_is_never_seen_by_who_asks() {
    let site = site();
    let (leader, follower) = (Replica::start(&site, true).await, Replica::start(&site, false).await);
    let first = {
        leader.keeper.look().await.unwrap();
        leader.keeper.look().await.unwrap();
        follower.keeper.look().await.unwrap();
        site.bundle.lock().unwrap().clone()
    };
    // Twice a lifetime, in steps of which several fit between any two events of a rotation; replicas look in turn.
    for step in 0..80 {
        site.now.fetch_add(LIFETIME / 40, Ordering::Relaxed);
        let replica = if step % 2 == 0 { &leader } else { &follower };
        replica.keeper.look().await.unwrap();
        let bundle = site.bundle.lock().unwrap().clone();
        for replica in [&leader, &follower] {
            // An authority of which only the simulated time has come is good by the real clock too: both began together.
            assert_eq!(replica.ask("/yes", &bundle).await.unwrap(), 200, "step {step}");
        }
    }
    let last = site.bundle.lock().unwrap().clone();
    assert!(!last.contains(&first), "what was trusted at first is not trusted any more");
    leader.end().await;
    follower.end().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_made_anew() {
    let site = site();
    let replica = Replica::start(&site, true).await;
    *site.kept.lock().unwrap() = Some(Kept { keyring: Some("{}".to_owned()), version: "x".to_owned() });
    replica.keeper.look().await.unwrap();
    replica.keeper.look().await.unwrap();
    let bundle = site.bundle.lock().unwrap().clone();
    assert_eq!(replica.ask("/yes", &bundle).await.unwrap(), 200);
    replica.end().await;
}
