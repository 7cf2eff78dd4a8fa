//! Values that know where they stand.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{BoolDeserializer, U32Deserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer, SeqAccess, Visitor};

use super::{Error, Part};
use crate::forms::written_as;
use crate::node::Span;

/// The name by which [`Part`] knows that places are wanted.
pub(super) const SPANNED: &str = "$spanned";

/// Something, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) span: Span,
    /// Where its key stands; where it stands itself if it has none.
    pub(crate) key: Span,
    /// Whether a part of it that was wrong has been taken out.
    pub(crate) pruned: bool,
    pub(crate) value: T,
}

written_as!(Spanned<T>: T);

impl<T> std::ops::Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Spanned<T>, D::Error> {
        struct Places<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Places<T> {
            type Value = Spanned<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            /// Outside of this module's deserializer nothing is known of places.
            fn visit_unit<E: serde::de::Error>(self) -> Result<Spanned<T>, E> {
                let value = T::deserialize(().into_deserializer())?;
                Ok(Spanned { span: Span::default(), key: Span::default(), pruned: false, value })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Spanned<T>, A::Error> {
                let mut number = || -> Result<u32, A::Error> { Ok(seq.next_element()?.unwrap_or_default()) };
                let span = Span { start: number()?, end: number()?, line: number()?, column: number()? };
                let key = Span { start: number()?, end: number()?, line: number()?, column: number()? };
                let pruned = seq.next_element()?.unwrap_or_default();
                let value = seq.next_element()?.ok_or_else(|| A::Error::custom("a value is missing"))?;
                Ok(Spanned { span, key, pruned, value })
            }
        }
        deserializer.deserialize_newtype_struct(SPANNED, Places(PhantomData))
    }
}

/// Gives the places of a part, then the part.
pub(super) struct Placed<'de> {
    part: Part<'de>,
    stage: usize,
}

impl<'de> Placed<'de> {
    pub(super) fn new(part: Part<'de>) -> Placed<'de> {
        Placed { part, stage: 0 }
    }
}

impl<'de> SeqAccess<'de> for Placed<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let span = self.part.node.span;
        let key = self.part.key.unwrap_or(span);
        let places = [span, key].map(|span| [span.start, span.end, span.line, span.column]);
        let place = places.as_flattened().get(self.stage).copied();
        self.stage += 1;
        match (place, self.stage) {
            (Some(place), _) => seed.deserialize(U32Deserializer::new(place)).map(Some),
            (None, 9) => seed.deserialize(BoolDeserializer::new(self.part.node.pruned)).map(Some),
            (None, 10) => seed.deserialize(self.part).map(Some),
            (None, _) => Ok(None),
        }
    }
}
