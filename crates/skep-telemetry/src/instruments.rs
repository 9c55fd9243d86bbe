//! The metrics of the conventions, with the boundaries that they advise.

use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};

use crate::Call;

/// What calls are measured with.
pub(crate) struct Instruments {
    tokens: Histogram<u64>,
    duration: Histogram<f64>,
    first: Histogram<f64>,
}

impl Instruments {
    pub(crate) fn new(meter: &Meter) -> Self {
        let tokens = (0..14).map(|power| 4_f64.powi(power));
        let duration = (0..14).map(|power| 0.01 * 2_f64.powi(power));
        Self {
            tokens: meter
                .u64_histogram("gen_ai.client.token.usage")
                .with_unit("{token}")
                .with_description("Tokens of model calls.")
                .with_boundaries(tokens.collect())
                .build(),
            duration: meter
                .f64_histogram("gen_ai.client.operation.duration")
                .with_unit("s")
                .with_description("How long model calls took.")
                .with_boundaries(duration.collect())
                .build(),
            first: meter
                .f64_histogram("gen_ai.client.operation.time_to_first_chunk")
                .with_unit("s")
                .with_description("How long the first of a stream took.")
                .with_boundaries(vec![
                    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5,
                    5.0, 7.5, 10.0,
                ])
                .build(),
        }
    }

    pub(crate) fn note(&self, call: &Call<'_>) {
        let common = call.common();
        let with = |more: KeyValue| [common.as_slice(), &[more]].concat();
        for (kind, tokens) in [("input", call.input), ("output", call.output)] {
            let of = with(KeyValue::new("gen_ai.token.type", kind));
            self.tokens.record(tokens, &of);
        }
        let of = match call.error {
            Some(error) => with(KeyValue::new("error.type", error)),
            None => common.clone(),
        };
        self.duration.record(seconds(call.began, call.ended), &of);
        if let Some(first) = call.first {
            self.first.record(seconds(call.began, first), &common);
        }
    }
}

fn seconds(from: SystemTime, to: SystemTime) -> f64 {
    to.duration_since(from).unwrap_or_default().as_secs_f64()
}
