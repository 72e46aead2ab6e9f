//! One connection to a receiver, and what is sent over it.
//!
//! A name is looked up once for each connection, and the connection goes to an address that was
//! found and checked then: whoever answers for the name cannot have it mean another one later. No
//! proxy is asked and no redirect is followed, because either would choose the address again.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::target::{Policy, Target, TargetRefusal};

/// How long one address has to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a receiver has from the look-up of its name to the head of its answer. With
/// [`BODY_TIMEOUT`], ten seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(9);

/// How long the body of an answer may take that nobody reads.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// The most bytes of a body for which a connection is kept.
const BODY_BYTES_MAX: usize = 64 << 10;

/// The most bytes of an answer's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

const USER_AGENT: &str = concat!("plimsoll/", env!("CARGO_PKG_VERSION"));

/// Why something was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("its address {0}")]
    Target(#[from] TargetRefusal),
    #[error("its name cannot be looked up: {0}")]
    Lookup(std::io::Error),
    #[error("its name has no address")]
    NoAddress,
    #[error("`{address}` cannot be connected to: {source}")]
    Connect {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("no certificate can be for such a name: {0}")]
    Name(#[from] InvalidDnsNameError),
    #[error("TLS with `{address}` fails: {source}")]
    Tls {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("it does not answer in HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("a head cannot be made: {0}")]
    Head(#[from] hyper::http::Error),
    #[error("its secret cannot be opened: the log of the start says why")]
    Secret,
    #[error("it answered `{0}`, and only `2xx` says that it has taken what it was told")]
    Status(StatusCode),
    #[error("it took longer than {} seconds", ANSWER_TIMEOUT.as_secs())]
    TooSlow,
}

/// Why certificates cannot be checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RootsError {
    #[error("`{path}` holds no certificates in PEM form")]
    Pem {
        path: PathBuf,
        #[source]
        source: pem::Error,
    },
    #[error("`{path}` holds no certificate")]
    None { path: PathBuf },
    #[error("certificates cannot be checked")]
    Tls(#[from] rustls::Error),
}

/// What a look-up gives, sooner or later.
type Lookup = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// Who knows the addresses of a name.
#[derive(Clone)]
pub(super) struct Names(Arc<dyn Fn(String, u16) -> Lookup + Send + Sync>);

impl Names {
    /// The machine's own resolver.
    pub(super) fn of_system() -> Self {
        Self::new(|host, port| {
            Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
        })
    }

    pub(super) fn new(find: impl Fn(String, u16) -> Lookup + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }
}

/// What is to be sent, signed.
pub(super) struct Message {
    pub(super) id: String,
    pub(super) timestamp: i64,
    pub(super) signature: String,
    pub(super) body: Bytes,
}

/// Sends, within a policy.
pub(super) struct Client {
    policy: Policy,
    names: Names,
    tls: TlsConnector,
}

impl Client {
    /// Trusts the authorities that browsers trust, and those in a file of the operator's.
    ///
    /// Errors: where the file holds none.
    pub(super) fn new(
        policy: Policy,
        names: Names,
        authorities_file: Option<&PathBuf>,
    ) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(path) = authorities_file {
            let unreadable = |source| RootsError::Pem {
                path: path.clone(),
                source,
            };
            let found = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
            let found = found.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
            if found.is_empty() {
                return Err(RootsError::None { path: path.clone() });
            }
            for certificate in found {
                roots.add(certificate)?;
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            policy,
            names,
            tls: TlsConnector::from(Arc::new(tls)),
        })
    }

    /// Sends over the connection that there is, or else over a new one, which is left behind for
    /// the next message where it can be used again.
    pub(super) async fn send(
        &self,
        url: &str,
        kept: &mut Option<Connection>,
        message: &Message,
    ) -> Result<(), Failure> {
        let target = self.policy.target(url)?;
        let answered = async {
            let mut connection = match kept.take() {
                Some(connection) if connection.is_open() => connection,
                Some(_) | None => self.connect(&target).await?,
            };
            let response = connection.exchange(request(&target, message)?).await?;
            Ok::<_, Failure>((connection, response))
        };
        let answered = timeout(ANSWER_TIMEOUT, answered).await;
        let (mut connection, response) = answered.map_err(|_| Failure::TooSlow)??;
        let status = response.status();
        // What the receiver says beside the status is not for us: it must only be out of the way.
        let read = timeout(BODY_TIMEOUT, connection.pass_over(response)).await;
        if matches!(read, Ok(true)) {
            *kept = Some(connection);
        }
        if status.is_success() {
            Ok(())
        } else {
            Err(Failure::Status(status))
        }
    }

    async fn connect(&self, target: &Target) -> Result<Connection, Failure> {
        let Names(find) = &self.names;
        let found = find(target.host.clone(), target.port).await;
        let permitted = self.policy.permitted(found.map_err(Failure::Lookup)?)?;
        let mut failure = Failure::NoAddress;
        for address in permitted {
            let stream = match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(connected) => connected,
                Err(elapsed) => Err(elapsed.into()),
            };
            match stream {
                Ok(stream) => return self.greet(target, address, stream).await,
                Err(source) => failure = Failure::Connect { address, source },
            }
        }
        Err(failure)
    }

    async fn greet(
        &self,
        target: &Target,
        address: SocketAddr,
        stream: TcpStream,
    ) -> Result<Connection, Failure> {
        if !target.is_tls {
            return Connection::open(stream).await;
        }
        let name = ServerName::try_from(target.host.clone())?;
        match self.tls.connect(name, stream).await {
            Ok(stream) => Connection::open(stream).await,
            Err(source) => Err(Failure::Tls { address, source }),
        }
    }
}

fn request(target: &Target, message: &Message) -> Result<Request<Full<Bytes>>, Failure> {
    let request = Request::post(&target.path)
        .header(header::HOST, &target.authority)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, USER_AGENT)
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", message.timestamp)
        .header("webhook-signature", &message.signature);
    Ok(request.body(Full::new(message.body.clone()))?)
}

/// A connection to a receiver. Nobody drives it but who uses it, so it is closed by dropping it.
pub(super) struct Connection {
    requests: SendRequest<Full<Bytes>>,
    driver: Pin<Box<dyn Future<Output = hyper::Result<()>> + Send + Sync>>,
    is_over: bool,
}

impl Connection {
    async fn open<S>(stream: S) -> Result<Self, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static,
    {
        let (requests, driver) = Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await?;
        Ok(Self {
            requests,
            driver: Box::pin(driver),
            is_over: false,
        })
    }

    fn is_open(&self) -> bool {
        !self.is_over && !self.requests.is_closed()
    }

    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        let Self {
            requests,
            driver,
            is_over,
        } = self;
        let answered = async {
            requests.ready().await?;
            requests.send_request(request).await
        };
        drive(driver, is_over, answered).await
    }

    /// Reads a body that nobody needs; false where it is too long for that, or broken.
    async fn pass_over(&mut self, response: Response<Incoming>) -> bool {
        let Self {
            driver, is_over, ..
        } = self;
        let read = async {
            let mut body = response.into_body();
            let mut bytes = 0_usize;
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return false };
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if BODY_BYTES_MAX < bytes {
                    return false;
                }
            }
            true
        };
        drive(driver, is_over, read).await
    }
}

/// Waits for something that the connection brings.
async fn drive<T>(
    driver: &mut Pin<Box<dyn Future<Output = hyper::Result<()>> + Send + Sync>>,
    is_over: &mut bool,
    awaited: impl Future<Output = T>,
) -> T {
    let mut awaited = pin!(awaited);
    loop {
        tokio::select! {
            biased;
            it = &mut awaited => return it,
            // How it ended is told to whoever waits for what it brings.
            _ = driver.as_mut(), if !*is_over => *is_over = true,
        }
    }
}

#[cfg(test)]
#[path = "send_tests.rs"]
mod tests;
