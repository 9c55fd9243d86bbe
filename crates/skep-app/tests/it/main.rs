//! The use cases over a real store: the indexes in memory, and upkeep.

#[cfg(test)]
mod authority;
#[cfg(test)]
mod counting;
#[cfg(test)]
mod distilling;
#[cfg(test)]
mod embedding;
#[cfg(test)]
mod floods;
#[cfg(test)]
mod guessing;
#[cfg(test)]
mod hints;
#[cfg(test)]
mod hot_indexes;
#[cfg(test)]
mod injecting;
#[cfg(test)]
mod metering;
#[cfg(test)]
mod model;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod passkey_logins;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod sinks;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod world;
