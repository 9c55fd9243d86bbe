//! What an injection would put before a prompt: as much as the floor lets through, which shall be
//! the right memory where one is needed and nothing where none is.

use std::cmp::Ordering;
use std::sync::Arc;

use anyhow::Result;
use skep_index::Embedder;

use super::coding::{self, Half};
use super::dataset::Question;
use super::metrics::{Estimate, estimated};
use super::pipeline::Pipeline;

/// What a prompt may get, at most.
const ITEMS: usize = 5;
const TOKENS: u32 = 1_200;

/// Of the tune half's prompts that need nothing, so many may get something: fewer than the 5 % that
/// are aimed at, because a floor that fits one half does not quite fit the other.
const NEEDLESS: f64 = 0.03;

/// Shares of needless prompts at which the curve is told.
pub(super) const CURVE: [f64; 5] = [0.01, 0.02, 0.05, 0.10, 0.20];

/// How sure recall was of what it would put before one prompt.
struct Offer {
    needs: bool,
    /// Of its surest item.
    best: f32,
    /// Of its surest item that is an answer.
    right: f32,
}

/// One half of the prompts, each with what it would get.
pub(super) struct Offers(Vec<Offer>);

/// Both halves: the floor is chosen by the first and judged by the second.
pub(super) struct Injection {
    pub(super) tune: Offers,
    pub(super) held_out: Offers,
    /// What the tune half would choose.
    pub(super) chosen: f32,
}

pub(super) async fn run(embedder: &Arc<dyn Embedder>) -> Result<Injection> {
    let memories = coding::memories()?.0;
    let pipeline = Pipeline::of(&memories, Arc::clone(embedder)).await?;
    let tune = Offers::of(&pipeline, &coding::prompts(Half::Tune)?).await?;
    let held_out = Offers::of(&pipeline, &coding::prompts(Half::HeldOut)?).await?;
    Ok(Injection {
        chosen: tune.floor(NEEDLESS),
        tune,
        held_out,
    })
}

impl Offers {
    async fn of(pipeline: &Pipeline, prompts: &[Question]) -> Result<Self> {
        let mut offers = Vec::new();
        for prompt in prompts {
            let items = pipeline.ask(&prompt.text, ITEMS, TOKENS).await?;
            let words = prompt.text.split_whitespace().count();
            let mut offer = Offer {
                needs: !prompt.answers.is_empty(),
                best: 0.0,
                right: 0.0,
            };
            for item in &items {
                let sure = item.candidate.confidence(words);
                offer.best = offer.best.max(sure);
                let place = pipeline.place(item);
                if place.is_some_and(|place| pipeline.is_one(place, &prompt.answers)) {
                    offer.right = offer.right.max(sure);
                }
            }
            offers.push(offer);
        }
        Ok(Self(offers))
    }

    /// The lowest floor at which at most this share of the needless prompts gets anything.
    pub(super) fn floor(&self, share: f64) -> f32 {
        let needless = self.0.iter().filter(|offer| !offer.needs);
        let mut best: Vec<f32> = needless.map(|offer| offer.best).collect();
        best.sort_by(|a, b| b.total_cmp(a));
        let allowed = (best.len() as f64 * share) as usize;
        best.get(allowed).map_or(0.0, |&first| first.next_up())
    }

    /// The share of needless prompts that get something.
    pub(super) fn injected(&self, floor: f32) -> Estimate {
        let needless = self.0.iter().filter(|offer| !offer.needs);
        share(needless.map(|offer| offer.best >= floor))
    }

    /// The share of needless prompts of both halves that get something.
    pub(super) fn injected_of_both(&self, other: &Self, floor: f32) -> Estimate {
        let both = self.0.iter().chain(&other.0).filter(|offer| !offer.needs);
        share(both.map(|offer| offer.best >= floor))
    }

    /// The share of prompts in need that get an answer.
    pub(super) fn found(&self, floor: f32) -> Estimate {
        let needy = self.0.iter().filter(|offer| offer.needs);
        share(needy.map(|offer| offer.right >= floor && offer.right > 0.0))
    }

    /// How often a prompt in need is surer of its answer than a needless one of anything.
    pub(super) fn area(&self) -> f64 {
        let of = |needs: bool| self.0.iter().filter(move |offer| offer.needs == needs);
        let pairs = of(true).flat_map(|need| of(false).map(move |none| (need.right, none.best)));
        let won = pairs.map(|(right, none)| match right.total_cmp(&none) {
            Ordering::Greater => 1.0,
            Ordering::Equal if right > 0.0 => 0.5,
            _ => 0.0,
        });
        let won: Vec<f64> = won.collect();
        won.iter().sum::<f64>() / won.len().max(1) as f64
    }
}

fn share(these: impl Iterator<Item = bool>) -> Estimate {
    let values: Vec<f64> = these.map(|is| f64::from(u8::from(is))).collect();
    estimated(&values)
}

#[cfg(test)]
mod tests {
    use super::{Offer, Offers};

    #[test]
    fn the_floor_lets_no_more_through_than_it_may() {
        let none = |best| Offer {
            needs: false,
            best,
            right: 0.0,
        };
        let need = |best, right| Offer {
            needs: true,
            best,
            right,
        };
        let mut all: Vec<Offer> = (0..20).map(|n| none(n as f32 / 20.0)).collect();
        all.extend([need(0.99, 0.97), need(0.95, 0.0), need(0.93, 0.92)]);
        let offers = Offers(all);
        // One of twenty may pass: the one at 0.95.
        let floor = offers.floor(0.05);
        assert!((offers.injected(floor).mean - 0.05).abs() < 1e-9);
        assert!((offers.found(floor).mean - 2.0 / 3.0).abs() < 1e-9);
        // 0.97 beats all twenty, 0.92 nineteen, the third none: 39 of 60.
        assert!((offers.area() - 39.0 / 60.0).abs() < 1e-9);
    }
}
