//! Counting with a real Redis.

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod away;
#[cfg(test)]
mod names;
