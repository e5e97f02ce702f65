# SPDX-License-Identifier: MIT
"""Signed tokens as tests make them, by the form in lib/mail/token.h and not by our code: keys, signing, reading."""
import base64
import hashlib
import os
import re
import sqlite3
import struct

KEY = bytes(range(32))
OTHER_KEY = bytes(range(32, 64))
ADDRESS = "bounce@mail.example.com"
LENGTH = 31
KINDS = {"report": 0, "reply": 1, "opt_out": 2}
STATES = ("dispatched", "started", "completed", "failed", "paused", "cancelled")


def number(key):
    return hashlib.blake2b(key, digest_size=16).digest()[0]


def make(kind, ident, over, also_over="", state=0, key=KEY):
    head = bytes([0x10 | KINDS[kind], number(key)]) + ident.to_bytes(6, "big") + bytes([state])
    signed = head
    for text in (over, also_over):
        signed += struct.pack(">I", len(text.encode())) + text.encode()
    seal = hashlib.blake2b(signed, key=key, digest_size=16).digest()[:10]
    return base64.b32encode(head + seal).decode().lower().rstrip("=")


def read(token):
    data = base64.b32decode(token.upper() + "=")
    kind = [name for name, value in KINDS.items() if value == data[0] & 15][0]
    return {"kind": kind, "id": int.from_bytes(data[2:8], "big"), "state": data[8], "key": data[1]}


def of_address(address):
    match = re.fullmatch(r"bounce\+([a-z2-7]{31})@mail\.example\.com", address)
    assert match, address
    return match.group(1)


def write_keys(world, *keys, name="bounce.keys"):
    path = world.path(name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write("# of a test\n" + "".join(key.hex() + "\n" for key in keys))
    return path


def configure(world, url=None, **more):
    """[bounce] with a key, and where there is one the center's address."""
    world.configure(bounce={"address": ADDRESS, "key_file": write_keys(world, KEY), **more})
    if url is not None:
        world.configure(center={"url": url})


def link_of(world, contact):
    with sqlite3.connect(world.path("customers.db")) as db:
        return db.execute("SELECT link FROM contact_link WHERE contact = ?", (contact,)).fetchone()[0]
