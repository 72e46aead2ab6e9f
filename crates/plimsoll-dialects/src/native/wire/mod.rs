//! What travels: the JSON of requests and replies, and how protobuf is written. The only place that
//! derives serde and schemars.

pub(super) mod each;
pub(super) mod leaf;
pub(super) mod protobuf;
pub(super) mod replies;
pub(super) mod requests;
pub(super) mod url;
pub(super) mod words;
