"""What the test has made for the programs: Python cannot by itself."""

import os

DIR = os.environ["ROLLCALL_FILES"]


def read(name):
    with open(os.path.join(DIR, name), encoding="ascii") as f:
        return f.read()


def metadata(certificate):
    """SAML metadata of an identity provider that signs by a certificate."""
    body = "".join(line for line in certificate.splitlines() if not line.startswith("-----"))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/saml">'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing">'
        '<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>' + body + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        "</md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>" + "<!-- -->" * 50
    )
