//! Files: written whole or not at all, and mapped to be read without copying.
//!
//! Nothing else in this crate creates or overwrites a file. Errors are plain [`std::io::Error`]s
//! that do not name the file; the caller knows what the file is to the user and says so.

mod map;
mod write;

pub use map::Mapped;
#[cfg(all(unix, feature = "cli"))]
pub use map::install_sigbus_guard;
pub use write::{
    create_private_folder, remove, replace, replace_cached_with, replace_with, write_new,
    write_new_with,
};
