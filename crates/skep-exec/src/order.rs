//! What the launcher is told, and what it answers.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::frame::{Reader, Writer};
use crate::layer::{Demand, Layer, Missing};
use crate::outcome::Exit;
use crate::plan::{Draft, Egress, Input, Limits};

/// How a program's network is laid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Net {
    /// Its own, empty.
    None,
    /// Its own, with the proxy at this port.
    Proxy(u16),
    /// The host's.
    Open,
}

/// For the outer launcher: nothing in it is secret.
pub(crate) struct Outer {
    pub(crate) net: Net,
    /// Where the proxy listens.
    pub(crate) socket: PathBuf,
}

/// A path of the plan, and where it really is.
pub(crate) struct Shown {
    pub(crate) path: PathBuf,
    pub(crate) real: PathBuf,
    pub(crate) writable: bool,
}

/// For the inner launcher. The values lie in the frame that it was read from, which is wiped.
pub(crate) struct Inner<'a> {
    pub(crate) net: Net,
    pub(crate) demand: Demand,
    pub(crate) local_sockets: bool,
    pub(crate) limits: Limits,
    /// A folder of this run's alone.
    pub(crate) scratch: &'a Path,
    pub(crate) program: &'a OsStr,
    pub(crate) dir: Option<&'a Path>,
    pub(crate) args: Vec<&'a OsStr>,
    pub(crate) names: Vec<&'a OsStr>,
    pub(crate) values: Vec<&'a OsStr>,
    pub(crate) fds: Vec<(u32, &'a [u8])>,
    pub(crate) stdin: &'a [u8],
    pub(crate) shown: Vec<Shown>,
}

impl Net {
    pub(crate) fn of(egress: &Egress) -> Self {
        match egress {
            Egress::None => Self::None,
            Egress::Proxy { port, .. } => Self::Proxy(*port),
            Egress::Open => Self::Open,
        }
    }

    fn number(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Open => 1,
            Self::Proxy(port) => u64::from(port),
        }
    }

    fn from_number(number: u64) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Open,
            port => Self::Proxy(port as u16),
        }
    }
}

/// The frame for the outer launcher.
pub(crate) fn for_outer(egress: &Egress) -> Zeroizing<Vec<u8>> {
    let mut writer = Writer::new(8192);
    writer.number(Net::of(egress).number());
    match egress {
        Egress::Proxy { socket, .. } => writer.bytes(socket.as_os_str().as_bytes()),
        _ => writer.bytes(b""),
    }
    writer.frame()
}

impl Outer {
    pub(crate) fn read(body: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(body);
        Ok(Self {
            net: Net::from_number(reader.number()?),
            socket: PathBuf::from(OsStr::from_bytes(reader.bytes()?)),
        })
    }
}

/// Where the private `/tmp` is when there is a file tree of its own.
pub(crate) const TMP: &str = "/tmp";
/// Stands in the environment for the private folder until it is known where that is.
const HERE: &[u8] = b"\0";

/// The frame for the inner launcher.
pub(crate) fn for_inner(draft: &Draft, scratch: &Path, shown: &[Shown]) -> Zeroizing<Vec<u8>> {
    let env = draft.environment(HERE);
    let stdin = match &draft.stdin {
        Input::Public(bytes) => bytes.as_slice(),
        Input::Secret(secret) => secret.value.expose(),
    };
    let secrets: usize = draft
        .fds
        .iter()
        .map(|(_, secret)| secret.value.expose().len() + 16)
        .sum();
    let args: usize = draft.args.iter().map(|arg| arg.len() + 8).sum();
    let variables: usize = env
        .iter()
        .map(|(name, value)| name.len() + value.len() + 16)
        .sum();
    let paths: usize = shown
        .iter()
        .map(|shown| shown.path.as_os_str().len() + shown.real.as_os_str().len() + 24)
        .sum();
    let mut writer = Writer::new(secrets + args + variables + paths + stdin.len() + (32 << 10));
    writer.number(Net::of(&draft.egress).number());
    writer.number(u64::from(draft.demand.bits()));
    writer.number(u64::from(draft.local_sockets));
    let limits = &draft.limits;
    writer.number(limits.cpu.map_or(0, |cpu| cpu.as_secs()));
    writer.number(limits.memory);
    writer.number(u64::from(limits.processes));
    writer.number(u64::from(limits.files));
    writer.number(limits.scratch);
    writer.bytes(scratch.as_os_str().as_bytes());
    writer.bytes(draft.program.as_os_str().as_bytes());
    writer.bytes(
        draft
            .dir
            .as_ref()
            .map_or(b"", |dir| dir.as_os_str().as_bytes()),
    );
    writer.list(draft.args.iter().map(Vec::as_slice));
    writer.list(env.keys().copied().collect::<Vec<_>>().into_iter());
    writer.list(env.values().copied().collect::<Vec<_>>().into_iter());
    writer.number(draft.fds.len() as u64);
    for (number, secret) in &draft.fds {
        writer.number(u64::from(*number));
        writer.bytes(secret.value.expose());
    }
    writer.bytes(stdin);
    writer.number(shown.len() as u64);
    for shown in shown {
        writer.bytes(shown.path.as_os_str().as_bytes());
        writer.bytes(shown.real.as_os_str().as_bytes());
        writer.number(u64::from(shown.writable));
    }
    writer.frame()
}

