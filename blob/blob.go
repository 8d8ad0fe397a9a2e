// Package blob keeps attachments: in a local folder, or in an S3-compatible bucket.
//
// It stores bytes under keys and knows nothing of messages, names or types; what belongs to whom is in the database.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// Store keeps blobs. Keys are names with slashes between them, as "w1/2026/11/file-id" (see the checks of Put); a key
// must not be the folder of another one. All methods may be called from many goroutines.
type Store interface {
	// Put streams r into a blob, at most limit bytes of it: more is chat.CodeTooLarge. A blob is there whole or not at all,
	// whatever happens; an existing one is replaced. A bad key is chat.CodeInvalid.
	Put(ctx context.Context, key string, r io.Reader, limit int64) (Info, error)
	// Open reads length bytes from offset on; length -1 reads to the end, and what lies behind the end is left out. The
	// caller closes the reader. No such blob is chat.CodeNotFound, an offset behind the end chat.CodeInvalid.
	Open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, Info, error)
	// Delete removes a blob; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Info describes a blob.
type Info struct {
	Size   int64  // of the whole blob, in bytes
	SHA256 string // in hex; Put gives it, Open leaves it empty: the database remembers
}

const keyLimit = 512

// checkKey lets through letters, digits and "._-" in parts of 1 to 200 bytes that do not begin with a dot. That is
// safe as a path on any file system and in any bucket.
func checkKey(key string) error {
	if key == "" || len(key) > keyLimit {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("blob key: want 1 to %d bytes", keyLimit))
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || len(part) > 200 || part[0] == '.' || strings.ContainsFunc(part, isNotKey) {
			return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("blob key %.60q: want letters, digits, \"._-\" between slashes, no part that begins with a dot", key))
		}
	}
	return nil
}

const keyBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

func isNotKey(c rune) bool { return !strings.ContainsRune(keyBytes, c) }

// checkRange checks offset and length against a size and gives the number of bytes to read.
func checkRange(size, offset, length int64) (int64, error) {
	if offset < 0 || offset > size || length < -1 {
		return 0, chat.Faultf(chat.CodeInvalid, "blob: the range begins behind the end")
	}
	if rest := size - offset; length == -1 || length > rest {
		return rest, nil
	}
	return length, nil
}

func notFound(key string) error { return chat.Faultf(chat.CodeNotFound, "no blob "+key) }

// meter counts, hashes and limits what is read through it. Its errors other than io.EOF are wrapped, for copying code
// takes a bare io.ErrUnexpectedEOF (a source that broke off) for the end.
type meter struct {
	ctx   context.Context
	r     io.Reader
	limit int64
	size  int64
	sum   hash.Hash
	err   error // the first one, for good
}

func newMeter(ctx context.Context, r io.Reader, limit int64) *meter {
	return &meter{ctx: ctx, r: r, limit: limit, sum: sha256.New()}
}

// Read is io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	if m.err == nil {
		m.err = m.ctx.Err()
	}
	if m.err != nil {
		return 0, m.err
	}
	if room := m.limit - m.size + 1; int64(len(p)) > room {
		p = p[:room] // one byte more than allowed tells that there is more
	}
	n, err := m.r.Read(p)
	m.size += int64(n)
	m.sum.Write(p[:n])
	switch {
	case m.size > m.limit:
		m.err = chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("larger than %d bytes", m.limit))
		return 0, m.err
	case err == io.EOF: // the bare one only: io.Reader says so
		m.err = io.EOF
	case err != nil:
		m.err = fmt.Errorf("blob: read the source: %w", err)
	}
	return n, m.err
}

func (m *meter) info() Info { return Info{Size: m.size, SHA256: hex.EncodeToString(m.sum.Sum(nil))} }

var (
	_ Store = (*Folder)(nil)
	_ Store = (*Bucket)(nil)
)
