//! The inspector: a web page that looks at the store through `/api/v1` and nothing else.
//!
//! Its files are inside the binary and are told to anybody; what they show is not, because each request of the page brings
//! its token. A file's address holds a digest of them all, so a browser keeps it for good and never mixes two versions. The
//! page names its views by path; each of them is listed here, so that no other door's path is taken. The stylesheet stands in
//! the page itself, let in by its digest alone, so that the first paint waits for nothing else.

use std::io::Write;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::App;
use super::body::At;
use super::fault::{Fault, Shape};

/// The paths of the page's views.
const VIEWS: [&str; 8] = [
    "/",
    "/memories",
    "/memories/{namespace}/{id}",
    "/migrations",
    "/migrations/{run}",
    "/insight",
    "/activity",
    "/sign-in",
];

/// Where its files lie: `/inspector/DIGEST/FILE`.
const FILES: &str = "/inspector/{version}/{file}";

/// Nothing from elsewhere, nothing inline but the one stylesheet, no text that becomes markup, no page around this one.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'";

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../assets/inspector/", $name)))),*]
    };
}

/// Every file but the page itself and its stylesheet.
const ASSETS: &[(&str, &[u8])] = files!(
    "activity.js",
    "api.js",
    "app.js",
    "detail.js",
    "dialog.js",
    "dom.js",
    "edit.js",
    "events.js",
    "filters.js",
    "format.js",
    "icon.svg",
    "insight.js",
    "keys.js",
    "memories.js",
    "migrations.js",
    "origin.js",
    "plots.js",
    "router.js",
    "row.js",
    "run.js",
    "session.js",
    "soak.js",
    "source.js",
    "start.js",
    "states.js",
    "timeline.js",
    "virtual.js",
);

const PAGE: &str = include_str!("../../assets/inspector/index.html");
const STYLE: &str = include_str!("../../assets/inspector/style.css");

/// The module that asks for the others.
const FIRST: &str = "start.js";

/// A file as it is sent.
struct File {
    kind: &'static str,
    plain: Bytes,
    packed: Bytes,
    tag: String,
}

/// All of them, made ready once.
struct Files {
    version: String,
    policy: String,
    page: File,
    assets: Vec<(&'static str, File)>,
}

/// The routes: the page at the path of each view, and its files.
pub(super) fn routes() -> Router<Arc<App>> {
    let nothing = || async { Fault::method().answer(Shape::Problem) };
    let mut router = Router::new().route(FILES, get(asset).fallback(nothing));
    for view in VIEWS {
        router = router.route(view, get(page).fallback(nothing));
    }
    router
}

async fn page(headers: HeaderMap) -> Response {
    // The page names the version of its files, so it is asked for each time.
    files().page.answer(&headers, "no-cache", &files().policy)
}

async fn asset(At((version, name)): At<(String, String)>, headers: HeaderMap) -> Response {
    let files = files();
    let Some((_, file)) = files.assets.iter().find(|(known, _)| *known == name) else {
        return Fault::no_route().answer(Shape::Problem);
    };
    // A page of another version is told what there is now, and does not keep it.
    let keep = if version == files.version { "public, max-age=31536000, immutable" } else { "no-cache" };
    file.answer(&headers, keep, POLICY)
}

fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut all = Sha256::new();
        for (name, bytes) in ASSETS {
            all.update(name);
            all.update(bytes);
        }
        let version = hex(&all.finalize()[..8]);
        let modules: Vec<&str> =
            ASSETS.iter().map(|(name, _)| *name).filter(|name| name.ends_with(".js") && *name != FIRST).collect();
        let page = PAGE
            .replace("{{files}}", &format!("/inspector/{version}"))
            .replace("{{modules}}", &modules.join(" "))
            .replace("{{style}}", STYLE);
        Files {
            policy: format!("{POLICY}; style-src 'self' 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(STYLE))),
            page: File::of("index.html", Bytes::from(page)),
            assets: ASSETS.iter().map(|(name, bytes)| (*name, File::of(name, Bytes::from_static(bytes)))).collect(),
            version,
        }
    })
}

impl File {
    fn of(name: &str, plain: Bytes) -> Self {
        let kind = match name.rsplit_once('.').map_or("", |(_, end)| end) {
            "html" => "text/html; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => "text/javascript; charset=utf-8",
        };
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let packed = packer.write_all(&plain).and_then(|()| packer.finish());
        // Into memory it cannot fail; if it did, the plain bytes would do.
        let packed = packed.map_or_else(|_| plain.clone(), Bytes::from);
        Self { kind, tag: format!("\"{}\"", hex(&Sha256::digest(&plain)[..12])), plain, packed }
    }

    fn answer(&self, asked: &HeaderMap, keep: &'static str, policy: &str) -> Response {
        let says = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut headers = HeaderMap::new();
        let mut put = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        put(header::ETAG, &self.tag);
        put(header::CACHE_CONTROL, keep);
        put(header::VARY, "accept-encoding");
        put(header::CONTENT_SECURITY_POLICY, policy);
        put(header::REFERRER_POLICY, "no-referrer");
        put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
        put(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
        if says(header::IF_NONE_MATCH).split(',').any(|tag| tag.trim().trim_start_matches("W/") == self.tag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        put(header::CONTENT_TYPE, self.kind);
        if says(header::ACCEPT_ENCODING).split(',').any(|way| matches!(way.trim(), "gzip" | "gzip;q=1.0")) {
            put(header::CONTENT_ENCODING, "gzip");
            return (headers, self.packed.clone()).into_response();
        }
        (headers, self.plain.clone()).into_response()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_offers_the_steps_that_the_store_allows() {
        let script = include_str!("../../assets/inspector/edit.js");
        for state in heirloom_store::STATES {
            let mut to: Vec<&str> = heirloom_store::allowed_from(state).collect();
            let line = script.lines().find_map(|line| line.trim().strip_prefix(&format!("{state}: [")));
            // In the order in which people take them, so compared without one.
            let mut offered: Vec<&str> = line.unwrap_or_default().split('"').skip(1).step_by(2).collect();
            to.sort_unstable();
            offered.sort_unstable();
            assert!(line.is_some() && offered == to, "edit.js offers {offered:?} of {state}, the store allows {to:?}");
        }
    }
}
