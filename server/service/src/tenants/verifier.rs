//! The signatures of JWTs, checked with the cryptography that TLS uses too.

use std::sync::LazyLock;

use jsonwebtoken::crypto::{CryptoProvider, JwkUtils, JwtVerifier};
use jsonwebtoken::errors::{Error, ErrorKind, new_error};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

static PROVIDER: CryptoProvider = CryptoProvider {
    // This server signs nothing.
    signer_factory: |_, _| Err(new_error(ErrorKind::InvalidAlgorithm)),
    verifier_factory,
    jwk_utils: JwkUtils::new_unimplemented(),
};

/// Has JWTs checked by this module, in the whole process.
pub(super) static INSTALLED: LazyLock<()> = LazyLock::new(|| {
    // If the process has another one, that does it.
    let _ = PROVIDER.install_default();
});

/// How the signature of an algorithm is checked.
enum Check {
    Rsa(&'static RsaParameters),
    Curve(&'static dyn VerificationAlgorithm),
}

/// The family of the keys of an algorithm, and how its signatures are checked; `None` if it is symmetric: then who can check a
/// signature could have made it.
fn check(algorithm: Algorithm) -> Option<(AlgorithmFamily, Check)> {
    let (rsa, ec, ed) = (AlgorithmFamily::Rsa, AlgorithmFamily::Ec, AlgorithmFamily::Ed);
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => None,
        Algorithm::RS256 => Some((rsa, Check::Rsa(&RSA_PKCS1_2048_8192_SHA256))),
        Algorithm::RS384 => Some((rsa, Check::Rsa(&RSA_PKCS1_2048_8192_SHA384))),
        Algorithm::RS512 => Some((rsa, Check::Rsa(&RSA_PKCS1_2048_8192_SHA512))),
        Algorithm::PS256 => Some((rsa, Check::Rsa(&RSA_PSS_2048_8192_SHA256))),
        Algorithm::PS384 => Some((rsa, Check::Rsa(&RSA_PSS_2048_8192_SHA384))),
        Algorithm::PS512 => Some((rsa, Check::Rsa(&RSA_PSS_2048_8192_SHA512))),
        Algorithm::ES256 => Some((ec, Check::Curve(&ECDSA_P256_SHA256_FIXED))),
        Algorithm::ES384 => Some((ec, Check::Curve(&ECDSA_P384_SHA384_FIXED))),
        Algorithm::EdDSA => Some((ed, Check::Curve(&ED25519))),
    }
}

/// Whether a key can be one of an algorithm that this server accepts.
pub(super) fn fits(algorithm: Algorithm, key: &DecodingKey) -> bool {
    check(algorithm).is_some_and(|(family, _)| family == key.family())
}

fn verifier_factory(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    match fits(*algorithm, key) {
        true => Ok(Box::new(KeyOf { algorithm: *algorithm, key: key.clone() })),
        false => Err(new_error(ErrorKind::InvalidAlgorithm)),
    }
}

/// A key of an algorithm.
struct KeyOf {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Verifier<Vec<u8>> for KeyOf {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let verified = match (check(self.algorithm), self.key.kind()) {
            (Some((_, Check::Rsa(parameters))), DecodingKeyKind::RsaModulusExponent { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            (Some((_, Check::Curve(algorithm))), DecodingKeyKind::SecretOrDer(key)) => {
                UnparsedPublicKey::new(algorithm, key).verify(message, signature)
            }
            (Some(_) | None, _) => return Err(signature::Error::new()),
        };
        verified.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for KeyOf {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::crypto::verify;

    use super::*;

    const MESSAGE: &[u8] = b"header.payload";
    // Made by `openssl dgst -sha256 -sign`.
    const MODULUS: &str = "\
        l-ugFGoIUGfG8nwchvAmBK9x_9rwY27ti67-ER8WHzIoWtLDstSi6dUWhVfoePCEi8G7Z2eriZpZ6cSp6f5yBwvJpXcNXaup4Cs-VKJvY1LFxc\
        EoNoSxFmoKQ3l644txgeZ86mJ5NCQBO7E3T-VxKqzvxdK9wb5lYHKaE68L0JWAM70uhhULtd6-LgdXN0tk6Geomqg3y74VBe5OybfVm5klLaCW\
        8OAPIeIki-fnFLItgo4Kxj_lAG6gX6ROXkPci5_nCDN_TXoCqASOnJhFryUpUbTZvYva_f2Op216bo25CABvpFeDeUDr1HT_SBSsLWo2LF_g72\
        Ohpr6a9h1EtQ";
    const RS256: &str = "\
        MpCu6ZM67WiOmOh61OU5zWufPuh7Bh43iUSvc4ktQPnq2wCGD-O0ne1ODXjRnffHA_T4WKXFUeNiA3RwsmCjKH03a4j-UJ4CpV4c1J4s8uWtFj\
        tPhmasE1VfCWgCPDWsN5fHFXLUOSg-XiwcR-qEafp9raO9WY1aWQi0QytN-ZjsT6DzOCvZeR6VB6W7jSSELtiyE3Olkw9y3n3bYow5i8_G1t5B\
        IaGnQ-ihdq7N0mQuHdXRLm2QdtomKPw_elmggJQn080WdgXv0CxY9MUvFDOo1cjU6_TDmIo7ioHdMb4hmhZHdj5UQiKX5P85CkuKswFvSw_NXQ\
        8qWqdDnQhwcA";
    const PS256: &str = "\
        KFPZ88wFL5vZmkJrev-iM3jAfRdY7pfpFHvWDdDNKyjRwuRsEuHVXMp5CLAmKB7pV9fRpVy86gXmLY7mfBuzyDutux3fUNLYcaoG1c4Eqo1xhT\
        xwXZ_o8LITpquUhGMZK2XkFkuBiln-wu7fr2RmoQYw5dm-9vTFgr4vmOfZX0a4kHv5mVmh41YBODG1V4KNsvnoaWUxHKoRnuPQG6e2ZKYnEP2u\
        TqsVSIbXQUQmN-zV0iCiafHmTKmTfnYbBq2MHd1yDutyBiP9sqY3KmioyWs9MR9WZe692rCL_nsBodoSqlCAaFPtE2j5LgPoJTyB-6W8jXYDa4\
        ob7Skyx0CRrw";

    #[test]
    fn the_signatures_of_rsa_are_those_of_openssl() {
        *INSTALLED;
        let key = DecodingKey::from_rsa_components(MODULUS, "AQAB").expect("a key");
        for (algorithm, signature, message, expected) in [
            (Algorithm::RS256, RS256, MESSAGE, true),
            (Algorithm::PS256, PS256, MESSAGE, true),
            (Algorithm::RS256, RS256, b"header.Payload", false),
            (Algorithm::RS256, PS256, MESSAGE, false),
            (Algorithm::PS256, RS256, MESSAGE, false),
            (Algorithm::RS512, RS256, MESSAGE, false),
        ] {
            assert_eq!(verify(signature, message, &key, algorithm), Ok(expected), "{algorithm:?}");
        }
    }

    #[test]
    fn a_key_is_for_the_algorithms_of_its_family() {
        *INSTALLED;
        let rsa = DecodingKey::from_rsa_components(MODULUS, "AQAB").expect("a key");
        let secret = DecodingKey::from_secret(b"secret");
        for (algorithm, key) in [
            (Algorithm::HS256, &secret),
            (Algorithm::HS256, &rsa),
            (Algorithm::ES256, &rsa),
            (Algorithm::EdDSA, &rsa),
            (Algorithm::RS256, &secret),
        ] {
            assert!(!fits(algorithm, key), "{algorithm:?}");
            assert!(verify(RS256, MESSAGE, key, algorithm).is_err(), "{algorithm:?}");
        }
    }
}
