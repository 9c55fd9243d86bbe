//! The index as bytes and back, so that a restart need not read every row.
//!
//! The bytes hold terms in clear: whoever keeps them seals them first.

use skep_domain::{Id, MemoryId, ProjectId, Timestamp};
use skep_simd::ROWS;

use crate::IndexError;
use crate::analyze::ANALYZER_VERSION;
use crate::codec::{Reader, checksum};
use crate::index::{Place, WorkspaceIndex};
use crate::lexical::Lexical;
use crate::lexicon::Lexicon;
use crate::postings::{Postings, put_varint};
use crate::sketch::Sketches;
use crate::slots::Slots;
use crate::threads::Said;
use crate::vector::{Vectors, is_sound_scale};

/// What a snapshot begins with; the last character is the version of the format.
const MAGIC: [u8; 8] = *b"SKEPIDX7";

/// Bytes of the checksum at the end.
const CHECKSUM: usize = 8;

const DAMAGED: IndexError = IndexError::Damaged("a part does not fit the others");

impl WorkspaceIndex {
    /// The whole index, to be sealed and kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes());
        out.extend(MAGIC);
        out.extend(ANALYZER_VERSION.to_le_bytes());
        put_varint(&mut out, self.model_id.len() as u64);
        out.extend(self.model_id.as_bytes());
        out.extend((self.vectors.dim() as u32).to_le_bytes());
        out.extend(self.seq.to_le_bytes());
        self.write_places(&mut out);
        self.write_lexical(&mut out);
        self.vectors.write(&mut out);
        self.write_drafts(&mut out);
        self.write_said(&mut out);
        self.write_graph(&mut out);
        let sum = checksum(&out);
        out.extend(sum.to_le_bytes());
        out
    }

    /// Reads a snapshot of the given model. [`IndexError::Outdated`] means that it is sound but
    /// not for this version: load from the rows.
    pub fn from_bytes(bytes: &[u8], model_id: &str, dim: usize) -> Result<Self, IndexError> {
        let short = IndexError::Damaged("cut short");
        let (body, sum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(short)?;
        if checksum(body) != u64::from_le_bytes(*sum) {
            return Err(IndexError::Damaged("the checksum differs"));
        }
        let mut reader = Reader::new(body);
        read_header(&mut reader, model_id, dim)?;
        let mut index = Self::new(model_id, dim);
        index.seq = reader.u64()?;
        index.places = read_places(&mut reader)?;
        index.lexical = read_lexical(&mut reader, index.places.len())?;
        index.vectors.read(&mut reader, index.places.len())?;
        index.read_drafts(&mut reader)?;
        index.read_said(&mut reader)?;
        index.read_graph(&mut reader)?;
        reader.finish()?;
        index.link()?;
        Ok(index)
    }

    fn write_places(&self, out: &mut Vec<u8>) {
        put_varint(out, self.places.len() as u64);
        for place in &self.places {
            out.extend(place.id.to_bytes());
            out.extend(place.mark.to_le_bytes());
            out.push(u8::from(place.project.is_some()) | u8::from(place.past) << 1);
            out.extend(place.project.map(Id::to_bytes).into_iter().flatten());
        }
    }

    fn write_drafts(&self, out: &mut Vec<u8>) {
        put_varint(out, self.drafts.len() as u64);
        out.extend(self.drafts.iter().flat_map(|slot| slot.to_le_bytes()));
    }

    fn read_drafts(&mut self, reader: &mut Reader<'_>) -> Result<(), IndexError> {
        let count = reader.count()?;
        self.drafts = reader.u32s(count)?.into_iter().collect();
        let sound = |&slot: &u32| self.vectors.has(slot);
        if self.drafts.len() == count && self.drafts.iter().all(sound) {
            Ok(())
        } else {
            Err(DAMAGED)
        }
    }

    fn write_said(&self, out: &mut Vec<u8>) {
        let said: Vec<(u32, Said)> = (0..self.places.len() as u32)
            .filter_map(|slot| Some((slot, self.threads.get(slot)?)))
            .collect();
        put_varint(out, said.len() as u64);
        for (slot, said) in said {
            out.extend(slot.to_le_bytes());
            out.extend(said.thread);
            out.extend(said.at.as_micros().to_le_bytes());
        }
    }

    fn read_said(&mut self, reader: &mut Reader<'_>) -> Result<(), IndexError> {
        for _ in 0..reader.count()? {
            let slot = reader.u32()?;
            let thread = reader.array()?;
            let at = Timestamp::from_micros(reader.u64()?.cast_signed());
            if !self.lexical.is_live(slot) {
                return Err(DAMAGED);
            }
            let mark = self.places[slot as usize].mark;
            self.threads.put(slot, Said { thread, at }, mark);
        }
        Ok(())
    }

    fn write_graph(&self, out: &mut Vec<u8>) {
        let (keys, slots) = self.graph.parts();
        put_varint(out, keys.len() as u64);
        out.extend(keys.iter().flat_map(|key| key.to_le_bytes()));
        let slots: Vec<(u32, Vec<u32>)> = slots
            .filter(|(slot, _)| self.lexical.is_live(*slot))
            .collect();
        put_varint(out, slots.len() as u64);
        for (slot, names) in slots {
            out.extend(slot.to_le_bytes());
            put_varint(out, names.len() as u64);
            out.extend(names.iter().flat_map(|name| name.to_le_bytes()));
        }
    }

    fn read_graph(&mut self, reader: &mut Reader<'_>) -> Result<(), IndexError> {
        let count = reader.count()?;
        let mut keys = Vec::with_capacity(count);
        for _ in 0..count {
            keys.push(reader.u64()?);
        }
        for _ in 0..reader.count()? {
            let slot = reader.u32()?;
            let count = reader.count()?;
            let names = reader.u32s(count)?;
            let known = names.iter().all(|name| (*name as usize) < keys.len());
            if !known || !self.lexical.is_live(slot) {
                return Err(DAMAGED);
            }
            let past = self.places[slot as usize].past;
            let names = names.iter().map(|name| keys[*name as usize]);
            self.graph.put(slot, past, names);
        }
        Ok(())
    }

    fn write_lexical(&self, out: &mut Vec<u8>) {
        let (terms, postings, lengths) = self.lexical.parts();
        put_varint(out, terms.len() as u64);
        for (term, list) in terms.into_iter().zip(postings) {
            put_varint(out, term.len() as u64);
            out.extend(term.as_bytes());
            put_varint(out, list.as_bytes().len() as u64);
            out.extend(list.as_bytes());
        }
        out.extend(lengths.flat_map(u32::to_le_bytes));
    }

    /// Builds what the bytes leave out: the way from ids to slots, and what follows from each.
    fn link(&mut self) -> Result<(), IndexError> {
        self.slots = Slots::with_room(self.lexical.live());
        for (slot, place) in (0..).zip(&self.places) {
            if self.lexical.is_live(slot) {
                if self.slots.get(place.id, &self.places).is_some() {
                    return Err(DAMAGED);
                }
                self.slots.put(slot, &self.places);
            } else if self.vectors.has(slot) {
                return Err(DAMAGED);
            }
            self.lexical.set_past(slot, place.past);
        }
        for slot in 0..self.places.len() as u32 {
            self.enter(slot);
        }
        Ok(())
    }
}