impl<'a> Inner<'a> {
    pub(crate) fn read(body: &'a [u8]) -> io::Result<Self> {
        let mut reader = Reader::new(body);
        let net = Net::from_number(reader.number()?);
        let demand = Demand::from_bits(reader.number()? as u32);
        let local_sockets = reader.number()? != 0;
        let cpu = reader.number()?;
        let limits = Limits {
            cpu: (cpu > 0).then(|| std::time::Duration::from_secs(cpu)),
            memory: reader.number()?,
            processes: reader.number()? as u32,
            files: reader.number()? as u32,
            scratch: reader.number()?,
        };
        let path = |bytes: &'a [u8]| Path::new(OsStr::from_bytes(bytes));
        let strings = |list: Vec<&'a [u8]>| list.into_iter().map(OsStr::from_bytes).collect();
        let scratch = path(reader.bytes()?);
        let program = OsStr::from_bytes(reader.bytes()?);
        let dir = Some(reader.bytes()?)
            .filter(|dir| !dir.is_empty())
            .map(path);
        let args = strings(reader.list()?);
        let names = strings(reader.list()?);
        let values = strings(reader.list()?);
        let fds = (0..reader.number()?)
            .map(|_| Ok((reader.number()? as u32, reader.bytes()?)))
            .collect::<io::Result<_>>()?;
        let stdin = reader.bytes()?;
        let shown = (0..reader.number()?)
            .map(|_| {
                Ok(Shown {
                    path: path(reader.bytes()?).to_owned(),
                    real: path(reader.bytes()?).to_owned(),
                    writable: reader.number()? != 0,
                })
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            net,
            demand,
            local_sockets,
            limits,
            scratch,
            program,
            dir,
            args,
            names,
            values,
            fds,
            stdin,
            shown,
        })
    }

    /// The environment, now that it is known where the private folder is.
    pub(crate) fn environment(
        &self,
        private: &'a Path,
    ) -> impl Iterator<Item = (&'a OsStr, &'a OsStr)> {
        let values = self.values.iter().map(move |value| {
            if value.as_bytes() == HERE {
                private.as_os_str()
            } else {
                value
            }
        });
        self.names.iter().copied().zip(values)
    }
}

/// What a launcher says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// What was applied and what was not.
    Layers(Demand, Vec<Missing>),
    /// Something that the plan demands was not.
    Refused,
    /// The program was not started: what failed, and its error number.
    NotStarted(String, i32),
    /// How it ended.
    Ended(Exit),
}

impl Report {
    pub(crate) fn frame(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::new(4096);
        match self {
            Self::Layers(applied, missing) => {
                writer.number(1);
                writer.number(u64::from(applied.bits()));
                writer.number(missing.len() as u64);
                for Missing { layer, reason } in missing {
                    writer.number(*layer as u64);
                    writer.bytes(reason.as_bytes());
                }
            }
            Self::Refused => writer.number(2),
            Self::NotStarted(what, errno) => {
                writer.number(3);
                writer.bytes(what.as_bytes());
                writer.number(*errno as u64);
            }
            Self::Ended(Exit::Code(code)) => {
                writer.number(4);
                writer.number(*code as u64);
            }
            Self::Ended(Exit::Signal(signal)) => {
                writer.number(5);
                writer.number(*signal as u64);
            }
            Self::Ended(_) => writer.number(6),
        }
        writer.frame()
    }

    pub(crate) fn read(body: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(body);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(match reader.number()? {
            1 => {
                let applied = Demand::from_bits(reader.number()? as u32);
                let missing = (0..reader.number()?)
                    .map(|_| {
                        let number = reader.number()?;
                        let layer = Layer::ALL.get(number as usize).copied();
                        Ok(Missing {
                            layer: layer.ok_or(io::ErrorKind::InvalidData)?,
                            reason: text(reader.bytes()?),
                        })
                    })
                    .collect::<io::Result<_>>()?;
                Self::Layers(applied, missing)
            }
            2 => Self::Refused,
            3 => Self::NotStarted(text(reader.bytes()?), reader.number()? as i32),
            4 => Self::Ended(Exit::Code(reader.number()? as i32)),
            5 => Self::Ended(Exit::Signal(reader.number()? as i32)),
            _ => Self::Ended(Exit::Lost),
        })
    }
}
