//! Opening the inspector in this machine's browser.
//!
//! The owner's secret must not stand in a command line, where every user of the machine can read it. So the browser is
//! given a file of mode 0600 that sends it on, with the secret in the fragment, which a browser never sends to a server.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::context::Context;

/// What was opened; the file goes with it.
#[derive(Debug)]
pub struct WayIn(Option<PathBuf>);

impl Drop for WayIn {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            drop(std::fs::remove_file(file));
        }
    }
}

/// Opens a server's page; with a secret, signed in. Where there is no browser to be had, says where the page is.
pub fn open(context: &Context, url: &str, secret: Option<&str>) -> WayIn {
    let file = secret.map(|secret| file(url, secret));
    let opened = match &file {
        None => browse(format!("{url}/").as_ref()),
        Some(Ok(file)) => browse(file),
        Some(Err(_)) => false,
    };
    if !opened {
        context.watch().note(&format!("No browser could be opened; the inspector is at {url}/"));
    }
    WayIn(file.and_then(Result::ok))
}

/// The file that sends a browser on.
fn file(url: &str, secret: &str) -> std::io::Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("heirloom-{}.html", uuid::Uuid::new_v4().simple()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Heirloom</title>\
         <meta http-equiv=\"refresh\" content=\"0; url={url}/#token={secret}\">\n"
    );
    options.open(&path)?.write_all(page.as_bytes())?;
    Ok(path)
}

fn browse(what: &Path) -> bool {
    let (command, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(command);
    command.args(before).arg(what).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(unix)]
    fn the_file_is_its_owner_s_alone_and_goes() {
        use std::os::unix::fs::PermissionsExt;
        let path = super::file("http://127.0.0.1:1", "hl_owner_x").expect("it can be written");
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).expect("it can be read");
        assert!(text.contains("url=http://127.0.0.1:1/#token=hl_owner_x"));
        drop(super::WayIn(Some(path.clone())));
        assert!(!path.exists());
    }
}
