"""auth_files.py - keys, key files and tokens for the tests of authentication, made by the openssl command.

Use:
    keys = AuthFiles(folder)                                  # writes jwks.json, api-keys and users
    token = keys.sign("ES256", {"sub": "alice", ...})         # a JWT
    keys.write_jwks("RS256", "ES256")                         # those two alone from now on
"""

import base64
import hashlib
import json
import pathlib
import re
import subprocess
import time
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import crypt

API_KEY = "machine-key-of-the-tests"
OTHER_API_KEY = "another-key-of-the-tests"
SECRET = b"a secret of the tests that has more than 32 bytes"
ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")
NEW_KEY = {
    "RS256": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ES256": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "EdDSA": ["genpkey", "-algorithm", "ED25519"],
}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*words, data=None):
    return subprocess.run(["openssl", *map(str, words)], input=data, check=True, capture_output=True).stdout


class AuthFiles:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        for algorithm, words in NEW_KEY.items():
            openssl(*words, "-out", self.key_file(algorithm))
        self.write_jwks(*ALGORITHMS)
        digests = [hashlib.sha256(key.encode()).hexdigest() for key in (API_KEY, OTHER_API_KEY)]
        self.replace("api-keys", f"# keys of machines\nbackup:{digests[0]}:orders:read\n\npress:{digests[1]}:orders:read orders:write\n")
        hashes = {"alice": self.hash_of("wonder:land", "2b"), "bob": self.hash_of("ümlaut", "yescrypt")}
        self.replace("users", "".join(f"{user}:{hashed}\n" for user, hashed in hashes.items()))

    @staticmethod
    def hash_of(password, method):
        salt = "$y$j75$F5Jx5fExrKuPp53xLKQ..1" if method == "yescrypt" else "$2b$04$CjNzKsXMqEvYh2Vb4Iq6RO"
        return crypt.crypt(password, salt)

    def key_file(self, algorithm):
        return self.folder / f"{algorithm}.pem"

    def replace(self, name, text):
        """As an operator should: nobody sees half of it."""
        new = self.folder / f"{name}.new"
        new.write_text(text)
        new.rename(self.folder / name)

    def write_jwks(self, *algorithms):
        self.replace("jwks.json", json.dumps({"keys": [self.jwk(algorithm) for algorithm in algorithms]}))

    def jwk(self, algorithm):
        return {"kid": f"key-{algorithm}", "alg": algorithm, "use": "sig"} | self.public_parts(algorithm)

    def public_parts(self, algorithm):
        if algorithm == "HS256":
            return {"kty": "oct", "k": encode(SECRET)}
        der = openssl("pkey", "-in", self.key_file(algorithm), "-pubout", "-outform", "DER")
        if algorithm == "EdDSA":
            return {"kty": "OKP", "crv": "Ed25519", "x": encode(der[-32:])}
        if algorithm == "ES256":
            return {"kty": "EC", "crv": "P-256", "x": encode(der[-64:-32]), "y": encode(der[-32:])}
        modulus = openssl("rsa", "-in", self.key_file(algorithm), "-noout", "-modulus").decode()
        return {"kty": "RSA", "n": encode(bytes.fromhex(modulus.strip().partition("=")[2])), "e": "AQAB"}

    def public_pem(self, algorithm):
        return openssl("pkey", "-in", self.key_file(algorithm), "-pubout")

    def signature(self, algorithm, message, secret=SECRET):
        if algorithm == "HS256":
            words = ["dgst", "-sha256", "-binary", "-mac", "HMAC", "-macopt", f"hexkey:{secret.hex()}"]
            return openssl(*words, data=message)
        if algorithm == "EdDSA":
            path = self.folder / "message"
            path.write_bytes(message)
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.key_file(algorithm), "-in", path)
        der = openssl("dgst", "-sha256", "-sign", self.key_file(algorithm), data=message)
        return der if algorithm == "RS256" else self.raw_ecdsa(der)

    @staticmethod
    def raw_ecdsa(der):
        """r and s of 32 bytes each, out of what openssl writes."""
        text = openssl("asn1parse", "-inform", "DER", data=der).decode()
        return b"".join(int(number, 16).to_bytes(32, "big") for number in re.findall(r"INTEGER\s+:([0-9A-F]+)", text))

    def sign(self, algorithm, claims=None, header=None, **more):
        head = {"alg": algorithm, "typ": "JWT", "kid": f"key-{algorithm}"} | (header or {})
        body = {"iss": "https://id.example.org", "aud": "shop", "sub": "alice", "exp": int(time.time()) + 600}
        body = {name: value for name, value in (body | (claims or {})).items() if value is not None}
        message = ".".join(encode(json.dumps(part).encode()) for part in (head, body))
        return message + "." + encode(self.signature(algorithm, message.encode(), **more))
