//! One migration on the page: what moved, what was set aside, findings, differences, namespaces, recall, digests, and
//! how to check again.

use super::Evidence;
use super::page::{Cell, Column, Page};
use super::words::{self, moment, number, several};
use crate::source::Identity;

/// Most lines of a table; the JSON beside the page has them all.
const MOST_LINES: usize = 200;

/// Writes the section.
pub(super) fn migration(page: &mut Page, one: &Evidence, anchor: &str) {
    page.open("article", &[("id", anchor)]);
    page.open("h2", &[]).text(&one.tenant).text(" ");
    page.element("span", "of", &one.name).close();
    facts(page, one);
    moved(page, one);
    set_aside(page, one);
    findings(page, one);
    differences(page, one);
    namespaces(page, one);
    recall(page, one);
    soak(page, one);
    digests(page, one);
    again(page, one);
    page.close();
}

fn facts(page: &mut Page, one: &Evidence) {
    let (class, state) = words::state(one);
    let side = |identity: &Identity, reader| {
        Cell::Text(format!("{} on {}", words::identity(identity, reader), identity.server))
    };
    page.open("dl", &[("class", "facts")]);
    page.fact("State", &Cell::Mark(class, state.to_owned()));
    page.fact("From", &Cell::Text(format!("{}, {}", one.source.display, one.source.table)));
    page.fact("Read as", &side(&one.source.identity, true));
    page.fact("To", &Cell::Text(format!("{}, {}", one.target.display, one.target.table)));
    page.fact("Written as", &side(&one.target.identity, false));
    page.fact("Started", &Cell::Text(moment(&one.started_at)));
    for (name, at) in [("Applied", &one.applied_at), ("Verified", &one.verified_at)] {
        if let Some(at) = at {
            page.fact(name, &Cell::Text(moment(at)));
        }
    }
    page.close();
}

fn moved(page: &mut Page, one: &Evidence) {
    let counts = &one.counts;
    page.element("h3", "", "What moved");
    let mut sentence = format!(
        "{} of {} in the source are in the store.",
        several(counts.migrated, "row"),
        number(counts.source_rows)
    );
    let were = |count: u64| if count == 1 { "row was" } else { "rows were" };
    for (count, what) in [
        (counts.updated, "written again because the source had changed"),
        (counts.restored, "handed down again because the store had lost it"),
        (counts.forgotten, "forgotten in the store before, and stay so"),
        (counts.conflicts, "changed on both sides; the store's edit stays"),
    ] {
        if count > 0 {
            sentence.push_str(&format!(" {} {} {what}.", number(count), were(count)));
        }
    }
    if let Some(live @ 1..) = counts.live_rows {
        sentence.push_str(&format!(" The same namespaces hold {} that did not come from here.", several(live, "row")));
    }
    page.element("p", "", &sentence);
    let columns = [Column("Source column", false), Column("Became of it", false), Column("Where it is now", false)];
    let lines = one.columns.iter().map(|column| {
        let (class, fate) = words::fate(column.fate);
        let place = match &column.note {
            Some(note) if column.to.is_empty() => Cell::Text(note.clone()),
            Some(note) => Cell::Text(format!("{} ({note})", column.to.join(", "))),
            None => Cell::Codes(column.to.clone()),
        };
        vec![Cell::Code(column.column.clone()), Cell::Mark(class, fate.to_owned()), place]
    });
    page.table(&columns, lines);
    if one.dimensions.iter().any(|line| line.dimensions.is_some()) {
        let columns = [Column("Embeddings", false), Column("Rows", true), Column("What became of them", false)];
        let lines = one.dimensions.iter().map(|line| {
            let width = line.dimensions.map_or_else(|| "none".to_owned(), |width| format!("{width} dimensions"));
            vec![Cell::Text(width), Cell::Text(number(line.rows)), Cell::Text(line.becomes.clone())]
        });
        page.table(&columns, lines);
    }
}

