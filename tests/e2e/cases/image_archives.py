# SPDX-License-Identifier: Apache-2.0
"""Makes archives of images, good and bad, in the working directory; prints the bad ones: FILE PART-OF-THE-MESSAGE."""
import gzip
import hashlib
import io
import json
import lzma
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
    rows = table if table is not None else [{"Config": "c.json", "RepoTags": [tag], "Layers": [f"{i}/layer.tar" for i in range(len(layers))]}]
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
    "rows-object": "lists 0 images",
    "rows-none": "lists 0 images",
    "rows-types": "names no config, no layers, or too many",
    "rows-outside": "leads out of the archive",
    "rows-layers": "too many",
    "json-cut": "is no JSON",
    "json-deep": "is no JSON: maximum parsing depth",
    "json-types": "rootfs.type is no 'layers'",
    "json-diff-ids": "is no list of sha256 digests",
    "json-env": "Env is no list",
    "json-nul": "is no JSON",
    "layer-text": "no sound tar archive",
    "layer-xz": "no sound tar archive",
    "layer-more": "has not the digest",
    "layer-short": "Truncated tar archive",
    "index-cut": "is no JSON",
    "index-schema": "none of schemaVersion 2",
    "index-size": "has no size",
    "index-huge": "too big integer",
    "index-digest": "has no sha256 digest",
    "index-no-blob": "has no sha256 digest",
    "index-type": "lists no image",
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

# words of JSON that are cut, of another type, too deep, or point elsewhere
MANIFEST = [{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["0/layer.tar"]}]
for name, rows in {
    "rows-object": {"Config": "c.json"},
    "rows-none": [],
    "rows-types": [{"Config": 3, "RepoTags": ["a:1"], "Layers": "0/layer.tar"}],
    "rows-outside": [dict(MANIFEST[0], Config="../../../etc/passwd")],
    "rows-layers": [dict(MANIFEST[0], Layers=["0/layer.tar"] * 2000)],
}.items():
    docker(name, [LOWER], table=rows)
for name, text in {
    "json-cut": config(LOWER)[:-9],
    "json-deep": b"[" * 100000,
    "json-types": config(LOWER).replace(b'"layers"', b"7"),
    "json-diff-ids": config(LOWER).replace(b"sha256:", b"sha256:../"),
    "json-env": config(LOWER).replace(b'["A=b"]', b'{"A": "b"}'),
    "json-nul": config(LOWER).replace(b'"c"', b'"c\\u0000d"'),
}.items():
    docker(name, [LOWER], image=text)
OTHER = tar([("other", FILE, b"7")])  # of a layer that the store has nothing is read
docker("layer-text", [OTHER], packed=lambda layer: b"this is no layer" * 100)
docker("layer-xz", [OTHER], packed=lzma.compress)
docker("layer-more", [OTHER], packed=lambda layer: gzip.compress(layer + bytes(1 << 20)))
docker("layer-short", [tar([("big", FILE, b"x" * 5000)])[:2000]])
for name, old, new in (
    ("index-cut", b"}", b""),
    ("index-schema", b'"schemaVersion": 2', b'"schemaVersion": 1'),
    ("index-size", b'"size": ', b'"size": -'),
    ("index-huge", b'"size": ', b'"size": 9999999999999999999'),
    ("index-digest", b"sha256:", b"sha256:../../../"),
    ("index-no-blob", b'"sha256:', b'"sha256:0'),
    ("index-type", b"image.manifest.v1", b"image.nothing.v1"),
):
    layout(name, stamp=2)
    index = pathlib.Path(name, "index.json")
    index.write_bytes(index.read_bytes().replace(old, new))
print("\n".join(f"{name} {text}" for name, text in BAD.items()))
