//! Who may read whose rows, asked before anything moves: shared credentials, superusers, roles past the policies, grants too
//! wide. On a server: the embedded engine has one user. And credentials change between runs without a new plan.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use heirloom_engine::testkit::TestDatabase;
use serde_json::Value;

use crate::fleet_isolation::{port, through};
use crate::support::{Home, Ran};

const TEMPLATE: &str = "name = \"notes\"\n[source]\nurl = \"env:X\"\n[namespace]\ntemplate = \"custom:nobody\"\n\
    [map]\ncontent = \"body\"\nkind = { value = \"fact\" }\n";

/// Two tenants with a schema, a role and a namespace of their own in one database, and a store in another that a third role owns.
struct Two {
    home: Home,
    source: TestDatabase,
    target: TestDatabase,
    /// Ends every role's name, because roles belong to the whole server.
    mark: String,
    passwords: [&'static str; 2],
    /// A way to the sources other than straight.
    through: Option<u16>,
}

impl Two {
    async fn new() -> Option<Self> {
        std::env::var_os("HEIRLOOM_TEST_URL")?;
        let (source, target) = (TestDatabase::fresh().await, TestDatabase::fresh().await);
        let mark = uuid::Uuid::new_v4().simple().to_string();
        let two = Self { home: Home::new(), source, target, mark, passwords: ["hunter1", "hunter2"], through: None };
        let mark = &two.mark;
        let mut sql = format!("create role w_{mark} login password 'hunter3' createrole;\n");
        for (name, password) in ["a", "b"].iter().zip(two.passwords) {
            sql.push_str(&format!(
                "create role {name}_{mark} login password '{password}';
                 create schema {name};
                 create table {name}.note (id bigint primary key, body text);
                 insert into {name}.note select g, '{name} ' || g from generate_series(1, 5) g;
                 grant usage on schema {name} to {name}_{mark};
                 grant select on {name}.note to {name}_{mark};\n"
            ));
        }
        two.sql(&sql).await;
        let name = two.target.url().unwrap().rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
        let client = two.target.database().client().await.unwrap();
        client
            .batch_execute(&format!(
                "create extension vector; alter database {name} owner to w_{mark};
                 do $$ begin
                     if exists (select from pg_roles where rolname = 'heirloom_serve') then
                         grant heirloom_serve, heirloom_audit, heirloom_service to w_{mark} with admin option;
                     end if;
                 end $$"
            ))
            .await
            .unwrap();
        drop(client);
        std::fs::write(two.home.path().join("notes.toml"), TEMPLATE).unwrap();
        two.tenants("", "");
        Some(two)
    }

    /// Writes the tenants file, with words for each tenant.
    fn tenants(&self, a: &str, b: &str) {
        let mut text = "[defaults]\nfile = \"notes.toml\"\ntarget = \"env:T\"\nnamespace = \"custom:{tenant}\"\n\
            allow = [\"shared-target\"]\n"
            .to_owned();
        for (name, words) in [("a", a), ("b", b)] {
            text.push_str(&format!(
                "[[tenant]]\nname = \"{name}\"\nsource = \"env:{name}\"\ntable = \"{name}.note\"\n{words}\n"
            ));
        }
        std::fs::write(self.home.path().join("t.toml"), text).unwrap();
    }

    /// As the superuser, in the source's database.
    async fn sql(&self, sql: &str) {
        let sql = sql.replace("{mark}", &self.mark);
        self.source.database().client().await.unwrap().batch_execute(&sql).await.unwrap();
    }

    fn url(database: &TestDatabase, user: &str, password: &str) -> String {
        let url = database.url().unwrap();
        let host = url.rsplit('@').next().unwrap();
        format!("postgres://{user}:{password}@{host}")
    }

    fn run(&self, words: &str, as_a: Option<&str>) -> Ran {
        let mark = &self.mark;
        let [a, b] = self.passwords;
        let variables = [
            ("a", as_a.map_or_else(|| Self::url(&self.source, &format!("a_{mark}"), a), str::to_owned)),
            ("b", Self::url(&self.source, &format!("b_{mark}"), b)),
            ("T", Self::url(&self.target, &format!("w_{mark}"), "hunter3")),
        ];
        let variables = variables.map(|(name, url)| match self.through {
            Some(port) if name != "T" => (name, through(&url, port)),
            _ => (name, url),
        });
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ran = self.home.run_with(&format!("fleet {words} t.toml --json"), &variables);
        assert!(!ran.to_string().contains("hunter"), "a password is shown: {ran}");
        ran
    }

    #[track_caller]
    fn ends(&self, code: i32, words: &str) -> Value {
        let ran = self.run(words, None);
        assert_eq!(ran.code, code, "{words}: {ran}");
        ran.json()
    }

