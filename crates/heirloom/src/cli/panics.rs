//! A panic is a fault of ours: it is told as one sentence with its place, never with its message, which could quote
//! content.

use std::sync::Mutex;

static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Remembers the place of the first panic instead of printing it.
pub(super) fn install() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!("{}:{}:{}", place.file(), place.line(), place.column()));
        if let Ok(mut first) = PLACE.lock() {
            first.get_or_insert(place.unwrap_or_else(|| "an unknown place".to_owned()));
        }
    }));
}

/// Where the first panic happened.
pub(super) fn place() -> Option<String> {
    PLACE.lock().ok().and_then(|place| place.clone())
}
