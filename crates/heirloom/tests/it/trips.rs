//! What a write costs: messages to the server, counted.

use serde_json::json;

use crate::wire::Wired;

/// What a client says of its own accord; what answers to a server's greeting is left out.
fn said(work: &[String]) -> Vec<(char, String)> {
    let of_client = work.iter().filter_map(|line| line.strip_prefix("> "));
    let parts = of_client.map(|line| {
        let mut words = line.splitn(3, ' ');
        let (kind, _, what) = (words.next().unwrap(), words.next(), words.next().unwrap_or_default());
        (kind.chars().next().unwrap(), what.to_owned())
    });
    parts.filter(|(kind, _)| ['Q', 'P', 'B'].contains(kind)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_one_statement_in_one_trip_and_a_burst_of_them_is_told_of_now_and_then() {
    let world = Wired::new(&["team:ours"]).await;
    let Some(wire) = &world.wire else {
        // The embedded engine is reached by a socket of its own, and tells nobody.
        return world.close().await;
    };
    let commit = async |n: u32| {
        let body = json!({ "content": format!("note {n}"), "kind": "fact", "source": "agent" });
        world.served.post("/v1/namespaces/team:ours/memories", &world.token, &body).await.is(201);
    };
    for n in 0..3 {
        commit(n).await;
    }
    world.told(Vec::new()).await;
    let began = std::time::Instant::now();
    let mut all = Vec::new();
    for n in 3..63 {
        commit(n).await;
        all.extend(wire.take());
    }
    let of_one = said(&all);
    let count = |what: &str| of_one.iter().filter(|(kind, text)| *kind == 'B' && text.contains(what)).count();
    assert_eq!(count("heirloom.write_memory"), 60, "{of_one:?}");
    let asked = count("heirloom.authenticate");
    let begun = of_one.iter().filter(|(kind, text)| *kind == 'Q' && text.starts_with("begin")).count();
    let committed = of_one.iter().filter(|(_, text)| text == "commit").count();
    assert_eq!((begun, committed), (60 + asked, 60 + asked), "each by itself: {of_one:?}");
    let prepared = of_one.iter().filter(|(kind, _)| *kind == 'P').count();
    assert!(prepared <= 1, "what was prepared before is prepared again: {of_one:?}");
    // One at once, then at most one in ten milliseconds.
    let told = of_one.iter().filter(|(_, text)| text.starts_with("notify ")).count();
    let most = 2 + usize::try_from(began.elapsed().as_millis()).unwrap() / 10;
    assert!(told >= 1 && told <= most.min(61), "{told} of at most {most}");
    assert_eq!(of_one.len(), 3 * 60 + 3 * asked + prepared + told, "nothing else is said: {of_one:?}");
    // Whoever listens hears of the last one, too.
    let last = all.iter().rposition(|line| line.starts_with("> Q") && line.ends_with(" commit")).unwrap();
    world.told(all.split_off(last)).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_put_again_as_it_is_is_read_and_no_more() {
    let world = Wired::new(&["team:ours"]).await;
    let put = async |body: serde_json::Value| {
        let path = "/v1/namespaces/team:ours";
        let request = world.served.request(reqwest::Method::PUT, path, &world.token).body(body.to_string());
        crate::served::answer(request).await.is(200)
    };
    let whole =
        json!({ "kind": "org", "expires_at": "2099-01-01T00:00:00Z", "metadata": { "n": 1, "deep": [null, "x"] } });
    let first = put(whole.clone()).await;
    for again in
        [whole, json!({ "kind": "org" }), json!({ "kind": "org", "metadata": { "deep": [null, "x"], "n": 1 } })]
    {
        assert_eq!(put(again.clone()).await, first, "{again}");
        let Some(wire) = &world.wire else { continue };
        let work = loop {
            wire.take();
            assert_eq!(put(again.clone()).await, first, "{again}");
            let work = said(&wire.take());
            // Whose token it is, is asked every two seconds; who listens is told of the first put.
            if !work.iter().any(|(_, text)| text.contains("heirloom.authenticate") || text.starts_with("notify ")) {
                break work;
            }
        };
        let kinds: String = work.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, "QBQ", "{work:?}");
        assert!(work[0].1.starts_with("begin read only; ") && work[2].1 == "commit", "{work:?}");
    }
    let other = put(json!({ "kind": "org", "metadata": { "n": 2 } })).await;
    assert_eq!((&other["metadata"], &other["expires_at"]), (&json!({ "n": 2 }), &first["expires_at"]));
    world.close().await;
}
