//! What real tables hold besides tidy notes: the dirt of the largest tenant, how much of each, and its texts.
//!
//! Each kind is counted in [`DIRT`] so that the story and the tests can name the numbers. Absent on purpose: bytes that
//! PostgreSQL would not have let in (NUL, invalid UTF-8); those belong to other sources.

use super::notes::{Notes, Topic};
use super::rng::Rng;

/// A kind of dirt. Each concerns one row, and no row has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dirt {
    /// `workspace_id` is null: nobody knows whose memory it was.
    MissingWorkspace,
    /// `created_at` is null.
    MissingCreatedAt,
    /// Content of white space only.
    Blank,
    /// A credential in clear (an obviously false one).
    Secret,
    /// The text of an earlier row once more, under another id and time.
    Duplicate,
    /// Chinese.
    Chinese,
    /// Japanese.
    Japanese,
    /// Russian and Ukrainian.
    Cyrillic,
    /// Emoji, among them sequences joined by U+200D and flags.
    Emoji,
    /// Lines ended by CR LF.
    CarriageReturns,
    /// Arabic and Hebrew, with directional marks.
    RightToLeft,
    /// Accents as combining characters (NFD), which a migration must not compose.
    Decomposed,
    /// A pasted log of more than 60,000 bytes.
    VeryLong,
    /// Quotes, backslashes, braces, per cent signs, tabs.
    Quoted,
    /// `metadata` is JSON null, which is not SQL NULL.
    JsonNull,
}

/// How many rows of the largest tenant are dirty in which way.
pub const DIRT: [(Dirt, usize); 15] = [
    (Dirt::MissingWorkspace, 5),
    (Dirt::MissingCreatedAt, 7),
    (Dirt::Blank, 4),
    (Dirt::Secret, 3),
    (Dirt::Duplicate, 14),
    (Dirt::Chinese, 10),
    (Dirt::Japanese, 10),
    (Dirt::Cyrillic, 8),
    (Dirt::Emoji, 12),
    (Dirt::CarriageReturns, 9),
    (Dirt::RightToLeft, 6),
    (Dirt::Decomposed, 6),
    (Dirt::VeryLong, 1),
    (Dirt::Quoted, 8),
    (Dirt::JsonNull, 11),
];

/// Rows of the largest tenant that no memory can be made of: no workspace to belong to, or nothing said.
pub const REJECTS: usize = 5 + 4;

/// Three questions, and the notes of the largest tenant that must come back for them.
pub const KNOWN: [(&str, &str); 3] = [
    (
        "prepared statement errors after the failover",
        "PgBouncer runs in transaction mode since the failover. asyncpg then fails with \"prepared statement \
         __asyncpg_stmt_4__ does not exist\"; set statement_cache_mode=describe in the DSN of ledger-worker. Restart needed, \
         reload is not enough.",
    ),
    (
        "Nordlicht invoices rejected PDF",
        "Nordlicht Logistics wants invoices as PDF/A-3 with the XML embedded. A plain PDF is rejected by their intake \
         without any message, so we only notice when the money does not come.",
    ),
    (
        "halfvec recall on LoCoMo",
        "halfvec instead of vector costs 0.3 points of recall@10 on LoCoMo (5 seeds) and halves the index. Decision: use it \
         for everything above 2 million rows, keep full vectors below.",
    ),
];

/// The content of a row that is dirty in this way; `None` where the dirt is in another column.
pub(super) fn content(dirt: Dirt, n: usize, rng: &mut Rng, notes: &Notes, topic: Topic) -> Option<String> {
    let texts = match dirt {
        Dirt::MissingWorkspace | Dirt::MissingCreatedAt | Dirt::JsonNull | Dirt::Duplicate => return None,
        Dirt::Blank => return Some(BLANK[n % BLANK.len()].to_owned()),
        Dirt::CarriageReturns => {
            let note = notes.write(rng, topic).replace('\n', "\r\n");
            return Some(format!("Copied from the Windows box:\r\n{note}\r\n"));
        }
        Dirt::VeryLong => return Some(long_log(rng, notes)),
        Dirt::Secret => &SECRET[..],
        Dirt::Chinese => &CHINESE[..],
        Dirt::Japanese => &JAPANESE[..],
        Dirt::Cyrillic => &CYRILLIC[..],
        Dirt::Emoji => &EMOJI[..],
        Dirt::RightToLeft => &RIGHT_TO_LEFT[..],
        Dirt::Decomposed => &DECOMPOSED[..],
        Dirt::Quoted => &QUOTED[..],
    };
    // The ticket at the end keeps the texts apart where there are more rows than texts.
    let ticket: String = format!("{:016x}", rng.next()).chars().take(7).collect();
    Some(format!("{} [{ticket}]", texts[n % texts.len()]))
}

