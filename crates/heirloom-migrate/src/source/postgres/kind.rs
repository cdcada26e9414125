//! How a PostgreSQL type travels: which binary form it is read in, or that it is asked for as text.

use tokio_postgres::types::{Oid, Type as BuiltIn};

use crate::source::Type;

/// The form in which a column's values arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int,
    Float32,
    Float64,
    Numeric,
    /// Text whose binary form is its bytes: text, varchar, name, enumerations.
    Text {
        /// Whether it has a collation (an enumeration has an order of its own instead).
        collated: bool,
    },
    /// Text that is asked for with a cast: `character(n)`, whose padding is no part of its value, and citext.
    CastText,
    Bytes,
    Json,
    Jsonb,
    Moment,
    LocalTime,
    Date,
    Interval,
    Uuid,
    Vector,
    HalfVector,
    Array(Box<Kind>),
    /// Anything else: asked for as text.
    Other,
}

/// A column's type as far as reading it goes.
pub(super) struct Spelt {
    /// As the source spells it.
    pub(super) declared: String,
    pub(super) kind: Kind,
    /// Fixed width of a vector.
    pub(super) dimensions: Option<usize>,
}

impl Spelt {
    /// A type that has the same number, name and form in every PostgreSQL, so that nobody need be asked; `None` for any other,
    /// and for one whose modifier says more.
    pub(super) fn built_in(oid: Oid, modifier: i32) -> Option<Self> {
        let (declared, kind) = match BuiltIn::from_oid(oid)? {
            _ if modifier != -1 => return None,
            BuiltIn::BOOL => ("boolean", Kind::Bool),
            BuiltIn::INT2 => ("smallint", Kind::Int),
            BuiltIn::INT4 => ("integer", Kind::Int),
            BuiltIn::INT8 => ("bigint", Kind::Int),
            BuiltIn::FLOAT4 => ("real", Kind::Float32),
            BuiltIn::FLOAT8 => ("double precision", Kind::Float64),
            BuiltIn::NUMERIC => ("numeric", Kind::Numeric),
            BuiltIn::TEXT => ("text", Kind::Text { collated: true }),
            BuiltIn::VARCHAR => ("character varying", Kind::Text { collated: true }),
            BuiltIn::NAME => ("name", Kind::Text { collated: true }),
            BuiltIn::BYTEA => ("bytea", Kind::Bytes),
            BuiltIn::JSON => ("json", Kind::Json),
            BuiltIn::JSONB => ("jsonb", Kind::Jsonb),
            BuiltIn::TIMESTAMPTZ => ("timestamp with time zone", Kind::Moment),
            BuiltIn::TIMESTAMP => ("timestamp without time zone", Kind::LocalTime),
            BuiltIn::DATE => ("date", Kind::Date),
            BuiltIn::INTERVAL => ("interval", Kind::Interval),
            BuiltIn::UUID => ("uuid", Kind::Uuid),
            BuiltIn::TEXT_ARRAY => ("text[]", Kind::Array(Box::new(Kind::Text { collated: true }))),
            BuiltIn::UUID_ARRAY => ("uuid[]", Kind::Array(Box::new(Kind::Uuid))),
            BuiltIn::INT8_ARRAY => ("bigint[]", Kind::Array(Box::new(Kind::Int))),
            _ => return None,
        };
        Some(Self { declared: declared.to_owned(), kind, dimensions: None })
    }
}

impl Kind {
    /// From the catalog's words: the type's name and `typtype` beneath its domains, its element if it is an array.
    pub(super) fn of(name: &str, typtype: &str, built_in: bool, element: Option<(&str, &str, bool)>) -> Self {
        if let Some((name, typtype, built_in)) = element {
            return match Self::of(name, typtype, built_in, None) {
                Self::Other => Self::Other,
                element => Self::Array(Box::new(element)),
            };
        }
        match (typtype, built_in, name) {
            ("e", _, _) => Self::Text { collated: false },
            ("b", true, "bool") => Self::Bool,
            ("b", true, "int2" | "int4" | "int8") => Self::Int,
            ("b", true, "float4") => Self::Float32,
            ("b", true, "float8") => Self::Float64,
            ("b", true, "numeric") => Self::Numeric,
            ("b", true, "text" | "varchar" | "name") => Self::Text { collated: true },
            ("b", true, "bpchar") | ("b", false, "citext") => Self::CastText,
            ("b", true, "bytea") => Self::Bytes,
            ("b", true, "json") => Self::Json,
            ("b", true, "jsonb") => Self::Jsonb,
            ("b", true, "timestamptz") => Self::Moment,
            ("b", true, "timestamp") => Self::LocalTime,
            ("b", true, "date") => Self::Date,
            ("b", true, "interval") => Self::Interval,
            ("b", true, "uuid") => Self::Uuid,
            ("b", false, "vector") => Self::Vector,
            ("b", false, "halfvec") => Self::HalfVector,
            _ => Self::Other,
        }
    }

    /// The type as mapping sees it.
    pub(super) fn ty(&self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Float32 => Type::Float32,
            Self::Float64 => Type::Float64,
            Self::Numeric => Type::Decimal,
            Self::Text { .. } | Self::CastText => Type::Text,
            Self::Bytes => Type::Bytes,
            Self::Json | Self::Jsonb => Type::Json,
            Self::Moment => Type::Moment,
            Self::LocalTime => Type::LocalTime,
            Self::Date => Type::Date,
            Self::Interval => Type::Interval,
            Self::Uuid => Type::Uuid,
            Self::Vector | Self::HalfVector => Type::Vector,
            Self::Array(_) => Type::Array,
            Self::Other => Type::Other,
        }
    }

    /// How `value` (an SQL expression) is selected, so that its binary form is the one decoded here.
    pub(super) fn select(&self, value: &str) -> String {
        match self {
            Self::CastText | Self::Other => format!("({value})::text"),
            Self::Array(element) if **element == Self::CastText => format!("({value})::text[]"),
            _ => value.to_owned(),
        }
    }

    /// Whether ordering and comparing needs `collate "C"` to be the same on every system.
    pub(super) fn collated(&self) -> bool {
        matches!(self, Self::Text { collated: true } | Self::CastText)
    }
}
