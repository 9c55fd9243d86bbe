//! The real daemon process: what it refuses to start with, how it stops, and what it leaves.

mod home;
mod refusals;
mod running;
