//! A server that gives each request the next answer of a script.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a request gets.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// A whole answer.
    Reply { status: u16, body: String },
    /// The connection closes instead.
    Close,
    /// The connection closes after half of the promised body.
    CutOff,
    /// Nothing, while the connection stays open.
    Hang,
}

impl Answer {
    pub(super) fn ok(body: &str) -> Self {
        Self::Reply { status: 200, body: body.to_owned() }
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) head: String,
    pub(super) body: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// Stops when it is dropped.
pub(super) struct Server {
    url: String,
    seen: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn start(script: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(play(listener, script, seen.clone()));
        Self { url, seen, task }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

/// Each answer ends its connection, so that one request is one connection.
async fn play(listener: TcpListener, script: Vec<Answer>, seen: Arc<Mutex<Vec<Request>>>) {
    let mut open = Vec::new();
    for answer in script {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read(&mut stream).await;
        seen.lock().unwrap().push(request);
        match answer {
            Answer::Reply { status, body } => write(&mut stream, status, body.len(), &body).await,
            Answer::CutOff => write(&mut stream, 200, 100, "<R><subnetSet>").await,
            Answer::Close => {}
            Answer::Hang => open.push(stream),
        }
    }
    std::future::pending::<()>().await;
}

async fn read(stream: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8(bytes.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let request = Request { head: format!("{head}\r\n"), body: body.to_owned() };
            let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return request;
            }
        }
        let got = stream.read_buf(&mut bytes).await.unwrap();
        assert!(got > 0, "the client closed within its request: {text}");
    }
}

async fn write(stream: &mut TcpStream, status: u16, length: usize, body: &str) {
    let head = format!("HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    // The client may have given up already, which is then what the test looks at.
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
}
