//! Letters: the one way out that is no HTTP. They go to the server that the operator configured and
//! to no other, over TLS, with the few words that their sender gave.

use std::net::IpAddr;
use std::time::Duration;

use lettre::address::AddressError;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use zeroize::Zeroizing;

/// How a connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte (port 465).
    Tls,
    /// TLS after STARTTLS, or nothing is sent (port 587).
    StartTls,
    /// None: a relay on this machine only.
    Loopback,
}

/// A mail server that takes our letters.
pub struct MailServer {
    /// Its name, or its address on this machine.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// Who we are there.
    pub login: Option<(String, Zeroizing<String>)>,
    /// Whom letters are from.
    pub from: String,
    /// Certificates to trust, in DER, instead of the system's; for a server with its own authority.
    pub trusted: Vec<Vec<u8>>,
}

/// A letter: plain text, to one person.
pub struct Letter<'a> {
    /// The address.
    pub to: &'a str,
    /// One line.
    pub subject: &'a str,
    /// What it says. It may hold a secret, so nothing of it is kept or logged.
    pub text: &'a str,
}

/// Why a letter did not go out. Never holds an address or a part of a letter.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A setting that cannot be.
    #[error("mail: {0}")]
    Setting(&'static str),
    /// An address that no letter can go to.
    #[error("this is no address that mail can be sent to")]
    Address,
    /// The server is away, or its TLS or our login there failed: try again later, or mend it.
    #[error("the mail server did not take the letter: {0}")]
    Server(&'static str),
}

/// Sends letters through one server.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// How long the server may take for each step.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a letter may take as a whole.
const WHOLE: Duration = Duration::from_secs(30);

impl Mailer {
    /// Checks the settings; connects to nothing yet. Reads this system's authorities.
    ///
    /// # Errors
    /// [`MailError::Setting`].
    pub fn new(server: &MailServer) -> Result<Self, MailError> {
        let setting = MailError::Setting;
        let from: Mailbox = server
            .from
            .parse()
            .map_err(|_: AddressError| setting("mail.from is no address"))?;
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .timeout(Some(PATIENCE))
            // Not this machine's name: who gets a letter shall not learn it.
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .tls(tls(server)?);
        if let Some((user, password)) = &server.login {
            transport = transport.credentials(Credentials::new(user.clone(), password.to_string()));
        }
        Ok(Self {
            transport: transport.build(),
            from,
        })
    }

    /// Hands one letter to the server.
    ///
    /// # Errors
    /// [`MailError::Address`], [`MailError::Server`].
    pub async fn send(&self, letter: &Letter<'_>) -> Result<(), MailError> {
        let to: Mailbox = letter
            .to
            .parse()
            .map_err(|_: AddressError| MailError::Address)?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.to_owned())
            .map_err(|_| MailError::Address)?;
        match tokio::time::timeout(WHOLE, self.transport.send(message)).await {
            Err(_) => Err(MailError::Server("it took too long")),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(MailError::Server(problem(&error))),
        }
    }
}

/// The server's own words stay here: they may repeat the address or our login.
fn problem(error: &lettre::transport::smtp::Error) -> &'static str {
    if error.is_permanent() {
        "it refused the letter, its recipient or our login"
    } else if error.is_transient() {
        "it refused for now"
    } else if error.is_tls() {
        "its certificate is not for it, or nobody we trust signed it"
    } else if error.is_timeout() {
        "it took too long"
    } else if error.is_client() {
        "it offers no TLS, or no way to log in that we know"
    } else {
        "it cannot be reached, or does not speak SMTP"
    }
}

fn tls(server: &MailServer) -> Result<Tls, MailError> {
    let setting = MailError::Setting;
    if server.security == MailSecurity::Loopback {
        let own = server.host == "localhost"
            || server
                .host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        return if own {
            Ok(Tls::None)
        } else {
            Err(setting("without TLS, mail.host must be a loopback address"))
        };
    }
    let store = if server.trusted.is_empty() {
        CertificateStore::Default
    } else {
        CertificateStore::None
    };
    let mut parameters = TlsParameters::builder(server.host.clone()).certificate_store(store);
    for certificate in &server.trusted {
        let certificate = Certificate::from_der(certificate.clone())
            .map_err(|_| setting("a trusted certificate cannot be read"))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    let parameters = parameters
        .build_rustls()
        .map_err(|_| setting("this system's certificate authorities cannot be read"))?;
    Ok(match server.security {
        MailSecurity::Tls => Tls::Wrapper(parameters),
        _ => Tls::Required(parameters),
    })
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mailer")
    }
}
