//! A certificate made in a test: Ed25519, signed by itself, for 127.0.0.1 and localhost.

use base64::Engine;
use ed25519_dalek::{Signer, SigningKey};

/// The DER of a certificate and of its key, and both as PEM.
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) chain: String,
    pub(crate) key: String,
}

/// Object identifiers: Ed25519, common name, subject alternative name.
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
const NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
const OTHER_NAMES: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];

impl Certificate {
    /// From this key, until `end`: `YYMMDDHHMMSSZ`.
    pub(crate) fn new(seed: u8, end: &str) -> Self {
        let own = SigningKey::from_bytes(&[seed; 32]);
        let algorithm = der(0x30, &[ED25519]);
        let name = der(0x30, &[&der(0x31, &[&der(0x30, &[NAME, &der(0x0c, &[b"heirloom"])])])]);
        let validity = der(0x30, &[&der(0x17, &[b"200101000000Z"]), &der(0x17, &[end.as_bytes()])]);
        let public = der(0x30, &[&algorithm, &der(0x03, &[&[0], own.verifying_key().as_bytes()])]);
        let names = der(0x30, &[&der(0x82, &[b"localhost"]), &der(0x87, &[&[127, 0, 0, 1]])]);
        let extension = der(0x30, &[OTHER_NAMES, &der(0x04, &[&names])]);
        let body = der(
            0x30,
            &[
                &der(0xa0, &[&der(0x02, &[&[2]])]),
                &der(0x02, &[&[seed & 0x7f]]),
                &algorithm,
                &name,
                &validity,
                &name,
                &public,
                &der(0xa3, &[&der(0x30, &[&extension])]),
            ],
        );
        let signature = own.sign(&body).to_bytes();
        let whole = der(0x30, &[&body, &algorithm, &der(0x03, &[&[0], &signature])]);
        let key = der(0x30, &[&der(0x02, &[&[0]]), &algorithm, &der(0x04, &[&der(0x04, &[own.as_bytes()])])]);
        Self { chain: pem("CERTIFICATE", &whole), key: pem("PRIVATE KEY", &key), der: whole }
    }
}

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        Ok(byte) => out.extend([0x81, byte]),
        Err(_) => {
            out.push(0x82);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    out.extend(content);
    out
}

fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        base64::engine::general_purpose::STANDARD.encode(der)
    )
}
