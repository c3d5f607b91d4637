//! The pages of the documentation: what they point to exists, and they read as they should.

mod links;
mod names;
mod style;
