//! References from outside: scripted servers with the documented answers, real files.
#[cfg(test)]
mod files;
#[cfg(test)]
mod servers;
