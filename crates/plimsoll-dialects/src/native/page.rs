//! Page tokens: the key of the last row of a page, opaque to callers.

use plimsoll_core::model::Item;
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId,
};

use crate::sign::{byte_from_hex, hex_pair};

/// The key by which a list is ordered.
pub(super) trait PageKey: Sized {
    /// The first character of the list's tokens, so that a token of another list is refused.
    const LIST: char;

    /// The key as text.
    fn to_text(&self) -> String;

    /// The key that a text spells.
    fn from_text(text: &str) -> Option<Self>;
}

/// The token of the page after the row with this key.
pub(super) fn token<K: PageKey>(key: &K) -> String {
    let digits = key.to_text().into_bytes().into_iter().flat_map(hex_pair);
    std::iter::once(K::LIST)
        .chain(digits.map(char::from))
        .collect()
}

/// The key in a token; `None` where no list of this kind ever gave it.
pub(super) fn key<K: PageKey>(token: &str) -> Option<K> {
    let (pairs, rest) = token.strip_prefix(K::LIST)?.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|[high, low]| byte_from_hex(*high, *low))
        .collect();
    K::from_text(&String::from_utf8(bytes?).ok()?)
}

macro_rules! id_key {
    ($name:ident, $list:literal) => {
        impl PageKey for $name {
            const LIST: char = $list;

            fn to_text(&self) -> String {
                self.as_str().to_owned()
            }

            fn from_text(text: &str) -> Option<Self> {
                $name::parse(text).ok()
            }
        }
    };
}

id_key!(PrincipalId, 'p');
id_key!(RequestId, 'q');
id_key!(ReservationId, 'r');
id_key!(ScopeId, 's');

/// Shape: `service/name`, then `@location` where there is one; neither name can hold an `@`.
impl PageKey for Item {
    const LIST: char = 'i';

    fn to_text(&self) -> String {
        match &self.location {
            Some(location) => format!("{}@{location}", self.resource),
            None => self.resource.to_string(),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let (resource, location) = match text.split_once('@') {
            Some((resource, location)) => (resource, Some(LocationId::parse(location).ok()?)),
            None => (text, None),
        };
        Some(Item {
            resource: ResourceName::parse(resource).ok()?,
            location,
        })
    }
}
