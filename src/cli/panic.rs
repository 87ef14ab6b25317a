//! What a panic says: that it is a bug and where. Its message stays out, since it may hold a value
//! of a state.

use std::io::Write;
use std::panic::PanicHookInfo;

use crate::base::env::Env;

/// Replaces the standard library's report, unless `RUST_BACKTRACE` asks for it.
pub(super) fn report_without_values(env: &Env) {
    if env.get("RUST_BACKTRACE").is_some_and(|wanted| wanted != "0") {
        return;
    }
    std::panic::set_hook(Box::new(report));
}

fn report(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    // Not through `Output`, which may be what panicked.
    let _shown = std::io::stderr().write_all(words(&at).as_bytes());
}

fn words(at: &str) -> String {
    format!(
        "error: tfstate has a bug and stopped at {at}\n\
         hint: set RUST_BACKTRACE=1 and run the command again to see more, which may include \
         values of the state\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_says_where_and_nothing_of_what() {
        let said = words("src/state/scan.rs:1:2");
        assert!(
            said.starts_with("error: tfstate has a bug and stopped at src/state/scan.rs:1:2\n")
        );
    }

    /// Runs itself again as the process that panics, since the report is the whole process's.
    #[test]
    fn a_panic_shows_no_value() {
        const INNER: &str = "TFSTATE_TEST_PANIC";
        if Env::process().get(INNER).is_some() {
            report_without_values(&Env::default());
            panic!("hunter2");
        }
        let name = "cli::panic::tests::a_panic_shows_no_value";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture", "--test-threads=1"])
            .env(INNER, "1")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("tfstate has a bug and stopped at src/cli/panic.rs:"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
