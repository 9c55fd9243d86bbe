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
    let put = put(beside, &text).and_then(|()| fs::rename(beside, path));
    if put.is_err() {
        // Each start on a full disk would leave one of its own.
        let _absent = fs::remove_file(beside);
    }
    put
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
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

#[cfg(test)]
mod tests {
    use std::fs;

    #[test]
    fn f04_what_cannot_be_put_in_place_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authorities.pem");
        fs::create_dir(&path).unwrap();
        assert!(super::write(&path, "ours", &[]).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
