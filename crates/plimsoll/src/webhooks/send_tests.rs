//! What passes over a connection, and where it may go.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const OPEN: Policy = Policy {
    allow_plain_http: true,
    allow_private_targets: true,
};
const PLAIN: Policy = Policy {
    allow_plain_http: true,
    allow_private_targets: false,
};

fn message() -> Message {
    Message {
        id: "acme:7:0".to_owned(),
        timestamp: 1_614_265_330,
        signature: "v1,c2ln".to_owned(),
        body: Bytes::from_static(b"{\"a\":1}"),
    }
}

/// Names that mean one address after another, and the last from then on.
fn names(addresses: &[&str]) -> (Names, Arc<Mutex<Vec<String>>>) {
    let mut addresses = addresses
        .iter()
        .rev()
        .map(|it| it.parse().unwrap())
        .collect::<Vec<_>>();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let addresses = Mutex::new(move || match addresses.len() {
        1 => addresses[0],
        _ => addresses.pop().unwrap(),
    });
    let names = Names::new(move |host, _| {
        log.lock().unwrap().push(host);
        let found: SocketAddr = (addresses.lock().unwrap())();
        Box::pin(async move { Ok(vec![found]) })
    });
    (names, asked)
}

fn client(policy: Policy, names: Names) -> Client {
    Client::new(policy, names, None).unwrap()
}

/// A receiver that answers each request on a connection with the next answer, and says what it got;
/// connections end with the answers.
async fn receiver(
    answers: Vec<&'static str>,
) -> (SocketAddr, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test waits for its end")]
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        let mut answers = answers.into_iter();
        let (mut stream, _) = listener.accept().await.unwrap();
        for answer in &mut answers {
            let mut request = String::new();
            while !request.ends_with("{\"a\":1}") {
                let mut byte = [0];
                stream.read_exact(&mut byte).await.unwrap();
                request.push(char::from(byte[0]));
            }
            heard.push(request);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        heard
    });
    (address, heard)
}

#[tokio::test]
async fn a_request_has_what_the_receiver_needs_and_no_more() {
    let (address, heard) = receiver(vec!["HTTP/1.1 204 No Content\r\n\r\n"]).await;
    let (names, asked) = names(&[&address.to_string()]);
    let url = format!("http://hook.example:{}/in?k=v", address.port());
    let mut kept = None;
    client(OPEN, names)
        .send(&url, &mut kept, &message())
        .await
        .unwrap();
    let expected = format!(
        "POST /in?k=v HTTP/1.1\r\nhost: hook.example:{}\r\ncontent-type: application/json\r\n\
         user-agent: {USER_AGENT}\r\nwebhook-id: acme:7:0\r\nwebhook-timestamp: 1614265330\r\n\
         webhook-signature: v1,c2ln\r\ncontent-length: 7\r\n\r\n{{\"a\":1}}",
        address.port()
    );
    assert_eq!(heard.await.unwrap(), [expected]);
    assert_eq!(*asked.lock().unwrap(), ["hook.example"]);
}

#[tokio::test]
async fn a_connection_is_used_again_and_its_name_not_looked_up_again() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let (address, heard) = receiver(vec![answer, answer]).await;
    let (names, asked) = names(&[&address.to_string(), "169.254.169.254:80"]);
    let client = client(OPEN, names);
    let mut kept = None;
    for _ in 0..2 {
        client
            .send("http://hook.example/", &mut kept, &message())
            .await
            .unwrap();
    }
    assert_eq!(heard.await.unwrap().len(), 2);
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn only_a_success_is_one_and_redirects_are_not_followed() {
    for answer in [
        "HTTP/1.1 301 Moved\r\nlocation: http://elsewhere.example/\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 307 Moved\r\nlocation: http://elsewhere.example/\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\n\r\n",
        "HTTP/1.1 400 Bad\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n",
    ] {
        let (address, heard) = receiver(vec![answer]).await;
        let (names, asked) = names(&[&address.to_string()]);
        let sent = client(OPEN, names)
            .send("http://a.example/", &mut None, &message())
            .await;
        let status: u16 = answer[9..12].parse().unwrap();
        let is_told = matches!(&sent, Err(Failure::Status(it)) if it.as_u16() == status);
        assert!(is_told, "{answer}: {sent:?}");
        assert_eq!(heard.await.unwrap().len(), 1);
        assert_eq!(*asked.lock().unwrap(), ["a.example"]);
    }
}

