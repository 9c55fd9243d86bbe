//! What a collector is sent.

#[cfg(test)]
mod collector;
#[cfg(test)]
mod told;
