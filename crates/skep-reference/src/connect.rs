//! 1Password, through the Connect server that whoever uses it runs.
//!
//! <https://developer.1password.com/docs/connect/api-reference>

use serde::Deserialize;
use serde_json::value::RawValue;
use skep_crypto::Plain;
use skep_domain::Reference;
use skep_egress::Target;

use crate::Unresolved;
use crate::remote::{Answer, Asked, Body, Remote, Token, text};

/// A server, and which of its vaults may be referred to.
pub struct Connect {
    remote: Remote,
    vaults: Vec<String>,
}

/// A vault or an item in a list.
#[derive(Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    title: String,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default)]
    fields: Vec<Field<'a>>,
    #[serde(default)]
    sections: Vec<Section>,
}

#[derive(Deserialize)]
struct Field<'a> {
    id: String,
    #[serde(default)]
    label: String,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    section: Option<SectionOf>,
}

#[derive(Deserialize)]
struct SectionOf {
    id: String,
}

#[derive(Deserialize)]
struct Section {
    id: String,
    #[serde(default)]
    label: String,
}

/// Where a field is.
struct Place<'a> {
    vault: &'a str,
    item: &'a str,
    section: Option<&'a str>,
    field: &'a str,
}

impl Connect {
    /// Its address, the certificates of its own authority, in DER, and its token.
    #[must_use]
    pub fn new(address: Target, authorities: Vec<Vec<u8>>, token: Token) -> Self {
        let remote = Remote::new("1Password".into(), address, authorities, token);
        Self {
            remote,
            vaults: Vec::new(),
        }
    }

    /// Only these vaults, as references call them; all that the token sees if none is named.
    #[must_use]
    pub fn only(mut self, vaults: Vec<String>) -> Self {
        self.vaults = vaults;
        self
    }

    pub(crate) fn has(&self, vault: &str) -> bool {
        self.vaults.is_empty() || self.vaults.iter().any(|allowed| allowed == vault)
    }

    pub(crate) async fn look_up(
        &self,
        reference: &Reference,
    ) -> Result<Plain<Vec<u8>>, Unresolved> {
        let Reference::OnePassword {
            vault,
            item,
            section,
            field,
        } = reference
        else {
            return Err(Unresolved::NotAllowed);
        };
        let place = Place {
            vault,
            item,
            section: section.as_deref(),
            field,
        };
        let shown = reference.to_string();
        let vault = self.id("/v1/vaults", "name", place.vault, &shown).await?;
        let items = format!("/v1/vaults/{vault}/items");
        let item = self.id(&items, "title", place.item, &shown).await?;
        let body = self.get(&format!("{items}/{item}"), &shown).await?;
        let item: Item<'_> = body.read().ok_or_else(|| self.remote.odd())?;
        let raw = item.value(&place, &shown)?;
        text(raw).ok_or(Unresolved::Unfit(shown))
    }

    /// The id of what has a name; an id stands for itself.
    async fn id(
        &self,
        list: &str,
        called: &str,
        name: &str,
        shown: &str,
    ) -> Result<String, Unresolved> {
        if is_id(name) {
            return Ok(name.to_owned());
        }
        // A name has letters, digits, '-', '_', '.', '@' and blanks: nothing that ends the quotes.
        let wanted = name.replace(' ', "%20");
        let path = format!("{list}?filter={called}%20eq%20%22{wanted}%22");
        let body = self.get(&path, shown).await?;
        let entries: Vec<Entry> = body.read().ok_or_else(|| self.remote.odd())?;
        let same = |entry: &Entry| entry.name == name || entry.title == name;
        let mut ids = entries.into_iter().filter(same).map(|entry| entry.id);
        match (ids.next(), ids.next()) {
            (Some(id), None) if is_id(&id) => Ok(id),
            (Some(_), None) => Err(self.remote.odd()),
            (None, _) => Err(Unresolved::Missing(shown.to_owned())),
            (Some(_), Some(_)) => Err(Unresolved::Ambiguous(shown.to_owned())),
        }
    }

    async fn get(&self, path: &str, shown: &str) -> Result<Body, Unresolved> {
        let asked = Asked {
            path,
            token: ("authorization", "Bearer "),
            headers: &[],
        };
        match self.remote.ask(&asked).await? {
            Answer::Found(body) => Ok(body),
            Answer::Missing => Err(Unresolved::Missing(shown.to_owned())),
        }
    }
}

impl<'a> Item<'a> {
    /// The one field that is meant. Without a section, one that is in none comes before others.
    fn value(&self, place: &Place<'_>, shown: &str) -> Result<&'a RawValue, Unresolved> {
        let named = |field: &&Field<'a>| field.label == place.field || field.id == place.field;
        let named: Vec<&Field<'a>> = self.fields.iter().filter(named).collect();
        let found = if let Some(section) = place.section {
            in_those(&named, |field| {
                let id = field.section.as_ref().map(|section| &section.id);
                id.is_some_and(|id| id == section || self.labelled(id, section))
            })
        } else {
            let loose = in_those(&named, |field| field.section.is_none());
            if loose.is_empty() { named } else { loose }
        };
        match found[..] {
            [field] => {
                let missing = || Unresolved::Missing(shown.to_owned());
                field.value.ok_or_else(missing)
            }
            [] => Err(Unresolved::Missing(shown.to_owned())),
            _ => Err(Unresolved::Ambiguous(shown.to_owned())),
        }
    }

    fn labelled(&self, id: &str, label: &str) -> bool {
        let mut sections = self.sections.iter();
        sections.any(|section| section.id == id && section.label == label)
    }
}

fn in_those<'f, 'a>(
    fields: &[&'f Field<'a>],
    fits: impl Fn(&Field<'a>) -> bool,
) -> Vec<&'f Field<'a>> {
    fields.iter().copied().filter(|field| fits(field)).collect()
}

/// Ids are 26 letters and digits.
fn is_id(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() == 26 && name.bytes().all(fits)
}
