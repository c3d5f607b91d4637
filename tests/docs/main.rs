//! The documentation's pages: their references exist, and their style is right.

mod links;
mod names;
mod style;
