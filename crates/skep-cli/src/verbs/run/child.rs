//! The program itself: started, its signals passed on, its lease renewed as long as it runs.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use skep_api::ErrorCode;
use skep_api::lease::BegunLease;
use skep_client::{Client, ClientError};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{interval, timeout};

use super::surroundings::Surroundings;
use crate::context::Context;
use crate::layout::one_line;

/// No such program, and one that cannot be started: what shells say.
const NOT_FOUND: u8 = 127;
const NOT_STARTED: u8 = 126;
/// What is added to the number of the signal that ended it.
const SIGNALLED: i32 = 128;
/// How long the end of a lease is waited for; without it, it ends as one that nobody renews.
const ENDING: Duration = Duration::from_secs(3);
/// Between two renewals at least, and at most.
const RENEW: (u32, u32) = (5, 60);

/// What is passed on to the program.
const PASSED: [(fn() -> SignalKind, Signal); 6] = [
    (SignalKind::hangup, Signal::HUP),
    (SignalKind::interrupt, Signal::INT),
    (SignalKind::quit, Signal::QUIT),
    (SignalKind::terminate, Signal::TERM),
    (SignalKind::user_defined1, Signal::USR1),
    (SignalKind::user_defined2, Signal::USR2),
];

/// Runs it to its end and gives its exit code. The lease ends with it.
pub(super) async fn run(
    context: &Context<'_>,
    client: &mut Client,
    begun: &BegunLease,
    surroundings: &Surroundings,
    command: &[OsString],
) -> u8 {
    // Before there is a program, so that no signal ends us and leaves it.
    let signals = Signals::new(ignored());
    let code = match started(surroundings, command) {
        Ok(child) => watched(context, client, begun, (child, signals)).await,
        Err(error) => {
            let program = command.first().map(|program| program.to_string_lossy());
            let program = one_line(&program.unwrap_or_default());
            context
                .output
                .complain(&format!("skep: {program} cannot be run: {error}"));
            if error.kind() == io::ErrorKind::NotFound {
                NOT_FOUND
            } else {
                NOT_STARTED
            }
        }
    };
    end(client, &begun.id).await;
    code
}

/// Ends a lease, if the daemon can be asked to.
pub(super) async fn end(client: &mut Client, id: &str) {
    let _later = timeout(ENDING, client.end_lease(id)).await;
}

fn started(surroundings: &Surroundings, command: &[OsString]) -> io::Result<Child> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::NotFound)?;
    Command::new(program)
        .args(arguments)
        .envs(surroundings.all())
        .spawn()
}

/// Until it has ended.
async fn watched(
    context: &Context<'_>,
    client: &mut Client,
    begun: &BegunLease,
    (mut child, mut signals): (Child, Signals),
) -> u8 {
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let mut renewing = Renewing::new(begun);
    loop {
        tokio::select! {
            ended = child.wait() => return match ended {
                Ok(status) => code(status),
                Err(error) => {
                    context.output.complain(&format!("skep: the program cannot be waited for: {error}"));
                    NOT_STARTED
                }
            },
            received = signals.next() => if let Some(pid) = pid.filter(|_| is_ours_alone(received)) {
                // It may have ended meanwhile.
                let _gone = kill_process(pid, received);
            },
            () = renewing.due() => renewing.renew(context, client, &begun.id).await,
        }
    }
}

fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| SIGNALLED + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(NOT_STARTED)
}

/// Whether the program has not got it already: what is typed at a terminal goes to both of us.
fn is_ours_alone(signal: Signal) -> bool {
    if signal != Signal::INT && signal != Signal::QUIT {
        return true;
    }
    let terminal = File::open("/dev/tty");
    let in_front = terminal.ok().and_then(|terminal| tcgetpgrp(terminal).ok());
    in_front != Some(getpgrp())
}

/// The signals that we ignore, a bit for each; none where the system does not say.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// The signals that come to us.
struct Signals(Vec<(tokio::signal::unix::Signal, Signal)>);

impl Signals {
    /// Those that are ignored stay so, for the program too: `nohup` asks for that.
    fn new(ignored: u64) -> Self {
        let heard = PASSED.iter().filter(|(_, passed)| {
            let bit = passed.as_raw() - 1;
            ignored >> bit & 1 == 0
        });
        let listened = heard.filter_map(|(kind, passed)| {
            let listened = signal(kind()).ok()?;
            Some((listened, *passed))
        });
        Self(listened.collect())
    }

    async fn next(&mut self) -> Signal {
        std::future::poll_fn(|context| {
            for (listened, passed) in &mut self.0 {
                if let std::task::Poll::Ready(Some(())) = listened.poll_recv(context) {
                    return std::task::Poll::Ready(*passed);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

/// Saying, again and again, that the program still runs.
struct Renewing {
    /// None for a lease that needs it not, or is over.
    ticks: Option<tokio::time::Interval>,
    has_complained: bool,
}

impl Renewing {
    fn new(begun: &BegunLease) -> Self {
        let ticks = begun.renew_within_seconds.map(|within| {
            let every = (within / 4).clamp(RENEW.0, RENEW.1);
            let mut ticks = interval(Duration::from_secs(every.into()));
            ticks.reset();
            ticks
        });
        Self {
            ticks,
            has_complained: false,
        }
    }

    async fn due(&mut self) {
        match &mut self.ticks {
            Some(ticks) => {
                ticks.tick().await;
            }
            None => std::future::pending().await,
        }
    }

    async fn renew(&mut self, context: &Context<'_>, client: &mut Client, id: &str) {
        let mut renewed = client.renew_lease(id).await;
        if needs_login(&renewed)
            && let Ok(reach) = context.reach()
            && let Ok(fresh) = reach.connect(&context.home).await
        {
            // Tokens of a login are good for minutes, programs run for hours.
            *client = fresh;
            renewed = client.renew_lease(id).await;
        }
        let Err(error) = renewed else {
            self.has_complained = false;
            return;
        };
        let is_over = matches!(&error, ClientError::Refused(envelope)
            if matches!(envelope.error.code.status(), 400..=499) && envelope.error.code != ErrorCode::RateLimited);
        if is_over {
            self.ticks = None;
        }
        if !std::mem::replace(&mut self.has_complained, true) {
            let what = if is_over {
                "the lease has ended"
            } else {
                "the lease cannot be renewed"
            };
            context.output.complain(&format!(
                "skep: {what}, the program goes on without its secrets: {error}"
            ));
        }
    }
}

fn needs_login<T>(renewed: &Result<T, ClientError>) -> bool {
    match renewed {
        Err(ClientError::Refused(envelope)) => envelope.error.code.status() == 401,
        Err(ClientError::LoginEnded { .. }) => true,
        _ => false,
    }
}
