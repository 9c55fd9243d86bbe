//! In-process daemon, personas, clocks and scratch directories for tests.
