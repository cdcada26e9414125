//! What the command line answers: help, mistakes, exit codes, the shape of errors.

use heirloom::ops::ALL;

use crate::support::Home;

#[test]
fn help() {
    insta::assert_snapshot!(Home::new().run("--help"));
}

#[test]
fn no_words_at_all() {
    let ran = Home::new().run("");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran}");
    assert!(ran.stderr.contains("Usage: heirloom"), "{ran}");
}

#[test]
fn every_command_has_help_within_80_columns() {
    let home = Home::new();
    for op in ALL {
        let ran = home.run(&format!("{} --help", op.name));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", op.name);
        assert!(ran.stdout.contains("--json") && ran.stdout.contains("--data"), "{ran}");
        for line in ran.stdout.lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", op.name);
        }
    }
}

#[test]
fn the_words_of_the_contract_are_there() {
    let words = "up demo detect plan apply verify status rejects report remember recall show forget list doctor serve mcp \
                 plugin";
    let tree = heirloom::command::tree();
    for word in words.split_whitespace() {
        assert!(tree.find_subcommand(word).is_some(), "heirloom {word}");
    }
}

#[test]
fn no_log_however_loud_holds_what_is_remembered() {
    let home = Home::new();
    for words in ["up --data store", "remember zanzibar --namespace team:a --data store"] {
        let ran = home.run_with(words, &[("HEIRLOOM_LOG", "trace,tokio_postgres::query=trace")]);
        assert_eq!(ran.code, 0, "{words}");
        assert!(ran.stderr.contains("TRACE") || ran.stderr.contains("DEBUG"), "{words}: nothing is logged");
        assert!(!ran.stderr.contains("zanzibar"), "{words}: content in the log");
    }
}

#[test]
fn wrong_words() {
    let home = Home::new();
    insta::assert_snapshot!(home.run("recal x"));
    insta::assert_snapshot!(home.run("doctor --jsn"));
    insta::assert_snapshot!(home.run("show"));
    insta::assert_snapshot!(home.run("bogus --json"));
    insta::assert_snapshot!(home.run("show --json"));
}

#[test]
fn a_url_that_does_not_answer_is_an_error_and_no_store_is_made_instead() {
    let home = Home::new();
    let url = [("DATABASE_URL", "postgres://someone:hunter2@127.0.0.1:1/nowhere")];
    insta::assert_snapshot!(home.run_with("up", &url));
    insta::assert_snapshot!(home.run_with("list --namespace custom:x --json", &url));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_wrong_setting_names_its_place() {
    let home = Home::new();
    insta::assert_snapshot!(home.run_with("up", &[("DATABASE_URL", "mysql://u:hunter2@h/d")]));
    std::fs::write(home.path().join("c.toml"), "[database]\npool = \"many\"\n").unwrap();
    insta::assert_snapshot!(home.run("config --config c.toml"));
    insta::assert_snapshot!(home.run("config --config none.toml"));
    insta::assert_snapshot!(home.run_with("doctor", &[("HEIRLOOM_LOG", "=/=")]));
}

#[test]
fn a_directory_that_is_something_else_is_left_alone() {
    let home = Home::new();
    std::fs::create_dir(home.path().join("letters")).unwrap();
    std::fs::write(home.path().join("letters/dear.txt"), "dear").unwrap();
    insta::assert_snapshot!(home.run("up --data letters"));
    assert_eq!(std::fs::read_dir(home.path().join("letters")).unwrap().count(), 1);
}

#[test]
fn settings_in_force_are_shown_without_a_password() {
    let home = Home::new();
    let ran = home.run_with("config", &[("DATABASE_URL", "postgres://u:hunter2@h/d"), ("HEIRLOOM_POOL", "9")]);
    insta::assert_snapshot!(ran);
    let printed = home.run("config --default").stdout;
    std::fs::write(home.path().join("c.toml"), printed).unwrap();
    assert_eq!(home.run("config --config c.toml").code, 0);
}

#[test]
fn a_reader_who_stops_reading_is_no_error() {
    let home = Home::new();
    let mut child = home
        .command()
        .args(["completions", "zsh"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &[][..]));
}

#[test]
fn completions_and_manual_page_are_made() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(home.run(&format!("completions {shell}")).stdout.contains("doctor"), "{shell}");
    }
    assert!(home.run("man").stdout.contains(".TH heirloom"));
    assert!(home.run("man doctor").stdout.contains(".TH"));
    assert_eq!(home.run("man nothing").code, 2);
}
