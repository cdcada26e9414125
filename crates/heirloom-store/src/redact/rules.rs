//! The rules, in the order they are applied: the nineteen of the platform in its order, with the extensions before the
//! last of them, which takes any long run of base64 and would tear the others apart.
//!
//! A pattern has two groups: what stands before and stays, and what goes. It keeps to what the `regex` crate and
//! PostgreSQL read alike: explicit ASCII classes, greedy repetitions, no class that overlaps what must follow it, nothing
//! that looks around. So both find the same matches, and both in linear time.

use std::sync::LazyLock;

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// One of the platform's nineteen, by its number there.
    Platform(u8),
    /// Ours.
    Extension,
}

/// One shape of credential.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What stands in its place, in `[REDACTED:…]`.
    pub label: &'static str,
    /// Where it comes from.
    pub origin: Origin,
    /// What it takes, in words.
    pub takes: &'static str,
    /// One of these, in any case, stands in every text that the rule matches; empty: any run of base64.
    pub hints: &'static [&'static str],
    /// A shorter pattern that every match holds, for the trigger's first look; the hints when absent.
    pub likely: Option<String>,
    /// Group 1 stays, group 2 goes.
    pub pattern: String,
    /// Group 2 must match each of these.
    pub must: Vec<String>,
    /// Group 2 must match none of these.
    pub never: Vec<String>,
    /// Group 1 must not match this.
    pub not_after: Option<&'static str>,
}

/// Every label, each once, in the order of its first rule.
pub static LABELS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut labels = Vec::new();
    for rule in list() {
        if !labels.contains(&rule.label) {
            labels.push(rule.label);
        }
    }
    labels
});

/// The rules in their order.
pub fn list() -> &'static [Rule] {
    static LIST: LazyLock<Vec<Rule>> = LazyLock::new(make);
    &LIST
}

const SPACE: &str = r"[ \t]*";
/// A character of an unquoted value, the first, and the last: a sentence's full stop is none of it.
const VALUE: &str = r#"[^ \t\r\n"'`,;<>(){}\[\]\\|]"#;
const VALUE_FIRST: &str = r#"[^ \t\r\n"'`,;<>(){}\[\]\\|=:$/~.*]"#;
const VALUE_LAST: &str = r#"[^ \t\r\n"'`,;<>(){}\[\]\\|.!?:]"#;
const SIGN: &str = r#"["'`\\]{0,2}[ \t]*(?:=>|:=|=|:)[ \t]*["'`\\]{0,2}"#;
/// Words with a number that stand beside passwords and are none.
const NAMES_WITH_NUMBERS: &str = r"^(?:[Ss][Hh][Aa]|[Mm][Dd]|[Uu][Tt][Ff]|[Bb]ase|[Aa]rgon|[Bb]crypt|[Pp][Bb][Kk][Dd][Ff]|[Oo][Aa]uth|[Rr][Ff][Cc]|[Hh][Tt][Tt][Pp]|[Ii][Pp][Vv])[-_]?[0-9]";

/// A literal in any case, without asking a locale.
fn any_case(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' => format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase()),
            '_' | '-' => c.to_string(),
            _ => format!("[{c}]"),
        })
        .collect()
}

fn one_of(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| any_case(word)).collect();
    format!("(?:{})", words.join("|"))
}

fn rule(
    label: &'static str,
    origin: Origin,
    takes: &'static str,
    hints: &'static [&'static str],
    pattern: impl Into<String>,
) -> Rule {
    Rule {
        label,
        origin,
        takes,
        hints,
        likely: None,
        pattern: pattern.into(),
        must: Vec::new(),
        never: Vec::new(),
        not_after: None,
    }
}

impl Rule {
    fn must(mut self, pattern: &str) -> Self {
        self.must.push(pattern.to_owned());
        self
    }

    fn never(mut self, pattern: &str) -> Self {
        self.never.push(pattern.to_owned());
        self
    }

    fn likely(mut self, pattern: impl Into<String>) -> Self {
        self.likely = Some(pattern.into());
        self
    }
}

/// A token with a prefix of its own, where no letter or digit stands before it.
fn token(
    label: &'static str,
    origin: Origin,
    takes: &'static str,
    hints: &'static [&'static str],
    pattern: &str,
) -> Rule {
    rule(label, origin, takes, hints, format!("(^|[^A-Za-z0-9])({pattern})"))
}

