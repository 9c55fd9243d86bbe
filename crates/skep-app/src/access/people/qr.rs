//! A QR code of what an authenticator app reads, as a picture and as characters of a terminal.

use qrcodegen::{QrCode, QrCodeEcc};

use crate::AppError;

/// Light squares around the code, without which cameras do not find it (ISO 18004, section 5.3.8).
const QUIET: i32 = 4;

fn code(text: &str) -> Result<QrCode, AppError> {
    QrCode::encode_text(text, QrCodeEcc::Medium)
        .map_err(|_| AppError::Internal("this is too long for a QR code"))
}

/// An SVG, dark on light whatever the page's colours are.
pub(super) fn svg(text: &str) -> Result<String, AppError> {
    let code = code(text)?;
    let side = code.size() + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            path.push_str(&format!("M{},{}h1v1h-1z", x + QUIET, y + QUIET));
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" role=\"img\" \
         aria-label=\"QR code for an authenticator app\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

/// Two rows of squares a line of text, for terminals whose ground is dark.
pub(super) fn terminal(text: &str) -> Result<String, AppError> {
    let code = code(text)?;
    let light = |x: i32, y: i32| !code.get_module(x, y);
    let mut lines = String::new();
    let range = -2..code.size() + 2;
    for y in range.clone().step_by(2) {
        for x in range.clone() {
            lines.push(match (light(x, y), light(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        lines.push('\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_forms_show_the_same_squares() {
        let text = "otpauth://totp/Skep:maria%40example.org?secret=GEZDGNBVGY3TQOJQ&issuer=Skep";
        let (svg, lines) = (super::svg(text).unwrap(), super::terminal(text).unwrap());
        let dark = svg.matches("h1v1h-1z").count();
        let width = lines.lines().next().unwrap().chars().count();
        let light: usize = lines
            .chars()
            .map(|c| match c {
                '█' => 2,
                '▀' | '▄' => 1,
                _ => 0,
            })
            .sum();
        let rows = lines.lines().count() * 2;
        assert_eq!(width * rows - light, dark, "dark squares");
        assert!(!svg.contains("script") && !svg.contains("style"), "{svg}");
    }
}
