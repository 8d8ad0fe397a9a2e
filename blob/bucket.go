package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/dragoman-hub/dragoman/chat"
)

// S3Options say where a bucket is.
type S3Options struct {
	Endpoint  string // "https://s3.eu-central-1.amazonaws.com" or "http://127.0.0.1:9000"
	Region    string // empty: us-east-1, which most gateways take
	Bucket    string
	Prefix    string // put before every key, "attachments/"; may be empty
	AccessKey string
	SecretKey string
	PathStyle bool // the bucket in the path, not in the host name: what most gateways want
	// Transport is the way there; nil: minio's own. It is the operator's server, often in a private network, so it
	// must not be the guarded client of package outbound.
	Transport http.RoundTripper
}

// Bucket is a Store in an S3-compatible bucket.
type Bucket struct {
	core           minio.Core
	bucket, prefix string
}

const (
	small    = 1 << 20 // bytes up to which a blob goes in one request
	partSize = 8 << 20 // of larger ones; also the memory that one upload takes. 10,000 parts: up to 80 GB
)

// S3 makes a Store of a bucket. It makes no request; Check does.
func S3(o S3Options) (*Bucket, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return nil, chat.Faultf(chat.CodeInvalid, "S3 endpoint: want https://host or http://host:port")
	}
	if o.Bucket == "" {
		return nil, chat.Faultf(chat.CodeInvalid, "S3: no bucket named")
	}
	if o.Prefix != "" {
		if err := checkKey(strings.TrimSuffix(o.Prefix, "/")); err != nil {
			return nil, fmt.Errorf("S3 prefix: %w", err)
		}
		o.Prefix = strings.TrimSuffix(o.Prefix, "/") + "/"
	}
	lookup := minio.BucketLookupDNS
	if o.PathStyle {
		lookup = minio.BucketLookupPath
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	core, err := minio.NewCore(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Secure: u.Scheme == "https",
		Region: o.Region, BucketLookup: lookup, Transport: o.Transport, MaxRetries: 3,
	})
	if err != nil {
		return nil, fmt.Errorf("blob: S3: %w", err)
	}
	return &Bucket{core: *core, bucket: o.Bucket, prefix: o.Prefix}, nil
}

// Check asks whether the bucket is there and the keys fit.
func (b *Bucket) Check(ctx context.Context) error {
	ok, err := b.core.BucketExists(ctx, b.bucket)
	if err != nil {
		return fmt.Errorf("blob: S3 bucket %s: %w", b.bucket, err)
	}
	if !ok {
		return chat.Faultf(chat.CodeNotFound, "S3: no bucket "+b.bucket)
	}
	return nil
}

// Put is Store.Put. A large blob goes in parts, which the server forgets if one of them fails; a bucket should still
// have a lifecycle rule that removes incomplete uploads, for the case that the hub is killed.
func (b *Bucket) Put(ctx context.Context, key string, r io.Reader, limit int64) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	m := newMeter(ctx, r, limit)
	if err := b.put(ctx, key, m); err != nil {
		if m.err != nil && m.err != io.EOF { // the source's fault, whatever became of it on the way
			err = m.err
		}
		return Info{}, fmt.Errorf("blob: put %s: %w", key, err)
	}
	return m.info(), nil
}

func (b *Bucket) put(ctx context.Context, key string, m *meter) error {
	var head bytes.Buffer
	n, err := io.CopyN(&head, m, small)
	opts := minio.PutObjectOptions{ContentType: "application/octet-stream"}
	switch {
	case errors.Is(err, io.EOF):
		_, err = b.core.Client.PutObject(ctx, b.bucket, b.prefix+key, bytes.NewReader(head.Bytes()), n, opts)
	case err == nil:
		opts.PartSize = partSize
		opts.NumThreads = 1
		_, err = b.core.Client.PutObject(ctx, b.bucket, b.prefix+key, io.MultiReader(&head, m), -1, opts)
	}
	return err
}

// Open is Store.Open. The first request learns the size, the second one reads that very version.
func (b *Bucket) Open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, Info, error) {
	if err := checkKey(key); err != nil {
		return nil, Info{}, err
	}
	st, err := b.core.StatObject(ctx, b.bucket, b.prefix+key, minio.StatObjectOptions{})
	if err != nil {
		return nil, Info{}, b.openError(key, err)
	}
	n, err := checkRange(st.Size, offset, length)
	if err != nil {
		return nil, Info{}, err
	}
	info := Info{Size: st.Size}
	if n == 0 { // a range of nothing cannot be asked for
		return io.NopCloser(strings.NewReader("")), info, nil
	}
	var opts minio.GetObjectOptions
	if err := errors.Join(opts.SetMatchETag(st.ETag), opts.SetRange(offset, offset+n-1)); err != nil {
		return nil, Info{}, b.openError(key, err)
	}
	body, _, _, err := b.core.GetObject(ctx, b.bucket, b.prefix+key, opts)
	if err != nil {
		return nil, Info{}, b.openError(key, err)
	}
	return body, info, nil
}

func (b *Bucket) openError(key string, err error) error {
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return notFound(key)
	}
	return fmt.Errorf("blob: open %s: %w", key, err)
}

// Delete is Store.Delete.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	err := b.core.RemoveObject(ctx, b.bucket, b.prefix+key, minio.RemoveObjectOptions{})
	if err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchKey {
		return fmt.Errorf("blob: delete %s: %w", key, err)
	}
	return nil
}
