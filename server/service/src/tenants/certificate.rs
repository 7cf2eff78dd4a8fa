//! The certificates of clients: who they say the client is. Whether that is true, the TLS handshake has checked.

use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::tenant::Principal;

/// A name in a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// A URI among the alternative names, such as the SPIFFE id of a workload.
    Uri(String),
    /// A host among the alternative names, in small letters.
    Dns(String),
    /// A mailbox among the alternative names.
    Email(String),
    /// The common name of the subject.
    Common(String),
}

impl Name {
    pub(crate) fn dns(name: &str) -> Name {
        Name::Dns(name.to_ascii_lowercase())
    }
}

/// The names in the certificate of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject(Vec<Name>);

impl Subject {
    /// The names in a certificate; none if it cannot be read.
    pub(crate) fn of(certificate: &[u8]) -> Subject {
        let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Subject::default() };
        let common = certificate.subject().iter_common_name();
        let common = common.filter_map(|name| Some(Name::Common(name.as_str().ok()?.to_owned())));
        let alternative = certificate.subject_alternative_name().ok().flatten();
        let alternative = alternative.iter().flat_map(|names| &names.value.general_names);
        let alternative = alternative.filter_map(|name| match name {
            GeneralName::URI(uri) => Some(Name::Uri((*uri).to_owned())),
            GeneralName::DNSName(name) => Some(Name::dns(name)),
            GeneralName::RFC822Name(mailbox) => Some(Name::Email((*mailbox).to_owned())),
            GeneralName::OtherName(..)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::IPAddress(_)
            | GeneralName::RegisteredID(_)
            | GeneralName::Invalid(..) => None,
        });
        Subject(alternative.chain(common).collect())
    }

    pub(crate) fn has(&self, name: &Name) -> bool {
        self.0.contains(name)
    }
}

/// Whom a certificate with a name names.
#[derive(Clone, Debug)]
pub(crate) struct CertificateRule {
    pub(crate) name: Name,
    pub(crate) principal: Principal,
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    #[test]
    fn a_name_is_of_one_kind() {
        let mut params = CertificateParams::new(vec!["CI.acme.example".to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, "acme");
        let uri = "spiffe://acme.example/ci";
        params.subject_alt_names.push(SanType::URI(uri.try_into().expect("ASCII")));
        params.subject_alt_names.push(SanType::Rfc822Name("ci@acme.example".try_into().expect("ASCII")));
        let certificate = params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate");
        let subject = Subject::of(certificate.der());
        for (name, expected) in [
            (Name::dns("ci.ACME.example"), true),
            (Name::Uri(uri.to_owned()), true),
            (Name::Email("ci@acme.example".to_owned()), true),
            (Name::Common("acme".to_owned()), true),
            (Name::dns("acme"), false),
            (Name::Common("ci.acme.example".to_owned()), false),
            (Name::Uri("spiffe://acme.example/ci2".to_owned()), false),
        ] {
            assert_eq!(subject.has(&name), expected, "{name:?}");
        }
        assert_eq!(Subject::of(b"not a certificate"), Subject::default());
    }
}
