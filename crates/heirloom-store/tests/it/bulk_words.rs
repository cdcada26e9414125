//! What the loader ranks by beside the server is what the server would have made of the same texts, letter for letter.

use deadpool_postgres::Transaction;
use heirloom_store::bulk::{self, Row};
use heirloom_store::{Memory, Store};
use uuid::Uuid;

use crate::installed;
use crate::world::handed_down;

/// Texts as teams write them, in scripts and forms that a splitter gets wrong.
const TEXTS: [&str; 34] = [
    "Always validate JWT expiry server-side; client clock skew can be ±5 min.",
    "The deploy's rollback isn't automatic: run `just rollback`, then wait (about 90s)!",
    "statement_cache_mode=describe in src/pool/config.rs:42, not parseHeader or HTTPServer",
    "See https://wiki.example.org/a/b?q=1&r=2#top and mail ops@example.org, or ping 10.0.0.1:5432",
    "-5 degrees, +3 points, 1e5 rows, 3.14, 1,000,000, v1.2.3-rc.1, 0x1F, 5e3abc, 12abc, 1e, 10%",
    "2026-11-22T08:15:00Z 08:15 22/11/2026 550e8400-e29b-41d4-a716-446655440000",
    "deadbeefcafebabe0123456789abcdef01234567 sha256:9f86d081884c7d659a2feaa0c55ad015",
    "/usr/local/bin ~/notes ./x ../y C:\\Users\\me\\file.txt a/ /b/ //c",
    "- item one\n- item two\n  * nested (see #12)\n\t1. first\r\n2) second",
    "key=value; a:b; c::d; x->y; x=>y; f(x,y); a[0]; {\"k\": \"v\"}; 'q'; \"r\"; `s`",
    "A&B, AT&T, &amp; &#38; &lt; R&D",
    "run runs running runner ran; policies policy; was were being; universal university",
    "re-run e-mail well-known state-of-the-art x-y-z foo- -bar --flag -v a--b a-_b",
    "_private __init__ snake_case_ _x_ trailing_ @user @_@ foo@ a.b.c. ...x x... .5 5.",
    "Ärger über größere Straßen, naïve café, Zürich; ÅNGSTRÖM ﬁne ２０２６ ｆｕｌｌ",
    "миграция прошла успешно, Миграции ПРОШЛИ; база-данных и файл.txt",
    "数据库迁移已经完成，共有1,805行。データベースの移行 完了しました 한국어 텍스트",
    "ข้อความภาษาไทย และ English mixed ข้อความ",
    "🫖 tea time 👩‍💻 e\u{301}clair \u{feff}bom zero\u{200b}width soft\u{ad}hyphen nb\u{a0}space ide\u{3000}space",
    "\u{201c}smart\u{201d} \u{2018}quotes\u{2019} \u{2014} dash\u{2026} ellipsis \u{2192} arrow x\u{2192}y",
    "İstanbul ISTANBUL ΣΊΣΥΦΟΣ Σίσυφος ΛΌΓΟΣ. ΟΔΌΣ,",
    "x < 5 and y > 3; a <b>bold</b> move <!-- note --> List<String> <a href=\"x y\">z</a>",
    "fullwidth \u{ff1c}b c\u{ff1e} d",
    "a",
    "\u{85}next line\u{2028}separator",
    "...",
    "-",
    "$5 #tag %x ^y *z* **bold** |a|b| ~c~ !d ?e",
    "it's o'clock rock'n'roll 'quoted' don't can't I'd",
    "foo.)bar foo-(bar) (foo)-bar [a]-b a,-b a.,b a:-b a.:b =-1 (-1) x=-1 x=.5",
    "http:// http:/x ftp://a a:80 a.b:80 localhost:5432/db postgres://u:p@h/d",
    "1a 1A a1B aB1 aBC ABc XMLHttp iPhone iOS16 utf8mb4 camelCase-kebabCase_snakeCase/pathCase",
    "\u{1}\u{2} control \u{7f}del",
    "e e1 1e 1e1 1e+5 1e-5 1.e5 .e5 e.5 1.5e3 1.5.2 1_000 1/2 3-4 5@6 7\\8",
];

