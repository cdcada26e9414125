//! A PostgreSQL server that belongs to one test, so that the test may kill it: of the programs that the server of
//! `HEIRLOOM_TEST_URL` runs from, where that one is on this machine.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use heirloom_engine::{Database, Location, Options};

/// The server.
pub(crate) struct OwnServer {
    programs: PathBuf,
    /// Whose process it is: the superuser may not run one.
    user: (u32, u32),
    data: tempfile::TempDir,
    port: u16,
    postmaster: Option<Child>,
}

impl OwnServer {
    /// A new one that runs. `None` on the embedded engine, and where the test server is on another machine.
    pub(crate) async fn start() -> Option<Self> {
        let url = std::env::var("HEIRLOOM_TEST_URL").ok()?;
        let database = open(&url).await;
        let asked = "select c.setting, current_setting('data_directory') from pg_config c where c.name = 'BINDIR'";
        let row = database.client().await.unwrap().query_one(asked, &[]).await.unwrap();
        database.close().await.unwrap();
        let (programs, theirs) = (PathBuf::from(row.get::<_, String>(0)), row.get::<_, String>(1));
        let owner = std::fs::metadata(theirs).ok().filter(|_| programs.join("initdb").is_file())?;
        let data = tempfile::tempdir().unwrap();
        let user = (owner.uid(), owner.gid());
        chown(data.path(), Some(user.0), Some(user.1)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { programs, user, data, port, postmaster: None };
        let made = server
            .program("initdb")
            .args(["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.start_again();
        Some(server)
    }

    /// Where it is, as its superuser.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Where it is, as a new login that is a member of these roles.
    pub(crate) async fn login(&self, roles: &str) -> String {
        let database = open(&self.url()).await;
        let made = format!("create role server_of_memories login; grant {roles} to server_of_memories");
        database.client().await.unwrap().batch_execute(&made).await.unwrap();
        database.close().await.unwrap();
        self.url().replace("postgres@", "server_of_memories@")
    }

    /// A signal to the postmaster, and its end.
    pub(crate) fn end(&mut self, signal: &str) {
        let mut postmaster = self.postmaster.take().unwrap();
        self.signal(signal, postmaster.id());
        postmaster.wait().unwrap();
    }

    /// Kills the process of one session, as the system does when memory runs out: the server ends every other session, too,
    /// and recovers by itself.
    pub(crate) fn kill_session(&self, pid: i32) {
        self.signal("KILL", pid.unsigned_abs());
    }

    fn signal(&self, signal: &str, pid: u32) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().unwrap();
        assert!(sent.success(), "SIG{signal} to {pid} of {:?}", self.data);
    }

    /// Starts it where it ended. The sessions of one that was killed may still be ending, and until they have, it refuses to.
    pub(crate) fn start_again(&mut self) {
        for _ in 0..500 {
            let mut postmaster = self
                .program("postgres")
                .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"])
                .args(["-c", "unix_socket_directories=", "-c", "restart_after_crash=on"])
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let (send, ready) = channel();
            let said = BufReader::new(postmaster.stderr.take().unwrap());
            // Read to its end: a server whose log nobody reads comes to a stop.
            std::thread::spawn(move || {
                for line in said.lines().map_while(Result::ok) {
                    if line.contains("database system is ready to accept connections") {
                        let _ = send.send(());
                    }
                }
            });
            if is_ready(&ready) {
                self.postmaster = Some(postmaster);
                return;
            }
            drop(postmaster.kill());
            postmaster.wait().unwrap();
        }
        panic!("the server does not start again in {:?}", self.data);
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.arg("-D").arg(self.data.path()).current_dir(Path::new("/")).stdin(Stdio::null()).stdout(Stdio::null());
        let us = std::fs::metadata("/proc/self").map(|own| own.uid());
        if us.ok() != Some(self.user.0) {
            command.uid(self.user.0).gid(self.user.1);
        }
        command
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if self.postmaster.is_some() {
            self.end("QUIT");
        }
    }
}

/// False when it ended instead.
fn is_ready(told: &Receiver<()>) -> bool {
    told.recv_timeout(Duration::from_secs(60)).is_ok()
}

/// One connection as whoever the URL says.
pub(crate) async fn open(url: &str) -> Database {
    let options = Options { pool_size: 1, ..Options::default() };
    Database::open(&Location::Server(url.to_owned()), &options).await.unwrap()
}
