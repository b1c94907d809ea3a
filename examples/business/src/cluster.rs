//! A cluster of three NATS servers on this machine, which survives the loss of one.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Outcome;

/// The server processes. They are killed on drop.
pub struct Cluster {
    directory: PathBuf,
    clients: Vec<u16>,
    routes: Vec<u16>,
    servers: Vec<Option<Child>>,
}

impl Cluster {
    /// Starts the servers, with their files below `directory`.
    ///
    /// # Errors
    ///
    /// If `nats-server` is not installed.
    pub fn start(directory: &Path) -> Outcome<Self> {
        let free = || Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
        let ports = || (0..SERVERS).map(|_| free()).collect::<Outcome<Vec<u16>>>();
        let mut cluster = Self {
            directory: directory.to_owned(),
            clients: ports()?,
            routes: ports()?,
            servers: (0..SERVERS).map(|_| None).collect(),
        };
        (0..SERVERS).try_for_each(|index| cluster.restart(index))?;
        Ok(cluster)
    }

    /// Returns the URL for clients.
    #[must_use]
    pub fn url(&self) -> String {
        let urls: Vec<_> = self.clients.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        urls.join(",")
    }

    /// Kills one server with SIGKILL.
    ///
    /// # Errors
    ///
    /// If the operating system refuses.
    pub fn kill(&mut self, index: usize) -> Outcome<()> {
        if let Some(mut server) = self.servers.get_mut(index).and_then(Option::take) {
            server.kill()?;
            server.wait()?;
        }
        Ok(())
    }

    /// Starts one server again with its old files.
    ///
    /// # Errors
    ///
    /// If `nats-server` is not installed.
    pub fn restart(&mut self, index: usize) -> Outcome<()> {
        let routes: Vec<_> = self.routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let files = self.directory.join(format!("server-{index}"));
        let mut command = Command::new("nats-server");
        command.args(["-a", "127.0.0.1", "-p", &self.clients[index].to_string(), "-js", "-sd"]).arg(&files);
        command.args(["-n", &format!("server-{index}"), "--cluster_name", "business"]);
        command.args(["--cluster", &routes[index], "--routes", &routes.join(",")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = command.spawn().map_err(|error| format!("nats-server: {error} (apt-get install nats-server)"))?;
        self.servers[index] = Some(server);
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for index in 0..self.servers.len() {
            let _gone = self.kill(index);
        }
    }
}

/// Number of servers: the smallest of which one can be lost.
pub const SERVERS: usize = 3;
