//! The edge from outside: real store, real listeners, requests byte by byte.
#![expect(
    clippy::too_many_lines,
    reason = "a table, or one walk all the way through, reads better in one piece"
)]

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod bad_bodies;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod capturing;
#[cfg(test)]
mod crawler;
#[cfg(test)]
mod exec;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod fetching;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod gateway_again;
#[cfg(test)]
mod gateway_capture;
#[cfg(test)]
mod gateway_clients;
#[cfg(test)]
mod gateway_crossing;
#[cfg(test)]
mod gateway_directives;
#[cfg(test)]
mod gateway_forms;
#[cfg(test)]
mod gateway_given;
#[cfg(test)]
mod gateway_limits;
#[cfg(test)]
mod gateway_memory;
#[cfg(test)]
mod gateway_money;
#[cfg(test)]
mod gateway_replay;
#[cfg(test)]
mod gateway_sec;
#[cfg(test)]
mod gateway_streams;
#[cfg(test)]
mod grants;
#[cfg(test)]
mod held_back;
#[cfg(test)]
mod hidden;
#[cfg(test)]
mod injection;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod logins;
#[cfg(test)]
mod marks;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod mcp_files;
#[cfg(test)]
mod mcp_record;
#[cfg(test)]
mod modes;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod ontology;
#[cfg(test)]
mod panics;
#[cfg(test)]
mod people;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod registering;
#[cfg(test)]
mod second_factor;
#[cfg(test)]
mod skills;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod sso;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod takeover;
#[cfg(test)]
mod templates;
#[cfg(test)]
mod third_party;
#[cfg(test)]
mod tombstones;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod unavailable;
#[cfg(test)]
mod unrecorded;
#[cfg(test)]
mod vault;
