use super::*;

fn tenant(name: &str, rows: u64, rejected: u64, explained: u64) -> TenantStory {
    TenantStory {
        name: name.to_owned(),
        source_rows: rows,
        migrated: rows - rejected,
        rejected,
        skipped: 0,
        explained,
        verified: rows - rejected,
        rerun_written: 0,
        tamper_found: true,
        recalled: rows.min(3),
        asked: rows.min(3),
        unexplained: 0,
        in_store: rows - rejected + explained,
    }
}

fn report() -> DemoReport {
    let noted = |id: &str, what: &str| Noted {
        id: id.to_owned(),
        tenant: "agents-team".to_owned(),
        rows: Some(1187),
        what: what.to_owned(),
    };
    DemoReport {
        store: "a temporary embedded database".to_owned(),
        tenants: vec![
            tenant("agents-team", 1805, 9, 2),
            tenant("hongming", 144, 0, 0),
            tenant("chloe-dong", 1, 0, 0),
            tenant("reno-stars", 102, 0, 0),
            tenant("agency-v2", 400, 0, 0),
        ],
        findings: (0..7)
            .map(|_| {
                noted("invisible-without-provenance", "lessons without commit and verification, left out of recall")
            })
            .collect(),
        rejects: vec![("namespace-missing".to_owned(), 5), ("empty-content".to_owned(), 4)],
        live: vec![
            ("agents-team".to_owned(), "019aa0d1-0000-7000-8000-000000000001".to_owned()),
            ("agents-team".to_owned(), "019aa0d1-0000-7000-8000-000000000002".to_owned()),
        ],
        tampered: Some(Tampered {
            tenant: "agents-team".to_owned(),
            key: "5f3c1d1e-6a38-4a0e-9a3e-0d5a51f9a001".to_owned(),
            column: "content".to_owned(),
        }),
        recalled: vec![Recalled {
            query: "invoices rejected".to_owned(),
            content: "Nordlicht wants\r\nPDF/A-3 ".repeat(9),
        }],
        timings: Timings { create: 0.9, plan: 1.2, apply: 2.3, verify: 1.0, rerun: 0.4, total: 6.5 },
        report: PathBuf::from("heirloom-demo.html"),
        report_json: PathBuf::from("heirloom-demo.json"),
    }
}

#[test]
fn the_story_fits_one_screen() {
    let text = report().text();
    insta::assert_snapshot!("story", text);
    assert!(text.lines().count() <= 45, "{} lines", text.lines().count());
    for line in text.lines() {
        assert!(line.chars().count() <= WIDTH, "{line}");
    }
    // Findings are told whole; only a recalled text may be longer than its line, and ends between two words.
    for line in text.lines().filter(|line| line.contains('…')) {
        assert!(line.contains('→') && line.ends_with(" …"), "{line}");
    }
    assert!(text.contains("2,452 memories of 5 teams"));
    assert!(text.contains("1,805 → 1,807"));
    assert!(text.ends_with("All of it held. 6.5 s.\n"), "{text}");
}

#[test]
fn the_json_has_the_promised_fields_and_no_other() {
    let json = report().json();
    assert_eq!(json["report"], "heirloom-demo.html");
    let first = json["tenants"][0].as_object().expect("an object");
    assert_eq!(
        first.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "name",
            "source_rows",
            "migrated",
            "rejected",
            "skipped",
            "explained",
            "verified",
            "rerun_written",
            "tamper_found",
            "recalled",
        ]
    );
    assert_eq!(json.as_object().map(serde_json::Map::len), Some(2));
}

#[test]
fn each_broken_promise_breaks_the_whole() {
    assert!(report().holds());
    let breaks: [fn(&mut TenantStory); 8] = [
        |t| t.migrated -= 1,
        |t| t.in_store -= 1,
        |t| t.verified -= 1,
        |t| t.unexplained = 1,
        |t| t.rerun_written = 1,
        |t| t.tamper_found = false,
        |t| t.recalled -= 1,
        |t| (t.asked, t.recalled) = (0, 0),
    ];
    for (n, broken) in breaks.into_iter().enumerate() {
        let mut report = report();
        broken(&mut report.tenants[3]);
        assert!(!report.holds(), "promise {n}");
        assert!(report.text().contains("It did NOT hold for reno-stars."), "promise {n}");
    }
    assert!(!DemoReport { tenants: Vec::new(), ..report() }.holds(), "nothing done is nothing held");
}
