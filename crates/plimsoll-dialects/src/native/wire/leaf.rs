//! The scalars and small containers that the JSON is made of.
//!
//! A leaf parses itself into a core value, so that the error carries the place of the leaf.
//! `expecting` and the errors complete the sentence "`/place` must be …".

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::fmt::StdFmtWrite;
use jiff::fmt::temporal::DateTimePrinter;
use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::bounds::{AMOUNT_MAX, ATTRIBUTES_MAX};
use plimsoll_core::model::Attributes;
use plimsoll_core::names::Text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, Expected, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::super::page;
use super::words::Spelled;

/// A string that spells a core value.
pub(crate) struct Parsed<T>(pub(crate) T);

impl<'de, T: Spelled> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<T: Spelled> Visitor<'_> for Reader<T> {
            type Value = Parsed<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Parsed<T>, E> {
                T::parse(text).map(Parsed).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Reader(PhantomData))
    }
}

impl<T: Spelled> JsonSchema for Parsed<T> {
    fn schema_name() -> Cow<'static, str> {
        "Parsed".into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("Parsed<{}>", std::any::type_name::<T>()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::schema()
    }
}

/// A JSON object that holds a `T`.
///
/// Derived code would also take an array of the members in order; this does not.
pub(crate) struct Object<T>(pub(crate) T);

impl<T: Default> Default for Object<T> {
    fn default() -> Self {
        Object(T::default())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(Reader(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Object<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy)]
pub(crate) struct Whole<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Whole<MIN, MAX> {
    /// Errors: what a number out of bounds must be.
    pub(crate) fn new(number: u64) -> Result<Self, String> {
        if (MIN..=MAX).contains(&number) {
            Ok(Whole(number))
        } else {
            Err(format!("must be from `{MIN}` to `{MAX}`, not `{number}`"))
        }
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

impl<const MIN: u64> From<Whole<MIN, AMOUNT_MAX>> for Amount {
    fn from(whole: Whole<MIN, AMOUNT_MAX>) -> Amount {
        Amount::new(whole.0).unwrap_or(Amount::MAX)
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<const MIN: u64, const MAX: u64>;

        impl<const MIN: u64, const MAX: u64> Visitor<'_> for Reader<MIN, MAX> {
            type Value = Whole<MIN, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from `{MIN}` to `{MAX}`, in digits alone")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Whole<MIN, MAX>, E> {
                Whole::new(number).map_err(E::custom)
            }
        }

        deserializer.deserialize_u64(Reader::<MIN, MAX>)
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Whole<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Whole_{MIN}_{MAX}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "format": "int64", "minimum": MIN, "maximum": MAX})
    }
}

/// A ceiling: a whole number, or `"unlimited"`.
#[derive(Clone, Copy)]
pub(crate) struct Limit(pub(crate) Ceiling);

const UNLIMITED: &str = "unlimited";

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Limit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "a whole number from `0` to `{AMOUNT_MAX}`, in digits alone, or `\"unlimited\"`"
                )
            }

            fn visit_u64<E: Error>(self, units: u64) -> Result<Limit, E> {
                Amount::new(units)
                    .map(|amount| Limit(Ceiling::Finite(amount)))
                    .ok_or_else(|| {
                        E::custom(format_args!(
                            "must be at most `{AMOUNT_MAX}`, or `\"unlimited\"`"
                        ))
                    })
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Limit, E> {
                if text == UNLIMITED {
                    Ok(Limit(Ceiling::Unlimited))
                } else {
                    let expected: &dyn Expected = &self;
                    Err(E::custom(format_args!("must be {expected}")))
                }
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Ceiling::Finite(amount) => serializer.serialize_u64(amount.units()),
            Ceiling::Unlimited => serializer.serialize_str(UNLIMITED),
        }
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Ceiling".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How much there may be. Zero and unlimited are two different things.",
            "oneOf": [
                {"type": "integer", "format": "int64", "minimum": 0, "maximum": AMOUNT_MAX},
                {"type": "string", "const": UNLIMITED},
            ],
        })
    }
}

/// An instant, RFC 3339 in UTC, written with milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Time(pub(crate) Timestamp);

/// 1970-01-01T00:00:00: the zero of [`Timestamp`].
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Always three digits: instants as texts have the order of the instants.
const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

