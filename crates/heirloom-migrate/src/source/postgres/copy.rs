//! The binary COPY stream, cut into tuples: header, then count, length and bytes a field, then a trailer.

use bytes::{Buf, Bytes, BytesMut};

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Collects what arrives and gives whole tuples out.
#[derive(Debug, Default)]
pub(super) struct Tuples {
    buffer: BytesMut,
    started: bool,
    ended: bool,
}

/// The fields of one tuple, and its size in bytes.
pub(super) type Tuple = (Vec<Option<Bytes>>, usize);

/// The stream is not what COPY sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

impl Tuples {
    /// More bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether the trailer was seen.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// The next whole tuple and its size; `None` when more bytes are needed or the stream has ended.
    pub(super) fn next(&mut self) -> Result<Option<Tuple>, Broken> {
        if !self.started {
            let Some(header) = self.buffer.get(..19) else { return Ok(None) };
            if &header[..11] != SIGNATURE {
                return Err(Broken);
            }
            let extension = usize::try_from(word(&header[15..19])).map_err(|_| Broken)?;
            if self.buffer.len() < 19 + extension {
                return Ok(None);
            }
            self.buffer.advance(19 + extension);
            self.started = true;
        }
        if self.ended {
            return Ok(None);
        }
        let Some(count) = self.buffer.get(..2) else { return Ok(None) };
        let count = i16::from_be_bytes([count[0], count[1]]);
        if count == -1 {
            self.ended = true;
            return Ok(None);
        }
        let count = usize::try_from(count).map_err(|_| Broken)?;
        let Some(size) = self.size(count)? else { return Ok(None) };
        let mut tuple = self.buffer.split_to(size).freeze();
        tuple.advance(2);
        let mut fields = Vec::with_capacity(count);
        for _ in 0..count {
            let length = tuple.get_i32();
            fields.push(match usize::try_from(length) {
                Ok(length) => Some(tuple.split_to(length)),
                Err(_) => None,
            });
        }
        Ok(Some((fields, size)))
    }

    /// Bytes of the tuple at the front, when it is whole.
    fn size(&self, count: usize) -> Result<Option<usize>, Broken> {
        let mut at = 2;
        for _ in 0..count {
            let Some(length) = self.buffer.get(at..at + 4) else { return Ok(None) };
            at += 4;
            match word(length) {
                -1 => {}
                length => at += usize::try_from(length).map_err(|_| Broken)?,
            }
        }
        Ok((self.buffer.len() >= at).then_some(at))
    }
}

fn word(bytes: &[u8]) -> i32 {
    bytes.iter().fold(0, |word, byte| word << 8 | i32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&[0, 2, 0, 0, 0, 1, b'x', 0xff, 0xff, 0xff, 0xff]);
        bytes.extend_from_slice(&[0, 1, 0, 0, 0, 0]);
        bytes.extend_from_slice(&[0xff, 0xff]);
        bytes
    }

    #[test]
    fn tuples_come_whole_however_the_bytes_arrive() {
        for step in [1, 3, 100] {
            let mut tuples = Tuples::default();
            let mut found = Vec::new();
            for part in stream().chunks(step) {
                tuples.push(part);
                while let Some((fields, _)) = tuples.next().unwrap() {
                    found.push(fields);
                }
            }
            assert!(tuples.ended());
            assert_eq!(found, [vec![Some(Bytes::from_static(b"x")), None], vec![Some(Bytes::new())]]);
        }
    }

    #[test]
    fn another_stream_is_refused() {
        let mut tuples = Tuples::default();
        tuples.push(&[b'?'; 32]);
        assert_eq!(tuples.next(), Err(Broken));
    }
}
