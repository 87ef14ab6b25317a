//! Encrypted connections to a database: `sslmode` says how much of a certificate is checked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::runtime;

/// What encrypts a connection.
#[derive(Debug)]
pub(super) enum Trust {
    /// Nothing.
    Nobody,
    /// TLS.
    Whom {
        /// What is checked.
        checks: Checks,
        /// Who may sign; the authorities of the system where it is not set.
        root: Option<PathBuf>,
        /// A certificate of our own, and its key.
        own: Option<(PathBuf, PathBuf)>,
    },
}

/// What is checked of a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Checks {
    /// Nothing: who listens can be anybody.
    Nothing,
    /// Who signed it.
    Signature,
    /// Who signed it, and that it is the host's.
    SignatureAndName,
}

/// Returns what makes TLS connections, or why there can be none.
pub(super) fn connector(trust: &Trust) -> Result<MakeRustlsConnect, String> {
    runtime::choose_tls();
    let config = ClientConfig::builder();
    let (checks, root, own) = match trust {
        // It is never used then, but there is only one kind of connector.
        Trust::Nobody => (Checks::Nothing, &None, &None),
        Trust::Whom { checks, root, own } => (*checks, root, own),
    };
    let inner = if checks == Checks::Nothing {
        None
    } else {
        let verifier = WebPkiServerVerifier::builder(Arc::new(roots(root.as_deref())?)).build();
        Some(verifier.map_err(|error| format!("cannot set up TLS: {error}"))?)
    };
    let verifier = Arc::new(Verifier { inner, checks });
    let config = config.dangerous().with_custom_certificate_verifier(verifier);
    let config = match own {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|_| format!("{} holds no key as PEM", key.display()))?;
            let config = config.with_client_auth_cert(chain, key);
            config.map_err(|error| format!("cannot use `sslcert` and `sslkey`: {error}"))?
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let found: Vec<_> = found.map_err(|error| format!("cannot read {shown}: {error}"))?;
    if found.is_empty() { Err(format!("{shown} holds no certificate as PEM")) } else { Ok(found) }
}

fn roots(path: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let found = match path {
        Some(path) => certificates(path)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    roots.add_parsable_certificates(found);
    Ok(roots)
}

/// Checks as much of a certificate as is asked for.
#[derive(Debug)]
struct Verifier {
    inner: Option<Arc<WebPkiServerVerifier>>,
    checks: Checks,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        let is_name = |error: &CertificateError| {
            matches!(
                error,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            )
        };
        match inner.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // The name is looked at last, when the signature has been found good.
            Err(Error::InvalidCertificate(error))
                if self.checks == Checks::Signature && is_name(&error) =>
            {
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        let known = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        known.supported_schemes()
    }
}
