//! The `tfstate` binary: arguments in, exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    tfstate::cli::run(std::env::args_os())
}