impl Time {
    /// Reads `2026-01-31T12:00:00Z`, with or without a fraction; `+00:00` is a `Z` too.
    ///
    /// What is finer than a millisecond is cut off.
    fn parse(text: &str) -> Option<Time> {
        let civil = text
            .strip_suffix('Z')
            .or_else(|| text.strip_suffix("+00:00"))?;
        let (seconds, fraction) = civil.split_at_checked("2026-01-31T12:00:00".len())?;
        let has_form = seconds
            .bytes()
            .zip(*b"dddd-dd-ddTdd:dd:dd")
            .all(|(byte, form)| byte == form || form == b'd' && byte.is_ascii_digit());
        let has_fraction = fraction
            .strip_prefix('.')
            .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
        if !(has_form && (fraction.is_empty() || has_fraction)) {
            return None;
        }
        let since_epoch = civil.parse::<DateTime>().ok()?.duration_since(EPOCH);
        let ms = u64::try_from(since_epoch.as_millis()).ok()?;
        Timestamp::from_ms(ms).map(Time)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = i64::try_from(self.0.ms()).unwrap_or(i64::MAX);
        let civil = EPOCH
            .checked_add(SignedDuration::from_millis(ms))
            .unwrap_or(DateTime::MAX);
        PRINTER
            .print_datetime(&civil, StdFmtWrite(&mut *f))
            .map_err(|_| fmt::Error)?;
        f.write_str("Z")
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Spelled for Time {
    type Error = &'static str;

    fn parse(text: &str) -> Result<Self, Self::Error> {
        Time::parse(text)
            .ok_or("must be an instant from 1970 on, RFC 3339 in UTC, as `2026-01-31T12:00:00Z`")
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        <Time as Spelled>::schema()
    }
}

/// From so many items on, a list grows eightfold: what is large is moved seldom.
const LONG_ITEMS: usize = 256;

/// A list of at most `MAX` items; reading ends where there are more.
pub(crate) struct AtMost<T, const MAX: usize>(pub(crate) Vec<T>);

impl<T, const MAX: usize> AtMost<T, MAX> {
    pub(crate) const EMPTY: Self = AtMost(Vec::new());

    /// Errors: what a list with more items must have.
    pub(crate) fn push(&mut self, item: T) -> Result<(), String> {
        if self.0.len() == MAX {
            return Err(format!("must have at most `{MAX}` items"));
        }
        let len = self.0.len();
        if LONG_ITEMS <= len && len == self.0.capacity() {
            let more = len.saturating_mul(7);
            self.0.reserve_exact(more.min(MAX.saturating_sub(len)));
        }
        self.0.push(item);
        Ok(())
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for AtMost<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T, const MAX: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Reader<T, MAX> {
            type Value = AtMost<T, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> Result<AtMost<T, MAX>, A::Error> {
                let mut kept = AtMost::EMPTY;
                while let Some(item) = items.next_element()? {
                    kept.push(item).map_err(A::Error::custom)?;
                }
                Ok(kept)
            }
        }

        deserializer.deserialize_seq(Reader(PhantomData))
    }
}

impl<T: JsonSchema, const MAX: usize> JsonSchema for AtMost<T, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("AtMost_{MAX}_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<T>();
        json_schema!({"type": "array", "maxItems": MAX, "items": items})
    }
}

/// A small object of texts, each name once.
pub(crate) struct Texts(pub(crate) Attributes);

/// The same, as its entries come.
#[derive(Default)]
pub(crate) struct SomeTexts(BTreeMap<Text, Text>);

impl SomeTexts {
    /// Errors: what texts with this one must have.
    pub(crate) fn insert(&mut self, name: Text, value: Text) -> Result<(), String> {
        if self.0.insert(name, value).is_some() {
            return Err("must have each name once".to_owned());
        }
        if self.0.len() > ATTRIBUTES_MAX {
            return Err(format!("must have at most `{ATTRIBUTES_MAX}` entries"));
        }
        Ok(())
    }

    pub(crate) fn all(self) -> Texts {
        Texts(Attributes::new(self.0).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Texts, A::Error> {
                let mut texts = SomeTexts::default();
                while let Some(Parsed(name)) = entries.next_key()? {
                    let Parsed(value) = entries.next_value()?;
                    texts.insert(name, value).map_err(A::Error::custom)?;
                }
                Ok(texts.all())
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

impl JsonSchema for Texts {
    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "maxProperties": ATTRIBUTES_MAX,
            "propertyNames": Text::schema(),
            "additionalProperties": Text::schema(),
        })
    }
}

/// Where the next page starts; opaque.
pub(crate) struct Next(Option<String>);

impl Next {
    /// The token after the row with this key.
    pub(crate) fn after<K: page::PageKey>(last: Option<&K>) -> Next {
        Next(last.map(page::token))
    }
}

impl Serialize for Next {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for Next {
    fn schema_name() -> Cow<'static, str> {
        "Next".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "null"],
            "description": "The `page_token` of the next page; null at the end of the list.",
        })
    }
}
