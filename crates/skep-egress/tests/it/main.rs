//! Calls over a scripted network: what is resolved, connected to, sent and read.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod network;
#[cfg(test)]
mod opened;
#[cfg(test)]
mod redirects;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod ssrf;
#[cfg(test)]
mod tls;
