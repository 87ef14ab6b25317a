//! The comments of one pull request of GitHub and one merge request of GitLab, over HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What callers must show.
pub(crate) const TOKEN: &str = "t0ken";

/// Who the token belongs to, as both services name people.
const US: (u64, &str) = (41, "github-actions[bot]");

/// How many comments are on a page of GitLab.
const PAGE: usize = 100;

struct Comment {
    author: (u64, &'static str),
    body: String,
}

#[derive(Default)]
struct State {
    comments: Vec<Comment>,
    methods: Vec<String>,
}

/// A service that listens until the test ends.
pub(crate) struct Service {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Service {
    /// Starts a service with so many comments of others, which look like ours.
    pub(crate) fn start(others: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        for _ in 0..others {
            let body = "<!-- tfstate-review -->\n<!-- tfstate-apply -->".to_owned();
            state.lock().unwrap().comments.push(Comment { author: (1, "mallory"), body });
        }
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&stream.unwrap(), &shared);
            }
        });
        Self { port, state }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns what our comments say.
    pub(crate) fn ours(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let ours = state.comments.iter().filter(|comment| comment.author == US);
        ours.map(|comment| comment.body.clone()).collect()
    }

    /// Returns how many requests of a method were allowed.
    pub(crate) fn requests(&self, method: &str) -> usize {
        self.state.lock().unwrap().methods.iter().filter(|other| *other == method).count()
    }
}

fn answer(mut stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (mut length, mut allowed) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" | "private-token" => allowed = value == TOKEN,
            "expect" => stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    let (status, json) = if allowed {
        let mut state = state.lock().unwrap();
        state.methods.push(method.clone());
        respond(&mut state, (&method, &target), &body)
    } else {
        (401, json!({}))
    };
    let json = json.to_string();
    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n", json.len());
    stream.write_all(format!("{head}Connection: close\r\n\r\n{json}").as_bytes()).unwrap();
}

fn respond(state: &mut State, (method, target): (&str, &str), body: &str) -> (u16, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let number = |text: &str| -> usize { text.parse().unwrap() };
    let all = |comments: &[Comment]| -> Value {
        let numbered = comments.iter().enumerate();
        let json = |(id, comment): (usize, &Comment)| {
            let (author, login) = comment.author;
            json!({"id": id, "body": comment.body, "user": {"login": login}, "author": {"id": author}})
        };
        numbered.map(json).collect()
    };
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method, parts.as_slice()) {
        ("GET", ["user"]) => (200, json!({"id": US.0})),
        ("GET", ["repos", "o", "r", "commits", "c0ffee", "pulls"]) => (200, json!([{"number": 7}])),
        ("GET", ["repos", "o", "r", "issues", "7", "comments"]) => (200, all(&state.comments)),
        ("GET", ["projects", "5", "merge_requests", "7", "notes"]) => {
            let page = query.split('&').find_map(|pair| pair.strip_prefix("page="));
            let first = (page.map_or(1, number) - 1) * PAGE;
            let Value::Array(notes) = all(&state.comments) else { return (500, json!({})) };
            (200, notes.into_iter().skip(first).take(PAGE).collect())
        }
        (
            "POST",
            ["repos", "o", "r", "issues", "7", "comments"]
            | ["projects", "5", "merge_requests", "7", "notes"],
        ) => {
            state.comments.push(Comment { author: US, body: decoded(body) });
            (201, json!({}))
        }
        ("PATCH", ["repos", "o", "r", "issues", "comments", id])
        | ("PUT", ["projects", "5", "merge_requests", "7", "notes", id]) => {
            let comment = &mut state.comments[number(id)];
            if comment.author != US {
                return (403, json!({}));
            }
            comment.body = decoded(body);
            (200, json!({}))
        }
        _ => (404, json!({})),
    }
}

/// Decodes the field `body` of a form.
fn decoded(form: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = form.strip_prefix("body=").unwrap().bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
