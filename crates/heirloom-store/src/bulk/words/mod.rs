//! What the rows of a load are ranked by, worked out beside the server instead of in it, row for row the same.
//!
//! Three quarters of what a row of text cost the server went into splitting its words, stemming them and making a vector of
//! them. A load holds thousands of texts and few distinct words, so the server is asked once what each means (its own parser,
//! dictionary and hash: `words.sql`), and texts become sums of them here. A text that is no sum of its pieces, a very long one or
//! one that repeats a word hundreds of times is left to the trigger `memory_ranking`, which knows every case.
//!
//! Deliberately absent: a stemmer, a list of words, a memory of words beyond one load. What a word becomes is the server's
//! matter, and differs between its versions.

mod encode;
mod split;

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use heirloom_engine::Cached;

use super::Row;
use crate::error::Result;
use encode::{Weights, Words};
use split::{Kind, split};

/// Longer texts are the trigger's, in bytes: content, topic, role. It reads the first 131,072, 4,096 and 1,024 characters.
const LONGEST: [usize; 3] = [65_536, 4_096, 1_024];
/// PostgreSQL counts no place beyond 16,383, and no more than 255 of one lexeme.
const PLACES: u16 = 16_000;
const OF_ONE: usize = 255;
/// After so many pieces, different ones or not, the server is asked: a worker has a few megabytes for this.
const DISTINCT: usize = 32_768;
const PIECES: usize = 524_288;
/// What stands in the row itself (`memory.word_vector`) has at most so many lexemes.
const INLINE: usize = 480;
/// The two upper bits of a place: the topic's words weigh A, the role's B.
const TOPIC: u16 = 3 << 14;
const ROLE: u16 = 2 << 14;

/// A word as the server keeps it.
#[derive(Debug)]
struct Lexeme {
    text: String,
    /// Where its weight stands in a word vector, from 0.
    at: i32,
}

/// A lexeme at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    lexeme: usize,
    /// Place from 1, with its weight in the two upper bits.
    place: u16,
}

/// What a row is ranked by; all of it absent where the trigger has to look.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    pub(super) words: Option<Words>,
    pub(super) inline: Option<Weights>,
    pub(super) long: Option<Weights>,
}

/// The words of some rows of a load.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// The pieces of each row.
    rows: Vec<Option<Pieces>>,
    /// Sorted by their bytes, as a tsvector is.
    lexemes: Vec<Lexeme>,
    /// What the pieces of each kind mean: places from 1 within the piece.
    meanings: [Vec<Vec<Mark>>; 3],
}

/// The pieces of a row's texts, in their order.
#[derive(Debug, Default)]
struct Pieces {
    topic: Vec<Piece>,
    role: Vec<Piece>,
    content: Vec<Piece>,
}

/// A piece: its number among those of its kind, and in the two lower bits the kind.
#[derive(Debug, Clone, Copy)]
struct Piece(u32);

impl Piece {
    fn new(kind: Kind, number: usize) -> Self {
        Self((number as u32) << 2 | kind as u32)
    }

    fn kind(self) -> usize {
        (self.0 & 3) as usize
    }

    fn number(self) -> usize {
        (self.0 >> 2) as usize
    }
}

impl Lexicon {
    /// Splits the texts of the first of these rows, as many as memory is meant for, and asks the server about each piece once.
    pub(super) async fn of(tx: &Transaction<'_>, rows: &[&Row]) -> Result<Self> {
        let mut known = Known::default();
        let rows: Vec<Option<Pieces>> =
            rows.iter().map_while(|row| known.has_room().then(|| known.pieces(row))).collect();
        let (plain, raw) = (in_order(&known.plain), in_order(&known.raw));
        let answers = tx.query_cached(include_str!("../../../sql/queries/bulk/words.sql"), &[&plain, &raw]).await?;

        let mut meanings = [vec![Vec::new(); plain.len()], vec![Vec::new(); raw.len()], vec![Vec::new(); raw.len()]];
        let mut lexemes: Vec<Lexeme> = Vec::new();
        let mut numbers: HashMap<&str, usize> = HashMap::with_capacity(answers.len());
        for answer in &answers {
            let text: &str = answer.get("lexeme");
            let lexeme = *numbers.entry(text).or_insert_with(|| {
                lexemes.push(Lexeme { text: text.to_owned(), at: answer.get("at") });
                lexemes.len() - 1
            });
            let (kind, piece) = (answer.get::<_, i32>("kind") as usize, answer.get::<_, i64>("piece") as usize);
            let places: Vec<i16> = answer.get("positions");
            meanings[kind][piece].extend(places.iter().map(|place| Mark { lexeme, place: *place as u16 }));
        }
        drop(numbers);

        // By their bytes, so that sorting numbers sorts lexemes.
        let mut order: Vec<usize> = (0..lexemes.len()).collect();
        order.sort_unstable_by(|a, b| lexemes[*a].text.cmp(&lexemes[*b].text));
        let mut rank = vec![0; order.len()];
        for (to, from) in order.into_iter().enumerate() {
            rank[from] = to;
        }
        for mark in meanings.iter_mut().flatten().flatten() {
            mark.lexeme = rank[mark.lexeme];
        }
        lexemes.sort_unstable_by(|a, b| a.text.cmp(&b.text));
        Ok(Self { rows, lexemes, meanings })
    }