#[tokio::test]
async fn what_is_no_http_or_ends_early_is_a_failure() {
    for answer in [
        "",
        "HTTP/1.1 2",
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 0 \r\n\r\n",
    ] {
        let (address, _) = receiver(vec![answer]).await;
        let (names, _) = names(&[&address.to_string()]);
        let sent = client(OPEN, names)
            .send("http://a.example/", &mut None, &message())
            .await;
        assert!(matches!(sent, Err(Failure::Http(_))), "{answer}: {sent:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_or_breaks_off_costs_the_connection_only() {
    let broken = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok";
    let long: &'static str = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 999999\r\n\r\n{}",
        "x".repeat(BODY_BYTES_MAX + 1)
    )
    .leak();
    for answer in [broken, long] {
        let (address, _) = receiver(vec![answer]).await;
        let (names, _) = names(&[&address.to_string()]);
        let mut kept = None;
        let sent = client(OPEN, names)
            .send("http://a.example/", &mut kept, &message())
            .await;
        assert!(sent.is_ok(), "{sent:?}");
        assert!(kept.is_none());
    }
}

#[tokio::test]
async fn what_a_name_means_when_it_is_connected_to_is_what_counts() {
    let (address, _) = receiver(vec![]).await;
    for private in [
        address.to_string(),
        format!("[::ffff:127.0.0.1]:{}", address.port()),
        format!("[2002:7f00:1::]:{}", address.port()),
        "169.254.169.254:80".to_owned(),
    ] {
        // Public when the webhook was set, and another thing ever after.
        let (names, asked) = names(&["203.0.114.1:80", &private]);
        let Names(find) = &names;
        find("a.example".to_owned(), 80).await.unwrap();
        let client = client(PLAIN, names);
        let sent = client
            .send("http://a.example/", &mut None, &message())
            .await;
        let is_refused = matches!(&sent, Err(Failure::Target(TargetRefusal::Private { .. })));
        assert!(is_refused, "{private}: {sent:?}");
        assert_eq!(asked.lock().unwrap().len(), 2, "looked up once for the try");
    }
}

#[tokio::test]
async fn literal_addresses_are_checked_as_names_are() {
    let (names, _) = names(&["127.0.0.1:80"]);
    let client = client(PLAIN, names);
    for url in [
        "http://127.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost/",
    ] {
        let sent = client.send(url, &mut None, &message()).await;
        assert!(matches!(sent, Err(Failure::Target(_))), "{url}: {sent:?}");
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_a_failure() {
    let nothing = Names::new(|_, _| Box::pin(async { Ok(Vec::new()) }));
    let sent = client(OPEN, nothing)
        .send("http://a.example/", &mut None, &message())
        .await;
    assert!(matches!(sent, Err(Failure::NoAddress)), "{sent:?}");
    let unknown = Names::new(|_, _| Box::pin(async { Err(std::io::Error::other("NXDOMAIN")) }));
    let sent = client(OPEN, unknown)
        .send("http://a.example/", &mut None, &message())
        .await;
    let failure = sent.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "its name cannot be looked up: NXDOMAIN"
    );
}

#[tokio::test]
async fn what_speaks_no_tls_is_not_told_in_plain() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (names, _) = names(&[&listener.local_addr().unwrap().to_string()]);
    let client = client(OPEN, names);
    let mut kept = None;
    let message = message();
    let answer = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut first = [0];
        stream.read_exact(&mut first).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        first[0]
    };
    let (sent, first) = tokio::join!(
        client.send("https://a.example/", &mut kept, &message),
        answer
    );
    assert_eq!(first, 22, "a handshake's first byte");
    assert!(matches!(sent, Err(Failure::Tls { .. })), "{sent:?}");
}

#[test]
fn authorities_are_read_from_a_file_that_holds_some() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let trust = |path: &PathBuf| Client::new(OPEN, Names::of_system(), Some(path)).map(drop);
    assert!(
        matches!(trust(&path), Err(RootsError::Pem { .. })),
        "no file"
    );
    std::fs::write(&path, "no PEM").unwrap();
    assert!(
        matches!(trust(&path), Err(RootsError::None { .. })),
        "no certificate"
    );
}
