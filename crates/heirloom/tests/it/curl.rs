//! The program `curl`, as a person at a terminal or the platform's boot test asks a door.

use std::process::Command;

use serde_json::Value;

/// What it printed of an answer.
#[derive(Debug)]
pub(crate) struct Curled {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Curled {
    /// The JSON of an answer with this status; null where there is no body.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() { Value::Null } else { serde_json::from_str(&self.body).unwrap() }
    }
}

/// `curl -X METHOD URL -d BODY`, without a configuration of the user's. It has to be installed: nothing stands in for it.
#[track_caller]
pub(crate) fn curl(method: &str, url: &str, body: &str) -> Curled {
    let mut command = Command::new("curl");
    // First, because that is where curl looks for it.
    command.args(["--disable", "--silent", "--show-error", "--noproxy", "*", "--max-time", "60"]);
    command.args(["--request", method, "--write-out", "\n%{http_code}"]);
    if !body.is_empty() {
        command.args(["--header", "Content-Type: application/json", "--data-binary", body]);
    }
    let ran = command.arg(url).output().unwrap_or_else(|error| {
        panic!("the program curl cannot be run ({error}): install it, on Debian by `apt-get install curl`")
    });
    let (said, wrong) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "curl {method} {url}: {wrong}");
    let (body, status) = said.rsplit_once('\n').unwrap();
    Curled { status: status.parse().unwrap(), body: body.to_owned() }
}
