//! Certificates for 127.0.0.1 and localhost, made anew by `openssl`, and an authority that signs them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Files in PEM, in a folder of their own that goes with this.
pub(crate) struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub(crate) fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let run = |command: &str| {
            let done = Command::new("sh").args(["-ec", command]).current_dir(folder.path()).output().expect("runs");
            assert!(done.status.success(), "openssl is needed: {done:?}");
        };
        let new = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        run(&format!("{new} -x509 -days 2 -subj '/CN=Tests' -keyout authority.key -out authority.pem"));
        run(&format!("{new} -subj '/CN=localhost' -keyout server.key -out server.csr"));
        run("echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' > names");
        run("openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 \
             -extfile names -out server.pem");
        Self { folder }
    }

    /// Whoever trusts this trusts the server.
    pub(crate) fn authority(&self) -> PathBuf {
        self.file("authority.pem")
    }

    /// The server's certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.file("server.pem")
    }

    /// The server's key.
    pub(crate) fn key(&self) -> PathBuf {
        self.file("server.key")
    }

    /// An encrypted connection to `address`, which offers these protocols.
    pub(crate) async fn connect(&self, address: SocketAddr, protocols: &[&str]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(self.authority()).expect("reads");
        roots.add(authority).expect("is a certificate");
        let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(address).await.expect("connects");
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("is encrypted")
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}
