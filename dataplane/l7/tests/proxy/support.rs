//! Upstreams and clients on loopback for the tests of the proxy.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use fairway_l7::{
    Action, Endpoint, HostPattern, Limits, Options, PathPattern, Protocol, Proxy, RouteTable, Upstream,
};
use socket2::{Domain, Socket, Type};

/// Longest wait for anything that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A port that stays ours: bound, shared, never listened on.
pub(crate) struct Reserved {
    pub(crate) address: SocketAddr,
    _socket: Socket,
}

pub(crate) fn reserve() -> Reserved {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    Reserved { address, _socket: socket }
}

/// A server; each connection is given to the handler with its number.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(handler: impl Fn(usize, Wire) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, connections) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counted, handler) = (Arc::clone(&stop), Arc::clone(&connections), Arc::new(handler));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let handler = Arc::clone(&handler);
                thread::spawn(move || handler(number, Wire::new(stream.unwrap())));
            }
        });
        Self { address, connections, stop, thread: Some(thread) }
    }

    /// Answers every request with its head and body, and keeps the connection.
    pub(crate) fn echo() -> Self {
        Self::start(|_, mut wire| {
            while let Some(message) = wire.message() {
                let text = format!("{}{}", message.head, String::from_utf8_lossy(&message.body));
                wire.send(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()));
            }
        })
    }

    /// Answers every request with a name.
    pub(crate) fn named(name: &'static str) -> Self {
        Self::start(move |_, mut wire| {
            while wire.message().is_some() {
                wire.send(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len()));
            }
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes the accept
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A head and its body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// One end of a connection, reading messages of known length.
pub(crate) struct Wire {
    pub(crate) stream: BufReader<TcpStream>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).unwrap())
    }

    pub(crate) fn send(&mut self, text: &str) {
        let _ = self.stream.get_mut().write_all(text.as_bytes()); // the other end may have closed on purpose
    }

    pub(crate) fn ask(&mut self, request: &str) -> Message {
        self.send(request);
        self.message().expect("a response")
    }

    /// A head without its body; nothing at the end of the connection.
    pub(crate) fn head(&mut self) -> Option<String> {
        let mut head = String::new();
        loop {
            let before = head.len();
            let read = self.stream.read_line(&mut head).ok()?;
            if read == 0 {
                return None;
            }
            if &head[before..] == "\r\n" {
                return Some(head);
            }
        }
    }

    pub(crate) fn message(&mut self) -> Option<Message> {
        let head = self.head()?;
        let mut message = Message { head, body: Vec::new() };
        if let Some(length) = message.header("content-length") {
            message.body.resize(length.parse().unwrap(), 0);
            self.stream.read_exact(&mut message.body).ok()?;
        } else if message.header("transfer-encoding").is_some() {
            message.body = self.chunks()?;
        }
        Some(message)
    }

    fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).ok()?;
            let size = usize::from_str_radix(line.trim_end(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            self.stream.read_exact(&mut chunk).ok()?;
            assert_eq!(&chunk[size..], b"\r\n");
            if size == 0 {
                return Some(body);
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    pub(crate) fn exact(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// True if the other end has closed and sent nothing more.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0; 1]), Ok(0))
    }
}

pub(crate) fn limits() -> Limits {
    Limits { response: Duration::from_millis(300), connect: Duration::from_millis(500), ..Limits::default() }
}

pub(crate) fn start(limits: Limits) -> Proxy {
    Proxy::start(Options { threads: std::num::NonZeroUsize::new(2), limits }).unwrap()
}

pub(crate) fn to(endpoints: &[SocketAddr]) -> Action {
    Action::Forward(Upstream::new(endpoints.iter().map(|&address| Endpoint { address, weight: 1 })))
}

/// A plain listener on which everything goes to these endpoints.
pub(crate) fn all_to(at: SocketAddr, endpoints: &[SocketAddr]) -> Arc<RouteTable> {
    let mut table = RouteTable::builder();
    table.listen(at, Protocol::Plain).unwrap();
    table.route(at, &HostPattern::Any, &PathPattern::prefix("/").unwrap(), to(endpoints)).unwrap();
    Arc::new(table.build())
}

/// Waits for something that will become true.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(std::time::Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(2));
    }
}
