//! Binary forms the driver does not have: a padded vector, a moment with infinities, JSON as the text it is.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::Row;
use crate::error::{Result, StoreError};
use crate::memory::Moment;
use crate::moment::since_2000;

type Encoded = std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

/// Refuses what no store can hold, before anything is sent: the driver could not say which row it was.
pub(super) fn check(row: &Row, dimension: usize) -> Result<()> {
    let memory = &row.memory;
    let refuse = |field, found: String, accepted: String| {
        Err(StoreError::Invalid { field, found: format!("{found} (row {})", memory.id), accepted })
    };
    if let Some(embedding) = &memory.embedding {
        if embedding.is_empty() || embedding.len() > dimension {
            let accepted = format!("1 to {dimension} dimensions, the width of this store");
            return refuse("embedding", format!("{} dimensions", embedding.len()), accepted);
        }
        if embedding.iter().any(|value| !value.is_finite()) {
            return refuse("embedding", "NaN or an infinity".into(), "finite numbers".into());
        }
    }
    for (field, moment) in [
        ("state_changed_at", memory.state_changed_at),
        ("verified_at", memory.verified_at),
        ("expires_at", memory.expires_at),
        ("valid_from", memory.valid_from),
        ("valid_to", memory.valid_to),
        ("created_at", memory.created_at),
        ("updated_at", memory.updated_at),
    ] {
        if let Some(Moment::Micros(micros)) = moment.filter(|moment| !moment.is_known_to_postgresql()) {
            let accepted = "4714-11-24 BC to 294276-12-31, or an infinity".to_owned();
            return refuse(field, format!("{micros} µs since 1970"), accepted);
        }
    }
    Ok(())
}

/// A moment in PostgreSQL's eight bytes.
#[derive(Debug)]
pub(super) struct Instant(pub(super) Moment);

impl ToSql for Instant {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Encoded {
        out.put_i64(match self.0 {
            Moment::NegativeInfinity => i64::MIN,
            Moment::Infinity => i64::MAX,
            Moment::Micros(micros) => since_2000(micros).ok_or("a time PostgreSQL does not know")?,
        });
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

/// A vector, padded with zeros to the width of the store: the cosine is unchanged.
#[derive(Debug)]
pub(super) struct Padded<'a> {
    pub(super) values: &'a [f32],
    pub(super) dimension: usize,
}

impl ToSql for Padded<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Encoded {
        let padding = self.dimension.checked_sub(self.values.len()).ok_or("a vector wider than the store")?;
        out.reserve(4 + 4 * self.dimension);
        out.put_u16(u16::try_from(self.dimension)?);
        out.put_u16(0);
        for value in self.values {
            out.put_f32(*value);
        }
        out.put_bytes(0, 4 * padding);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        ty.name() == "vector"
    }

    to_sql_checked!();
}

/// JSON text into a `json` column, byte for byte.
#[derive(Debug)]
pub(super) struct Verbatim<'a>(pub(super) &'a str);

impl ToSql for Verbatim<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Encoded {
        out.put_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSON
    }

    to_sql_checked!();
}
