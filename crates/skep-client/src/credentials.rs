//! The logins of a home: for each server and organization one refresh token and the key it is bound
//! to, and which of them is active.

use std::io;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Home;
use crate::private::Private;
use crate::proof::ProofKey;

const FILE: Private = Private {
    name: "credentials.json",
    max_bytes: 64 << 10,
};
const ACTIVE: Private = Private {
    name: "active.json",
    max_bytes: 4 << 10,
};
/// Logins that a home keeps.
const LOGINS: usize = 32;

/// What is kept of one login. No access token: that stays in memory.
#[derive(Clone)]
pub struct Login {
    /// The server's URL.
    pub issuer: String,
    /// The organization that it is for, as its server writes the id.
    pub organization: String,
    /// What the organization is called.
    pub name: Option<String>,
    pub(crate) refresh: Zeroizing<String>,
    pub(crate) key: ProofKey,
}

/// All logins of a home.
#[derive(Default)]
pub struct Logins(Vec<Login>);

/// Which server is spoken to, and as a member of which organization.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Active {
    /// The server's URL.
    pub issuer: String,
    /// The organization, as its server writes the id. It goes with every request, and one whose
    /// credential is for another is refused.
    pub organization: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    logins: Vec<KeptLogin>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct KeptLogin {
    issuer: String,
    organization: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    refresh_token: String,
    proof_key: String,
}

impl Logins {
    /// Reads the file; none when there is no file.
    ///
    /// # Errors
    /// When it is no file of ours that only we can read, or holds something else.
    pub fn read(home: &Home) -> io::Result<Self> {
        let Some(text) = FILE.read(home)? else {
            return Ok(Self::default());
        };
        let damaged = || FILE.refused("it holds no logins: delete it, and log in again");
        let kept: Kept = serde_json::from_str(&text).map_err(|_| damaged())?;
        let logins = kept.logins.into_iter().map(|kept| {
            Ok(Login {
                key: ProofKey::parse(&kept.proof_key).ok_or_else(damaged)?,
                issuer: kept.issuer,
                organization: kept.organization,
                name: kept.name,
                refresh: Zeroizing::new(kept.refresh_token),
            })
        });
        Ok(Self(logins.collect::<io::Result<_>>()?))
    }

    /// The login that is active, or would be if it were.
    #[must_use]
    pub fn get(&self, active: &Active) -> Option<&Login> {
        self.0.iter().find(|login| login.is(active))
    }

    /// Those at a server, or all, the newest last.
    pub fn at<'l>(&'l self, issuer: Option<&'l str>) -> impl Iterator<Item = &'l Login> {
        let wanted = move |login: &&Login| issuer.is_none_or(|issuer| login.issuer == issuer);
        self.0.iter().filter(wanted)
    }

    /// Keeps a login in place of the one that there was for the same organization.
    pub(crate) fn put(&mut self, login: Login) -> io::Result<()> {
        self.0.retain(|kept| !kept.is(&login.active()));
        if self.0.len() >= LOGINS {
            return Err(FILE.refused("it is full: end a login with skep logout"));
        }
        self.0.push(login);
        Ok(())
    }

    /// Takes a login out.
    pub(crate) fn take(&mut self, active: &Active) -> Option<Login> {
        let at = self.0.iter().position(|login| login.is(active))?;
        Some(self.0.remove(at))
    }

    pub(crate) fn write(&self, home: &Home) -> io::Result<()> {
        if self.0.is_empty() {
            return FILE.delete(home).map(|_| ());
        }
        let kept = Kept {
            logins: self.0.iter().map(KeptLogin::of).collect(),
        };
        FILE.write(home, &Zeroizing::new(serde_json::to_vec_pretty(&kept)?))
    }
}

impl Login {
    /// What makes it the active one.
    #[must_use]
    pub fn active(&self) -> Active {
        Active {
            issuer: self.issuer.clone(),
            organization: self.organization.clone(),
        }
    }

    fn is(&self, active: &Active) -> bool {
        self.issuer == active.issuer && self.organization == active.organization
    }
}

impl KeptLogin {
    fn of(login: &Login) -> Self {
        Self {
            issuer: login.issuer.clone(),
            organization: login.organization.clone(),
            name: login.name.clone(),
            refresh_token: login.refresh.as_str().to_owned(),
            proof_key: login.key.text().as_str().to_owned(),
        }
    }
}

impl Active {
    /// What is active; `None` for this machine's own daemon.
    ///
    /// # Errors
    /// When it is no file of ours that only we can read, or holds something else.
    pub fn read(home: &Home) -> io::Result<Option<Self>> {
        let Some(text) = ACTIVE.read(home)? else {
            return Ok(None);
        };
        let damaged = |_| ACTIVE.refused("it names no login: delete it, or skep org switch");
        serde_json::from_str(&text).map(Some).map_err(damaged)
    }

    /// Makes it so for all programs of this home.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, home: &Home) -> io::Result<()> {
        ACTIVE.write(home, &serde_json::to_vec_pretty(self)?)
    }

    /// Goes back to this machine's own daemon; `false` when it was so.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn delete(home: &Home) -> io::Result<bool> {
        ACTIVE.delete(home)
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::{Active, Login, Logins};
    use crate::Home;
    use crate::proof::ProofKey;

    fn login(issuer: &str, organization: &str, refresh: &str) -> Login {
        Login {
            issuer: issuer.into(),
            organization: organization.into(),
            name: None,
            refresh: Zeroizing::new(refresh.into()),
            key: ProofKey::generate().unwrap(),
        }
    }

    #[test]
    fn a18_a_home_keeps_one_login_for_each_organization() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path()).unwrap();
        let mut logins = Logins::read(&home).unwrap();
        for (issuer, organization, refresh) in [
            ("https://a.b", "org_1", "first"),
            ("https://a.b", "org_2", "second"),
            ("https://c.d", "org_1", "third"),
            ("https://a.b", "org_1", "fourth"),
        ] {
            logins.put(login(issuer, organization, refresh)).unwrap();
        }
        logins.write(&home).unwrap();
        let mut read = Logins::read(&home).unwrap();
        let held = |logins: &Logins| -> Vec<String> {
            let refresh = logins.at(None).map(|login| login.refresh.to_string());
            refresh.collect()
        };
        assert_eq!(held(&read), ["second", "third", "fourth"]);
        let other = Active {
            issuer: "https://c.d".into(),
            organization: "org_2".into(),
        };
        assert!(
            read.get(&other).is_none(),
            "no login of another organization"
        );
        for login in logins.at(None) {
            assert!(read.take(&login.active()).is_some());
        }
        read.write(&home).unwrap();
        assert!(!folder.path().join("credentials.json").exists());

        assert_eq!(Active::read(&home).unwrap(), None);
        other.write(&home).unwrap();
        assert_eq!(Active::read(&home).unwrap(), Some(other));
        assert!(Active::delete(&home).unwrap());
    }
}
