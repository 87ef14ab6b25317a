#!/usr/bin/env python3
"""Restores every snapshot of a backup repository of tfstate, and shares nothing with it.

Usage: reader.py REPOSITORY IDENTITY OUT

Written from the description at the top of src/backup/mod.rs and src/backup/delta/mod.rs. It needs
Python 3.8, `age` and `zstd`; with the modules `blake3` and `cryptography` it checks hashes and
signatures too, and without them the SHA-256 of every state all the same.
"""
import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    from blake3 import blake3
except ImportError:
    blake3 = None
try:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None

NAME = re.compile(r"(\d{8}T\d{6}Z)-([0-9a-f]{8})-([fid])([1-9]\d*)?-([0-9a-f]{8})-([0-9a-f]{16})\.tfb")
KINDS = {"full": "f", "incremental": "i", "differential": "d"}


def fail(path, problem):
    sys.exit(f"{path}: {problem}")


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify(path, key, domain, message, signature):
    if not key.startswith("ed25519:"):
        fail(path, "an unknown kind of key")
    if Ed25519PublicKey:
        public = Ed25519PublicKey.from_public_bytes(decoded(key[len("ed25519:") :]))
        public.verify(signature, domain.encode() + b"\0" + message)


def is_hash(expected, data):
    return blake3 is None or blake3(data).hexdigest() == expected


def understood(path, header):
    if header["v"] != 1 or header["must_understand"]:
        fail(path, "a later version wrote it")
    return header


def read_note(path, domain):
    """A record: one line of JSON, and one with the signature on it."""
    text, seal, rest = path.read_bytes().split(b"\n")
    if rest:
        fail(path, "goes on after its signature")
    seal = json.loads(seal)
    verify(path, seal["key"], domain, text, decoded(seal["signature"]))
    return understood(path, json.loads(text)), seal["key"], text


def read_record(root):
    """The first record and those that follow it, each signed by an owner of the one before."""
    domain = "tfstate repository record v1"
    record, key, text = read_note(root / "repo.json", domain)
    if record["number"] != 0 or key not in record["owners"]:
        fail(root, "no owner signed its record")
    for path in sorted((root / "c").glob("*.json")):
        following, key, following_text = read_note(path, domain)
        follows = following["number"] == record["number"] + 1
        follows &= all(following[name] == record[name] for name in ("id", "encryption"))
        if not follows or key not in record["owners"] or not is_hash(following["previous"], text):
            fail(path, "does not follow the record before it")
        record, text = following, following_text
    return record


def counts(record, key, time):
    def at(writer):
        return writer["key"] == key and ("until" not in writer or time <= writer["until"])

    return any(at(writer) for writer in record["writers"])


def read_snapshot(root, path, record):
    """The outside: magic, header, signature, payload."""
    data = path.read_bytes()
    if data[:8] != b"TFBSNAP1" or data[12:16] != bytes(4):
        fail(path, "is no snapshot of this version")
    end = 16 + int.from_bytes(data[8:12], "little")
    text, count, signature = data[16:end], data[end : end + 2], data[end + 2 : end + 66]
    if count != b"\1\0":
        fail(path, "is not signed once")
    header, payload = understood(path, json.loads(text)), data[end + 66 :]
    label = header["snapshot"]
    verify(path, header["signer"], "tfstate snapshot v1", text, signature)
    if not counts(record, header["signer"], label["created"]):
        fail(path, "no writer signed it")
    created, seq, kind, generation, short, hashed = NAME.fullmatch(path.name).groups()
    named = (created, int(seq, 16), kind, int(generation or 0), short, hashed, path.parent.name)
    said = (label["created"], label["seq"], KINDS[label["kind"]], header.get("generation", 0))
    said += (label["id"][:8], header["payload"]["blake3"][:16], label["stream"])
    if named != said or label["repo"] != record["id"] or header["encryption"] != record["encryption"]:
        fail(path, "its header belongs to another name")
    if len(payload) != header["payload"]["length"] or not is_hash(header["payload"]["blake3"], payload):
        fail(path, "its payload is not the one that was written")
    return header, payload


def read_payload(path, header, payload, identity):
    """The inside: the inner header, and the state or a delta."""
    run = lambda command, data: subprocess.run(command, input=data, stdout=-1, check=True).stdout
    if header["encryption"] == "age":
        payload = run(["age", "-d", "-i", identity], payload)
    body = run(["zstd", "-d", "-q", "-c"], payload)
    end = 4 + int.from_bytes(body[:4], "little")
    inner = understood(path, json.loads(body[4:end]))
    if inner["snapshot"] != header["snapshot"] or inner.get("parent") != header.get("parent", {}).get("id"):
        fail(path, "its payload belongs to another snapshot")
    return inner, body[end:]


def varint(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def context(pieces):
    """What stands next to added bytes: the prefix that they are compressed with."""
    out = b""
    for i, piece in enumerate(pieces):
        if piece is None:
            continue
        first = 4096 if i > 0 and pieces[i - 1] is None else 0
        last = 4096 if i + 1 < len(pieces) and pieces[i + 1] is None else 0
        whole = len(piece) <= first + last
        out += piece if whole else piece[:first] + piece[len(piece) - last :]
    return out[:131072]


def decompress(frame, prefix):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "prefix"
        file.write_bytes(prefix)
        patch = [f"--patch-from={file}"] if prefix else []
        command = ["zstd", "-d", "-q", "-c", *patch]
        return subprocess.run(command, input=frame, stdout=-1, check=True).stdout


def apply(delta, base):
    """The state that a delta tells by the one that it builds on."""
    count, at = varint(delta, 0)
    lengths, pieces, end = [], [], 0
    for _ in range(count):
        number, at = varint(delta, at)
        lengths.append(number >> 1)
        if number & 1:
            pieces.append(None)
            continue
        distance, at = varint(delta, at)
        start = end + (-(distance + 1) // 2 if distance & 1 else distance // 2)
        end = start + lengths[-1]
        pieces.append(base[start:end])
    added = decompress(delta[at:], context(pieces)) if at < len(delta) else b""
    state, at = b"", 0
    for length, piece in zip(lengths, pieces):
        if piece is None:
            piece = added[at : at + length]
            at += length
        state += piece
    if at != len(added):
        sys.exit("a delta adds more than it says")
    return state


def main(root, identity, out):
    root, out = Path(root), Path(out)
    record = read_record(root)
    snapshots = {}
    for path in (root / "s").glob("*/*.tfb"):
        header, payload = read_snapshot(root, path, record)
        snapshots[header["snapshot"]["id"]] = (path, header, payload)
    states = {}

    def restore(id):
        if id not in states:
            path, header, payload = snapshots[id]
            inner, content = read_payload(path, header, payload, identity)
            if "parent" in inner:
                content = apply(content, restore(inner["parent"]))
            said = inner["state"]
            hashes = (hashlib.sha256(content).hexdigest(), len(content))
            if hashes != (said["sha256"], said["length"]) or not is_hash(said["blake3"], content):
                fail(path, "the state is not the one that was written")
            states[id] = content
        return states[id]

    order = lambda id: (snapshots[id][1]["snapshot"]["stream"], snapshots[id][1]["snapshot"]["seq"])
    for number, id in enumerate(sorted(snapshots, key=order), 1):
        label = snapshots[id][1]["snapshot"]
        (out / f"{number:04}.json").write_bytes(restore(id))
        print(label["id"][:8], label["created"], label["kind"], len(states[id]), label["stream"])


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
