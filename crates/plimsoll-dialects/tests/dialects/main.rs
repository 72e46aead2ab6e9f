//! The dialects, from the outside: requests in, claims and replies out.

mod modelarts;
mod modelarts_auth;
mod modelarts_authorization;
mod modelarts_canonical;
mod modelarts_dates;
mod modelarts_errors;
mod modelarts_hostile;
mod modelarts_mutations;
mod mutations;
mod native;
mod sign;
mod signer;
mod transcript;
mod vectors;
mod wire;
mod world;
mod zenlayer;
mod zenlayer_auth;
mod zenlayer_authorization;
mod zenlayer_errors;
mod zenlayer_hostile;
mod zenlayer_mutations;
