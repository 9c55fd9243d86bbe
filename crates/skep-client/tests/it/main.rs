//! The client against a scripted server.

#[cfg(test)]
mod requests;
#[cfg(test)]
mod scripted;
