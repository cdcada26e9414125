//! A server by URL: what the URL may say, and TLS.
//!
//! Accepted beside the driver's own parameters: `sslmode=verify-full|verify-ca` (read as `require`: when TLS is used
//! the certificate is always verified) and `sslrootcert=FILE` for a private authority.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{EngineError, Result};
use crate::location::redact_url;
use crate::refusal::Refusal;

/// Reads the URL into the driver's configuration and a TLS connector.
pub(crate) fn config(url: &str) -> Result<(tokio_postgres::Config, MakeRustlsConnect)> {
    let wrong = |reason: String| EngineError::Url { url: redact_url(url), reason };
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut kept = Vec::new();
    let mut root_certificate = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslrootcert", file)) => root_certificate = Some(file.to_owned()),
            Some(("sslmode", "verify-full" | "verify-ca")) => kept.push("sslmode=require".to_owned()),
            _ => kept.push(pair.to_owned()),
        }
    }
    let cleaned = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
    let mut config: tokio_postgres::Config =
        cleaned.parse().map_err(|error: tokio_postgres::Error| wrong(cause(&error)))?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(std::time::Duration::from_secs(10));
    }
    let roots = roots(root_certificate.as_deref()).map_err(wrong)?;
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((config, MakeRustlsConnect::new(tls)))
}

fn roots(file: Option<&str>) -> std::result::Result<RootCertStore, String> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let Some(file) = file else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let mut store = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| format!("sslrootcert={file}: {error}"))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| format!("sslrootcert={file}: {error}"))?;
        store.add(certificate).map_err(|error| format!("sslrootcert={file}: {error}"))?;
    }
    if store.is_empty() {
        return Err(format!("sslrootcert={file}: no certificate in the file"));
    }
    Ok(store)
}

/// The innermost cause, which is the sentence that helps.
pub(crate) fn cause(error: &tokio_postgres::Error) -> String {
    if error.as_db_error().is_some() {
        return Refusal::of(error).to_string();
    }
    let mut current: &dyn std::error::Error = error;
    while let Some(next) = current.source() {
        current = next;
    }
    current.to_string()
}
