//! Names: parsed once at the edge; a name that exists is valid.
//!
//! Names are compared byte by byte. They are ASCII, so that no two of them look alike, and they
//! need no escaping in a path, a log line or a table.

use alloc::sync::Arc;
use core::fmt;

use crate::bounds::{ID_LEN_MAX, RESOURCE_PART_LEN_MAX, TEXT_LEN_MAX};

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nothing was given.
    Empty,
    /// Longer than `max` bytes.
    TooLong {
        /// The most bytes that the name may have.
        max: usize,
    },
    /// A character that the name must not have.
    Character {
        /// What the name may hold.
        allowed: &'static str,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::Empty => f.write_str("must not be empty"),
            NameError::TooLong { max } => write!(f, "must have at most {max} bytes"),
            NameError::Character { allowed } => write!(f, "must be {allowed}"),
        }
    }
}

impl core::error::Error for NameError {}

const ID_ALLOWED: &str = "ASCII letters, digits, `.`, `_`, `:` and `-`, a letter or digit first";
const RESOURCE_ALLOWED: &str =
    "`service/name`, each of lower-case letters, digits, `_` and `-`, a letter or digit first";
const TEXT_ALLOWED: &str = "text without control characters or any that turn its direction";

fn check_id(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > ID_LEN_MAX {
        return Err(NameError::TooLong { max: ID_LEN_MAX });
    }
    let first_is_plain = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    let rest_is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte));
    if first_is_plain && rest_is_plain {
        Ok(())
    } else {
        Err(NameError::Character {
            allowed: ID_ALLOWED,
        })
    }
}

fn check_resource(text: &str) -> Result<(), NameError> {
    let refused = NameError::Character {
        allowed: RESOURCE_ALLOWED,
    };
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    let Some((service, name)) = text.split_once('/') else {
        return Err(refused);
    };
    for part in [service, name] {
        if part.len() > RESOURCE_PART_LEN_MAX {
            return Err(NameError::TooLong {
                max: RESOURCE_PART_LEN_MAX,
            });
        }
        let first_is_plain =
            part.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit());
        let rest_is_plain = part.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte)
        });
        if !(first_is_plain && rest_is_plain) {
            return Err(refused);
        }
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), NameError> {
    if text.len() > TEXT_LEN_MAX {
        return Err(NameError::TooLong { max: TEXT_LEN_MAX });
    }
    // A character that turns the direction of what follows can make one text look like another.
    let turns = |it: char| matches!(it, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.chars().any(|it| it.is_control() || turns(it)) {
        return Err(NameError::Character {
            allowed: TEXT_ALLOWED,
        });
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses a text from outside.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                $check(text).map(|()| Self(Arc::from(text)))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The id of a scope, unique across the server: `zenlayer-demo`, `p-7`.
    ScopeId, check_id
}
name! {
    /// The id of a location: `FRA-A`.
    LocationId, check_id
}
name! {
    /// The id of a reservation: chosen by its caller, unique within a tenant, the idempotency key.
    ReservationId, check_id
}
name! {
    /// The id of a principal; for an access key, the key id that it signs with.
    PrincipalId, check_id
}
name! {
    /// The name of a tier: `starter`.
    TierName, check_id
}
name! {
    /// The id of a request for a higher limit, made by the server.
    RequestId, check_id
}
name! {
    /// The id of a webhook.
    WebhookId, check_id
}
name! {
    /// The name of a resource: `vm/image`.
    ResourceName, check_resource
}
name! {
    /// A free text of at most `TEXT_LEN_MAX` bytes without control characters; may be empty.
    Text, check_text
}

#[cfg(test)]
mod tests;
