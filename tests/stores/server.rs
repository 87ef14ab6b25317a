//! A server that keeps one state behind HTTP, as Terraform's backend `http` wants it, and fails when
//! it is told to.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It is not carried out, and this status is answered.
    Status(u16),
    /// It is carried out, and this status is answered.
    StatusAfter(u16),
    /// It is not carried out, and the connection ends.
    DropBefore,
    /// It is carried out, and the connection ends.
    DropAfter,
    /// It is carried out, and half of the answer comes.
    Truncated,
    /// It is carried out, and the answer comes after this.
    Slow(Duration),
    /// Nothing is carried out, and the client is sent elsewhere.
    Redirect,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }
}

/// What the server keeps.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) state: Option<Vec<u8>>,
    pub(crate) lock: Option<Vec<u8>>,
    /// What came, oldest first.
    pub(crate) seen: Vec<Request>,
    /// What goes wrong next, by method.
    pub(crate) faults: VecDeque<(&'static str, Fault)>,
    /// Who may ask, as the whole header says it.
    pub(crate) authorization: Option<String>,
}

/// A running server. It ends with the test that started it.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    is_encrypted: bool,
    kept: Arc<Mutex<Kept>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::serve(None)
    }

    /// Starts one with a certificate that nobody trusts, and which asks for one.
    pub(crate) fn start_tls() -> Self {
        let file = |name: &str| format!("{}/tests/stores/tls/{name}", env!("CARGO_MANIFEST_DIR"));
        let certificate = CertificateDer::from_pem_file(file("server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(file("ca.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients = rustls::server::WebPkiClientVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::clone(&provider),
        );
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.allow_unauthenticated().build().unwrap())
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::serve(Some(Arc::new(config)))
    }

    fn serve(tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::<Mutex<Kept>>::default();
        let (shared, is_encrypted) = (Arc::clone(&kept), tls.is_some());
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (kept, tls) = (Arc::clone(&shared), tls.clone());
                // A client that goes away is no failure of the server.
                thread::spawn(move || drop(talk(connection, tls, &kept)));
            }
        });
        Self { address, is_encrypted, kept }
    }

    /// Returns the address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }

    /// Lets the next request of a method go wrong.
    pub(crate) fn fail(&self, method: &'static str, fault: Fault) {
        self.kept().faults.push_back((method, fault));
    }
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

fn talk(
    connection: TcpStream,
    tls: Option<Arc<rustls::ServerConfig>>,
    kept: &Mutex<Kept>,
) -> io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_mins(1)))?;
    let raw = connection.try_clone()?;
    let mut stream: Box<dyn Stream> = match tls {
        None => Box::new(connection),
        Some(config) => {
            let session = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
            Box::new(rustls::StreamOwned::new(session, connection))
        }
    };
    let request = receive(&mut stream)?;
    let fault = {
        let mut kept = kept.lock().unwrap();
        kept.seen.push(request.clone());
        let at = kept.faults.iter().position(|(method, _)| *method == request.method);
        at.and_then(|at| kept.faults.remove(at)).map(|(_, fault)| fault)
    };
    let answer = || carry_out(&request, &mut kept.lock().unwrap());
    match fault {
        None => send(&mut stream, &answer())?,
        Some(Fault::Status(status)) => {
            send(&mut stream, &(status, b"{\"message\":\"told to\"}".to_vec()))?;
        }
        Some(Fault::StatusAfter(status)) => {
            answer();
            send(&mut stream, &(status, Vec::new()))?;
        }
        Some(Fault::DropBefore) => {}
        Some(Fault::DropAfter) => drop(answer()),
        Some(Fault::Truncated) => {
            let (status, body) = answer();
            write!(stream, "HTTP/1.1 {status} -\r\nContent-Length: {}\r\n\r\n", body.len() + 2)?;
            stream.write_all(&body[..body.len() / 2])?;
        }
        Some(Fault::Slow(wait)) => {
            let answer = answer();
            thread::sleep(wait);
            send(&mut stream, &answer)?;
        }
        Some(Fault::Redirect) => {
            let head = "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.test/s?token=S3CR3T\r\n";
            write!(stream, "{head}Content-Length: 0\r\nConnection: close\r\n\r\n")?;
        }
    }
    stream.flush()?;
    drop(stream);
    raw.shutdown(Shutdown::Both)
}

fn receive(stream: &mut dyn Stream) -> io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Request { method, target, headers, body: Vec::new() };
    if request.header("Transfer-Encoding") == Some("chunked") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size)?;
            let size = u64::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            reader.by_ref().take(size).read_to_end(&mut request.body)?;
            reader.read_line(&mut String::new())?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = request.header("Content-Length").and_then(|n| n.parse().ok()) {
        reader.take(length).read_to_end(&mut request.body)?;
    }
    Ok(request)
}

fn send(stream: &mut dyn Stream, (status, body): &(u16, Vec<u8>)) -> io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} -\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(body)
}

fn id(lock: &[u8]) -> String {
    let lock: serde_json::Value = serde_json::from_slice(lock).unwrap_or_default();
    lock["ID"].as_str().unwrap_or_default().to_owned()
}

fn carry_out(request: &Request, kept: &mut Kept) -> (u16, Vec<u8>) {
    if kept.authorization.is_some()
        && kept.authorization.as_deref() != request.header("Authorization")
    {
        return (401, b"who are you?".to_vec());
    }
    if request.header("Content-MD5").is_some_and(|md5| md5 != digest(&request.body)) {
        return (400, b"another digest".to_vec());
    }
    let asked = id(&request.body);
    match (request.method.as_str(), &kept.lock) {
        ("GET", _) => kept.state.clone().map_or((404, Vec::new()), |state| (200, state)),
        ("POST" | "PUT" | "DELETE", Some(lock))
            if request.method != "DELETE"
                && !request.target.ends_with(&format!("ID={}", id(lock))) =>
        {
            (409, lock.clone())
        }
        ("POST" | "PUT", _) => {
            kept.state = Some(request.body.clone());
            (200, Vec::new())
        }
        ("DELETE", _) => {
            kept.state = None;
            (200, Vec::new())
        }
        ("LOCK", Some(lock)) => (423, lock.clone()),
        ("LOCK", None) => {
            kept.lock = Some(request.body.clone());
            (200, Vec::new())
        }
        ("UNLOCK", None) => (404, Vec::new()),
        // `terraform force-unlock` sends nothing.
        ("UNLOCK", Some(lock)) if request.body.is_empty() || id(lock) == asked => {
            kept.lock = None;
            (200, Vec::new())
        }
        ("UNLOCK", Some(lock)) => (409, lock.clone()),
        _ => (405, Vec::new()),
    }
}

fn digest(body: &[u8]) -> String {
    use md5::Digest as _;
    base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(body))
}
