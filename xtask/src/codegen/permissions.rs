//! The policy matrix: role × permission, as `skep-domain` holds it.

use std::fmt::Write as _;

use anyhow::Result;
use skep_domain::{Permission, Role};

/// The page, in Markdown.
///
/// # Errors
/// When formatting fails.
pub(super) fn page() -> Result<String> {
    let mut page = format!(
        "{}\n\n# Permissions\n\nThe bit is what storage keeps; it never changes its meaning. \
         A credential can only narrow its role.\n\n| Bit | Permission |",
        super::banner("skep-domain")
    );
    for role in Role::ALL {
        write!(page, " {} |", role.as_str())?;
    }
    page.push_str("\n|---|---|");
    page.push_str(&"---|".repeat(Role::ALL.len()));
    page.push('\n');
    for permission in Permission::ALL {
        write!(
            page,
            "| {} | `{}` |",
            *permission as u8,
            permission.as_str()
        )?;
        for role in Role::ALL {
            let held = role.permissions().contains(*permission);
            page.push_str(if held { " x |" } else { " |" });
        }
        page.push('\n');
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn the_page_holds_every_permission_and_role() {
        let page = page().unwrap();
        assert!(page.contains("| Bit | Permission | admin | operator | agent | readonly |"));
        assert!(page.contains("| 0 | `memory:read` | x | x | x | x |"));
        assert!(page.contains("| 30 | `task:run` | | | | |"));
    }
}
