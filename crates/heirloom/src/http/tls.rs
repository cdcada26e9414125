//! Connections as the server takes them: plain, or through TLS when a certificate is given.
//!
//! A handshake runs on its own task, so that a client that never finishes one keeps nobody waiting. Who speaks plain HTTP
//! is told so in plain HTTP. A certificate that has ended is refused at the start: every client would refuse it later.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::ServeConfig;
use crate::error::{Error, Result};

/// What a client gets that speaks plain HTTP here.
const PLAIN: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 39\r\nconnection: close\r\n\r\n\
    this address speaks TLS: use https://\r\n";

const HANDSHAKE: Duration = Duration::from_secs(10);
const WAITING: usize = 64;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Takes connections that have finished their handshake.
pub struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    local: SocketAddr,
}

/// What makes handshakes, from the PEM files of the settings; `None` where they name none.
///
/// # Errors
/// [`Error::File`] names the file and what is wrong with it.
pub fn acceptor(settings: &ServeConfig) -> Result<Option<TlsAcceptor>> {
    let (chain, key) = (settings.tls_cert.as_path(), settings.tls_key.as_path());
    if chain.as_os_str().is_empty() {
        return Ok(None);
    }
    let read = |path: &Path| std::fs::read(path).map_err(|error| unreadable(path, &error));
    let (chain_pem, key_pem) = (read(chain)?, read(key)?);
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&chain_pem)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| wrong(chain, format!("it is no PEM certificate chain ({error})")))?;
    if certificates.is_empty() {
        return Err(wrong(
            chain,
            "it holds no certificate; a PEM chain is accepted, the server's own first".to_owned(),
        ));
    }
    if let Some(end) = certificates.first().and_then(|own| end_of(own)).filter(|end| *end < jiff::Timestamp::now()) {
        return Err(wrong(chain, format!("the certificate ended at {end}, and no client would accept it; renew it")));
    }
    let key_der = PrivateKeyDer::from_pem_slice(&key_pem)
        .map_err(|error| wrong(key, format!("it holds no PEM private key ({error})")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key_der))
        .map_err(|error| wrong(key, format!("it does not go with the certificate ({error})")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn wrong(path: &Path, reason: String) -> Error {
    Error::File { path: path.display().to_string(), reason }
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    wrong(path, format!("it cannot be read ({error})"))
}

/// When a certificate ends (RFC 5280, 4.1); `None` for what is none.
fn end_of(certificate: &[u8]) -> Option<jiff::Timestamp> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    if element(rest)?.0 == 0xa0 {
        rest = element(rest)?.2;
    }
    // The serial number, the algorithm and the issuer stand before the validity.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, validity, _) = element(rest)?;
    let (tag, end, _) = element(element(validity)?.2)?;
    let end = std::str::from_utf8(end).ok()?.strip_suffix('Z')?;
    let century = match tag {
        0x17 if end.get(..2)? < "50" => "20",
        0x17 => "19",
        _ => "",
    };
    let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", format!("{century}{end}")).ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|time| time.timestamp())
}

/// The first element of some DER: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f)).filter(|(bytes, _)| bytes.len() <= 4)?;
        (bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// A connection after its handshake; `None` for one that has had its answer.
async fn shake(acceptor: &TlsAcceptor, mut stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
    let mut first = [0];
    // A handshake begins with 0x16, a request with the letters of its method.
    if stream.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase() {
        stream.write_all(PLAIN).await?;
        stream.shutdown().await?;
        // Read until the client has read: a reset would take the answer from it.
        tokio::io::copy(&mut stream.take(64 * 1024), &mut tokio::io::sink()).await?;
        return Ok(None);
    }
    acceptor.accept(stream).await.map(Some)
}

impl TlsListener {
    /// Listens.
    ///
    /// # Errors
    /// When the socket has no address.
    pub fn new(listener: TcpListener, acceptor: TlsAcceptor) -> io::Result<Self> {
        let local = listener.local_addr()?;
        let (send, ready) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = send.closed() => return,
                };
                let Ok((stream, peer)) = accepted else {
                    // Out of descriptors, say: others may be given back meanwhile.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let (send, acceptor) = (send.clone(), acceptor.clone());
                tokio::spawn(async move {
                    match tokio::time::timeout(HANDSHAKE, shake(&acceptor, stream)).await {
                        Ok(Ok(Some(stream))) => drop(send.send((stream, peer)).await),
                        Ok(Ok(None)) => tracing::debug!("a client spoke plain HTTP and was told to use TLS"),
                        Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
                        Err(_) => tracing::debug!("a TLS handshake took too long"),
                    }
                });
            }
        });
        Ok(Self { ready, local })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.local)
    }
}
