# SPDX-License-Identifier: MIT
"""Signed tokens (lib/mail/token.h), made by others than the program itself."""
import base64
import hashlib
import os

REPORT, REPLY, OPT_OUT = range(3)
KEY = bytes.fromhex("5e" * 32)
ADDRESS = "bounce@mail.example.com"


def sealed(kind, number, over, also_over="", key=KEY, state=0):
    """31 letters and digits: version and kind, number of the key, id, state, 80 bits of a keyed BLAKE2b."""
    head = (bytes([1 << 4 | kind, hashlib.blake2b(key, digest_size=16).digest()[0]]) + number.to_bytes(6, "big")
            + bytes([state]))
    texts = b"".join(len(text.encode()).to_bytes(4, "big") + text.encode() for text in (over, also_over))
    seal = hashlib.blake2b(head + texts, digest_size=16, key=key).digest()[:10]
    return base64.b32encode(head + seal).decode().lower().rstrip("=")


def address(token, of=ADDRESS):
    local, domain = of.split("@")
    return f"{local}+{token}@{domain}"


def configure(world, **more):
    """[bounce] with that key."""
    path = world.path("bounce.keys")
    with open(path, "w", encoding="ascii") as file:
        file.write(KEY.hex() + "\n")
    os.chmod(path, 0o600)
    world.configure(bounce={"address": ADDRESS, "key_file": path, **more})
