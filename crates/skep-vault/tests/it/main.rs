//! The vault against whoever may touch its files, its keys and its classes.

#[cfg(test)]
mod files;
#[cfg(test)]
mod house;
#[cfg(test)]
mod lent;
#[cfg(test)]
mod own;
#[cfg(test)]
mod records;
#[cfg(test)]
mod rotation;
