//! Signing the evidence, and checking it without either database.
//!
//! The signature stands beside the data, `report.json.sig`, and is over its bytes as they are: any JSON reader can read
//! the data, and any change of it shows. Ed25519; the key is a PKCS#8 PEM as `openssl genpkey -algorithm ed25519` makes it,
//! or its 32 bytes as 64 hex digits.
//!
//! A signature says that the holder of a key vouches for these bytes. Whose key it is has to be known from elsewhere, so
//! the check names the public key, and holds one against it when it is given.

use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::Evidence;
use crate::error::{MigrateError, Result};
use crate::verify::merkle_root;

/// What is signed begins with this, so that a signature of it is good for nothing else.
const DOMAIN: &[u8] = b"heirloom evidence 1\n";

/// A key that signs evidence. Never printed.
pub struct Signer(SigningKey);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(hidden)")
    }
}

/// A detached signature, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Always `ed25519`.
    pub algorithm: String,
    /// The public key, 64 hex digits.
    pub public_key: String,
    /// The signature, 128 hex digits.
    pub signature: String,
}

impl Signer {
    /// From a PKCS#8 PEM, or from 64 hex digits.
    ///
    /// # Errors
    /// [`MigrateError::Refused`] when it is neither; the text is not repeated.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Some(seed) = bytes::<32>(text) {
            return Ok(Self(SigningKey::from_bytes(&seed)));
        }
        SigningKey::from_pkcs8_pem(text).map(Self).map_err(|_| MigrateError::Refused {
            what: "The key of [report] is no Ed25519 key".into(),
            cure: "make one with `openssl genpkey -algorithm ed25519`, or give its 32 bytes as 64 hex digits".into(),
        })
    }

    /// Signs the bytes of a file of evidence.
    pub fn sign(&self, evidence: &[u8]) -> Signed {
        Signed {
            algorithm: "ed25519".to_owned(),
            public_key: hex(self.0.verifying_key().as_bytes()),
            signature: hex(&self.0.sign(&framed(evidence)).to_bytes()),
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Migrations in the file.
    pub migrations: usize,
    /// The public key that signed it; `None` when nothing did.
    pub signed_by: Option<String>,
    /// What does not hold, a sentence each; empty when all does.
    pub problems: Vec<String>,
}

/// Checks a file of evidence with nothing but itself, its signature and, when given, the public key that must have signed.
///
/// # Errors
/// [`MigrateError::Refused`] when the file is no evidence or the key no key; what does not hold is no error.
pub fn check(evidence: &[u8], signed: Option<&[u8]>, key: Option<&str>) -> Result<Checked> {
    let key = key.map(|text| text.trim().to_lowercase());
    if key.as_ref().is_some_and(|key| bytes::<32>(key).is_none()) {
        return Err(refused("The given key is no public key", "give the 64 hex digits that a check names"));
    }
    let all: Vec<Evidence> = serde_json::from_slice(evidence)
        .map_err(|_| refused("This is no evidence", "give the report.json that `heirloom report` wrote"))?;
    let (mut problems, mut signed_by) = (Vec::new(), None);
    match signed {
        None if key.is_some() => problems.push("it is not signed".to_owned()),
        None => {}
        Some(signed) => match signature(evidence, signed) {
            Ok(by) => signed_by = Some(by),
            Err(problem) => problems.push(problem),
        },
    }
    if let (Some(key), Some(by)) = (&key, &signed_by)
        && key != by
    {
        problems.push(format!("it was signed with another key, {by}"));
    }
    for one in &all {
        consistent(one, &mut problems);
    }
    Ok(Checked { migrations: all.len(), signed_by, problems })
}

fn signature(evidence: &[u8], signed: &[u8]) -> std::result::Result<String, String> {
    let unreadable = || "its signature cannot be read".to_owned();
    let signed: Signed = serde_json::from_slice(signed).map_err(|_| unreadable())?;
    let public = bytes::<32>(&signed.public_key).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
    let (public, signature) = public.zip(bytes::<64>(&signed.signature)).ok_or_else(unreadable)?;
    public
        .verify_strict(&framed(evidence), &Signature::from_bytes(&signature))
        .map_err(|_| "it is not what was signed: the file was changed, or the signature is of another".to_owned())?;
    Ok(signed.public_key.to_lowercase())
}

/// What the evidence says must add up.
fn consistent(evidence: &Evidence, problems: &mut Vec<String>) {
    let name = &evidence.name;
    if evidence.format != super::FORMAT {
        problems.push(format!("{name}: it has form {}, this version knows {}", evidence.format, super::FORMAT));
        return;
    }
    let counts = &evidence.counts;
    if let Some(digests) = &evidence.digests {
        if merkle_root(&digests.chunks) != digests.merkle_root {
            problems.push(format!("{name}: the Merkle root is not that of its chunks"));
        }
        let rows: u64 = digests.chunks.iter().map(|chunk| chunk.source_rows).sum();
        if rows != counts.source_rows {
            problems.push(format!("{name}: its chunks hold {rows} source rows, its counts {}", counts.source_rows));
        }
        let expected: u64 = digests.chunks.iter().map(|chunk| chunk.expected.count).sum();
        if Some(expected) != counts.expected {
            problems.push(format!("{name}: its chunks expect {expected} rows, its counts another number"));
        }
        let apart = digests.chunks.iter().any(|chunk| chunk.expected != chunk.found);
        let explained: u64 = evidence.explained.values().sum();
        if evidence.holds && apart && explained == 0 {
            problems.push(format!("{name}: it says that all holds, while sums differ and nothing explains it"));
        }
    } else if evidence.holds {
        problems.push(format!("{name}: it says that all holds, and nothing was compared"));
    }
    if evidence.holds && (counts.differences != Some(0) || !evidence.differences.is_empty()) {
        problems.push(format!("{name}: it says that all holds, and lists differences"));
    }
}

fn framed(evidence: &[u8]) -> Vec<u8> {
    [DOMAIN, evidence].concat()
}

fn refused(what: &str, cure: &str) -> MigrateError {
    MigrateError::Refused { what: what.to_owned(), cure: cure.to_owned() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if hex.len() != 2 * N || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

    #[test]
    fn a_signature_is_of_these_bytes_and_this_key() {
        let signer = Signer::parse(SEED).unwrap();
        let signed = serde_json::to_vec(&signer.sign(b"[]")).unwrap();
        let good = check(b"[]", Some(&signed), None).unwrap();
        // The first key of RFC 8032, 7.1.
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!((good.signed_by.as_deref(), good.problems.as_slice()), (Some(public), [].as_slice()));
        assert_eq!(check(b"[]", Some(&signed), Some(public)).unwrap().problems, Vec::<String>::new());
        let problem = |evidence: &[u8], signed: Option<&[u8]>, key: Option<&str>| {
            check(evidence, signed, key).unwrap().problems.join("; ")
        };
        assert!(problem(b"[ ]", Some(&signed), None).contains("not what was signed"));
        assert!(problem(b"[]", None, Some(public)).contains("not signed"));
        assert!(problem(b"[]", Some(b"{}"), None).contains("cannot be read"));
        let other = Signer::parse(&SEED.replace("9d", "9e")).unwrap();
        let others = serde_json::to_vec(&other.sign(b"[]")).unwrap();
        assert!(problem(b"[]", Some(&others), Some(public)).contains("another key"));
        let mixed = Signed { public_key: public.to_owned(), ..other.sign(b"[]") };
        assert!(problem(b"[]", Some(&serde_json::to_vec(&mixed).unwrap()), None).contains("not what was signed"));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        for text in ["", "hunter2", "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----", &SEED[1..]] {
            let said = Signer::parse(text).unwrap_err().to_string();
            assert!(said.contains("openssl") && !said.contains("hunter2"), "{said}");
        }
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----";
        assert_eq!(Signer::parse(pem).unwrap().sign(b""), Signer::parse(SEED).unwrap().sign(b""));
        assert!(check(b"{}", None, None).is_err());
        assert!(check(b"[]", None, Some("short")).is_err());
    }
}
