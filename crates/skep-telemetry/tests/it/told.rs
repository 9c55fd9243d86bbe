//! Calls, and what is told of them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use skep_egress::Target;
use skep_telemetry::{Call, Parent, Server, Settings, Telemetry};
use tokio::task::JoinSet;

use crate::collector::Collector;

fn settings(collector: &Collector, sampled: f64) -> Settings {
    Settings {
        collector: Target::parse(&format!("http://{}/otlp/", collector.address)).unwrap(),
        every: Duration::from_hours(1),
        sampled,
        version: "1.2.3",
    }
}

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_000_000_000 + millis)
}

fn call(model: &str) -> Call<'_> {
    Call {
        operation: "chat",
        provider: "openai",
        model,
        server: Some(Server {
            host: "api.openai.com",
            port: 443,
        }),
        max_tokens: Some(64),
        is_stream: false,
        began: at(0),
        first: None,
        ended: at(250),
        input: 100,
        output: 20,
        cache_read: 60,
        cache_write: 0,
        is_measured: true,
        error: None,
        request: "req-1",
        parent: None,
    }
}

/// Has calls noted and all of it sent.
async fn told(collector: &Collector, sampled: f64, calls: Vec<Call<'_>>) {
    let (telemetry, sender) = Telemetry::new(&settings(collector, sampled)).unwrap();
    let mut sending = JoinSet::new();
    sending.spawn(sender.run());
    for call in &calls {
        telemetry.note(call);
    }
    tokio::task::spawn_blocking(move || telemetry.end())
        .await
        .unwrap();
}

fn spans(collector: &Collector) -> Vec<Span> {
    let sent = collector.sent("/otlp/v1/traces");
    let requests = sent
        .iter()
        .map(|body| ExportTraceServiceRequest::decode(&**body).unwrap());
    requests
        .flat_map(|request| request.resource_spans)
        .flat_map(|of| of.scope_spans)
        .flat_map(|of| of.spans)
        .collect()
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(value) => value.to_string(),
        other => format!("{other:?}"),
    };
    attributes
        .iter()
        .map(|pair| {
            let value = pair.value.as_ref().and_then(|any| any.value.as_ref());
            (pair.key.clone(), value.map(text).unwrap_or_default())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_a_span_in_the_names_of_the_conventions() {
    let collector = Collector::start(200);
    let mut failed = call("gpt-9");
    (failed.error, failed.server) = (Some("timeout"), None);
    told(&collector, 1.0, vec![call("gpt-9"), failed]).await;
    let spans = spans(&collector);
    assert_eq!(spans.len(), 2);
    let good = &spans[0];
    assert_eq!((good.name.as_str(), good.kind), ("chat gpt-9", 3));
    assert_eq!(
        good.end_time_unix_nano - good.start_time_unix_nano,
        250_000_000
    );
    let lines: Vec<String> = texts(&good.attributes)
        .into_iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    assert_eq!(
        lines,
        [
            "gen_ai.operation.name = chat",
            "gen_ai.provider.name = openai",
            "gen_ai.request.max_tokens = 64",
            "gen_ai.request.model = gpt-9",
            "gen_ai.request.stream = false",
            "gen_ai.usage.cache_creation.input_tokens = 0",
            "gen_ai.usage.cache_read.input_tokens = 60",
            "gen_ai.usage.input_tokens = 100",
            "gen_ai.usage.output_tokens = 20",
            "server.address = api.openai.com",
            "server.port = 443",
            "skep.request.id = req-1",
            "skep.usage.measured = true",
        ]
    );
    let failed = &spans[1];
    let of = texts(&failed.attributes);
    assert_eq!(of["error.type"], "timeout");
    assert!(!of.contains_key("server.address"));
    assert_eq!(failed.status.as_ref().unwrap().code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_part_of_what_its_caller_does() {
    let collector = Collector::start(200);
    let parent = |flags: &str| {
        Parent::parse(&format!(
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}"
        ))
    };
    let (mut taken, mut left) = (call("a"), call("b"));
    (taken.parent, left.parent) = (parent("01"), parent("00"));
    // Nobody else is sampled.
    told(&collector, 0.0, vec![taken, left, call("c")]).await;
    let spans = spans(&collector);
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].name, "chat a");
    let trace = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128;
    assert_eq!(spans[0].trace_id, trace.to_be_bytes());
    assert_eq!(
        spans[0].parent_span_id,
        0x00f0_67aa_0ba9_02b7_u64.to_be_bytes()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_measured_whether_or_not_they_are_sampled() {
    let collector = Collector::start(200);
    let mut stream = call("gpt-9");
    (stream.is_stream, stream.first) = (true, Some(at(40)));
    let mut failed = call("gpt-9");
    failed.error = Some("cancelled");
    told(&collector, 0.0, vec![call("gpt-9"), stream, failed]).await;
    assert!(spans(&collector).is_empty());
    let sent = collector.sent("/otlp/v1/metrics");
    let request = ExportMetricsServiceRequest::decode(&**sent.last().unwrap()).unwrap();
    let metrics = request
        .resource_metrics
        .into_iter()
        .flat_map(|of| of.scope_metrics);
    let mut lines = Vec::new();
    for metric in metrics.flat_map(|of| of.metrics) {
        let Some(Data::Histogram(histogram)) = metric.data else {
            panic!("{} is no histogram", metric.name);
        };
        for point in histogram.data_points {
            let of = texts(&point.attributes);
            assert_eq!(of["gen_ai.request.model"], "gpt-9");
            let which = of.get("gen_ai.token.type").or_else(|| of.get("error.type"));
            lines.push(format!(
                "{} {}: {} of {} in all",
                metric.name,
                which.map_or("-", String::as_str),
                point.count,
                point.sum.unwrap()
            ));
        }
    }
    lines.sort();
    assert_eq!(
        lines,
        [
            "gen_ai.client.operation.duration -: 2 of 0.5 in all",
            "gen_ai.client.operation.duration cancelled: 1 of 0.25 in all",
            "gen_ai.client.operation.time_to_first_chunk -: 1 of 0.04 in all",
            "gen_ai.client.token.usage input: 3 of 300 in all",
            "gen_ai.client.token.usage output: 3 of 60 in all",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_refuses_or_is_not_there_holds_nobody_up() {
    let collector = Collector::start(503);
    told(&collector, 1.0, vec![call("gpt-9")]).await;
    assert!(!collector.everything().is_empty());
    let gone = Collector {
        address: "127.0.0.1:1".parse().unwrap(),
        ..Collector::start(200)
    };
    told(&gone, 1.0, vec![call("gpt-9")]).await;
    assert!(gone.everything().is_empty());
}
