//! Items of a list: a word each, and what stands beside it.

/// Defines an item as an enum of its words. Each word is a struct: the field of its own name has its object, the others
/// are what may stand beside it. A group of fields that several words share is a struct, in a field that is renamed to
/// its name with a [`GROUP`](crate::de::GROUP) before it; the first line has the group that all words share.
macro_rules! items {
    (
        $(#[$attribute:meta])*
        enum $Item:ident { all: $shared:ident: $Shared:ident = $group:literal }
        $($(#[$word_attribute:meta])* struct $Word:ident { $($field:tt)* })+
    ) => {
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        #[schemars(untagged)]
        $(#[$attribute])*
        pub(crate) enum $Item {
            $($Word(Box<$Word>),)+
        }

        impl $Item {
            pub(crate) fn $shared(&self) -> &$Shared {
                match self {
                    $($Item::$Word(word) => &word.$shared,)+
                }
            }
        }

        $(
            $(#[$word_attribute])*
            #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
            #[serde(deny_unknown_fields, rename_all = "kebab-case")]
            pub(crate) struct $Word {
                $($field)*
                #[serde(rename = $group)]
                pub(crate) $shared: $Shared,
            }
        )+
    };
}
pub(super) use items;
