//! State that outlives the process: records of clusters in a folder.

pub mod database;
