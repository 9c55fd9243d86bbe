//! The command line `skep`: verbs and importers' readers over the client.
fn main() {}
