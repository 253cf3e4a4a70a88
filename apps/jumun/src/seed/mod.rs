//! Data to begin with: a small shop to try out, or a large one for load tests.

mod demo;
mod scale;

pub use demo::load as load_demo;
pub use scale::load as load_scale;
