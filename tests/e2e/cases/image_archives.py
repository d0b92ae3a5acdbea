# SPDX-License-Identifier: Apache-2.0
"""Makes archives of images, good and bad, in the working directory; prints the bad ones: FILE PART-OF-THE-MESSAGE."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import tarfile


def tar(entries):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, kind, content in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o4755 if name.endswith("setuid") else 0o644
            info.uid = info.gid = 1234 if name.endswith("owned") else 0
            if kind == tarfile.REGTYPE:
                info.size = len(content)
            else:
                info.linkname = content.decode()
            info.devmajor, info.devminor = 1, 3
            archive.addfile(info, io.BytesIO(content) if kind == tarfile.REGTYPE else None)
    return data.getvalue()


FILE, DIR, LINK, HARD, CHAR = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
LOWER = tar([("d/", DIR, b""), ("d/gone", FILE, b"1"), ("d/stays", FILE, b"2"), ("o/", DIR, b""), ("o/gone", FILE, b"3"),
             ("owned", FILE, b"4"), ("setuid", FILE, b"5"), ("null", CHAR, b""), ("link", LINK, b"/etc/passwd"), ("hard", HARD, b"owned")])
UPPER = tar([("d/.wh.gone", FILE, b""), ("o/new", FILE, b"6"), ("o/.wh..wh..opq", FILE, b"")])


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def config(*layers):
    image = {"os": "linux", "architecture": "amd64", "created": "2026-01-02T03:04:05Z",
             "config": {"Env": ["A=b"], "Cmd": ["c"], "Labels": {"k": "v"}},
             "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]}}
    return json.dumps(image).encode()


def write(name, files):
    with tarfile.open(name, "w") as archive:
        for path, content in files:
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def docker(name, layers, image=None, packed=gzip.compress, table=None, tag="layers:1"):
    """A docker-archive."""
    rows = table or [{"Config": "c.json", "RepoTags": [tag], "Layers": [f"{i}/layer.tar" for i in range(len(layers))]}]
    write(name, [("c.json", image or config(*layers)), *((f"{i}/layer.tar", packed(layer)) for i, layer in enumerate(layers)),
                 ("manifest.json", json.dumps(rows).encode())])


def layout(name, damage=lambda blob: blob, stamp=0):
    """An OCI layout, as a directory."""
    blobs = pathlib.Path(name, "blobs/sha256")
    blobs.mkdir(parents=True)

    def put(data, kind, stored=None):
        (blobs / digest(data)[7:]).write_bytes(data if stored is None else stored)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest(data), "size": len(data)}

    layer = gzip.compress(LOWER, mtime=stamp)
    manifest = {"schemaVersion": 2, "config": put(config(LOWER), "config.v1+json"),
                "layers": [put(layer, "layer.v1.tar+gzip", damage(layer))]}
    row = put(json.dumps(manifest).encode(), "manifest.v1+json")
    row["annotations"] = {"org.opencontainers.image.ref.name": "layout:2"}
    pathlib.Path(name, "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [row]}), encoding="ascii")
    pathlib.Path(name, "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="ascii")


docker("layers.tar", [LOWER, UPPER])
layout("layout")
BAD = {
    "traversal": "leads out of the root",
    "through-link": "lies below what is no directory",
    "hard-out": "leads out of the root",
    "whiteout": "names nothing",
    "diff-id": "has not the digest",
    "no-layer": "there is no '7/layer.tar' in it",
    "no-config": "rootfs.diff_ids",
    "truncated": "layer",
    "empty": "neither manifest.json nor index.json",
    "garbage": "no sound tar archive",
    "other-os": "is for windows",
    "tag": "is no image reference",
    "damaged-layout": "has another digest",
}
docker("traversal", [tar([("../x", FILE, b"x")])])
docker("through-link", [tar([("l", LINK, os.getcwd().encode()), ("l/evil", FILE, b"x")])])
docker("hard-out", [tar([("h", HARD, b"../../layers.tar")])])
docker("whiteout", [tar([(".wh...", FILE, b"")])])
docker("diff-id", [LOWER, UPPER], image=config(UPPER, LOWER))
docker("no-layer", [LOWER], table=[{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["7/layer.tar"]}])
docker("no-config", [LOWER], image=b"{}")
docker("truncated", [UPPER], packed=lambda layer: gzip.compress(layer)[:-20])
docker("other-os", [LOWER], image=config(LOWER).replace(b"linux", b"windows"))
docker("tag", [LOWER], tag="No/Such:Ref")
write("empty", [("x", b"")])
pathlib.Path("garbage").write_bytes(b"no archive" * 1000)
layout("damaged-layout", damage=lambda blob: blob[:-1], stamp=1)  # no blob that the store has already
print("\n".join(f"{name} {text}" for name, text in BAD.items()))
