//! Evidence that is signed, changed, and checked, by the words of the command line.

use crate::legacy::Legacy;

const NOTES: &str = "create table notes (id bigint primary key, body text); \
    insert into notes select g, 'Note ' || g from generate_series(1, 20) g";

const FILE: &str = "name = \"notes\"\n[source]\nurl = \"store\"\ntable = \"notes\"\n[namespace]\ntemplate = \"team:a\"\n\
    [map]\ncontent = \"body\"\nkind = { value = \"fact\" }\n";

const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_report_is_checked_without_a_database_and_a_changed_one_does_not_pass() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("key", SEED);
    legacy.write("signing.toml", "[report]\nkey = \"file:key\"\n");
    legacy.write("notes.toml", FILE);
    for words in ["up", "plan notes.toml --chunk-rows 5", "apply notes.plan.json"] {
        legacy.ends(0, words);
    }
    let said = legacy.ends(0, "report --out proof --config signing.toml --json");
    assert_eq!(said.json()["signed_by"], PUBLIC);
    assert!(!said.stdout.contains(SEED), "the key is never shown");
    let check =
        |code: i32, words: &str| legacy.ends(code, &format!("report check proof/report.json {words} --json")).json();
    assert_eq!(check(0, "")["signed_by"], PUBLIC);
    check(0, &format!("--key {PUBLIC}"));
    check(3, &format!("--key {}", PUBLIC.replace('d', "c")));

    let data = std::fs::read_to_string(legacy.home.path().join("proof/report.json")).unwrap();
    legacy.write("proof/report.json", &data.replacen("\"holds\": true", "\"holds\": false", 1));
    assert!(check(3, "")["problems"][0].as_str().unwrap().contains("not what was signed"));
    // Without its signature it still has to agree with itself.
    std::fs::remove_file(legacy.home.path().join("proof/report.json.sig")).unwrap();
    let root = data.split("\"merkle_root\": \"").nth(1).unwrap().get(..64).unwrap();
    legacy.write("proof/report.json", &data.replace(root, &"0".repeat(64)));
    assert!(check(3, "")["problems"][0].as_str().unwrap().contains("Merkle root"));

    // Another report without a key takes the signature of the one before away.
    legacy.ends(0, "report --out proof --config signing.toml");
    legacy.ends(0, "report --out proof");
    assert!(check(0, "")["signed_by"].is_null());
    legacy.write("signing.toml", &format!("[report]\nkey = \"{SEED}\"\n"));
    let refused = legacy.run("report --out proof --config signing.toml");
    assert!(refused.code != 0 && !format!("{refused}").contains(SEED), "{refused}");
    legacy.close().await;
}
