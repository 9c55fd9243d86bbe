//! Tools, the choice among them, and images: what both dialects say in other words.

use serde_json::{Map, Value, json};

use super::Lossy;
use super::fields::{Fields, unknown};

/// Kinds of images that both know.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// A tool of a chat as one of a message.
pub(super) fn to_message_tool(at: &str, tool: Value) -> Result<Value, Lossy> {
    let mut tool = Fields::of(at, tool)?;
    let kind = tool.need_text("type")?;
    if kind != "function" {
        return Err(unknown(tool.at("type")));
    }
    let mut function = Fields::of(&tool.at("function"), tool.need("function")?)?;
    let mut said = Map::new();
    said.insert("name".into(), function.need_text("name")?.into());
    function.hand("description", &mut said, "description");
    let schema = function.take("parameters");
    let nothing = || json!({ "type": "object", "properties": {} });
    said.insert("input_schema".into(), schema.unwrap_or_else(nothing));
    function.hand("strict", &mut said, "strict");
    function.end()?;
    tool.end()?;
    Ok(Value::Object(said))
}

/// A tool of a message as one of a chat.
pub(super) fn to_chat_tool(at: &str, tool: Value) -> Result<Value, Lossy> {
    let mut tool = Fields::of(at, tool)?;
    tool.only("type", &[json!("custom")])?;
    let mut said = Map::new();
    said.insert("name".into(), tool.need_text("name")?.into());
    tool.hand("description", &mut said, "description");
    said.insert("parameters".into(), tool.need("input_schema")?);
    tool.hand("strict", &mut said, "strict");
    tool.end()?;
    Ok(json!({ "type": "function", "function": said }))
}

/// Which tool has to be called, and whether several may be.
pub(super) fn to_message_choice(
    choice: Option<Value>,
    parallel: Option<bool>,
) -> Result<Option<Value>, Lossy> {
    let mut said = match choice {
        None if parallel == Some(false) => json!({ "type": "auto" }),
        None => return Ok(None),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => json!({ "type": "auto" }),
            "none" => json!({ "type": "none" }),
            "required" => json!({ "type": "any" }),
            _ => return Err(unknown("tool_choice")),
        },
        Some(choice) => {
            let mut choice = Fields::of("tool_choice", choice)?;
            if choice.need_text("type")? != "function" {
                return Err(unknown(choice.at("type")));
            }
            let function = choice.need("function")?;
            let mut function = Fields::of(&choice.at("function"), function)?;
            let name = function.need_text("name")?;
            function.end()?;
            choice.end()?;
            json!({ "type": "tool", "name": name })
        }
    };
    if parallel == Some(false) && said["type"] != "none" {
        said["disable_parallel_tool_use"] = Value::Bool(true);
    }
    Ok(Some(said))
}

/// The same, the other way.
pub(super) fn to_chat_choice(choice: Value, said: &mut Map<String, Value>) -> Result<(), Lossy> {
    let mut choice = Fields::of("tool_choice", choice)?;
    let word = match choice.need_text("type")?.as_str() {
        "auto" => json!("auto"),
        "none" => json!("none"),
        "any" => json!("required"),
        "tool" => json!({ "type": "function", "function": { "name": choice.need_text("name")? } }),
        _ => return Err(unknown(choice.at("type"))),
    };
    said.insert("tool_choice".into(), word);
    if choice.flag("disable_parallel_tool_use")? == Some(true) {
        said.insert("parallel_tool_calls".into(), Value::Bool(false));
    }
    choice.end()
}

/// An image of a chat as one of a message: in the request itself, or by its address.
pub(super) fn to_message_image(at: &str, image: Value) -> Result<Value, Lossy> {
    let mut image = Fields::of(at, image)?;
    image.only("detail", &[json!("auto")])?;
    let (url, url_at) = (image.need_text("url")?, image.at("url"));
    image.end()?;
    let source = match url.strip_prefix("data:") {
        Some(data) => {
            let found = data.split_once(";base64,");
            let (kind, data) = found.filter(|(kind, _)| IMAGES.contains(kind)).ok_or_else(|| {
                Lossy::of(&url_at, "must be a JPEG, PNG, GIF or WebP in base64, for a provider of the other dialect")
            })?;
            json!({ "type": "base64", "media_type": kind, "data": data })
        }
        None if url.starts_with("https://") || url.starts_with("http://") => {
            json!({ "type": "url", "url": url })
        }
        None => return Err(unknown(url_at)),
    };
    Ok(json!({ "type": "image", "source": source }))
}

/// The same, the other way.
pub(super) fn to_chat_image(at: &str, source: Value) -> Result<Value, Lossy> {
    let mut source = Fields::of(at, source)?;
    let url = match source.need_text("type")?.as_str() {
        "base64" => {
            let kind = source.need_text("media_type")?;
            if !IMAGES.contains(&kind.as_str()) {
                return Err(unknown(source.at("media_type")));
            }
            format!("data:{kind};base64,{}", source.need_text("data")?)
        }
        "url" => source.need_text("url")?,
        _ => return Err(unknown(source.at("type"))),
    };
    source.end()?;
    Ok(json!({ "type": "image_url", "image_url": { "url": url } }))
}
