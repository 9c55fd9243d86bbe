//! nginx as a plain reverse proxy: what the hop alone costs on this machine.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use skep_test_support::Scratch;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// Where distributions put it.
const PLACES: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];

/// A running one.
pub(super) struct Nginx {
    pub(super) address: SocketAddr,
    child: Child,
    _home: Scratch,
}

/// A port that is free now.
pub(super) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl Nginx {
    /// Starts it in front of a server; none if there is no nginx here.
    pub(super) async fn start(upstream: SocketAddr) -> Result<Option<Self>> {
        let Some(program) = PLACES.into_iter().find(|place| Path::new(place).exists()) else {
            return Ok(None);
        };
        let home = Scratch::new();
        let address = free_address()?;
        let at = home.path().display();
        let settings = format!(
            "daemon off; worker_processes 2; pid {at}/pid; error_log {at}/error.log;\n\
             events {{ worker_connections 4096; }}\n\
             http {{ access_log off; client_body_temp_path {at}/a; proxy_temp_path {at}/b; fastcgi_temp_path {at}/c;\n\
             uwsgi_temp_path {at}/d; scgi_temp_path {at}/e; keepalive_requests 100000000;\n\
             upstream up {{ server {upstream}; keepalive 128; keepalive_requests 100000000; }}\n\
             server {{ listen {address}; location / {{ proxy_pass http://up; proxy_http_version 1.1;\n\
             proxy_set_header Connection \"\"; }} }} }}\n"
        );
        let file = home.path().join("nginx.conf");
        std::fs::write(&file, settings)?;
        let mut child = Command::new(program)
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("starting nginx")?;
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = child.try_wait()? {
                bail!("nginx ended with {status}");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(Some(Self {
            address,
            child,
            _home: home,
        }))
    }

    /// Ends its workers too, which a kill would leave behind.
    pub(super) async fn stop(mut self) -> Result<()> {
        let id = self.child.id().context("nginx ended by itself")?;
        let pid = rustix::process::Pid::from_raw(id.cast_signed()).context("a process id")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        self.child.wait().await?;
        Ok(())
    }
}