/// `NAME_API_KEY=value`, as the platform takes it, the name with it.
fn assigned(label: &'static str, number: u8, takes: &'static str, hints: &'static [&'static str]) -> Rule {
    let end = any_case(hints[0]);
    rule(
        label,
        Origin::Platform(number),
        takes,
        hints,
        format!(r"(^|[^A-Za-z0-9_])([A-Za-z][A-Za-z0-9_]*{end}{SPACE}={SPACE}[^ \t\r\n=~>][^ \t\r\n]*)"),
    )
    .likely(likely_name())
    .never(r#"^[A-Za-z0-9_]+[ \t]*=[ \t]*["'`]?(?:[$<{(*\[]|%[({A-Z]|\.\.\.)"#)
    .never(
        r#"^[A-Za-z0-9_]+[ \t]*=[ \t]*(?:(?:await|new|async|lambda|function|yield|return)$|(?:os|sys|env|process|config|settings|secrets|self|this|System|Deno|Bun|import\.meta)[.(:])"#,
    )
    .never(r#"^[A-Za-z0-9_]+[ \t]*=[ \t]*["'`]?[A-Za-z_][A-Za-z0-9_.:]*[(\[]"#)
    .never(
        r#"^[A-Za-z0-9_]+[ \t]*=[ \t]*["'`]?(?:[0-9.]{0,9}|true|false|True|False|none|None|null|nil|undefined)["'`]?[,;.)]?$"#,
    )
}

fn database_url() -> Rule {
    let schemes = "(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|clickhouse|cockroachdb)(?:[+][a-z0-9]+)?";
    rule(
        "DB_URL_WITH_CREDENTIALS",
        Origin::Platform(7),
        "`scheme://user:password@host` of postgres, mysql, mongodb, redis, amqp and their kin, `rediss` and drivers \
         (`postgresql+asyncpg`) too; the path stays",
        &["://"],
        format!("(^|[^A-Za-z0-9+.-])({schemes}{CREDENTIALS_AND_HOST})"),
    )
    .likely(LIKELY_URL)
}

const CREDENTIALS_AND_HOST: &str =
    r#"://[^ \t\r\n:@/?#"'`<>]*:[^ \t\r\n@/"'`<>${*\[][^ \t\r\n@/"'`<>]*@[^ \t\r\n/"'`<>)\]|}]*"#;
const LIKELY_URL: &str = "//[^ @/:]*:[^ @/]+@";

/// The name of a credential and what follows one.
fn likely_name() -> String {
    let names = ["password", "passwd", "passphrase", "pwd", "secret", "token", "key"];
    format!(r#"{}["'`\\]*[ \t]*[:=]"#, one_of(&names))
}

/// The value of something that a name calls a credential.
fn named(rule: Rule) -> Rule {
    rule.must("[A-Za-z]")
        .never(NAMES_WITH_NUMBERS)
        .never("^[0-9]{4}-[0-9]{2}")
        .never(r"::|//|\.\.\.")
        .never(r"^[a-z_][a-z0-9_]*\.[A-Za-z_]")
        .never("^(?:env|file|vault|ref|op|arn|secret):")
        .never("^[A-Z][A-Z0-9]*_[A-Z0-9_]*$")
        .never("^[a-z]+-(?:[a-z0-9]+-)+[a-z0-9]+$")
        .never("^(?:[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}|[0-9A-Fa-f]{32,})$")
}

#[expect(clippy::too_many_lines, reason = "one list, read from top to bottom")]
fn make() -> Vec<Rule> {
    use Origin::{Extension, Platform};
    let bearer = "(?:[Bb]earer|BEARER)[ \\t]+";
    let kind = "(?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----";
    let password = ["password", "passwd", "passphrase", "pwd"];
    vec![
        assigned("API_KEY", 1, "`NAME_API_KEY = value`, with its name", &["_api_key"]),
        assigned("TOKEN", 2, "`NAME_TOKEN = value`, with its name", &["_token"]),
        assigned("SECRET", 3, "`NAME_SECRET = value`, with its name", &["_secret"]),
        rule(
            "BEARER_TOKEN",
            Platform(4),
            "`Authorization: Bearer …`",
            &["bearer"],
            format!(
                r#"({}["']?{SPACE}[:=]{SPACE}["'`]?)({bearer}[^ \t\r\n"'`<>$*(){{}}\[\],;\\]{{6,}})"#,
                any_case("authorization")
            ),
        )
        .likely("(?:[Bb]earer|BEARER)[ \\t]"),
        rule(
            "BEARER_TOKEN",
            Platform(4),
            "`Bearer` or `bearer` and a token of 8 or more characters with a digit",
            &["bearer"],
            format!(r"(^|[^A-Za-z0-9_])({bearer}[A-Za-z0-9._~+/=-]{{8,}})"),
        )
        .likely("(?:[Bb]earer|BEARER)[ \\t]")
        .must("[ \\t][^ \\t]*[0-9]")
        .never("^[A-Za-z]+[ \\t]+(?:[Ss][Hh][Aa]|[Oo][Aa]uth|[Rr][Ff][Cc]|[Hh][Tt][Tt][Pp])[-_]?[0-9]")
        .never("^[A-Za-z]+[ \\t]+[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}$"),
        rule(
            "OPENSSH_PRIVATE_KEY",
            Platform(5),
            "a whole OpenSSH private key, from BEGIN to END",
            &["-----begin openssh"],
            "()(-----BEGIN OPENSSH PRIVATE KEY-----(?:-{0,4}[^-])*-----END OPENSSH PRIVATE KEY-----)",
        )
        .likely("-----BEGIN [A-Z0-9 ]*PRIVATE KEY"),
        rule(
            "PRIVATE_KEY",
            Platform(6),
            "any other private key in PEM, from BEGIN to END",
            &["-----begin"],
            format!("()(-----BEGIN {kind}(?:-{{0,4}}[^-])*-----END {kind})"),
        )
        .likely("-----BEGIN [A-Z0-9 ]*PRIVATE KEY"),
        rule(
            "PRIVATE_KEY",
            Extension,
            "a private key in PEM that was cut off before its END",
            &["-----begin"],
            format!("()(-----BEGIN {kind}(?:(?:[\\\\]n|[\\r\\n])+[A-Za-z0-9+/=]{{16,}})+)"),
        )
        .likely("-----BEGIN [A-Z0-9 ]*PRIVATE KEY"),
        database_url(),
        token("GITHUB_PAT", Platform(8), "`ghp_` and 16 or more letters and digits", &["ghp_"], "ghp_[A-Za-z0-9]{16,}"),
        token("GITHUB_OAUTH", Platform(9), "`gho_` and 16 or more", &["gho_"], "gho_[A-Za-z0-9]{16,}"),
        token("GITHUB_APP_SERVER_TOKEN", Platform(10), "`ghs_` and 16 or more", &["ghs_"], "ghs_[A-Za-z0-9]{16,}"),
        token("GITHUB_USER_TOKEN", Platform(11), "`ghu_` and 16 or more", &["ghu_"], "ghu_[A-Za-z0-9]{16,}"),
        token("GITHUB_REFRESH_TOKEN", Platform(12), "`ghr_` and 16 or more", &["ghr_"], "ghr_[A-Za-z0-9]{16,}"),
        token(
            "GITHUB_FINEGRAINED_PAT",
            Platform(13),
            "`github_pat_` and 16 or more letters, digits and `_`",
            &["github_pat_"],
            "github_pat_[A-Za-z0-9_]{16,}",
        ),
        token(
            "VERCEL_TOKEN",
            Platform(14),
            "`vc_` and 16 or more letters and digits, mixed",
            &["vc_"],
            "vc_[A-Za-z0-9]{16,}",
        )
        .must("[0-9]|[a-z][A-Z]"),
        token(
            "AWS_ACCESS_KEY_ID",
            Platform(15),
            "`AKIA` or `ASIA` and exactly 16 capitals and digits",
            &["akia", "asia"],
            "A[KS]IA[A-Z0-9]{16,}",
        )
        .likely("A[KS]IA[A-Z0-9]")
        .must("^.{20}$"),
        token("PERPLEXITY_API_KEY", Platform(16), "`pplx-` and 20 or more", &["pplx-"], "pplx-[A-Za-z0-9]{20,}"),
        rule(
            "SK_TOKEN",
            Platform(17),
            "`sk-` and 16 or more letters, digits, `-` and `_`, of which 12 in a row are letters or digits, or after \
             `sk-ant-`, `sk-proj-` and the like; nothing of a word before it",
            &["sk-"],
            "(^|[^A-Za-z0-9_-])(sk-[A-Za-z0-9_-]{16,})",
        )
        .likely("(?:^|[^A-Za-z0-9_-])sk-")
        .must("[A-Za-z0-9]{12}|^sk-(?:ant|proj|svcacct|admin|or|live|test)-"),
        token("CTX7_TOKEN", Platform(18), "`ctx7_` and 6 or more, with a digit", &["ctx7_"], "ctx7_[A-Za-z0-9]{6,}")
            .must("_[A-Za-z0-9]*[0-9]|^.{21}"),
        token(
            "SLACK_TOKEN",
            Extension,
            "`xoxb-`, `xoxp-`, `xapp-` and their kin",
            &["xox", "xapp-"],
            "(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10,}",
        )
        .likely("xox[a-z]-|xapp-")
        .must("[0-9]"),
        rule(
            "SLACK_WEBHOOK",
            Extension,
            "the path of an incoming webhook; the host stays",
            &["hooks.slack.com/"],
            "(hooks[.]slack[.]com/(?:services|workflows|triggers)/)([A-Za-z0-9/]{20,})",
        ),
        token("GOOGLE_API_KEY", Extension, "`AIza` and 30 or more", &["aiza"], "AIza[A-Za-z0-9_-]{30,}").likely("AIza"),
        token(
            "JWT",
            Extension,
            "three parts of base64url, the first two of which begin with `eyJ`",
            &["eyj"],
            "eyJ[A-Za-z0-9_-]{7,}[.]eyJ[A-Za-z0-9_-]{2,}[.][A-Za-z0-9_-]{10,}",
        )
        .likely("[.]eyJ"),
        token("GITLAB_TOKEN", Extension, "`glpat-` and 16 or more", &["glpat-"], "glpat-[A-Za-z0-9_-]{16,}"),
        token(
            "STRIPE_KEY",
            Extension,
            "`sk_live_`, `rk_live_`, `sk_test_`, `rk_test_`, `whsec_` and 16 or more",
            &["k_live_", "k_test_", "whsec_"],
            "(?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,}",
        ),
        token("NPM_TOKEN", Extension, "`npm_` and 30 or more, with a digit", &["npm_"], "npm_[A-Za-z0-9]{30,}")
            .must("[0-9]"),
        token("PYPI_TOKEN", Extension, "`pypi-` and 50 or more", &["pypi-"], "pypi-[A-Za-z0-9_-]{50,}"),
        rule(
            "URL_WITH_CREDENTIALS",
            Extension,
            "`scheme://user:password@host` of any other scheme; the path stays",
            &["://"],
            format!("(^|[^A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]*{CREDENTIALS_AND_HOST})"),
        )
        .likely(LIKELY_URL),
        rule(
            "AWS_SECRET_ACCESS_KEY",
            Extension,
            "`aws_secret_access_key = …`; the name stays",
            &["secret_access_key", "secretaccesskey"],
            format!("({}{SIGN})([A-Za-z0-9/+]{{30,}})", one_of(&["secret_access_key", "secretaccesskey"])),
        )
        .likely(likely_name())
        .never(r"^/"),
        named(
            rule(
                "PASSWORD",
                Extension,
                "`password = …`, `passwd: …`, `pwd=…`, `passphrase: \"…\"`: 6 or more characters, letters and digits \
                 or signs; the name stays",
                &["password", "passwd", "passphrase", "pwd"],
                format!("({}{SIGN})({VALUE_FIRST}{VALUE}{{4,}}{VALUE_LAST})", one_of(&password)),
            )
            .likely(likely_name()),
        )
        .must("[0-9!#%^&+]"),
        named(
            rule(
                "PASSWORD",
                Extension,
                "`password is …` in prose: 8 or more characters, letters and digits",
                &["password", "passwd", "passphrase"],
                format!(
                    "({}[ \\t]+(?:(?:is|was)[ \\t]+)?[\"'`]?)({VALUE_FIRST}{VALUE}{{6,}}{VALUE_LAST})",
                    one_of(&password[..3])
                ),
            )
            .likely(format!("{}[ \\t]", one_of(&password[..3]))),
        )
        .must("[0-9]")
        .never("^[^A-Za-z0-9]*[0-9]+[-_]?[a-z]+$")
        .never("[/]"),
        named(
            rule(
                "CREDENTIAL",
                Extension,
                "a value of 12 or more letters and digits after a name that ends in secret, api key, access key, \
                 private key or token, and `=` or `:`; the name stays",
                &[
                    "secret",
                    "apikey",
                    "api_key",
                    "api-key",
                    "access_key",
                    "access-key",
                    "private_key",
                    "secret_key",
                    "secretkey",
                    "token",
                ],
                format!("({}{SIGN})({VALUE_FIRST}{VALUE}{{10,}}{VALUE_LAST})", one_of(&NAMES)),
            )
            .likely(likely_name()),
        )
        .must("[0-9]")
        .never("^[0-9A-Fa-f-]+$"),
        Rule {
            not_after: Some("base64,$"),
            ..rule(
                "BASE64_BLOB",
                Platform(19),
                "33 or more letters, digits, `+` and `/`: small, capital and digits mixed as hardly a name or a path \
                 mixes them; no hex digest, and no data URL",
                &[],
                "(^|;base64,|[^A-Za-z0-9+/_-])([A-Za-z0-9+/]{33,}={0,2})",
            )
        }
        .likely("[A-Za-z0-9+/]{33}")
        .must("[a-z]")
        .must("[A-Z]")
        .must("(?:(?:[A-Z][a-z][A-Z0-9]|[0-9][A-Z]|[A-Z][0-9]|[a-z][0-9][A-Za-z])[A-Za-z0-9+/]*){3}")
        .must("[0-9]")
        .never("^(?:0x)?[0-9A-Fa-f]+=*$"),
    ]
}

const NAMES: [&str; 9] =
    ["secret", "apikey", "api_key", "api-key", "access_key", "access-key", "private_key", "secret_key", "token"];
