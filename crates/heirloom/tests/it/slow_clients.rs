//! Clients that keep a connection without using it: one that says nothing, one that stops in the head of its request, one
//! that stops in the body. Each is let go after `serve.timeout`, and others are served meanwhile. And clients that are
//! refused while they still write.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::served::Served;

/// What a connection that was sent this gets until the server closes it.
async fn until_closed(served: &Served, sent: &str) -> String {
    let mut stream = TcpStream::connect(served.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut got = String::new();
    stream.read_to_string(&mut got).await.unwrap();
    got
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_let_go_and_keeps_nobody_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let settings = dir.path().join("heirloom.toml");
    std::fs::write(&settings, "[serve]\ntimeout = 1\n").unwrap();
    let served = Served::with(&[], &[("HEIRLOOM_CONFIG", settings.to_str().unwrap())]).await;
    let bearer = format!("authorization: Bearer {}\r\n", served.admin);
    let half_a_body = format!(
        "POST /api/v1/remember HTTP/1.1\r\nhost: here\r\nconnection: close\r\n{bearer}content-type: application/json\r\n\
         content-length: 100\r\n\r\n{{\"content\": "
    );
    let (nothing, half_a_head, half_a_body, served_meanwhile) = tokio::join!(
        until_closed(&served, ""),
        until_closed(&served, "GET /healthz HTTP/1.1\r\nhost: he"),
        until_closed(&served, &half_a_body),
        served.get("/healthz", ""),
    );
    assert_eq!(served_meanwhile.status, 200);
    assert_eq!(nothing, "");
    assert!(half_a_head.is_empty() || half_a_head.starts_with("HTTP/1.1 408 "), "{half_a_head}");
    assert!(half_a_body.starts_with("HTTP/1.1 408 "), "it is the caller who is slow: {half_a_body}");
    assert!(half_a_body.contains("\"code\":\"timeout\""), "{half_a_body}");
    // A connection that has served one request is let go as well.
    let after_one = until_closed(&served, "GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n").await;
    assert!(after_one.starts_with("HTTP/1.1 200 "), "{after_one}");
    served.stop().await;
}

/// The head and the body of the next answer on a connection.
async fn answer(stream: &mut BufReader<TcpStream>) -> String {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let from = head.len();
        if stream.read_line(&mut head).await.unwrap() <= 2 {
            break;
        }
        length = head[from..].strip_prefix("content-length: ").map_or(length, |value| value.trim().parse().unwrap());
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    head + &String::from_utf8(body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_while_it_writes_asks_again_on_the_same_connection() {
    let served = Served::new().await;
    let mut stream = BufReader::new(TcpStream::connect(served.url.strip_prefix("http://").unwrap()).await.unwrap());
    stream.write_all(b"POST /api/v1/remember HTTP/1.1\r\nhost: here\r\ncontent-length: 300000\r\n\r\n").await.unwrap();
    // Nobody has to read it to know that there is no token; what is on its way must not break the connection off.
    for _ in 0..300 {
        stream.write_all(&[b' '; 1_000]).await.unwrap();
    }
    let refused = answer(&mut stream).await;
    assert!(refused.starts_with("HTTP/1.1 401 ") && !refused.contains("connection: close"), "{refused}");
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    let next = answer(&mut stream).await;
    assert!(next.starts_with("HTTP/1.1 200 "), "{next}");
    // Whoever waits to be told to go on is told to end instead.
    let waits = "POST /api/v1/remember HTTP/1.1\r\nhost: here\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n";
    let refused = until_closed(&served, waits).await;
    assert!(refused.starts_with("HTTP/1.1 401 ") && refused.contains("connection: close\r\n"), "{refused}");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_more_than_is_taken_still_hears_why() {
    let served = Served::new().await;
    for length in [3_000_000, 20_000_000] {
        let mut stream = BufReader::new(TcpStream::connect(served.url.strip_prefix("http://").unwrap()).await.unwrap());
        let head = format!(
            "POST /api/v1/remember HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n",
            served.admin
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // To the last byte, as a client does that reads only then.
        for _ in 0..length / 100_000 {
            stream.write_all(&[b'x'; 100_000]).await.unwrap();
        }
        let refused = answer(&mut stream).await;
        assert!(refused.starts_with("HTTP/1.1 413 ") && refused.contains("\"code\":\"too-large\""), "{refused}");
        assert!(refused.contains("connection: close\r\n"), "{refused}");
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "and then it is closed");
    }
    served.stop().await;
}
