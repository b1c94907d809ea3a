//! A cluster of three etcd servers on this machine, which survives the loss of one.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rand::RngExt;

use crate::Outcome;

/// The server processes. They are killed on drop.
pub struct Cluster {
    directory: PathBuf,
    clients: Vec<u16>,
    peers: Vec<u16>,
    servers: Vec<Option<Child>>,
}

impl Cluster {
    /// Starts the servers, with their files and logs (`server-0.log` and so on) in `directory`.
    ///
    /// # Errors
    ///
    /// If `etcd` is not installed.
    pub fn start(directory: &Path) -> Outcome<Self> {
        // All listeners are there at once, so that no port is drawn twice.
        let free = (0..2 * SERVERS).map(|_| free_port()).collect::<Outcome<Vec<_>>>()?;
        let mut ports = free.iter().map(|free| Ok(free.local_addr()?.port())).collect::<Outcome<Vec<_>>>()?;
        drop(free);
        let mut cluster = Self {
            directory: directory.to_owned(),
            peers: ports.split_off(SERVERS),
            clients: ports,
            servers: (0..SERVERS).map(|_| None).collect(),
        };
        (0..SERVERS).try_for_each(|index| cluster.restart(index))?;
        Ok(cluster)
    }

    /// Returns the URLs for clients.
    #[must_use]
    pub fn urls(&self) -> String {
        let urls: Vec<_> = self.clients.iter().map(|port| url(*port)).collect();
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
    /// If `etcd` is not installed.
    pub fn restart(&mut self, index: usize) -> Outcome<()> {
        let (client, peer) = (url(self.clients[index]), url(self.peers[index]));
        let members: Vec<_> =
            self.peers.iter().enumerate().map(|(index, port)| format!("server-{index}={}", url(*port))).collect();
        let log = self.directory.join(format!("server-{index}.log"));
        let log = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new("etcd");
        command.arg("--data-dir").arg(self.directory.join(format!("server-{index}")));
        command.args(["--name", &format!("server-{index}"), "--initial-cluster", &members.join(",")]);
        command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
        command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        // On a busy machine a leader is late now and then; that is no reason to elect another.
        command.args(["--heartbeat-interval", "200", "--election-timeout", "2000"]);
        // What was overwritten is of no use here.
        command.args(["--auto-compaction-mode", "revision", "--auto-compaction-retention", "1000"]);
        command.args(["--logger", "zap"]);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let server = command.spawn().map_err(|error| format!("etcd: {error} (apt-get install etcd-server)"))?;
        self.servers[index] = Some(server);
        Ok(())
    }

    /// Checks that every server runs.
    ///
    /// # Errors
    ///
    /// If one has exited by itself, for instance because its port was taken.
    pub fn all_alive(&mut self) -> Outcome<()> {
        for (index, server) in self.servers.iter_mut().enumerate() {
            if let Some(status) = server.as_mut().map(Child::try_wait).transpose()?.flatten() {
                return Err(format!("server {index} exited by itself: {status}").into());
            }
        }
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

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Listens at a port at which nobody else does. It is below those that the system gives to outgoing connections, so that
/// it is still free when a server comes back.
fn free_port() -> Outcome<TcpListener> {
    for _ in 0..100 {
        let port = rand::rng().random_range(10_000..32_000);
        if let Ok(free) = TcpListener::bind(("127.0.0.1", port)) {
            return Ok(free);
        }
    }
    Err("no free port".into())
}

/// Number of servers: the smallest of which one can be lost.
pub const SERVERS: usize = 3;