/// A pasted log: one line a note, until it is longer than 60,000 bytes.
fn long_log(rng: &mut Rng, notes: &Notes) -> String {
    let mut text = "Full log of the failed import, pasted because the attachment store was down:\n".to_owned();
    let mut line = 0;
    while text.len() < 60_000 {
        line += 1;
        let note = notes.write(rng, Topic::Ops).replace('\n', " ");
        text.push_str(&format!("{line:04} WARN importer: {note}\n"));
    }
    text
}

const BLANK: [&str; 4] = ["   ", "\n\n", "\t \r\n", "\u{3000}\u{a0}"];

const SECRET: [&str; 3] = [
    "Staging login for the importer: user importer, password hunter2-not-a-real-password. Move it to the vault!",
    "export AWS_SECRET_ACCESS_KEY=EXAMPLEdoNotUse/EXAMPLEdoNotUse/EXAMPLEKEY was in the shell history of the bastion",
    "The bot token is xoxb-0000-FAKE-FAKE-FAKE-0000, it should never have been in a memory",
];

const CHINESE: [&str; 4] = [
    "用户希望周报用中文写，标题保持英文。每周五下午四点前发到群里，不要附件。",
    "数据库连接池在切换主库之后会耗尽：先重启连接代理，再重启账单服务，顺序不能反。",
    "客户确认合同编号以「甲」开头的都走人工审批，其余自动通过。金额超过五万元必须双签。",
    "记住：制表符不要换成空格，解析器按列宽读取。测试文件在 tests/数据/样例.tsv。",
];

const JAPANESE: [&str; 4] = [
    "京都の旅館は朝食が七時から。ベジタリアンの対応は前日までに電話で伝えること。",
    "本番環境のデプロイは火曜と木曜のみ。承認者は佐藤さん、不在の場合は林さん。",
    "バグの原因は全角スペース（　）だった。入力を正規化せずにそのまま保存している。",
    "ＡＰＩのレート制限は１分あたり６０回。ｶﾀｶﾅの半角も受け付けるので注意。",
];

const CYRILLIC: [&str; 4] = [
    "Клиент просит отвечать на русском и не звонить до 11:00 по Москве. Договор № 4711 продлён до ноября.",
    "Резервная копия за ночь не создалась: кончилось место на втором диске, см. журнал за вторник.",
    "Рішення: міграцію проводимо в суботу о 06:00, відповідальна Оксана. Відкат перевірено двічі.",
    "Ёлка в логах — это не ошибка, так печатается прогресс старого загрузчика.",
];

const EMOJI: [&str; 4] = [
    "Standup: release is out 🎉, canary looks fine 🐤, two alerts muted 🔕 until Monday.",
    "Family plan approved 👨‍👩‍👧‍👦 for the travel desk; on call this week: 👩🏽‍💻 and 🧑‍🚒. Flags in the sheet: 🇵🇹 🇯🇵 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "Reaction ✅ means read, ❤️ means done, ⚠️ means blocked. Never use 👍 alone, it is ambiguous 🤷‍♀️.",
    "🚀🚀🚀",
];

const RIGHT_TO_LEFT: [&str; 3] = [
    "العميل يفضل الرد بالعربية، ورقم التذكرة INC-2041 يبقى بالأرقام اللاتينية.",
    "הלקוחה ביקשה לקבל את החשבונית (PDF) עד יום חמישי; כתובת: billing@example.com\u{200f}.",
    "\u{202b}تم نقل النسخة الاحتياطية إلى /srv/backup/2026-03 ولم يُحذف شيء\u{202c}",
];

const DECOMPOSED: [&str; 3] = [
    "Re\u{301}servation au cafe\u{301} de la gare, 12 h 30, pour Ame\u{301}lie; le fichier s'appelle re\u{301}sume\u{301}.pdf",
    "Der Pfad /Users/ju\u{308}rgen/Bu\u{308}cher kommt vom Mac und ist nicht derselbe wie /Users/jürgen/Bücher.",
    "Nha\u{300} ha\u{300}ng o\u{31b}\u{309} Ho\u{323}\u{302}i An ddo\u{301}ng cu\u{31b}\u{309}a thu\u{301} Ba",
];

const QUOTED: [&str; 4] = [
    r#"The regex that works is ^\s*\{"id":\s*"([^"\\]|\\.)*"\}$ and yes, the backslash has to be doubled in YAML: "\\s"."#,
    r"Path on the old host: C:\new\table\x41\N and it is NOT a newline, a tab, an A or a NULL.",
    "Template {{name}} is filled by the mailer, {name} by ours, %s by nobody; 100 % of '' and \"\" survive.\tTabs too.\t",
    r#"jq '.[] | select(.note == "it'"'"'s fine") | {id, note}' dump.json > $OUT && echo \. "#,
];
