//! A list whose items become something else while it is read.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::leaf::AtMost;

/// What an item of a list becomes.
pub(crate) trait MadeOf<T>: Sized {
    /// Takes what was read at an index.
    fn made_of(read: T, index: usize) -> Self;
}

/// As [`AtMost`] some `T`, each made an `M` at once: a list of thousands is not in memory twice.
pub(crate) struct Each<T, M, const MAX: usize>(pub(crate) Vec<M>, PhantomData<T>);

impl<'de, T, M, const MAX: usize> Deserialize<'de> for Each<T, M, MAX>
where
    T: Deserialize<'de>,
    M: MadeOf<T>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T, M, const MAX: usize>(PhantomData<(T, M)>);

        impl<'de, T, M, const MAX: usize> Visitor<'de> for Reader<T, M, MAX>
        where
            T: Deserialize<'de>,
            M: MadeOf<T>,
        {
            type Value = Each<T, M, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut made = AtMost::<M, MAX>::EMPTY;
                while let Some(read) = items.next_element()? {
                    let item = M::made_of(read, made.0.len());
                    made.push(item).map_err(A::Error::custom)?;
                }
                Ok(Each(made.0, PhantomData))
            }
        }

        deserializer.deserialize_seq(Reader(PhantomData))
    }
}