fn read_header(reader: &mut Reader<'_>, model_id: &str, dim: usize) -> Result<(), IndexError> {
    if reader.array()? != MAGIC {
        return Err(IndexError::Outdated("format"));
    }
    if reader.array()? != ANALYZER_VERSION.to_le_bytes() {
        return Err(IndexError::Outdated("analyser"));
    }
    let length = reader.count()?;
    if reader.text(length)? != model_id {
        return Err(IndexError::Outdated("model"));
    }
    if reader.u32()? as usize != dim {
        return Err(IndexError::Outdated("dimension"));
    }
    Ok(())
}

fn read_places(reader: &mut Reader<'_>) -> Result<Vec<Place>, IndexError> {
    let count = reader.count()?;
    let mut places = Vec::with_capacity(count);
    for _ in 0..count {
        let id = MemoryId::from_bytes(reader.array()?);
        let mark = reader.u64()?;
        let flags = reader.u8()?;
        if flags > 3 {
            return Err(DAMAGED);
        }
        let project = match flags & 1 {
            0 => None,
            _ => Some(ProjectId::from_bytes(reader.array()?)),
        };
        places.push(Place {
            id,
            project,
            past: flags & 2 > 0,
            mark,
        });
    }
    Ok(places)
}

fn read_lexical(reader: &mut Reader<'_>, slots: usize) -> Result<Lexical, IndexError> {
    let count = reader.count()?;
    let (mut terms, mut postings) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for _ in 0..count {
        let length = reader.count()?;
        terms.push(reader.text(length)?);
        let length = reader.count()?;
        let list = Postings::from_bytes(reader.take(length)?, slots as u32);
        postings.push(list.ok_or(DAMAGED)?);
    }
    let lexicon = Lexicon::from_terms(terms.into_iter()).ok_or(DAMAGED)?;
    Lexical::from_parts(lexicon, postings, reader.u32s(slots)?).ok_or(DAMAGED)
}

