//! Makes documents on a server.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::sync::id::{DocumentId, Key};
use crate::sync::network::SERVER_HEADER;

/// How long a server may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Why a document was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// The address cannot be read.
    #[error("\"{0}\" is no address of a server: it looks like https://plan.example")]
    Address(String),
    /// The server cannot be reached.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// It does not answer.
    #[error("the server does not answer")]
    Silent,
    /// Something in between answers in its place, with this status.
    #[error("the server cannot be reached: a proxy answers in its place with status {0}. Try again when it is back.")]
    Proxy(u16),
    /// It says no: the id or the key is another document's, or this client has made too many.
    #[error("the server refused it with status {0}")]
    Refused(u16),
}

/// Registers a document with a server, `https://plan.example`, as one that `key` opens and its view key shows. Doing so again changes
/// nothing.
///
/// # Errors
/// [`NotMade`].
pub async fn make(server: &str, id: DocumentId, key: &Key) -> Result<(), NotMade> {
    let wrong = || NotMade::Address(server.to_owned());
    let uri: Uri = server.parse().map_err(|_| wrong())?;
    let (port, encrypted) = match uri.scheme_str() {
        Some("http") => (80, false),
        Some("https") => (443, true),
        _ => return Err(wrong()),
    };
    let authority = uri.authority().ok_or_else(wrong)?.as_str();
    let host = uri.host().ok_or_else(wrong)?;
    let address = format!("{host}:{}", uri.port_u16().unwrap_or(port));
    let body = serde_json::json!({ "id": id, "edit_key": key }).to_string();
    let request = Request::post("/api/boards")
        .header(HOST, authority)
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|_| wrong())?;
    let made = async {
        let stream = TcpStream::connect(&address).await.map_err(unreachable)?;
        if encrypted {
            let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|_| wrong())?;
            let stream = connector().connect(name, stream).await.map_err(unreachable)?;
            send(stream, request).await
        } else {
            send(stream, request).await
        }
    };
    match timeout(WITHIN, made).await {
        Ok(Ok(response)) if !response.headers().contains_key(SERVER_HEADER) => {
            Err(NotMade::Proxy(response.status().as_u16()))
        }
        Ok(Ok(response)) if matches!(response.status(), StatusCode::OK | StatusCode::CREATED) => Ok(()),
        Ok(Ok(response)) => Err(NotMade::Refused(response.status().as_u16())),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(NotMade::Silent),
    }
}

async fn send<T>(stream: T, request: Request<String>) -> Result<Response<Incoming>, NotMade>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
    // A task of its own: a connection that ends with the answer must not be heard before it.
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(unreachable);
    connection.abort();
    answer
}

fn unreachable(error: impl std::error::Error) -> NotMade {
    NotMade::Unreachable(error.to_string())
}

/// Trusts whom this machine trusts.
fn connector() -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    TlsConnector::from(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}
