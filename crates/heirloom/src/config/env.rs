//! The environment variables Heirloom reads, each a documented constant. `docs/reference/env.md` is made from them.

/// One variable: its name and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
}

macro_rules! variables {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {
        /// The variables by name.
        #[derive(Debug)]
        pub struct Env;

        impl Env {
            $($(#[doc = $doc])+ pub const $name: &'static str = stringify!($name);)+

            /// Every variable, in the order of this file.
            pub const ALL: &'static [Variable] =
                &[$(Variable { name: stringify!($name), doc: concat!($($doc, "\n"),+) }),+];
        }
    };
}

variables! {
    /// A server to keep the memories on, as a `postgres://` URL. Empty counts as not set. A URL that does not answer is
    /// an error; nothing falls back to the embedded store.
    DATABASE_URL;
    /// Directory of the embedded store. Together with `DATABASE_URL` it is refused: two answers to one question.
    HEIRLOOM_DATA;
    /// A settings file to read instead of the one in the platform's configuration directory.
    HEIRLOOM_CONFIG;
    /// Most connections to a server at a time (`database.pool`).
    HEIRLOOM_POOL;
    /// Most memory that the building of an index may take, in MiB (`database.index_memory`).
    HEIRLOOM_INDEX_MEMORY;
    /// Width of embeddings of a store that is yet to be installed (`store.dimension`).
    HEIRLOOM_DIMENSION;
    /// Language of the texts of a store that is yet to be installed (`store.language`).
    HEIRLOOM_LANGUAGE;
    /// Namespaces of a command that names none, separated by commas (`caller.namespaces`).
    HEIRLOOM_NAMESPACES;
    /// Who is recorded as the one who acted (`caller.actor`).
    HEIRLOOM_ACTOR;
    /// Who turns texts into vectors (`embedding.provider`).
    HEIRLOOM_EMBEDDING_PROVIDER;
    /// Address of an embedding endpoint (`embedding.url`).
    HEIRLOOM_EMBEDDING_URL;
    /// The model that makes the vectors (`embedding.model`).
    HEIRLOOM_EMBEDDING_MODEL;
    /// Name of the variable that holds the endpoint's key (`embedding.api_key_env`).
    HEIRLOOM_EMBEDDING_API_KEY_ENV;
    /// How many numbers a vector is asked to have (`embedding.dimensions`).
    HEIRLOOM_EMBEDDING_DIMENSIONS;
    /// How many texts a request to the endpoint carries (`embedding.batch`).
    HEIRLOOM_EMBEDDING_BATCH;
    /// How many seconds a request to the endpoint may take (`embedding.timeout`).
    HEIRLOOM_EMBEDDING_TIMEOUT;
    /// How often a request that failed is tried again (`embedding.retries`).
    HEIRLOOM_EMBEDDING_RETRIES;
    /// Folder of a static model (`embedding.path`).
    HEIRLOOM_EMBEDDING_PATH;
    /// Where `heirloom serve` listens (`serve.listen`).
    HEIRLOOM_LISTEN;
    /// Most requests a minute of a token that sets none of its own (`serve.rate`).
    HEIRLOOM_RATE;
    /// For `heirloom serve`, `plugin` and `upkeep` on a server: the URL of the store's owner, or a reference to it, for
    /// upkeep alone (`upkeep.url`).
    HEIRLOOM_UPKEEP_URL;
    /// For `heirloom plugin`: the server to keep the memories on, as the platform of the memory plugin says it. Parameters
    /// that the driver does not know, such as `search_path`, are settings of the session. Not set: Heirloom's own database.
    MEMORY_PLUGIN_DATABASE_URL;
    /// For `heirloom plugin`: where it listens, as `127.0.0.1:9100`, `127.0.0.1:0` for a free port, or `:9100` for every
    /// interface. Requests from other machines need a token.
    MEMORY_PLUGIN_LISTEN_ADDR;
    /// For `heirloom plugin`: `1` leaves the store as it is; it must be there and of this version.
    MEMORY_PLUGIN_SKIP_MIGRATE;
    /// For `heirloom compat memory-backfill`: where the plugin answers, as `http://127.0.0.1:9100`.
    MEMORY_PLUGIN_URL;
    /// For `heirloom compat memory-backfill`: how long the plugin may take for an answer, as `2s`, `500ms` or `1m30s`; 10 seconds
    /// when it is not set. `heirloom plugin`, which is asked and asks nobody, passes it over.
    MEMORY_PLUGIN_TIMEOUT;
    /// For `heirloom plugin`: known, and not read. The store's schema is part of the program.
    MEMORY_PLUGIN_MIGRATIONS_DIR;
    /// What is written to stderr about the inner workings (`output.log`).
    HEIRLOOM_LOG;
    /// The form of that log's lines, `text` or `json` (`output.log_format`).
    HEIRLOOM_LOG_FORMAT;
    /// When set and not empty: no colour, as on <https://no-color.org>.
    NO_COLOR;
    /// For Heirloom's own tests: a PostgreSQL server (as superuser) to run them on instead of the embedded engine.
    HEIRLOOM_TEST_URL;
    /// For Heirloom's own tests: how many connections a pool may have.
    HEIRLOOM_TEST_POOL;
    /// For Heirloom's own tests: the program `curl` must be there; without this our own client asks where it is not.
    HEIRLOOM_TEST_CURL;
    /// For Heirloom's own tests: places at which a migration fails, from `apply` to `unretire`, as `NAME=error` or `NAME=abort`.
    HEIRLOOM_FAILPOINTS;
    /// For Heirloom's own tests, in builds made for them: seconds since 1970 that a soak takes for now. What is written under
    /// it is marked, and no step is taken after it by the real clock.
    HEIRLOOM_TEST_CLOCK;
    /// For Heirloom's own tests: rewrites the generated files they compare.
    HEIRLOOM_BLESS;
}

impl super::Config {
    /// Where the migrator is to fail, for tests that ask what is left behind.
    pub fn failpoints() -> Option<String> {
        super::process_env(Env::HEIRLOOM_FAILPOINTS)
    }

    /// What time a test says it is. A build that is released does not listen.
    pub fn test_clock() -> Option<i64> {
        if cfg!(debug_assertions) { super::process_env(Env::HEIRLOOM_TEST_CLOCK)?.parse().ok() } else { None }
    }
}
