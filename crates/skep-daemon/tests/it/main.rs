//! The real daemon process: what it refuses to start with, how it stops, and what it leaves.

#[cfg(test)]
mod asking;
#[cfg(test)]
mod database;
#[cfg(test)]
mod erasing;
#[cfg(test)]
mod exec;
#[cfg(test)]
mod home;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod link;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod restoring;
#[cfg(test)]
mod rotating;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod running;
#[cfg(test)]
mod wire;
