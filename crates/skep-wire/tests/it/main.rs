//! A proxy on loopback, programs that speak through it, and origins that record what they got.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod environment;
#[cfg(test)]
mod git;
#[cfg(test)]
mod network;
#[cfg(test)]
mod origin;
#[cfg(test)]
mod repository;
#[cfg(test)]
mod speaking;
#[cfg(test)]
mod stand;
#[cfg(test)]
mod upgrades;
#[cfg(test)]
mod values;
#[cfg(test)]
mod who;