    /// How many rows it is of: one at least.
    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// What the row with this number is ranked by.
    pub(super) fn ranking(&self, row: usize) -> Ranking {
        self.rows[row].as_ref().and_then(|pieces| self.sum(pieces)).unwrap_or_default()
    }

    fn sum(&self, pieces: &Pieces) -> Option<Ranking> {
        let mut marks: Vec<Mark> = Vec::with_capacity(pieces.content.len() + 8);
        let mut before = 0_u16;
        for (of, weight) in [(&pieces.topic, TOPIC), (&pieces.role, ROLE), (&pieces.content, 0)] {
            for piece in of {
                let mut longest = 0;
                for mark in &self.meanings[piece.kind()][piece.number()] {
                    longest = longest.max(mark.place);
                    marks.push(Mark { lexeme: mark.lexeme, place: (before + mark.place) | weight });
                }
                before += longest;
                if before > PLACES {
                    return None;
                }
            }
        }
        // The places of a lexeme in their order, whatever they weigh.
        marks.sort_unstable_by_key(|mark| (mark.lexeme, mark.place & !TOPIC));
        let mut distinct = 0;
        for of_one in marks.chunk_by(|a, b| a.lexeme == b.lexeme) {
            if of_one.len() > OF_ONE {
                return None;
            }
            distinct += 1;
        }
        let weights = Some(Weights::of(&marks, &self.lexemes, distinct));
        let (inline, long) = if distinct <= INLINE { (weights, None) } else { (None, weights) };
        Some(Ranking { words: Some(Words::of(&marks, &self.lexemes, distinct)), inline, long })
    }
}

/// The pieces met so far, with their numbers among those of their kind.
#[derive(Debug, Default)]
struct Known {
    plain: HashMap<Box<str>, usize>,
    raw: HashMap<Box<str>, usize>,
    /// How many pieces the rows hold.
    pieces: usize,
}

impl Known {
    fn has_room(&self) -> bool {
        self.plain.len() + self.raw.len() <= DISTINCT && self.pieces <= PIECES
    }

    fn pieces(&mut self, row: &Row) -> Option<Pieces> {
        let memory = &row.memory;
        let texts = [Some(memory.content.as_str()), memory.topic.as_deref(), memory.role.as_deref()];
        let too_long = texts.iter().zip(LONGEST).any(|(text, longest)| text.is_some_and(|text| text.len() > longest));
        if too_long {
            return None;
        }
        let [content, topic, role] = texts.map(|text| text.map_or(Some(Vec::new()), |text| self.text(text)));
        Some(Pieces { topic: topic?, role: role?, content: content? })
    }

    fn text(&mut self, text: &str) -> Option<Vec<Piece>> {
        let mut pieces = Vec::with_capacity(text.len() / 5);
        split(text, &mut |kind, piece| {
            let known = if kind == Kind::Plain { &mut self.plain } else { &mut self.raw };
            let number = match known.get(piece) {
                Some(number) => *number,
                None => {
                    let number = known.len();
                    known.insert(piece.into(), number);
                    number
                }
            };
            pieces.push(Piece::new(kind, number));
        })
        .then(|| {
            self.pieces += pieces.len();
            pieces
        })
    }
}

/// Pieces by their numbers.
fn in_order(known: &HashMap<Box<str>, usize>) -> Vec<&str> {
    let mut pieces = vec![""; known.len()];
    for (piece, number) in known {
        pieces[*number] = piece;
    }
    pieces
}
