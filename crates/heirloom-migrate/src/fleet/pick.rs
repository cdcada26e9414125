//! Which tenants of a file a command is about: `--only`, `--except`, and a share of them for one of several workers.

use super::file::TenantsFile;
use crate::error::{MigrateError, Result};
use crate::file::suggest::nearest;

/// A choice among the tenants of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pick {
    /// These alone; all when empty.
    pub only: Vec<String>,
    /// Not these.
    pub except: Vec<String>,
    /// Of those, every `count`-th from `index` on: the share of one of several workers.
    pub shard: Option<Shard>,
}

/// `INDEX/COUNT`: the share of one of several workers, the first being 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 0.
    pub index: usize,
    /// Of how many.
    pub count: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parsed {
            Some((index, count)) if index < count => Ok(Self { index, count }),
            _ => Err(format!("`{text}` is not INDEX/COUNT with INDEX from 0 and below COUNT, such as 0/4")),
        }
    }
}

impl Pick {
    /// Positions of the chosen tenants in the file, in its order. A share of a small fleet may be empty.
    ///
    /// # Errors
    /// [`MigrateError::Refused`] for a name that the file does not have, with the nearest that it has, and when nobody is left.
    pub fn of(&self, file: &TenantsFile) -> Result<Vec<usize>> {
        let names: Vec<&str> = file.tenants.iter().map(|tenant| tenant.name.value.as_str()).collect();
        for (flag, asked) in
            self.only.iter().map(|name| ("--only", name)).chain(self.except.iter().map(|name| ("--except", name)))
        {
            if !names.contains(&asked.as_str()) {
                return Err(MigrateError::Refused {
                    what: format!(
                        "{flag}: {} has no tenant `{}`{}",
                        file.path,
                        asked.escape_debug(),
                        nearest(asked, names.iter().copied())
                    ),
                    cure: listed(&names),
                });
            }
        }
        let chosen: Vec<usize> = (0..names.len())
            .filter(|at| self.only.is_empty() || self.only.iter().any(|name| name == names[*at]))
            .filter(|at| !self.except.iter().any(|name| name == names[*at]))
            .collect();
        if chosen.is_empty() {
            return Err(MigrateError::Refused {
                what: "--only and --except leave no tenant".to_owned(),
                cure: listed(&names),
            });
        }
        Ok(match self.shard {
            Some(Shard { index, count }) => chosen.into_iter().skip(index).step_by(count).collect(),
            None => chosen,
        })
    }
}

fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 10;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("its tenants are {shown}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> TenantsFile {
        let text: String = ["agents-team", "hongming", "chloe-dong", "reno-stars"]
            .map(|name| format!("[[tenant]]\nname = \"{name}\"\n"))
            .concat();
        TenantsFile::parse("t.toml", &text).unwrap()
    }

    fn pick(only: &[&str], except: &[&str], shard: Option<&str>) -> Result<Vec<usize>> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let shard = shard.map(|text| text.parse().unwrap());
        Pick { only: owned(only), except: owned(except), shard }.of(&file())
    }

    #[test]
    fn a_choice_keeps_the_order_of_the_file() {
        assert_eq!(pick(&[], &[], None).unwrap(), [0, 1, 2, 3]);
        assert_eq!(pick(&["reno-stars", "hongming"], &[], None).unwrap(), [1, 3]);
        assert_eq!(pick(&[], &["agents-team"], None).unwrap(), [1, 2, 3]);
        assert_eq!(pick(&["hongming"], &["reno-stars"], None).unwrap(), [1]);
    }

    #[test]
    fn shares_are_disjoint_and_together_all() {
        assert_eq!(pick(&[], &[], Some("0/3")).unwrap(), [0, 3]);
        assert_eq!(pick(&[], &[], Some("1/3")).unwrap(), [1]);
        assert_eq!(pick(&[], &[], Some("2/3")).unwrap(), [2]);
        assert_eq!(pick(&[], &[], Some("7/9")).unwrap(), [0_usize; 0]);
        for wrong in ["3/3", "1", "a/b", "-1/2", "1/0", ""] {
            assert!(wrong.parse::<Shard>().unwrap_err().contains("INDEX/COUNT"), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest() {
        let said = pick(&["hongmin"], &[], None).unwrap_err().to_string();
        assert_eq!(
            said,
            "--only: t.toml has no tenant `hongmin` (did you mean `hongming`?); its tenants are agents-team, hongming, \
             chloe-dong, reno-stars"
        );
        assert!(pick(&[], &["x"], None).unwrap_err().to_string().starts_with("--except: t.toml has no tenant `x`;"));
        assert!(pick(&["hongming"], &["hongming"], None).unwrap_err().to_string().contains("leave no tenant"));
    }
}
