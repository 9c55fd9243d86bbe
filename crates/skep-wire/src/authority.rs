//! The certificate authority of an installation, and the certificates that programs are shown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::version::{TLS12, TLS13};
use skep_crypto::{Plain, Random, sha256};
use skep_domain::Timestamp;
use skep_egress::Host;

use crate::WireError;

const DAY: Duration = Duration::from_hours(24);
/// How long a certificate of a host holds. It is made anew each day.
const LEAF_DAYS: u32 = 7;
/// Hosts whose certificates are kept.
const KEPT: usize = 512;

/// Signs what programs are shown in an origin's place. Its key never leaves [`Authority::key`].
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    /// One key for all hosts: making one is dearer than signing.
    leaf_key: KeyPair,
    made: Mutex<HashMap<Host, Made>>,
}

struct Made {
    config: Arc<ServerConfig>,
    at: SystemTime,
}

impl Authority {
    /// How long one holds.
    pub const LASTS: Duration = Duration::from_hours(10 * 365 * 24);

    /// A new one.
    ///
    /// # Errors
    /// [`WireError::Authority`].
    pub fn generate(now: Timestamp) -> Result<Self, WireError> {
        let key = KeyPair::generate().map_err(unusable)?;
        let mut params = authority_params(&key);
        let now = system_time(now);
        params.not_before = (now - DAY).into();
        params.not_after = (now + Self::LASTS).into();
        let certificate = params.self_signed(&key).map_err(unusable)?.pem();
        Self::with(key, certificate)
    }

    /// One that was kept: its certificate and its key, in PEM.
    ///
    /// # Errors
    /// [`WireError::Authority`] when they do not belong together.
    pub fn open(certificate: &str, key: &Plain<String>) -> Result<Self, WireError> {
        let key = KeyPair::from_pem(key.expose()).map_err(unusable)?;
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|error| WireError::Authority(error.to_string()))?;
        let point = key.public_key_raw();
        if !der.windows(point.len()).any(|part| part == point) {
            return Err(WireError::Authority(
                "its key is not the one of its certificate".into(),
            ));
        }
        Self::with(key, certificate.to_owned())
    }

    fn with(key: KeyPair, certificate: String) -> Result<Self, WireError> {
        let params = authority_params(&key);
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
            leaf_key: KeyPair::generate().map_err(unusable)?,
            made: Mutex::new(HashMap::new()),
        })
    }

    /// Its certificate, in PEM: no secret.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Its key, in PEM, for whoever keeps it sealed.
    #[must_use]
    pub fn key(&self) -> Plain<String> {
        Plain::new(self.issuer.key().serialize_pem())
    }

    /// How TLS for a host is spoken: HTTP/2 and HTTP/1.1, 1.2 and 1.3.
    pub(crate) fn config(
        &self,
        host: &Host,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Arc<ServerConfig>, WireError> {
        let now = system_time(now);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = made.get(host) {
            // A clock that was set back is no reason to show what does not hold yet.
            let fresh = now.duration_since(kept.at).is_ok_and(|age| age < DAY);
            if fresh {
                return Ok(Arc::clone(&kept.config));
            }
        }
        let config = Arc::new(self.make(host, now, random)?);
        if made.len() >= KEPT {
            made.clear();
        }
        let kept = Made {
            config: Arc::clone(&config),
            at: now,
        };
        made.insert(host.clone(), kept);
        Ok(config)
    }

    fn make(
        &self,
        host: &Host,
        now: SystemTime,
        random: &dyn Random,
    ) -> Result<ServerConfig, WireError> {
        let mut params = CertificateParams::default();
        params.not_before = (now - DAY).into();
        params.not_after = (now + DAY * LEAF_DAYS).into();
        params.serial_number = Some(SerialNumber::from_slice(&serial(random)));
        // A certificate without a subject is one that some clients refuse.
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, "Skep on this machine");
        params.distinguished_name = name;
        params.subject_alt_names = vec![match host {
            Host::Address(address) => SanType::IpAddress(*address),
            Host::Name(name) => SanType::DnsName(name.as_str().try_into().map_err(unusable)?),
        }];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Python from 3.13 on takes no certificate without it.
        params.use_authority_key_identifier_extension = true;
        let leaf = params
            .signed_by(&self.leaf_key, &self.issuer)
            .map_err(unusable)?;
        let key = PrivatePkcs8KeyDer::from(self.leaf_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| WireError::Authority(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key.into())
            .map_err(|error| WireError::Authority(error.to_string()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// All of it but the dates follows from the key, so that what is signed later names the same issuer.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let print = sha256(key.public_key_raw());
    let print = u64::from_be_bytes(print[..8].try_into().unwrap_or_default());
    let mut name = DistinguishedName::new();
    name.push(
        DnType::CommonName,
        format!("Skep on this machine {print:016x}"),
    );
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Positive, and not beginning with zeroes.
fn serial(random: &dyn Random) -> [u8; 16] {
    let mut bytes = random.array::<16>();
    bytes[0] = bytes[0] & 0x7f | 0x40;
    bytes
}

fn system_time(now: Timestamp) -> SystemTime {
    let micros = u64::try_from(now.as_micros()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

fn unusable(error: impl std::fmt::Display) -> WireError {
    WireError::Authority(error.to_string())
}
