//! The document: what a state file says, exact to the byte. No I/O, no clock, no terminal.
//!
//! [`Document::parse`](document::Document::parse) reads a state of any version; everything else
//! is a view of it. The modules from the bottom up: [`scan`] walks JSON text, [`value`] and
//! [`path`] are what it becomes when decoded, [`address`] and [`provider`] are Terraform's names
//! for things, [`upgrade`] brings old versions to the present one, [`parse`] builds the index,
//! [`document`] and [`details`] read through it, [`edit`] splices, [`schema`] is what providers say
//! of their types, and [`sensitive`] knows what to hide.

pub mod address;
pub mod bytes;
pub mod details;
pub mod document;
pub mod edit;
pub(crate) mod embedded;
mod flatmap;
pub mod glance;
pub mod header;
mod index;
mod locate;
pub mod parse;
pub mod path;
pub mod provider;
pub mod scan;
pub mod schema;
pub mod sensitive;
mod table;
pub mod upgrade;
pub mod value;
mod yaml;