/// Parts that texts are put together from at random.
const ATOMS: [&str; 64] = [
    "a", "e", "E", "1", "0", "B", "abc", "Runs", "running", "5e3", "12", "x1", " ", " ", " ", " ", "\n", "\t", "-",
    "-", "_", "/", ".", ".", "@", "\\", ",", ";", ":", "!", "?", "\"", "'", "(", ")", "[", "]", "{", "}", "=", "*",
    "%", "$", "#", "|", "^", "`", "~", "&", "+", ">", "é", "ß", "Я", "数", "据", "\u{a0}", "…", "—", "http://", "www.",
    ".com", "&amp;", "  ",
];

fn row(topic: Option<&str>, role: Option<&str>, content: &str) -> Row {
    let mut memory = Memory::new(Uuid::new_v4(), "team:a", content);
    memory.kind = "fact".to_owned();
    memory.topic = topic.map(str::to_owned);
    memory.role = role.map(str::to_owned);
    handed_down(memory)
}

/// Rows of random texts, the same ones each time.
fn random_rows(count: usize) -> Vec<Row> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        // xorshift64: good enough to shuffle atoms.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let mut rows = Vec::with_capacity(count);
    while rows.len() < count {
        let atoms = 1 + next(14);
        let content: String = (0..atoms).map(|_| ATOMS[next(ATOMS.len())]).collect();
        if !content.trim().is_empty() {
            rows.push(row(None, None, &content));
        }
    }
    rows
}

/// Runs `write` in a transaction; of the rows it staged, how many brought their words.
async fn brought(store: &Store, rows: &[Row], replace: bool) -> usize {
    let mut client = store.database().client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let tx: &Transaction<'_> = &transaction;
    let allowed = ["team:a".to_owned()];
    let written = if replace {
        bulk::replace(tx, store.meta(), rows, &allowed).await.unwrap()
    } else {
        bulk::load(tx, store.meta(), rows, &allowed).await.unwrap().inserted
    };
    assert_eq!(written, rows.len() as u64);
    let staged = "select count(*) from pg_temp.heirloom_stage where content_tsv is not null";
    let brought: i64 = tx.query_one(staged, &[]).await.unwrap().get(0);
    transaction.commit().await.unwrap();
    usize::try_from(brought).unwrap()
}

