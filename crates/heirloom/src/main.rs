//! The `heirloom` binary: everything it does is in the library beside it.

fn main() -> std::process::ExitCode {
    heirloom::cli::main()
}
