//! The signed requests in `tests/vectors`.

use serde::Deserialize;

use crate::signer::{hmac_hex, sha256_hex};

#[derive(Deserialize)]
struct File<T> {
    vectors: Vec<T>,
}

#[derive(Deserialize)]
pub(crate) struct Zenlayer {
    pub(crate) name: String,
    pub(crate) raw_request: String,
    #[serde(flatten)]
    pub(crate) sender: Sender,
}

#[derive(Deserialize)]
#[serde(tag = "auth", rename_all = "lowercase")]
pub(crate) enum Sender {
    Zc2(Zc2),
    Bearer { token: String },
}

#[derive(Deserialize)]
pub(crate) struct Zc2 {
    pub(crate) access_key_id: String,
    pub(crate) access_key_password: String,
    pub(crate) signed_at_s: i64,
    pub(crate) canonical_request: String,
    pub(crate) string_to_sign: String,
    pub(crate) signature: String,
}

#[derive(Deserialize)]
pub(crate) struct ModelArts {
    pub(crate) name: String,
    pub(crate) algorithm: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) signed_at_s: i64,
    pub(crate) raw_request: String,
    pub(crate) canonical_request: String,
    pub(crate) string_to_sign: String,
    pub(crate) signature: String,
}

pub(crate) fn zenlayer() -> Vec<Zenlayer> {
    let file: File<Zenlayer> =
        serde_json::from_str(include_str!("../vectors/zenlayer.json")).unwrap();
    file.vectors
}

/// The vectors of Zenlayer that are signed.
pub(crate) fn zenlayer_signed() -> Vec<(String, String, Zc2)> {
    let signed = |vector: Zenlayer| match vector.sender {
        Sender::Zc2(zc2) => Some((vector.name, vector.raw_request, zc2)),
        Sender::Bearer { .. } => None,
    };
    zenlayer().into_iter().filter_map(signed).collect()
}

pub(crate) fn modelarts() -> Vec<ModelArts> {
    let file: File<ModelArts> =
        serde_json::from_str(include_str!("../vectors/modelarts.json")).unwrap();
    file.vectors
}

/// The vectors of ModelArts that a server must accept.
pub(crate) fn modelarts_accepted() -> Vec<ModelArts> {
    modelarts()
        .into_iter()
        .filter(|vector| vector.algorithm == "SDK-HMAC-SHA256")
        .collect()
}

#[test]
fn vectors_are_what_their_documents_compute() {
    for (name, _, vector) in zenlayer_signed() {
        let digest = sha256_hex(vector.canonical_request);
        assert!(vector.string_to_sign.ends_with(&digest), "{name}");
        let signature = hmac_hex(&vector.access_key_password, &vector.string_to_sign);
        assert_eq!(signature, vector.signature, "{name}");
    }
    for vector in modelarts_accepted() {
        let digest = sha256_hex(vector.canonical_request);
        assert!(vector.string_to_sign.ends_with(&digest), "{}", vector.name);
        let signature = hmac_hex(&vector.secret_key, &vector.string_to_sign);
        assert_eq!(signature, vector.signature, "{}", vector.name);
    }
}