/// Every row is ranked as the server ranks it.
async fn compare(store: &Store, count: usize) {
    let client = store.database().client().await.unwrap();
    let rows = client
        .query(
            "select m.content, m.content_tsv::text, fresh.words::text,
                 (case when length(fresh.words) <= 480 then m.word_vector else m.word_vector_long end)::text,
                 heirloom.word_vector(fresh.words)::text,
                 num_nonnulls(m.word_vector, m.word_vector_long) = 1
             from heirloom.memory m
             cross join lateral (select heirloom.search_vector(m.topic, m.role, m.content) as words) fresh",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(rows.len(), count);
    for row in rows {
        let content: String = row.get(0);
        assert_eq!(row.get::<_, String>(1), row.get::<_, String>(2), "{content:?}");
        assert_eq!(row.get::<_, Option<String>>(3), row.get::<_, Option<String>>(4), "{content:?}");
        assert!(row.get::<_, bool>(5), "{content:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_any_form_are_ranked_as_the_server_ranks_them() {
    let (test, store) = installed().await;
    let mut rows: Vec<Row> = TEXTS.iter().map(|text| row(None, None, text)).collect();
    rows.extend(TEXTS.iter().map(|text| row(Some(text), Some("site reliability"), "rolled_back the Rollback")));
    rows.extend(TEXTS.iter().map(|text| row(Some("rollback"), Some(text), "rolled back")));
    rows.push(row(None, None, &TEXTS.join("\n")));
    let with_markup = rows.iter().filter(|row| format!("{row:?}").contains(['<', '\u{ff1c}'])).count();
    assert_eq!(brought(&store, &rows, false).await, rows.len() - with_markup);
    compare(&store, rows.len()).await;
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_at_random_are_ranked_as_the_server_ranks_them() {
    let (test, store) = installed().await;
    let rows = random_rows(3_000);
    assert_eq!(brought(&store, &rows, false).await, rows.len());
    compare(&store, rows.len()).await;
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_for_sums_is_left_to_the_server() {
    let (test, store) = installed().await;
    let many: String = (0..700).map(|n| format!("word{n} ")).collect();
    let often = "again ".repeat(300);
    let rows = [
        row(None, None, &many),
        row(None, None, &often),
        row(None, None, &"again ".repeat(255)),
        row(None, None, &"word ".repeat(14_000)),
        row(None, None, &"x".repeat(3_000)),
        row(Some(&"long ".repeat(900)), None, "note"),
        row(None, Some(&"long ".repeat(250)), "note"),
    ];
    assert_eq!(brought(&store, &rows, false).await, 2);
    compare(&store, rows.len()).await;
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_replaced_is_ranked_by_what_it_says_now() {
    let (test, store) = installed().await;
    let mut rows: Vec<Row> = TEXTS.iter().map(|text| row(Some("before"), None, text)).collect();
    brought(&store, &rows, false).await;
    let texts = rows.len();
    for at in 0..texts {
        rows[at].memory.content = TEXTS[(at + 1) % texts].to_owned();
    }
    let again = brought(&store, &rows, true).await;
    assert!(again > texts / 2, "{again} of {texts}");
    compare(&store, rows.len()).await;
    // The same words in another order of marks, and nothing but another case.
    rows[0].memory.content = TEXTS[1].to_uppercase();
    brought(&store, &rows, true).await;
    compare(&store, rows.len()).await;
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_get_the_signs_the_server_would_give_them() {
    let (test, store) = installed().await;
    let vector =
        |n: usize, width: usize| -> Vec<f32> { (0..width).map(|at| ((n * 7 + at * 3) % 11) as f32 - 4.0).collect() };
    let vectors: Vec<Vec<f32>> = (0..70).map(|n| vector(n, 24)).collect();
    let borrowed: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
    store.first_centre("centred", &borrowed).await.unwrap();
    let with = |model: Option<&str>, embedding: Vec<f32>, content: &str| {
        let mut one = row(None, None, content);
        one.memory.embedding_model = model.map(str::to_owned);
        one.memory.embedding = Some(embedding);
        one
    };
    let mut rows: Vec<Row> = vectors.into_iter().map(|vector| with(Some("centred"), vector, "note")).collect();
    rows.push(with(Some("centred"), vec![0.0; 24], "points nowhere"));
    rows.push(with(Some("centred"), vec![1e-42; 24], "hardly anywhere"));
    rows.push(with(Some("centred"), vector(3, 24), "left to the <b>server</b>"));
    rows.push(with(Some("not centred"), vector(3, 24), "note"));
    rows.push(with(None, vector(3, 24), "note"));
    rows.push(row(None, None, "no vector"));
    brought(&store, &rows, false).await;
    let client = store.database().client().await.unwrap();
    client.execute("select set_config('search_path', $1, false)", &[&store.meta().search_path()]).await.unwrap();
    let counts = client
        .query_one(
            "select count(*), count(m.sign_bits), count(*) filter (where m.sign_bits is distinct from
                 case when vector_norm(m.embedding) > 0 then binary_quantize(m.embedding - c.centre) end)
             from heirloom.memory m
             left join heirloom.model c on c.name = coalesce(m.embedding_model, '')",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((counts.get::<_, i64>(0), counts.get::<_, i64>(1), counts.get::<_, i64>(2)), (76, 72, 0));
    client.batch_execute("reset search_path").await.unwrap();
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_somebody_brings_by_the_sql_door_are_made_again() {
    let (test, store) = installed().await;
    let client = store.database().client().await.unwrap();
    client
        .batch_execute(
            "insert into heirloom.memory (namespace, kind, content, content_tsv)
             values ('team:a', 'fact', 'the billing service waits', 'something:1 else:2')",
        )
        .await
        .unwrap();
    drop(client);
    compare(&store, 1).await;
    test.close().await;
}
