//! What a program's environment says of the proxy, for the tools that read each variable.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::Lease;

/// Each of these names a file of certificates. Those of Node and Deno add to what is built in, the
/// others take its place, which is why the bundle holds the system's too.
const BUNDLES: [&str; 13] = [
    "SSL_CERT_FILE",                      // OpenSSL, Go, Rust, Ruby, PHP, uv
    "NIX_SSL_CERT_FILE",                  // what Nix builds
    "CURL_CA_BUNDLE",                     // curl, and what is built on it
    "REQUESTS_CA_BUNDLE",                 // Python: requests
    "PIP_CERT",                           // pip
    "NODE_EXTRA_CA_CERTS",                // Node, Bun, npm
    "DENO_CERT",                          // Deno
    "GIT_SSL_CAINFO",                     // git
    "AWS_CA_BUNDLE",                      // AWS's command and SDKs
    "CARGO_HTTP_CAINFO",                  // cargo
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", // gcloud
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",   // gRPC in C, Python, Ruby
    "HEX_CACERTS_PATH",                   // Elixir's packages
];

/// Hosts that are never asked of the proxy: it would refuse them, and a program's own servers are none
/// of its business.
const DIRECT: &str = "localhost,127.0.0.1,::1";

/// The variables of a program that reaches its lease at one address.
#[derive(Clone, Debug)]
pub struct Environment {
    proxy: SocketAddr,
    bundle: PathBuf,
}

impl Environment {
    /// `proxy` is where the program finds the lease: its own address, or, in a sandbox, whatever leads
    /// to its socket. `bundle` was written by [`crate::Wire::write_bundle`].
    #[must_use]
    pub fn new(proxy: SocketAddr, bundle: &Path) -> Self {
        Self {
            proxy,
            bundle: bundle.to_owned(),
        }
    }

    /// Name and value of each, for this lease. They hold the proxy's password, which ends with it.
    #[must_use]
    pub fn of(&self, lease: &Lease) -> Vec<(&'static str, String)> {
        let proxy = lease.proxy_url(self.proxy);
        let mut all = Vec::new();
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            all.push((name, proxy.clone()));
        }
        for name in ["NO_PROXY", "no_proxy"] {
            all.push((name, DIRECT.to_owned()));
        }
        let bundle = self.bundle.to_string_lossy();
        for name in BUNDLES {
            all.push((name, bundle.clone().into_owned()));
        }
        // Node reads the variables above only when it is told to.
        all.push(("NODE_USE_ENV_PROXY", "1".to_owned()));
        all
    }
}