fn set_aside(page: &mut Page, one: &Evidence) {
    page.element("h3", "", "What was set aside");
    if one.rejects.is_empty() {
        page.element("p", "quiet", "Nothing.");
        return;
    }
    page.element("p", "", "Each row is kept as it was, byte for byte, and can be handed down once the file is mended.");
    let columns = [Column("Reason", false), Column("Column", false), Column("Waiting", true), Column("Mended", true)];
    let lines = one.rejects.iter().map(|line| {
        let place = line.column.clone().or_else(|| line.field.clone());
        vec![
            Cell::Text(words::reject(line.code).to_owned()),
            place.map_or_else(|| Cell::Text("the row".to_owned()), Cell::Code),
            Cell::Text(number(line.open)),
            Cell::Text(number(line.resolved)),
        ]
    });
    page.table(&columns, lines);
}

fn findings(page: &mut Page, one: &Evidence) {
    if one.findings.is_empty() {
        return;
    }
    page.element("h3", "", "What the plan found").open("ul", &[("class", "findings")]);
    for finding in &one.findings {
        let (class, severity) = words::severity(finding.severity);
        page.open("li", &[]).element("span", &format!("mark {class}"), severity).text(" ");
        page.element("code", "", &finding.id);
        if let Some(rows) = finding.rows {
            page.element("span", "of", &format!(" {}", several(rows, "row")));
        }
        page.element("p", "", &finding.what).close();
    }
    page.close();
}

fn differences(page: &mut Page, one: &Evidence) {
    page.element("h3", "", "Differences");
    let Some(count) = one.counts.differences else {
        page.element("p", "", "The two sides have not been compared.");
        return;
    };
    if !one.not_shown.is_empty() {
        let what = crate::verify::what_is_compared(&one.not_shown);
        let what = what.replacen("the", "The", 1);
        page.element("p", "", &format!("{what}; nothing is said of what it does not show."));
    }
    if one.unseen > 0 {
        let rows = several(one.unseen, "row");
        page.element(
            "p",
            "",
            &format!("Of {rows} the target does not show whether they are there; nothing is said of them."),
        );
    }
    if one.partly_shown > 0 {
        let homes = several(one.partly_shown, "namespace");
        page.element(
            "p",
            "",
            &format!(
                "The target shows a part of {homes} alone; of live rows, and of rows left there, some are counted."
            ),
        );
    }
    if one.explained.is_empty() && count == 0 {
        page.element("p", "quiet", "None, in any row or column.");
        return;
    }
    if !one.explained.is_empty() {
        let columns = [Column("Explained by the store's own records", false), Column("Rows", true)];
        let lines = one.explained.iter().map(|(explanation, count)| {
            vec![Cell::Text(words::explanation(*explanation).to_owned()), Cell::Text(number(*count))]
        });
        page.table(&columns, lines);
    }
    if count == 0 {
        page.element("p", "", "None beyond these.");
        return;
    }
    page.element("p", "bad", &format!("{} that nothing explains.", several(count, "difference")));
    let columns =
        [Column("What", false), Column("Source key", false), Column("Column", false), Column("Memory", false)];
    let lines = one.differences.iter().take(MOST_LINES).map(|line| {
        vec![
            Cell::Text(words::class(line.class).to_owned()),
            Cell::Code(line.key.join(", ")),
            line.column.clone().map_or_else(|| Cell::Text("the row".to_owned()), Cell::Code),
            Cell::Code(line.id.to_string()),
        ]
    });
    page.table(&columns, lines);
    rest(page, count);
}

fn namespaces(page: &mut Page, one: &Evidence) {
    if one.namespaces.is_empty() {
        return;
    }
    page.element("h3", "", "Who sees the rows now");
    let columns = [Column("Namespace", false), Column("Rows planned", true)];
    let lines = one.namespaces.iter().take(MOST_LINES);
    page.table(&columns, lines.map(|line| vec![Cell::Code(line.namespace.clone()), Cell::Text(number(line.rows))]));
    rest(page, one.namespaces.len() as u64);
}

