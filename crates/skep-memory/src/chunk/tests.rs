//! Documents as people write them, and as nobody should.

use proptest::prelude::{any, prop_assert, proptest};

use super::{Chunk, LINE, PIECES, TextForm, chunk};

fn pieces(text: &str, form: TextForm) -> Vec<(String, String, u32, u32)> {
    let show = |piece: Chunk| {
        let (first, last) = (*piece.lines.start(), *piece.lines.end());
        (piece.headings.join(" › "), piece.text, first, last)
    };
    chunk(text, form).0.into_iter().map(show).collect()
}

#[test]
fn a_note_is_cut_at_its_headings() {
    let note = "---\ntags: [harbour, \"#tides\"]\naliases:\n  - Port\nother: x\n---\n# Harbour\nOpens at dawn. See [[Tides|the tides]] and [[Berths#North]].\n\n## Cranes\n```sh\n# not a heading\n```\n\n# Rules\nNone.\n";
    let found = pieces(note, TextForm::Markdown);
    let headings: Vec<_> = found
        .iter()
        .map(|piece| (piece.0.as_str(), piece.2, piece.3))
        .collect();
    assert_eq!(
        headings,
        [
            ("Harbour", 8, 8),
            ("Harbour › Cranes", 11, 13),
            ("Rules", 16, 16)
        ]
    );
    let links = chunk(note, TextForm::Markdown).0[0].links.clone();
    assert_eq!(links, ["Berths", "Port", "Tides", "harbour", "tides"]);
    assert!(found[1].1.contains("# not a heading"));
}

#[test]
fn a_page_becomes_its_words() {
    let page = "<html><head><title>x</title></head><body><h2>Tides &amp; more</h2><p>High at <b>noon</b>,\n low &#x32;.</p><script>evil('<p>')</script><!-- no --><ul><li>One<li>Two</ul>a < b</body>";
    let found = pieces(page, TextForm::Html);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "Tides & more");
    for word in ["High at noon, low 2.", "One", "Two", "a < b"] {
        assert!(found[0].1.contains(word), "{word}: {found:?}");
    }
    assert!(!found[0].1.contains("evil"));
}

#[test]
fn n12_hostile_documents_stay_bounded() {
    let deep = "#".repeat(100_000) + " x\n";
    let many = "# h\nx\n".repeat(50_000);
    let long = "é".repeat(2 << 20);
    let open = format!("---\n{}", "a: b\n".repeat(10_000));
    let tags = "<div>".repeat(200_000);
    let unclosed = format!("<script>{}", "</scrip ".repeat(100_000));
    let cases = [
        (deep.as_str(), TextForm::Markdown),
        (&many, TextForm::Markdown),
        (&long, TextForm::Plain),
        (&open, TextForm::Markdown),
        (&tags, TextForm::Html),
        (&unclosed, TextForm::Html),
        ("", TextForm::Markdown),
        ("---", TextForm::Markdown),
        ("[[[[[[", TextForm::Markdown),
        ("<", TextForm::Html),
    ];
    for (text, form) in cases {
        let (found, _) = chunk(text, form);
        assert!(found.len() <= PIECES);
        assert!(
            found
                .iter()
                .all(|piece| piece.text.len() <= 2 * LINE && piece.headings.len() <= 6)
        );
    }
    assert!(
        chunk(&many, TextForm::Markdown).1,
        "it says that there is more"
    );
}

proptest! {
    #[test]
    fn pieces_hold_every_word_in_order(paragraphs in proptest::collection::vec("[a-z ]{1,900}", 0..12)) {
        let text = paragraphs.join("\n\n");
        let (found, more) = chunk(&text, TextForm::Plain);
        let kept: Vec<&str> = found.iter().flat_map(|piece| piece.text.split_whitespace()).collect();
        let all: Vec<&str> = text.split_whitespace().collect();
        prop_assert!(!more);
        prop_assert!(kept == all);
        prop_assert!(found.windows(2).all(|pair| pair[0].lines.end() <= pair[1].lines.start()));
    }

    #[test]
    fn any_text_has_pieces(text in any::<String>()) {
        for form in [TextForm::Markdown, TextForm::Html, TextForm::Plain] {
            let (found, _) = chunk(&text, form);
            prop_assert!(found.iter().all(|piece| !piece.text.is_empty()));
        }
    }
}
