"""link_keys.py - an authority for agents and an order key, as deploybot ca init makes them."""
# SPDX-License-Identifier: ISC
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID


def _pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


def new_authority():
    """Its private key and its certificate, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()) \
        .serial_number(x509.random_serial_number()).not_valid_before(now) \
        .not_valid_after(now + datetime.timedelta(days=3650)) \
        .add_extension(x509.BasicConstraints(True, 0), True).sign(key, hashes.SHA256())
    return _pem(key), certificate.public_bytes(serialization.Encoding.PEM).decode()


def new_order_key():
    return _pem(ed25519.Ed25519PrivateKey.generate())
