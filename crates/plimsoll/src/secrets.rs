//! Secrets: how they are made, sealed at rest, and opened.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use plimsoll_core::model::Credential;
use plimsoll_core::names::{NameError, PrincipalId, WebhookId};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock;

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;

/// What nodes agree upon by this name is sealed by the master key of all of them.
pub(crate) const AGREED_KEY: &str = "master_key";

/// Why the master key or a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("the master key file `{path}` cannot be {verb}")]
    File {
        path: PathBuf,
        verb: &'static str,
        #[source]
        source: std::io::Error,
    },
    #[error(
        "the master key file `{path}` can be read by others: close it with `chmod 600`, and \
         think of its secrets as known"
    )]
    Open { path: PathBuf },
    #[error("the master key file `{path}` must hold 64 hexadecimal digits and nothing else")]
    Malformed { path: PathBuf },
    #[error(
        "the master key file `{path}` is missing, and the ledger holds secrets that it sealed: \
         bring it back from a backup, or copy it from another node"
    )]
    Missing { path: PathBuf },
    #[error("the secret of `{id}` was not sealed with this master key")]
    Unsealable { id: Owner },
    #[error(
        "the master key file `{path}` does not hold the key that sealed the secret of `{id}`: \
         bring the right one back from a backup, or name it as `master_key_file`"
    )]
    Foreign { path: PathBuf, id: Owner },
    #[error("an id cannot be made")]
    Id(#[source] NameError),
    #[error("the system has no entropy to give")]
    Entropy(#[from] getrandom::Error),
}

/// Whose secret is sealed. It opens for its owner only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// An access key.
    Principal(PrincipalId),
    /// What a webhook is told is signed with it.
    Webhook(WebhookId),
}

impl From<&PrincipalId> for Owner {
    fn from(id: &PrincipalId) -> Self {
        Self::Principal(id.clone())
    }
}

impl From<&WebhookId> for Owner {
    fn from(id: &WebhookId) -> Self {
        Self::Webhook(id.clone())
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal(id) => f.write_str(id.as_str()),
            // No id has a slash: a webhook's secret opens for no principal of the same id.
            Self::Webhook(id) => write!(f, "webhooks/{id}"),
        }
    }
}

/// The key that seals the secrets of access keys and webhooks at rest.
pub(crate) struct MasterKey(XChaCha20Poly1305);

impl MasterKey {
    /// Reads the key, or makes it where there is none and none can be missed.
    pub(crate) fn load_or_create(path: &Path, is_missed: bool) -> Result<Self, SecretError> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Err(SecretError::Open {
                path: path.to_owned(),
            }),
            Ok(_) => Self::load(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if is_missed {
                    return Err(SecretError::Missing {
                        path: path.to_owned(),
                    });
                }
                write_private(path, hex(&clock::random::<KEY_LEN>()?).as_bytes()).map_err(
                    |source| SecretError::File {
                        path: path.to_owned(),
                        verb: "written",
                        source,
                    },
                )?;
                Self::load(path)
            }
            Err(source) => Err(SecretError::File {
                path: path.to_owned(),
                verb: "read",
                source,
            }),
        }
    }

    fn load(path: &Path) -> Result<Self, SecretError> {
        let file = |source| SecretError::File {
            path: path.to_owned(),
            verb: "read",
            source,
        };
        let text = Zeroizing::new(fs::read_to_string(path).map_err(file)?);
        let key = unhex::<KEY_LEN>(text.trim_end_matches('\n')).ok_or_else(|| {
            SecretError::Malformed {
                path: path.to_owned(),
            }
        })?;
        Ok(Self(XChaCha20Poly1305::new(&(*key).into())))
    }

    /// Seals a secret: nonce, then ciphertext.
    pub(crate) fn seal(
        &self,
        owner: impl Into<Owner>,
        secret: &str,
    ) -> Result<Vec<u8>, SecretError> {
        let owner = owner.into();
        let nonce = clock::random::<NONCE_LEN>()?;
        let bound_to = owner.to_string();
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: bound_to.as_bytes(),
        };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SecretError::Unsealable { id: owner })?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// What the other nodes must be able to open, under the name [`AGREED_KEY`].
    pub(crate) fn seal_agreed(&self) -> Result<Vec<u8>, SecretError> {
        let id = PrincipalId::parse(AGREED_KEY).map_err(SecretError::Id)?;
        self.seal(&id, "the same on every node")
    }

    /// Makes sure that this key, read from `path`, is the one that all nodes have.
    pub(crate) fn expect_agreed(&self, path: &Path, sealed: &[u8]) -> Result<(), SecretError> {
        let id = PrincipalId::parse(AGREED_KEY).map_err(SecretError::Id)?;
        self.expect_opens(path, &id, sealed)
    }

    /// Makes sure that this key, read from `path`, is the one that sealed a secret.
    pub(crate) fn expect_opens(
        &self,
        path: &Path,
        owner: impl Into<Owner>,
        sealed: &[u8],
    ) -> Result<(), SecretError> {
        let owner = owner.into();
        let foreign = |_| SecretError::Foreign {
            path: path.to_owned(),
            id: owner.clone(),
        };
        self.open(owner.clone(), sealed).map(drop).map_err(foreign)
    }

    /// Opens a sealed secret.
    pub(crate) fn open(
        &self,
        owner: impl Into<Owner>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let owner = owner.into();
        let unsealable = || SecretError::Unsealable { id: owner.clone() };
        let (nonce, ciphertext) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or_else(unsealable)?;
        let bound_to = owner.to_string();
        let payload = Payload {
            msg: ciphertext,
            aad: bound_to.as_bytes(),
        };
        let opened = self
            .0
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| unsealable())?;
        Ok(Zeroizing::new(opened))
    }
}

