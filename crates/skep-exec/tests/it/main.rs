//! Runs of real programs in the real sandbox.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod network;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod runs;
mod tree;