fn recall(page: &mut Page, one: &Evidence) {
    let Some(proof) = &one.recall else { return };
    page.element("h3", "", "Asked for, as a reader would");
    let mut sentence = format!(
        "{} of {} asked for by their own words came back to their namespace, in {}.",
        number(proof.sql.recalled),
        several(proof.sql.asked, "row"),
        several(proof.namespaces_asked, "namespace")
    );
    if proof.namespaces > proof.namespaces_asked {
        sentence.push_str(&format!(" There are {} namespaces in all.", number(proof.namespaces)));
    }
    let leaked = match proof.sql.leaks.len() as u64 {
        0 => "none".to_owned(),
        many => several(many, "row"),
    };
    let probes = several(proof.sql.leak_probes, "time");
    // An older proof says nothing of how many others there were.
    let others = match proof.others > proof.others_asked {
        true => format!("the rights of {} of {} other namespaces", number(proof.others_asked), number(proof.others)),
        false => "everybody else's rights".to_owned(),
    };
    sentence.push_str(&format!(" Asked for with {others}, {probes}, {leaked} came back."));
    page.element("p", if proof.holds { "" } else { "bad" }, &sentence);
    let answers = || {
        let others = proof.doors.iter().map(|(door, answers)| (words::door(door), answers));
        std::iter::once((words::door("sql"), &proof.sql)).chain(others)
    };
    if !proof.doors.is_empty() {
        let columns = [
            Column("Asked over", false),
            Column("Rows asked for", true),
            Column("Came back", true),
            Column("Asked as somebody else", true),
            Column("Leaked", true),
        ];
        let lines = answers().map(|(door, answers)| {
            let counts = [answers.asked, answers.recalled, answers.leak_probes, answers.leaks.len() as u64];
            std::iter::once(Cell::Text(door.to_owned())).chain(counts.map(|count| Cell::Text(number(count)))).collect()
        });
        page.table(&columns, lines);
    }
    if !proof.sql.left_out.is_empty() {
        let columns = [Column("Rightly left out of recall", false), Column("Rows", true)];
        let lines = proof.sql.left_out.iter();
        page.table(
            &columns,
            lines.map(|(reason, count)| {
                vec![Cell::Text(words::left_out(*reason).to_owned()), Cell::Text(number(*count))]
            }),
        );
    }
    let lost: Vec<_> =
        answers().flat_map(|(door, answers)| answers.not_found.iter().map(move |id| (door, id))).collect();
    if !lost.is_empty() {
        let lines = lost.iter().take(MOST_LINES);
        page.table(
            &[Column("Did not come back", false), Column("Asked over", false)],
            lines.map(|(door, id)| vec![Cell::Code(id.to_string()), Cell::Text((*door).to_owned())]),
        );
        rest(page, lost.len() as u64);
    }
    let leaks: Vec<_> =
        answers().flat_map(|(door, answers)| answers.leaks.iter().map(move |leak| (door, leak))).collect();
    if !leaks.is_empty() {
        let columns = ["Leaked memory", "Lives in", "Came back to", "Asked over"].map(|name| Column(name, false));
        let lines = leaks.iter().take(MOST_LINES).map(|(door, leak)| {
            let (home, other) = (leak.namespace.clone(), leak.seen_as.clone());
            vec![Cell::Code(leak.id.to_string()), Cell::Code(home), Cell::Code(other), Cell::Text((*door).to_owned())]
        });
        page.table(&columns, lines);
        rest(page, leaks.len() as u64);
    }
}

