use super::*;

fn load(flags: &Flags, env: &[(&str, &str)]) -> Result<Config> {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty.toml");
    std::fs::write(&empty, "").unwrap();
    let flags = Flags { config: flags.config.clone().or(Some(empty)), ..flags.clone() };
    Config::load(&flags, &|name| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

fn uncommented() -> String {
    DEFAULT_FILE
        .lines()
        .filter(|line| !line.starts_with("##"))
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_default_file_uncommented_is_the_default() {
    assert_eq!(Config::parse(&uncommented(), "default").unwrap(), Config::default());
    assert_eq!(Config::parse(DEFAULT_FILE, "default").unwrap(), Config::default());
}

#[test]
fn the_default_file_names_every_setting() {
    let written: toml::Table = toml::from_str(&uncommented()).unwrap();
    let known = toml::Table::try_from(Config::default()).unwrap();
    assert_eq!(written, known);
}

#[test]
fn a_later_layer_wins_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    std::fs::write(&file, "[database]\ndata = \"/from/file\"\npool = 7\n").unwrap();
    let flags = Flags { config: Some(file.clone()), ..Flags::default() };

    let config = load(&flags, &[]).unwrap();
    assert_eq!(config.location().unwrap(), Location::Embedded("/from/file".into()));
    assert_eq!(config.origin("database.pool"), file.display().to_string());
    assert_eq!(config.origin("store.dimension"), "default");

    let env = [(Env::DATABASE_URL, "postgres://u@h/d"), (Env::HEIRLOOM_POOL, "9")];
    let config = load(&flags, &env).unwrap();
    assert_eq!(config.location().unwrap(), Location::Server("postgres://u@h/d".into()));
    assert_eq!((config.database.pool, config.origin("database.pool")), (9, Env::HEIRLOOM_POOL));
    assert_eq!(config.origin("database.data"), "default");

    let flags = Flags { data: Some("/from/flag".into()), ..flags };
    let config = load(&flags, &env).unwrap();
    assert_eq!(config.location().unwrap(), Location::Embedded("/from/flag".into()));
    assert_eq!(config.origin("database.url"), "default");
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let error = Config::parse("[database]\npol = 3\n", "c.toml").unwrap_err().to_string();
    assert!(error.starts_with("c.toml:2:1: "), "{error}");
    assert!(error.contains("pol"), "{error}");
    for (env, expected) in [
        (vec![(Env::HEIRLOOM_POOL, "many")], "HEIRLOOM_POOL: `many`"),
        (vec![(Env::HEIRLOOM_DIMENSION, "0")], "HEIRLOOM_DIMENSION (store.dimension): 0"),
        (vec![(Env::DATABASE_URL, "postgres://h/d"), (Env::HEIRLOOM_DATA, "/d")], "are both set"),
        (vec![(Env::DATABASE_URL, "mysql://u:hunter2@h/d")], "`mysql://…` is not a PostgreSQL URL"),
        (vec![(Env::DATABASE_URL, "env:NOT_SET")], "stands for nothing"),
    ] {
        let error = load(&Flags::default(), &env).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let config = load(&Flags::default(), &[(Env::DATABASE_URL, "")]).unwrap();
    assert!(matches!(config.location().unwrap(), Location::Embedded(_)));
}

#[test]
fn a_url_may_be_a_reference_and_is_never_shown_with_its_password() {
    let env = [(Env::DATABASE_URL, "env:REAL"), ("REAL", "postgres://u:hunter2@h/d")];
    let config = load(&Flags::default(), &env).unwrap();
    assert_eq!(config.location().unwrap(), Location::Server("postgres://u:hunter2@h/d".into()));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_secret_in_a_file_loses_only_its_line_break() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("url");
    std::fs::write(&path, "postgres://u: p @h/d\n").unwrap();
    let found = secrets::resolve(&format!("file:{}", path.display()), &|_| None);
    assert_eq!(found.as_deref(), Some("postgres://u: p @h/d"));
    assert_eq!(secrets::resolve("file:/no/such/file", &|_| None), None);
}

#[test]
fn a_provider_is_set_by_file_and_environment_and_its_key_is_only_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    let text = "[embedding]\nprovider = \"openai-compatible\"\nurl = \"http://localhost:11434/v1\"\nmodel = \"a\"\n\
                api_key_env = \"MY_KEY\"\n";
    std::fs::write(&file, text).unwrap();
    let flags = Flags { config: Some(file), ..Flags::default() };
    let env = [(Env::HEIRLOOM_EMBEDDING_MODEL, "b"), (Env::HEIRLOOM_EMBEDDING_TIMEOUT, "5"), ("MY_KEY", "sk-hunter2")];
    let config = load(&flags, &env).unwrap();
    assert_eq!(config.embedding.provider, EmbeddingProvider::OpenaiCompatible);
    assert_eq!((config.embedding.model.as_str(), config.embedding.timeout), ("b", 5));
    assert_eq!(config.origin("embedding.model"), Env::HEIRLOOM_EMBEDDING_MODEL);
    assert!(config.origin("embedding.url").ends_with("config.toml"));
    assert_eq!(config.embedding_key, Some(Secret("sk-hunter2".into())));
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(!toml::to_string(&config).unwrap().contains("hunter2"));
}

#[test]
fn a_provider_that_cannot_work_is_refused_before_anybody_is_asked() {
    let openai = (Env::HEIRLOOM_EMBEDDING_PROVIDER, "openai-compatible");
    let model = (Env::HEIRLOOM_EMBEDDING_MODEL, "m");
    let url = |url| (Env::HEIRLOOM_EMBEDDING_URL, url);
    for (env, expected) in [
        (vec![(Env::HEIRLOOM_EMBEDDING_PROVIDER, "openai")], "one of none, openai-compatible, model2vec"),
        (vec![openai, model], "(embedding.url): it is not set"),
        (vec![openai, model, url("localhost:1234")], "no http:// or https:// address"),
        (vec![openai, model, url("http://me:hunter2@h/v1")], "holds a user, a password"),
        (vec![openai, url("http://h/v1")], "(embedding.model): it is not set"),
        (vec![(Env::HEIRLOOM_EMBEDDING_PROVIDER, "model2vec")], "(embedding.path): it is not set"),
        (vec![(Env::HEIRLOOM_EMBEDDING_API_KEY_ENV, "sk-hunter2")], "not the name of an environment variable"),
        (vec![(Env::HEIRLOOM_EMBEDDING_BATCH, "0")], "HEIRLOOM_EMBEDDING_BATCH (embedding.batch): 0 was found"),
        (vec![(Env::HEIRLOOM_EMBEDDING_RETRIES, "often")], "HEIRLOOM_EMBEDDING_RETRIES: `often`"),
    ] {
        let error = load(&Flags::default(), &env).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
    }
    let error = Config::parse("[embedding]\nprovider = \"onnx\"\n", "c.toml").unwrap_err().to_string();
    assert!(error.contains("c.toml:2") && error.contains("openai-compatible"), "{error}");
}