impl Vectors {
    fn write(&self, out: &mut Vec<u8>) {
        let (scales, codes, sketches) = self.parts();
        put_varint(out, scales.len() as u64);
        out.extend(scales.iter().flat_map(|scale| scale.to_le_bytes()));
        out.extend(codes.iter().map(|code| code.cast_unsigned()));
        out.push(sketches.is_some().into());
        if let Some(sketches) = sketches {
            let (mean, factors, blocks) = sketches.parts();
            put_varint(out, factors.len() as u64);
            out.extend(mean.iter().chain(factors).flat_map(|x| x.to_le_bytes()));
            out.extend(blocks);
        }
    }

    fn read(&mut self, reader: &mut Reader<'_>, slots: usize) -> Result<(), IndexError> {
        let count = reader.count()?;
        if count > slots {
            return Err(DAMAGED);
        }
        let scales = reader.f32s(count)?;
        if !scales.iter().all(|&scale| is_sound_scale(scale)) {
            return Err(DAMAGED);
        }
        let codes = reader.take(count.checked_mul(self.dim()).ok_or(DAMAGED)?)?;
        let codes = codes.iter().map(|byte| byte.cast_signed()).collect();
        let sketches = match reader.u8()? {
            0 => None,
            1 => Some(read_sketches(reader, self.dim(), &scales)?),
            _ => return Err(DAMAGED),
        };
        self.set_parts(scales, codes, sketches);
        Ok(())
    }
}

/// Sketches of exactly those slots that have a vector.
fn read_sketches(
    reader: &mut Reader<'_>,
    dim: usize,
    scales: &[f32],
) -> Result<Sketches, IndexError> {
    let count = reader.count()?;
    if count > scales.len().next_multiple_of(ROWS) {
        return Err(DAMAGED);
    }
    let (mean, factors) = (reader.f32s(dim)?, reader.f32s(count)?);
    let blocks = reader.take(Sketches::bytes_for(dim, count))?;
    let sketches = Sketches::from_parts(mean, &factors, blocks).ok_or(DAMAGED)?;
    let has = |slot: usize| scales.get(slot).is_some_and(|scale| !scale.is_nan());
    if (0..scales.len().max(count)).all(|slot| sketches.has(slot) == has(slot)) {
        Ok(sketches)
    } else {
        Err(DAMAGED)
    }
}

#[cfg(test)]
mod tests;