fn soak(page: &mut Page, one: &Evidence) {
    if one.soak.is_empty() {
        return;
    }
    page.element("h3", "", "Old and new, watched side by side");
    let counted = one.soak.iter().filter(|day| day.counts).count() as u64;
    let text =
        format!("{} of {} count for the soak under way.", several(counted, "day"), number(one.soak.len() as u64));
    page.element("p", "", &text);
    let columns = [
        Column("Day", false),
        Column("Found", false),
        Column("Counts", false),
        Column("Sweeps", true),
        Column("Differences", true),
    ];
    let lines = one.soak.iter().map(|day| {
        let (class, found) = words::day(day.kind);
        vec![
            Cell::Text(day.day.clone()),
            Cell::Mark(class, found.to_owned()),
            Cell::Text(if day.counts { "yes" } else { "no" }.to_owned()),
            Cell::Text(day.sweeps.to_string()),
            Cell::Text(number(day.differences)),
        ]
    });
    page.table(&columns, lines);
    if one.gates.is_empty() {
        return;
    }
    page.element("h3", "", "What the end of the old table asks for");
    let columns = [Column("Gate", false), Column("", false), Column("Found", false), Column("What to do", false)];
    let lines = one.gates.iter().map(|gate| {
        let (class, met) = if gate.met { ("good", "met") } else { ("warn", "short") };
        vec![
            Cell::Text(gate.id.clone()),
            Cell::Mark(class, met.to_owned()),
            Cell::Text(gate.found.clone()),
            Cell::Text(gate.cure.clone()),
        ]
    });
    page.table(&columns, lines);
}

fn digests(page: &mut Page, one: &Evidence) {
    page.element("h3", "", "Digests").open("dl", &[("class", "facts")]);
    page.fact("Run", &Cell::Code(one.run_id.to_string()));
    page.fact("Plan", &Cell::Code(one.plan.digest.clone()));
    page.fact("Migration file", &Cell::Code(one.plan.file_digest.clone()));
    page.fact("Source schema", &Cell::Code(one.source.fingerprint.clone()));
    page.fact("Target schema", &Cell::Code(one.target.fingerprint.clone()));
    if let Some(digests) = &one.digests {
        page.fact("Merkle root", &Cell::Code(digests.merkle_root.clone()));
    }
    if let Some(head) = &one.audit {
        page.fact("Audit head", &Cell::Code(format!("{}:{}", head.seq, head.hash)));
    }
    let versions = &one.versions;
    let text = format!("planned with {}, applied with {} as {}", versions.plan, versions.apply, one.actor);
    page.fact("Heirloom", &Cell::Text(text)).close();
    let Some(digests) = &one.digests else { return };
    page.element(
        "p",
        "quiet",
        "Each sum adds the digests of a chunk's rows, under a key made for this comparison alone: equal sums are equal \
         rows, and nobody can guess a text back from them. A sum differs where a row was explained or is different.",
    );
    let columns = [
        Column("Chunk", true),
        Column("Expected", true),
        Column("Found", true),
        Column("Sum expected", false),
        Column("Sum found", false),
    ];
    let lines = digests.chunks.iter().take(MOST_LINES).map(|chunk| {
        vec![
            Cell::Text(number(u64::from(chunk.ordinal))),
            Cell::Text(number(chunk.expected.count)),
            Cell::Text(number(chunk.found.count)),
            Cell::Code(format!("{:032x}", chunk.expected.sum)),
            Cell::Code(format!("{:032x}", chunk.found.sum)),
        ]
    });
    page.table(&columns, lines);
    rest(page, digests.chunks.len() as u64);
}

fn again(page: &mut Page, one: &Evidence) {
    page.element("h3", "", "How to check this again");
    page.element("p", "", "With rights to read both sides; nothing is written.");
    page.open("pre", &[]).element("code", "", &one.check_again.join("\n")).close();
}

/// Says so when a table was cut.
fn rest(page: &mut Page, all: u64) {
    let shown = MOST_LINES as u64;
    if all > shown {
        let text = format!("The first {} of {}.", number(shown), number(all));
        page.element("p", "quiet", &text);
    }
}
