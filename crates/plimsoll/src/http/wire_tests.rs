//! What passes over a connection: nothing of ours is held back, and hyper's own words are.

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const PATIENCE: Patience = Patience {
    idle: 3,
    head: 2,
    body_silent: 1,
    body: 1,
    answer: 4,
};

/// Everything that a server writes for `sent`, whose answers are the paths and as many points as
/// `points` says.
async fn written(sent: &[u8], points: usize) -> (Vec<u8>, Wire) {
    let (mut client, server) = tokio::io::duplex(1_000);
    let wire = Wire::default();
    let serve = async {
        let mut socket = Socket::new(server, wire.clone());
        let handler = service_fn(|request: Request<hyper::body::Incoming>| {
            wire.handed_over(request.body().size_hint().exact());
            let body = request.uri().path().to_owned() + &".".repeat(points);
            let answer = Answer::whole(body.into_bytes(), wire.clone());
            async { Ok::<_, std::convert::Infallible>(Response::new(answer)) }
        });
        let connection = http1::Builder::new()
            .auto_date_header(false)
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(&mut socket), handler);
        connection.await.unwrap_err()
    };
    let call = async {
        client.write_all(sent).await.unwrap();
        let mut written = Vec::new();
        client.read_to_end(&mut written).await.unwrap();
        written
    };
    let (error, written) = tokio::join!(serve, call);
    assert!(error.is_parse(), "{error}");
    (written, wire)
}

#[tokio::test]
async fn hypers_own_words_are_held_back_and_ours_are_whole() {
    for points in [0, 1, 900, 1_100, 100_000] {
        let sent = b"GET /a HTTP/1.1\r\n\r\nGET /bb HTTP/1.1\r\n\r\nGET /api/v2/vm HTTP/7\r\n\r\n";
        let (written, wire) = written(sent, points).await;
        let answer = |path: &str| {
            let body = path.to_owned() + &".".repeat(points);
            format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let expected = answer("/a") + &answer("/bb");
        assert_eq!(String::from_utf8(written).unwrap(), expected, "{points}");
        assert_eq!(wire.path(), "/api/v2/vm");
        assert!(!wire.is_answering());
    }
}

#[tokio::test]
async fn a_peer_is_given_up_when_it_has_waited_long_enough() {
    let wire = Wire::default();
    let (mut client, server) = tokio::io::duplex(4);
    let mut socket = Socket::new(server, wire.clone());
    let ticks = |count: usize| {
        let all: Vec<_> = (0..count).map(|_| wire.tick(&PATIENCE)).collect();
        all.into_iter().flatten().next()
    };
    assert_eq!(ticks(3), None);
    assert_eq!(ticks(1), Some(Phase::Idle));
    // One byte of a head does not buy another wait.
    for byte in [b"G", b"E"] {
        client.write_all(byte).await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap(), byte[0]);
        let expected = (byte == b"E").then_some(Phase::Head);
        assert_eq!(ticks(2), expected);
    }
    client.write_all(b"T /").await.unwrap();
    socket.read_exact(&mut [0; 3]).await.unwrap();
    wire.handed_over(Some(0));
    assert_eq!(ticks(100), None, "our own time is not the peer's");
    let answer = Answer::whole(Vec::new(), wire.clone());
    let writing = tokio::time::timeout(std::time::Duration::ZERO, socket.write_all(b"12345"));
    writing.await.unwrap_err();
    drop(answer);
    assert_eq!(ticks(4), None);
    assert_eq!(ticks(1), Some(Phase::Answer));
    client.read_exact(&mut [0; 4]).await.unwrap();
    socket.write_all(b"5").await.unwrap();
    assert_eq!(ticks(1), Some(Phase::Answer), "some of it is not all of it");
    socket.flush().await.unwrap();
    assert_eq!(ticks(3), None);
}
