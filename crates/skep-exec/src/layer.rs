//! The layers of the sandbox: by name, so that a template can demand them and an outcome report
//! them.

use std::fmt;

/// One layer between a program and the rest of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Layer {
    /// A session of its own, without a terminal.
    Session = 0,
    /// No file descriptor but the three standard ones and those of the plan.
    Descriptors = 1,
    /// `no_new_privs`: setuid programs give nothing.
    NoNewPrivileges = 2,
    /// No capability, and none to be had.
    NoCapabilities = 3,
    /// No core file.
    NoCore = 4,
    /// A user namespace.
    Users = 5,
    /// A process namespace: the program sees and signals its own processes only, and none
    /// outlives it.
    Processes = 6,
    /// A network namespace: nothing leads out but the proxy, if the plan has one.
    Network = 7,
    /// A namespace for shared memory and message queues.
    Ipc = 8,
    /// A namespace for the host's name.
    Hostname = 9,
    /// A file tree that holds only what the plan shows, with a `/tmp` in memory.
    Files = 10,
    /// A `/proc` that shows only the program's own processes.
    Proc = 11,
    /// Landlock's rules for files.
    Landlock = 12,
    /// Landlock's rules for TCP.
    LandlockTcp = 13,
    /// Landlock's walls against signals and abstract sockets.
    LandlockScope = 14,
    /// The filter of system calls.
    Seccomp = 15,
    /// The bound on the number of processes.
    ProcessLimit = 16,
}

impl Layer {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Session,
        Self::Descriptors,
        Self::NoNewPrivileges,
        Self::NoCapabilities,
        Self::NoCore,
        Self::Users,
        Self::Processes,
        Self::Network,
        Self::Ipc,
        Self::Hostname,
        Self::Files,
        Self::Proc,
        Self::Landlock,
        Self::LandlockTcp,
        Self::LandlockScope,
        Self::Seccomp,
        Self::ProcessLimit,
    ];

    /// Its name on the wire and in templates.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Descriptors => "descriptors",
            Self::NoNewPrivileges => "no-new-privileges",
            Self::NoCapabilities => "no-capabilities",
            Self::NoCore => "no-core",
            Self::Users => "users",
            Self::Processes => "processes",
            Self::Network => "network",
            Self::Ipc => "ipc",
            Self::Hostname => "hostname",
            Self::Files => "files",
            Self::Proc => "proc",
            Self::Landlock => "landlock",
            Self::LandlockTcp => "landlock-tcp",
            Self::LandlockScope => "landlock-scope",
            Self::Seccomp => "seccomp",
            Self::ProcessLimit => "process-limit",
        }
    }

    /// The layer of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.name() == name)
    }

    fn bit(self) -> u32 {
        1 << self as u8
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A set of layers: without each of them the program does not start.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Demand(u32);

impl Demand {
    /// Runs whatever can be applied.
    #[must_use]
    pub fn nothing() -> Self {
        Self(0)
    }

    /// Every layer there is. A daemon that runs as root cannot meet it: the kernel does not bound
    /// root's processes.
    #[must_use]
    pub fn everything() -> Self {
        Layer::ALL.into_iter().collect()
    }

    /// What makes the promises of the documents: no way to other processes, to files that the plan
    /// does not name (Landlock keeps them from being read and written, not from being seen), or to the network unless the plan opens it ([`Layer::Network`] is added where
    /// it does not).
    #[must_use]
    pub fn usual() -> Self {
        [
            Layer::Session,
            Layer::Descriptors,
            Layer::NoNewPrivileges,
            Layer::NoCapabilities,
            Layer::NoCore,
            Layer::Processes,
            Layer::Files,
            Layer::Proc,
            Layer::Landlock,
            Layer::Seccomp,
        ]
        .into_iter()
        .collect()
    }

    /// The same and this one.
    #[must_use]
    pub fn and(self, layer: Layer) -> Self {
        Self(self.0 | layer.bit())
    }

    /// The same without this one.
    #[must_use]
    pub fn without(self, layer: Layer) -> Self {
        Self(self.0 & !layer.bit())
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn has(self, layer: Layer) -> bool {
        self.0 & layer.bit() != 0
    }

    /// Those among them, in order.
    pub fn layers(self) -> impl Iterator<Item = Layer> {
        Layer::ALL.into_iter().filter(move |layer| self.has(*layer))
    }

    /// Those of them that are not in the other set.
    pub(crate) fn beyond(self, applied: Self) -> Self {
        Self(self.0 & !applied.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits) & Self::everything()
    }
}

impl std::ops::BitAnd for Demand {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl FromIterator<Layer> for Demand {
    fn from_iter<I: IntoIterator<Item = Layer>>(layers: I) -> Self {
        layers.into_iter().fold(Self(0), Self::and)
    }
}

impl fmt::Debug for Demand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set()
            .entries(self.layers().map(Layer::name))
            .finish()
    }
}

/// A layer that was not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub layer: Layer,
    /// Why not, in words; nothing of the plan stands in it.
    pub reason: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.layer, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::{Demand, Layer};

    #[test]
    fn names_and_bits_lead_back() {
        for (number, layer) in Layer::ALL.into_iter().enumerate() {
            assert_eq!(layer as usize, number);
            assert_eq!(Layer::from_name(layer.name()), Some(layer));
        }
        let demand = Demand::usual();
        assert_eq!(Demand::from_bits(demand.bits()), demand);
        assert_eq!(demand.layers().collect::<Demand>(), demand);
        assert!(demand.beyond(demand).is_empty());
        assert!(demand.without(Layer::Seccomp).and(Layer::Seccomp) == demand);
        assert_eq!(Demand::from_bits(u32::MAX), Demand::everything());
    }
}
