//! The file of certificates that programs are told to trust.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64ct::{Base64, Encoding};

/// Bytes of base64 in a line, as RFC 7468 has it.
const LINE: usize = 64;

/// The authorities of this system, and one more: a program that trusted ours alone could call nobody
/// whose TLS does not end here. Written beside and put in place whole.
pub(crate) fn write(path: &Path, ours: &str, also: &[Vec<u8>]) -> io::Result<()> {
    let mut text = String::from(ours);
    for certificate in also.iter().chain(&skep_egress::system_authorities()) {
        text.push_str(&pem(certificate));
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = Path::new(&beside);
    let _absent = fs::remove_file(beside);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(beside, path)
}

fn pem(certificate: &[u8]) -> String {
    let coded = Base64::encode_string(certificate);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in coded.as_bytes().chunks(LINE) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}
