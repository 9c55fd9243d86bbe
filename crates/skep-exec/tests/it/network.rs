//! Where a program can send, and where it cannot.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use skep_exec::{Demand, Draft, Egress, Layer};

use crate::rig::{Rig, perl, text};

/// Answers each connection with what it sent, in capitals, and counts them.
fn proxy(path: &PathBuf) -> Arc<AtomicUsize> {
    let listener = UnixListener::bind(path).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut asked = Vec::new();
            stream.read_to_end(&mut asked).unwrap();
            stream.write_all(&asked.to_ascii_uppercase()).unwrap();
        }
    });
    count
}

const ASK: &str = r"
    use IO::Socket::INET;
    sub ask {
        my ($port, $text) = @_;
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5)
            or return 'no: ' . ($!+0);
        print $s $text; shutdown $s, 1;
        local $/; return <$s>;
    }
";

#[tokio::test]
async fn x03_without_egress_nothing_outside_is_reached() {
    let rig = Rig::new();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    for socket in [rustix::fd::AsFd::as_fd(&tcp), rustix::fd::AsFd::as_fd(&udp)] {
        rustix::io::ioctl_fionbio(socket, true).unwrap();
    }
    let script = format!(
        r"{ASK} print ask({0}, 'hello'), qq(\n);
        my $u = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => {1}, Proto => 'udp');
        print $u ? (defined($u->send('hello')) ? 'sent' : 'no') : 'none', qq(\n);
        for my $family (1, 16, 17, 29, 38, 40) {{
            print $family, ': ', (socket(my $s, $family, 2 | ($family == 16 ? 1 : 0), $family == 16 ? 15 : 0) ? 'made' : $!+0), qq(\n);
        }}
        my $l = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 4444);
        print $l ? 'serves' : 'serves not', qq(\n);
        open(my $d, '<', '/proc/net/dev') or die; my @d = grep /:/, <$d>; print scalar(@d), ' ', $d[0] =~ /(\w+):/, qq(\n);",
        tcp.local_addr().unwrap().port(),
        udp.local_addr().unwrap().port(),
    );
    let outcome = rig.run(perl(&script)).await.unwrap();
    let said = text(&outcome.stdout);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 10, "{said}{}", text(&outcome.stderr));
    assert!(lines[0].starts_with("no: "), "{said}");
    // Unix, netlink but for addresses, packet, keys, ciphers, the hypervisor.
    for line in &lines[2..8] {
        assert!(line.ends_with(": 1"), "{said}");
    }
    assert_eq!(lines[8..], ["serves not", "1 lo"], "{said}");
    assert!(tcp.accept().is_err());
    assert!(udp.recv(&mut [0; 8]).is_err());
}

#[tokio::test]
async fn x03_without_namespaces_there_is_no_socket_at_all() {
    let rig = Rig::poor();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let script = format!(
        "{ASK} print ask({}, 'hello')",
        tcp.local_addr().unwrap().port()
    );
    let plan = Draft::new("/usr/bin/perl", Egress::None, Demand::nothing()).args(["-e", &script]);
    let outcome = rig.run(plan).await.unwrap();
    assert_eq!(text(&outcome.stdout), "no: 1", "{}", text(&outcome.stderr));
    assert!(
        outcome
            .missing
            .iter()
            .any(|missing| missing.layer == Layer::Network)
    );
}

#[tokio::test]
async fn x03_through_the_proxy_and_no_other_way() {
    let rig = Rig::new();
    let socket = rig.home.path().join("proxy");
    let count = proxy(&socket);
    let outside = TcpListener::bind("127.0.0.1:0").unwrap();
    outside.set_nonblocking(true).unwrap();
    let script = format!(
        r"{ASK} print ask(18080, 'hello'), ' ', ask(18080, 'x' x 300_000) eq 'X' x 300_000, ' ', ask({}, 'hello');",
        outside.local_addr().unwrap().port()
    );
    let egress = Egress::Proxy {
        socket,
        port: 18080,
    };
    let plan = Draft::new("/usr/bin/perl", egress, Demand::usual()).args(["-e", &script]);
    let outcome = rig.run(plan).await.unwrap();
    assert_eq!(
        text(&outcome.stdout),
        "HELLO 1 no: 13",
        "{}",
        text(&outcome.stderr)
    );
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert!(outside.accept().is_err());
    assert!(outcome.applied.has(Layer::Network));
}

#[tokio::test]
async fn an_open_network_is_the_hosts() {
    let rig = Rig::new();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = tcp.accept().unwrap();
        let mut asked = String::new();
        stream.read_to_string(&mut asked).unwrap();
        stream.write_all(b"answer").unwrap();
        asked
    });
    let script = format!("{ASK} print ask({port}, 'hello')");
    let plan = Draft::new("/usr/bin/perl", Egress::Open, Demand::usual()).args(["-e", &script]);
    let outcome = rig.run(plan).await.unwrap();
    assert_eq!(text(&outcome.stdout), "answer", "{}", text(&outcome.stderr));
    assert_eq!(server.join().unwrap(), "hello");
    let network = outcome
        .missing
        .iter()
        .find(|missing| missing.layer == Layer::Network)
        .unwrap();
    assert_eq!(network.reason, "the plan opens the network");
}

#[tokio::test]
async fn local_sockets_only_where_a_plan_wants_them() {
    let rig = Rig::new();
    let listener = UnixListener::bind(rig.home.path().join("agent")).unwrap();
    listener.set_nonblocking(true).unwrap();
    let script = format!(
        r"use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0) or do {{ print 'none'; exit }};
        print connect($s, sockaddr_un('{}')) ? 'reached' : 'not there', ' ';
        socket(my $l, AF_UNIX, SOCK_STREAM, 0); print bind($l, sockaddr_un('/tmp/own')) ? 'own' : 'no own';",
        rig.home.path().join("agent").display()
    );
    assert_eq!(text(&rig.run(perl(&script)).await.unwrap().stdout), "none");
    let outcome = rig.run(perl(&script).local_sockets()).await.unwrap();
    assert_eq!(
        text(&outcome.stdout),
        "not there own",
        "{}",
        text(&outcome.stderr)
    );
    assert!(listener.accept().is_err());
}
