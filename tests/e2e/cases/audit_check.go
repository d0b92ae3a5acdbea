// SPDX-License-Identifier: Apache-2.0

// Verifies a log of `lichen run --audit` by other people's code: Go's golang.org/x/mod/sumdb (Debian: golang-golang-x-mod-dev).
//
//	audit_check DIR VERIFIER CHECKPOINT...   the signature of each checkpoint, all entries in the newest, consistency of each pair, DIR/*.tlog-proof
//	audit_check witness NAME CHECKPOINT      prints the checkpoint with the signature of a new witness; its verifier on stderr
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "audit_check: %s: %v\n", what, err)
		os.Exit(1)
	}
}

func check(ok bool, what string) {
	if !ok {
		must(fmt.Errorf("it does not hold"), what)
	}
}

// checkpoint is a tree that the log has signed.
func checkpoint(text []byte, verifiers note.Verifiers) tlog.Tree {
	n, err := note.Open(text, verifiers)
	must(err, "signature")
	lines := strings.Split(n.Text, "\n")
	check(len(lines) == 4 && lines[0] == n.Sigs[0].Name, "three lines, the first of them the signer")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err, "size")
	root, err := tlog.ParseHash(lines[2])
	must(err, "root")
	return tlog.Tree{N: size, Hash: root}
}

// tiles reads hashes as tlog-tiles has them: without the height in the path, and maybe only the full tile.
type tiles string

func (dir tiles) Height() int { return 8 }

func (dir tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (dir tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range wanted {
		data, err := os.ReadFile(dir.path(t.Path()))
		if os.IsNotExist(err) {
			full := t
			full.W = 256
			data, err = os.ReadFile(dir.path(full.Path()))
		}
		if err != nil {
			return nil, err
		}
		all = append(all, data[:t.W*tlog.HashSize])
	}
	return all, nil
}

func (dir tiles) path(name string) string {
	return filepath.Join(string(dir), "tile", strings.TrimPrefix(name, "tile/8/"))
}

// entries are those of the tree, out of its bundles.
func (dir tiles) entries(size int64) (all [][]byte) {
	for int64(len(all)) < size {
		t := tlog.Tile{H: 8, L: -1, N: int64(len(all)) / 256, W: 256}
		if size-int64(len(all)) < 256 {
			t.W = int(size) - len(all)
		}
		bundle, err := os.ReadFile(dir.path(strings.Replace(t.Path(), "/data/", "/entries/", 1)))
		must(err, "bundle")
		for i := 0; i < t.W; i++ {
			length := int(binary.BigEndian.Uint16(bundle))
			all = append(all, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
		check(len(bundle) == 0, "nothing behind the bundle")
	}
	return all
}

// proof verifies a tlog-proof and returns its entry and index.
func proof(text []byte, verifiers note.Verifiers) ([]byte, int64) {
	head, signed, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	check(found && len(lines) >= 3 && lines[0] == "c2sp.org/tlog-proof@v1", "form of the proof")
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	must(err, "extra data")
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	must(err, "index")
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		must(err, "hash")
		path = append(path, hash)
	}
	tree := checkpoint(signed, verifiers)
	must(tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(entry)), "inclusion by the proof")
	return entry, index
}

func verify(dir, key string, files []string) {
	verifier, err := note.NewVerifier(key)
	must(err, "verifier")
	verifiers := note.VerifierList(verifier)
	var trees []tlog.Tree
	for _, file := range append(files, filepath.Join(dir, "checkpoint")) {
		text, err := os.ReadFile(file)
		must(err, file)
		trees = append(trees, checkpoint(text, verifiers))
	}
	newest := trees[len(trees)-1]
	reader := tlog.TileHashReader(newest, tiles(dir))
	entries := tiles(dir).entries(newest.N)
	for i, entry := range entries {
		path, err := tlog.ProveRecord(newest.N, int64(i), reader)
		must(err, "proof of an entry")
		must(tlog.CheckRecord(path, newest.N, newest.Hash, int64(i), tlog.RecordHash(entry)), "inclusion")
	}
	pairs := 0
	for _, old := range trees {
		for _, tree := range trees {
			if old.N == 0 || old.N > tree.N {
				continue
			}
			path, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, tiles(dir)))
			must(err, "proof of consistency")
			must(tlog.CheckTree(path, tree.N, tree.Hash, old.N, old.Hash), "consistency")
			pairs++
		}
	}
	proofs, err := filepath.Glob(filepath.Join(dir, "*.tlog-proof"))
	must(err, "proofs")
	for _, file := range proofs {
		text, err := os.ReadFile(file)
		must(err, file)
		entry, index := proof(text, verifiers)
		check(bytes.Equal(entry, entries[index]), "the entry is the proof's")
	}
	fmt.Printf("%d entries, %d checkpoints, %d pairs, %d proofs\n", len(entries), len(trees), pairs, len(proofs))
}

// witness signs as c2sp.org/tlog-cosignature has it.
func witness(name, file string) {
	const kind = 4
	text, err := os.ReadFile(file)
	must(err, file)
	public, private, err := ed25519.GenerateKey(nil)
	must(err, "key")
	body, _, found := bytes.Cut(text, []byte("\n\n"))
	check(found, "form of the checkpoint")
	now := uint64(time.Now().Unix())
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s\n", now, body)
	key := append([]byte{kind}, public...)
	id := sha256.Sum256([]byte(name + "\n" + string(key)))
	signature := binary.BigEndian.AppendUint64(append([]byte{}, id[:4]...), now)
	signature = append(signature, ed25519.Sign(private, []byte(message))...)
	fmt.Printf("%s— %s %s\n", text, name, base64.StdEncoding.EncodeToString(signature))
	fmt.Fprintf(os.Stderr, "%s+%x+%s\n", name, id[:4], base64.StdEncoding.EncodeToString(key))
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "witness" {
		witness(os.Args[2], os.Args[3])
		return
	}
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: audit_check DIR VERIFIER [CHECKPOINT...] | witness NAME CHECKPOINT")
		os.Exit(2)
	}
	verify(os.Args[1], os.Args[2], os.Args[3:])
}
