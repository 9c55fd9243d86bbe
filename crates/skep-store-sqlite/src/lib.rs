//! The embedded backend: one SQLite file per workspace beside a control file.
