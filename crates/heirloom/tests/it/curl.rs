//! The program `curl`, as a person at a terminal or the platform's boot test asks a door.

use std::io::ErrorKind;
use std::process::Command;

use crate::door::Door;
use crate::served::Answer;

/// `curl -X METHOD URL -d BODY`, without a configuration of the user's. On a machine without the program our own client
/// asks, because the tests need nothing but Rust; where HEIRLOOM_TEST_CURL is set, as in CI, nothing stands in for it.
pub(crate) async fn curl(door: &Door, method: &str, path: &str, body: &str) -> Answer {
    let mut command = Command::new("curl");
    // First, because that is where curl looks for it.
    command.args(["--disable", "--silent", "--show-error", "--noproxy", "*", "--max-time", "60"]);
    command.args(["--request", method, "--write-out", "\n%{http_code}"]);
    if !body.is_empty() {
        command.args(["--header", "Content-Type: application/json", "--data-binary", body]);
    }
    let ran = match command.arg(format!("{}{path}", door.url())).output() {
        Err(error) if error.kind() == ErrorKind::NotFound && std::env::var_os("HEIRLOOM_TEST_CURL").is_none() => {
            return door.ask(method, path, body).await;
        }
        ran => ran.unwrap_or_else(|error| {
            panic!("the program curl cannot be run ({error}): install it, on Debian by `apt-get install curl`")
        }),
    };
    let (said, wrong) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "curl {method} {path}: {wrong}");
    let (text, status) = said.rsplit_once('\n').unwrap();
    Answer { status: status.parse().unwrap(), headers: Default::default(), text: text.to_owned() }
}
