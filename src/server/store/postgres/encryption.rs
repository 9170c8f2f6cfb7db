//! The line to the database, encrypted.

use std::path::Path;

use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::OpenError;

/// Trusts whom `authority` names, or whom this machine trusts.
pub(super) fn with(authority: Option<&Path>) -> Result<MakeRustlsConnect, OpenError> {
    let mut roots = RootCertStore::empty();
    match authority {
        Some(path) => {
            let unreadable = |source| OpenError::Authority { path: path.to_owned(), source };
            let certificates = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
            let certificates = certificates.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
            roots.add_parsable_certificates(certificates);
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(MakeRustlsConnect::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}