/// Writes a file that only its owner may read: under another name first, so that it is whole.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => {
            fs::File::open(directory)?.sync_all()
        }
        Some(_) | None => Ok(()),
    }
}

/// A credential that was just made, and what its owner is told once.
pub(crate) struct Made {
    /// The principal's id; for an access key, the key id.
    pub(crate) id: PrincipalId,
    /// What is kept.
    pub(crate) credential: Credential,
    /// What only the owner knows: a signing secret, or the whole text of a token.
    pub(crate) secret: Zeroizing<String>,
}

impl Made {
    /// A bearer token: the principal's id, a point, and 256 random bits.
    pub(crate) fn token(id: Option<PrincipalId>) -> Result<Self, SecretError> {
        let id = id.map_or_else(|| new_id("tok-"), Ok)?;
        let secret = Zeroizing::new(hex(&clock::random::<32>()?));
        let credential = Credential::Token {
            hash: token_hash(&secret),
        };
        let secret = Zeroizing::new(format!("{id}.{}", *secret));
        Ok(Self {
            id,
            credential,
            secret,
        })
    }

    /// An access key with a new signing secret of 160 random bits.
    pub(crate) fn access_key(
        id: Option<PrincipalId>,
        master_key: &MasterKey,
    ) -> Result<Self, SecretError> {
        let secret = Zeroizing::new(hex(&clock::random::<20>()?));
        Self::access_key_with(id.map_or_else(|| new_id("AK"), Ok)?, secret, master_key)
    }

    /// An access key whose secret is known already.
    pub(crate) fn access_key_with(
        id: PrincipalId,
        secret: Zeroizing<String>,
        master_key: &MasterKey,
    ) -> Result<Self, SecretError> {
        let credential = Credential::AccessKey {
            sealed_secret: master_key.seal(&id, &secret)?,
        };
        Ok(Self {
            id,
            credential,
            secret,
        })
    }
}

fn new_id(prefix: &str) -> Result<PrincipalId, SecretError> {
    let text = format!("{prefix}{}", hex(&clock::random::<9>()?).to_uppercase());
    PrincipalId::parse(&text).map_err(SecretError::Id)
}

/// The two halves of a bearer token.
pub(crate) fn split_token(token: &str) -> Option<(&str, &str)> {
    token.rsplit_once('.')
}

/// What is kept of the secret half of a token. It has 256 random bits, so a plain hash will do.
pub(crate) fn token_hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(hex_digit)
        .collect()
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0')
}

/// What hexadecimal digits stand for, where they are exactly so many bytes.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = Zeroizing::new([0; N]);
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
