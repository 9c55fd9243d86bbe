//! JSON Schemas of what tools take and give, from types, in the plain form that every client reads.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The schema of what is taken.
pub(crate) fn of<T: JsonSchema>() -> Arc<JsonObject> {
    whole::<T>(SchemaSettings::draft2020_12().for_deserialize())
}

/// The schema of what is given: what may be left out is not required.
pub(crate) fn given<T: JsonSchema>() -> Arc<JsonObject> {
    whole::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn whole<T: JsonSchema>(settings: SchemaSettings) -> Arc<JsonObject> {
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    plain(&mut schema);
    match schema {
        Value::Object(mut object) => {
            object.remove("title");
            Arc::new(object)
        }
        _ => Arc::default(),
    }
}

/// Takes out what some clients choke on and none needs: `null` beside a type, since absent is absent,
/// formats of our own integers, the dialect.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.remove("$schema");
            if object.get("default").is_some_and(Value::is_null) {
                object.remove("default");
            }
            let ours = |format: &Value| {
                matches!(
                    format.as_str(),
                    Some("uint32" | "uint64" | "int64" | "float" | "double")
                )
            };
            if object.get("format").is_some_and(ours) {
                object.remove("format");
            }
            if let Some(Value::Array(kinds)) = object.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    let only = only.clone();
                    object.insert("type".into(), only);
                }
            }
            object.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}
