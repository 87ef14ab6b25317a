//! Logs, for whoever wants to know what happens inside: on standard error, and only when asked
//! for by `-v` or `TFSTATE_LOG`, since setting them up costs time that most runs can spare.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::error::Failure;
use crate::base::env::Env;

/// How logs look.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// One line an event, for people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Returns what is to be logged: `-v` counts as info, twice as debug, more as trace; without it
/// `TFSTATE_LOG` names the level. Nothing means that logging is off.
pub(crate) fn level(verbose: u8, env: &Env) -> Result<Option<LevelFilter>, Failure> {
    match (verbose, env.get("TFSTATE_LOG")) {
        (0, None) => Ok(None),
        (0, Some(name)) => match name.parse() {
            Ok(LevelFilter::OFF) => Ok(None),
            Ok(level) => Ok(Some(level)),
            Err(_) => Err(Failure::new(format!("cannot log at level `{name}`, from TFSTATE_LOG"))
                .hint("set it to off, error, warn, info, debug or trace")),
        },
        (1, _) => Ok(Some(LevelFilter::INFO)),
        (2, _) => Ok(Some(LevelFilter::DEBUG)),
        (_, _) => Ok(Some(LevelFilter::TRACE)),
    }
}

/// Starts logging.
pub(crate) fn start(level: LevelFilter, format: LogFormat, colored: bool) {
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colored);
    let own = own(level);
    // An embedding program may have set up logs of its own, which then stay.
    let _started = match format {
        LogFormat::Text => tracing_subscriber::registry().with(lines.with_filter(own)).try_init(),
        LogFormat::Json => {
            tracing_subscriber::registry().with(lines.json().with_filter(own)).try_init()
        }
    };
}

/// Lets through what this program logs, and nothing of the libraries that it talks to stores with:
/// what they log at the finest level holds headers, and so credentials.
fn own(level: LevelFilter) -> Targets {
    Targets::new().with_target(env!("CARGO_CRATE_NAME"), level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v_counts_and_wins_over_the_variable() {
        let env = Env::from_pairs([("TFSTATE_LOG", "error")]);
        assert_eq!(level(0, &Env::default()).unwrap(), None);
        assert_eq!(level(0, &env).unwrap(), Some(LevelFilter::ERROR));
        assert_eq!(level(1, &env).unwrap(), Some(LevelFilter::INFO));
        assert_eq!(level(2, &env).unwrap(), Some(LevelFilter::DEBUG));
        assert_eq!(level(9, &env).unwrap(), Some(LevelFilter::TRACE));
    }

    #[test]
    fn libraries_that_may_log_credentials_are_not_heard() {
        let own = own(LevelFilter::TRACE);
        assert!(own.would_enable("tfstate::store::object::client", &tracing::Level::TRACE));
        for library in ["hyper_util::client", "reqwest::connect", "reqsign_aws_v4", "rustls", "log"]
        {
            assert!(!own.would_enable(library, &tracing::Level::ERROR), "{library}");
        }
    }

    #[test]
    fn an_unknown_level_is_refused_with_the_known_ones() {
        let failure = level(0, &Env::from_pairs([("TFSTATE_LOG", "loud")])).unwrap_err();
        assert_eq!(failure.error, "cannot log at level `loud`, from TFSTATE_LOG");
        assert_eq!(failure.hints.len(), 1);
    }
}
