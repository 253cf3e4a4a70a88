//! What is measured and what it runs on: the service, its databases, and what their processes use.

pub(crate) mod bare;
pub(crate) mod processes;
pub(crate) mod prometheus;
pub(crate) mod service;
pub(crate) mod shop;
