//! What a command works with: the settings in force, and where its results go.

use std::path::{Path, PathBuf};

use super::args::{Cli, Format, Global};
use super::config::Config;
use super::error::Failure;
use super::interrupt::Interrupt;
use super::output::Output;
use super::settings::{self, Settings};
use super::{command, logging};
use crate::base::env::Env;
use crate::state::sensitive::Reveal;

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// The environment.
    pub(crate) env: &'a Env,
    /// The settings that are no command's own.
    pub(crate) settings: Settings,
    /// The format to print in, which is one of the command's.
    pub(crate) format: Format,
    /// The folder for what can be made again.
    pub(crate) cache: Option<PathBuf>,
    /// Whether sensitive values are shown.
    pub(crate) reveal: Reveal,
    /// Where results and talk go.
    pub(crate) out: &'a mut Output,
    /// What to do work under that must not be interrupted halfway.
    pub(crate) interrupt: Interrupt,
}

impl<'a> Context<'a> {
    /// Decides what holds for a command, of what was typed and what is around, and starts logging
    /// where it was asked for.
    pub(crate) fn new(cli: &Cli, env: &'a Env, out: &'a mut Output) -> Result<Self, Failure> {
        let typed = &cli.global;
        if typed.quiet {
            out.silence_talk();
        }
        if typed.no_progress {
            out.silence_progress();
        }
        // Again below, when the configuration has had its say; until then this must do.
        out.set_color(settings::color_without_config(typed.color, env));
        let interrupt = Interrupt::install().map_err(|error| {
            Failure::new("cannot take over the signals of this process").because(&error)
        })?;
        let format = format(cli)?;
        let (settings, config) = settings(typed, env, out)?;
        out.set_color(settings.color.value);
        if let Some(level) = logging::level(typed.verbose, env)? {
            logging::start(level, settings.log_format.value, out.colors_talk());
            if let Some(config) = config {
                tracing::info!(path = %config.path().display(), "read the configuration");
            }
        }
        let reveal = if typed.reveal { Reveal::Yes } else { Reveal::No };
        Ok(Self { env, settings, format, cache: cache(env), reveal, out, interrupt })
    }
}

fn cache(env: &Env) -> Option<PathBuf> {
    let home = || env.path("HOME").map(|home| home.join(".cache"));
    let caches = || env.path("XDG_CACHE_HOME").or_else(home).map(|caches| caches.join("tfstate"));
    env.path("TFSTATE_CACHE_DIR").or_else(caches)
}

fn settings(
    typed: &Global,
    env: &Env,
    out: &mut Output,
) -> Result<(Settings, Option<Config>), Failure> {
    let folder = std::env::current_dir()
        .map_err(|error| Failure::new("cannot find out which folder this is").because(&error));
    let (config, distrusted) = settings::read_config(typed.config.as_deref(), env, &folder?)?;
    for path in distrusted {
        warn_of(&path, out);
    }
    Ok((Settings::resolve(typed, env, config.as_ref()), config))
}

fn warn_of(path: &Path, out: &mut Output) {
    let path = path.display();
    out.warning(
        &format!("passed over {path}, which belongs to another user"),
        Some(&format!("give `--config {path}` if you trust it")),
    );
}

/// Returns the format to print in. What comes after the command was checked while parsing, where
/// it can be completed; what comes before it is checked here.
fn format(cli: &Cli) -> Result<Format, Failure> {
    let name = cli.command.name();
    let formats = command::formats(name);
    let Some(typed) = cli.global.output else {
        return Ok(formats.first().copied().unwrap_or(Format::Text));
    };
    if formats.contains(&typed) {
        return Ok(typed);
    }
    let failure = Failure::new(format!("`tfstate {name}` cannot print {}", typed.name()));
    let names: Vec<String> = formats.iter().map(|format| format.name()).collect();
    Err(match names.as_slice() {
        [] => failure.hint("leave out `-o`: there is only one way to print this"),
        names => failure.hint(format!("use one of: {}", names.join(", "))),
    })
}
