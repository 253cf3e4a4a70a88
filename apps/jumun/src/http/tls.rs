//! TLS, where no gateway in front ends it: a certificate and its key, each from a file (ADR-045).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use thiserror::Error;

/// Why connections cannot be secured; nothing of a file's contents is in the texts.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The file has no certificate in it that can be read.
    #[error("JUMUN_TLS_CERTIFICATE: {}: {}", file.display(), read(reason, "certificate"))]
    Certificate {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: pem::Error,
    },
    /// The file has no key in it that can be read.
    #[error("JUMUN_TLS_KEY: {}: {}", file.display(), read(reason, "key"))]
    Key {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: pem::Error,
    },
    /// Certificate and key are there, and do not serve together.
    #[error("JUMUN_TLS_KEY: {}: not the key of the certificate: {reason}", file.display())]
    Pair {
        /// The file of the key.
        file: PathBuf,
        /// Why.
        reason: rustls::Error,
    },
}

/// Says why a file was not read. What the parser quotes from it is left out.
fn read(reason: &pem::Error, what: &str) -> String {
    match reason {
        pem::Error::Io(error) => format!("cannot be read: {error}"),
        _ => format!("has no {what} in PEM"),
    }
}

/// What connections are secured with: TLS 1.2 and 1.3, by the cryptography of every other connection.
#[derive(Clone)]
pub struct Tls(ServerConfig);

impl Tls {
    /// Reads a certificate, with those of its issuers after it, and its key.
    ///
    /// # Errors
    /// When a file cannot be read, is no PEM, or the key is another one's.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let unread = |reason| TlsError::Certificate { file: certificate.to_owned(), reason };
        let chain = CertificateDer::pem_file_iter(certificate).map_err(unread)?;
        let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(unread)?;
        if chain.is_empty() {
            return Err(unread(pem::Error::NoItemsFound));
        }
        let unread = |reason| TlsError::Key { file: key.to_owned(), reason };
        let secret = PrivateKeyDer::from_pem_file(key).map_err(unread)?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret));
        config.map(Self).map_err(|reason| TlsError::Pair { file: key.to_owned(), reason })
    }

    /// Returns what the server needs.
    pub(crate) fn into_config(self) -> ServerConfig {
        self.0
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}