    /// Both are applied, or the first is refused with these words and nothing of it moved.
    #[track_caller]
    fn refused(&self, what: &str, cure: &str) {
        self.ends_refused(&self.ends(3, "apply"), what, cure);
    }

    #[track_caller]
    fn ends_refused(&self, told: &Value, what: &str, cure: &str) {
        let line = &told["tenants"][0];
        let message = line["failure"]["message"].as_str().unwrap_or_else(|| panic!("{told}")).replace(&self.mark, "");
        assert!(message.contains(what) && message.contains(cure), "{message}");
        assert_eq!((&line["failure"]["code"], &line["written"]), (&"refused".into(), &0.into()));
    }

    async fn close(self) {
        let mark = self.mark.clone();
        let database = self.source.url().unwrap().to_owned();
        self.sql(&format!("drop owned by a_{mark}, b_{mark}")).await;
        self.source.close().await;
        self.target.close().await;
        let server = database.rsplit_once('/').unwrap().0.to_owned() + "/postgres";
        let location = heirloom_engine::Location::Server(server);
        let admin = heirloom_engine::Database::open(&location, &heirloom_engine::Options::default()).await.unwrap();
        let drop = format!("drop role if exists a_{mark}, b_{mark}, w_{mark}");
        admin.client().await.unwrap().batch_execute(&drop).await.unwrap();
        admin.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_read_the_others_rows_moves_nothing_until_it_cannot() {
    let Some(two) = Two::new().await else { return };
    two.ends(0, "plan");
    two.sql("grant usage on schema b to a_{mark}; grant select on b.note to a_{mark}").await;
    two.refused("The role a_ of a can read rows of b", "allow = [\"reads-others\"]");
    // A single column is enough to read by.
    two.sql("revoke select on b.note from a_{mark}; grant select (body) on b.note to a_{mark}").await;
    two.refused("The role a_ of a can read rows of b", "revoke what it may read there");
    // What is granted to everybody is granted to a.
    two.sql("revoke select (body) on b.note from a_{mark}; grant select on b.note to public").await;
    two.refused("The role a_ of a can read rows of b", "revoke what it may read there");
    // It may ask, and a policy gives it nothing: that is kept apart.
    two.sql(
        "alter table b.note enable row level security;
         create policy mine on b.note using (current_user = 'b_{mark}')",
    )
    .await;
    let told = two.ends(0, "apply");
    assert_eq!((&told["totals"]["migrated"], &told["tenants"][0]["probed"]), (&10.into(), &1.into()), "{told}");
    assert_eq!(told["tenants"][0]["source"]["role"], format!("a_{}", two.mark));
    two.close().await;
}

/// Not apply alone: whatever opens both sides of a tenant asks first who reads them.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_came_later_is_found_by_every_step() {
    let Some(two) = Two::new().await else { return };
    for words in ["plan", "apply", "verify --record", "soak"] {
        two.ends(0, words);
    }
    two.sql("grant usage on schema b to a_{mark}; grant select on b.note to a_{mark}").await;
    for words in ["verify", "verify --record", "soak", "soak --check-only", "retire", "retire --check-only"] {
        let told = two.ends(3, words);
        two.ends_refused(&told, "The role a_ of a can read rows of b", "allow = [\"reads-others\"]");
    }
    two.sql("revoke select on b.note from a_{mark}; alter role a_{mark} superuser").await;
    for words in ["verify", "soak", "retire --check-only"] {
        two.ends_refused(&two.ends(3, words), "that reads the source for a is a superuser", "allow = [\"superuser\"]");
    }
    two.sql("alter role a_{mark} nosuperuser").await;
    assert_eq!(two.ends(0, "verify")["tenants"][0]["probed"], 1);
    two.close().await;
}

/// One server is one server, whatever a URL calls it.
#[tokio::test(flavor = "multi_thread")]
async fn another_way_to_the_same_server_is_no_other_server() {
    let Some(two) = Two::new().await else { return };
    two.ends(0, "plan");
    let url = two.source.url().unwrap().to_owned();
    let way = late_once(&url, "nobody");
    let as_a = through(&Two::url(&two.source, &format!("a_{}", two.mark), "hunter1"), way);
    two.sql("grant usage on schema b to a_{mark}; grant select on b.note to a_{mark}").await;
    let ran = two.run("apply", Some(&as_a));
    assert_eq!(ran.code, 3, "{ran}");
    two.ends_refused(&ran.json(), "The role a_ of a can read rows of b", "allow = [\"reads-others\"]");
    // The role of b, under another address: no password to tell it by where the server asks for none.
    let as_b = through(&Two::url(&two.source, &format!("b_{}", two.mark), "other"), way);
    let ran = two.run("apply", Some(&as_b));
    assert_eq!(ran.code, 3, "{ran}");
    if ran.json()["tenants"][0]["failure"]["code"] != "database-login" {
        two.ends_refused(&ran.json(), "a reads its source with the credential of b", "allow = [\"shared-source\"]");
    }
    two.sql("revoke select on b.note from a_{mark}").await;
    let ran = two.run("apply", Some(&as_a));
    assert_eq!((ran.code, &ran.json()["tenants"][0]["probed"]), (0, &1.into()), "{ran}");
    two.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn superusers_roles_past_policies_and_shared_credentials_pass_by_name_alone() {
    let Some(two) = Two::new().await else { return };
    two.ends(0, "plan");
    two.sql("alter role a_{mark} superuser").await;
    two.refused("The role a_ that reads the source for a is a superuser", "allow = [\"superuser\"]");
    two.ends_refused(
        &two.ends(3, "plan --again"),
        "that reads the source for a is a superuser",
        "allow = [\"superuser\"]",
    );
    two.sql("alter role a_{mark} nosuperuser bypassrls").await;
    two.refused("The role a_ that reads the source for a bypasses row-level security", "allow = [\"bypassrls\"]");
    two.sql("alter role a_{mark} nobypassrls").await;

    // The credential of b, for a: refused for both, whoever comes first.
    let shared = Two::url(&two.source, &format!("b_{}", two.mark), "hunter2");
    let ran = two.run("apply", Some(&shared));
    two.ends_refused(&ran.json(), "a reads its source with the credential of b", "allow = [\"shared-source\"]");
    assert_eq!(ran.json()["totals"]["failed"], 2);

    // By name it passes.
    two.sql("grant usage on schema a to b_{mark}; grant select on a.note to b_{mark}").await;
    two.tenants("allow = [\"shared-source\"]", "allow = [\"shared-source\"]");
    let ran = two.run("apply", Some(&shared));
    assert_eq!((ran.code, &ran.json()["totals"]["migrated"]), (0, &10.into()), "{ran}");
    two.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tenants_in_one_namespace_are_refused_unless_by_name() {
    let Some(two) = Two::new().await else { return };
    two.tenants("namespace = \"team:all\"", "namespace = \"team:all\"");
    two.ends(0, "plan");
    two.refused("a and b both hand rows down to the namespace team:all", "allow = [\"shared-namespace\"]");
    let word = "namespace = \"team:all\"\nallow = [\"shared-namespace\"]";
    two.tenants(word, word);
    assert_eq!(two.ends(0, "apply")["totals"]["migrated"], 10);
    two.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_rotated_without_a_new_plan() {
    let Some(mut two) = Two::new().await else { return };
    let before = two.ends(0, "plan");
    two.sql("alter role a_{mark} password 'hunter8'; alter role b_{mark} password 'hunter9'").await;
    let ran = two.run("apply", None);
    // Where the server asks for a password, the old one no longer opens; where it trusts, there is nothing to see.
    if ran.code != 0 {
        assert_eq!(ran.json()["tenants"][0]["failure"]["code"], "database-login", "{ran}");
    }
    two.passwords = ["hunter8", "hunter9"];
    let told = two.ends(0, "apply");
    for at in 0..2 {
        assert_eq!(told["tenants"][at]["plan_digest"], before["tenants"][at]["plan_digest"]);
        let plan =
            std::fs::read_to_string(two.home.path().join(["tenants/a.plan.json", "tenants/b.plan.json"][at])).unwrap();
        assert!(!plan.contains("hunter"), "a plan holds a password");
    }
    // Another role altogether, with the same rights: the plan is of the rows, not of who reads them.
    two.sql("create role c_{mark} login password 'hunter7'; grant a_{mark} to c_{mark}").await;
    let other = Two::url(&two.source, &format!("c_{}", two.mark), "hunter7");
    let ran = two.run("verify --record", Some(&other));
    assert_eq!((ran.code, &ran.json()["totals"]["verified"]), (0, &10.into()), "{ran}");
    two.sql("drop role c_{mark}").await;
    two.close().await;
}

/// A way to a server on which the first connection of a role is never answered, and every other is.
fn late_once(url: &str, role: &str) -> u16 {
    let (host, server) = port(url);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asks, late) = (format!("user\0{role}\0").into_bytes(), Arc::new(AtomicBool::new(true)));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(client) = stream else { continue };
            let Ok(server) = TcpStream::connect((host.as_str(), server)) else { continue };
            for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)] {
                let (asks, late) = (asks.clone(), Arc::clone(&late));
                std::thread::spawn(move || {
                    let mut buffer = [0; 4_096];
                    while let Ok(read @ 1..) = from.read(&mut buffer) {
                        let is_role = buffer[..read].windows(asks.len()).any(|part| part == asks);
                        if is_role && late.swap(false, Ordering::SeqCst) {
                            loop {
                                std::thread::park();
                            }
                        }
                        if to.write_all(&buffer[..read]).is_err() {
                            break;
                        }
                    }
                    // Whoever hangs up, hangs up on the server too.
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    port
}

/// The gate waits less than a second for a database; what it did not hear it must hear before the tenant's own step begins.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_answers_late_is_not_let_pass_unasked() {
    let Some(mut two) = Two::new().await else { return };
    two.ends(0, "plan");
    let role = format!("a_{}", two.mark);
    let url = two.source.url().unwrap().to_owned();
    for (grant, revoke, what, cure) in [
        (
            "grant usage on schema b to a_{mark}; grant select on b.note to a_{mark}",
            "revoke select on b.note from a_{mark}; revoke usage on schema b from a_{mark}",
            "The role a_ of a can read rows of b",
            "allow = [\"reads-others\"]",
        ),
        (
            "alter role a_{mark} superuser",
            "alter role a_{mark} nosuperuser",
            "The role a_ that reads the source for a is a superuser",
            "allow = [\"superuser\"]",
        ),
    ] {
        two.sql(grant).await;
        two.through = Some(late_once(&url, &role));
        two.refused(what, cure);
        two.sql(revoke).await;
    }
    two.through = Some(late_once(&url, &role));
    let told = two.ends(0, "apply");
    assert_eq!((&told["totals"]["migrated"], &told["tenants"][0]["probed"]), (&10.into(), &1.into()), "{told}");
    two.close().await;
}

/// Nothing of another tenant's login is needed to try its rows; and what cannot be tried is not let pass.
#[tokio::test(flavor = "multi_thread")]
async fn whose_own_login_gives_no_answer_is_tried_by_the_others() {
    let Some(two) = Two::new().await else { return };
    two.ends(0, "plan");
    two.sql("grant usage on schema b to a_{mark}; grant select on b.note to a_{mark}; alter role b_{mark} nologin")
        .await;
    two.refused("The role a_ of a can read rows of b", "allow = [\"reads-others\"]");
    // Nor under another address: who gives no answer does not say which server it is.
    let way = late_once(two.source.url().unwrap(), "nobody");
    let as_a = through(&Two::url(&two.source, &format!("a_{}", two.mark), "hunter1"), way);
    two.ends_refused(&two.run("apply", Some(&as_a)).json(), "The role a_ of a can read rows of b", "revoke");
    // Where trying it ends in a fault, nobody knows.
    two.sql(
        "alter table b.note rename to kept;
         create view b.note as select id, body from b.kept where 1 / (id - id) = 1;
         grant select on b.note to a_{mark}",
    )
    .await;
    two.refused("Whether the role a_ of a can read rows of b is not known: ", "allow = [\"untried-others\"]");
    two.tenants("allow = [\"untried-others\"]", "");
    let told = two.ends(3, "apply --check-only");
    let notes = told["tenants"][0]["notes"].to_string();
    assert!(told["tenants"][0]["failure"].is_null() && notes.contains("can read rows of b is not known"), "{told}");
    two.tenants("", "");
    two.sql("revoke select on b.note from a_{mark}").await;
    let told = two.ends(3, "apply");
    assert_eq!((&told["tenants"][0]["state"], &told["tenants"][0]["probed"]), (&"applied".into(), &1.into()), "{told}");
    assert_eq!(told["tenants"][1]["failure"]["code"], "database-login");
    // A table that is gone has no rows.
    two.sql("drop view b.note").await;
    assert_eq!(two.ends(3, "verify")["tenants"][0]["probed"], 1);
    two.close().await;
}

/// A reference that stands for nothing here says nothing of who reads: by the plan it is known where its rows lie.
#[tokio::test(flavor = "multi_thread")]
async fn whose_credential_is_not_here_is_tried_by_its_plan() {
    let Some(two) = Two::new().await else { return };
    two.ends(0, "plan");
    let text = std::fs::read_to_string(two.home.path().join("t.toml")).unwrap();
    std::fs::write(two.home.path().join("t.toml"), text.replace("\"env:b\"", "\"env:NOT_HERE\"")).unwrap();
    two.sql("grant usage on schema b to a_{mark}; grant select on b.note to a_{mark}").await;
    two.refused("The role a_ of a can read rows of b", "allow = [\"reads-others\"]");
    two.sql("revoke select on b.note from a_{mark}").await;
    let told = two.ends(3, "apply");
    assert_eq!((&told["tenants"][0]["state"], &told["tenants"][0]["probed"]), (&"applied".into(), &1.into()), "{told}");
    std::fs::remove_file(two.home.path().join("tenants/b.plan.json")).unwrap();
    let told = two.ends(3, "apply");
    two.ends_refused(&told, "can read rows of b is not known: its source is not given", "allow = [\"untried-others\"]");
    two.close().await;
}
