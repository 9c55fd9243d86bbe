//! The interface as OpenAPI, as `skep-api` builds it from the route table.

use anyhow::Result;

/// The document, keys in order, so that two builds with other features write the same bytes.
///
/// # Errors
/// When it cannot be written as JSON.
pub(super) fn document() -> Result<String> {
    let mut document = skep_api::openapi::document();
    document.sort_all_objects();
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn every_route_but_pages_is_in_the_document() {
        let document: Value = serde_json::from_str(&super::document().unwrap()).unwrap();
        let spoken = |route: &&skep_api::Route| !route.is_page();
        for route in skep_api::ROUTES.iter().filter(spoken) {
            let method = route.method.as_str().to_lowercase();
            assert!(
                document["paths"][route.path][method].is_object(),
                "{}",
                route.path
            );
        }
    }
}
