//! The program as a person or a script runs it.
