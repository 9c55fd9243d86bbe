//! Asking on the terminal for what it must not show.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::failure::Failure;

/// Room for a line from the start, so that no half of it is left behind where it grew.
const LINE: usize = 8 << 10;

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden {
    terminal: File,
    before: Termios,
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
        let _ = writeln!(&self.terminal);
    }
}

/// One line that is typed and not shown; `otherwise` says what to do where there is no terminal.
pub(crate) fn ask(question: &str, otherwise: &str) -> Result<String, Failure> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let mut terminal = terminal.map_err(|_| Failure::usage(otherwise))?;
    write!(terminal, "{question}")?;
    let before = tcgetattr(&terminal).map_err(io::Error::from)?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Flush, &quiet).map_err(io::Error::from)?;
    let hidden = Hidden { terminal, before };
    let mut line = String::with_capacity(LINE);
    BufReader::new(&hidden.terminal).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
