//! Stands for the crate of this name, which nothing but the embedded engine's runtime (wasmer) uses: no stack is walked.
//!
//! The engine ends its start by a trap, and wasmer takes a backtrace of every trap. In that walk the first look at a
//! frame makes libgcc before version 13 (Debian 12, Ubuntu 22.04) sort the unwind records of the engine's functions,
//! thousands of them, one by one into a list: 0.1 s of the 0.27 s that a command on the embedded store took. The frames
//! would be of compiled WebAssembly; Heirloom shows them to nobody. Panics have their backtraces from the standard
//! library, as before.

/// A stack that was not walked.
#[derive(Debug, Clone, Default)]
pub struct Backtrace(Vec<BacktraceFrame>);

impl Backtrace {
    /// No frames.
    pub fn new_unresolved() -> Self {
        Self::default()
    }

    /// The frames: those that [`From`] was given.
    pub fn frames(&self) -> &[BacktraceFrame] {
        &self.0
    }
}

impl From<Vec<BacktraceFrame>> for Backtrace {
    fn from(frames: Vec<BacktraceFrame>) -> Self {
        Self(frames)
    }
}

/// A frame. There is none.
#[derive(Debug, Clone)]
pub enum BacktraceFrame {}

impl BacktraceFrame {
    /// Where it is in the program.
    pub fn ip(&self) -> *mut core::ffi::c_void {
        match *self {}
    }
}
