package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3 is a bucket of an object store that speaks the S3 protocol.
type S3 struct {
	client   *minio.Client
	network  *http.Transport
	bucket   string
	prefix   string // of all names; empty, or ends in a slash
	incoming string
}

// The schemes of addresses of buckets; the second goes without TLS.
const (
	schemeS3      = "s3"
	schemeS3Plain = "s3+http"
)

// IsS3 reports whether the text names a bucket and no folder.
func IsS3(text string) bool {
	return strings.HasPrefix(text, schemeS3+"://") || strings.HasPrefix(text, schemeS3Plain+"://")
}

// bucket is what an address of one says.
type bucket struct {
	host, name, prefix, region string
	keys                       *credentials.Credentials
	plain                      bool
}

// parse reads s3://KEY:SECRET@HOST/BUCKET/PREFIX?region=R. Its errors never repeat the address, which has a secret in it.
func parse(text string) (bucket, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != schemeS3 && u.Scheme != schemeS3Plain {
		return bucket{}, errors.New("want s3://KEY:SECRET@HOST/BUCKET or s3+http://… without TLS")
	}
	b := bucket{host: u.Host, region: u.Query().Get("region"), plain: u.Scheme == schemeS3Plain}
	b.name, b.prefix, _ = strings.Cut(strings.Trim(u.Path, "/"), "/")
	if b.name == "" {
		return bucket{}, errors.New("want the name of a bucket behind the host: s3://KEY:SECRET@HOST/BUCKET")
	}
	if b.prefix != "" {
		b.prefix += "/"
	}
	if u.User == nil { // as the tools of S3 are given them: AWS_ACCESS_KEY_ID and the like, or the machine's role
		b.keys = credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.EnvMinio{}, &credentials.IAM{}})
		return b, nil
	}
	secret, _ := u.User.Password()
	b.keys = credentials.NewStaticV4(u.User.Username(), secret, "")
	return b, nil
}

// ValidS3 says what is wrong with an address of a bucket.
func ValidS3(text string) error {
	_, err := parse(text)
	return err
}

// OpenS3 opens a bucket, which must be there. What comes in is written into a folder of this machine first.
func OpenS3(ctx context.Context, text, folder string) (*S3, error) {
	at, err := parse(text)
	if err != nil {
		return nil, err
	}
	network, err := minio.DefaultTransport(!at.plain)
	if err != nil {
		return nil, fmt.Errorf("open the bucket: %w", err)
	}
	client, err := minio.New(at.host, &minio.Options{Creds: at.keys, Secure: !at.plain, Region: at.region, Transport: network})
	if err != nil {
		return nil, fmt.Errorf("open the bucket: %w", err)
	}
	there, err := client.BucketExists(ctx, at.name)
	if err == nil && !there {
		err = fmt.Errorf("there is no bucket %q: make it, or see whether the keys may read it", at.name)
	}
	if err != nil {
		return nil, fmt.Errorf("open the bucket: %w", err)
	}
	s := &S3{client: client, network: network, bucket: at.name, prefix: at.prefix, incoming: filepath.Join(folder, incoming)}
	if err := os.MkdirAll(s.incoming, folderMode); err != nil {
		return nil, fmt.Errorf("open the folder of what comes in: %w", err)
	}
	return s, nil
}

// Close ends the connections to the bucket that are idle.
func (s *S3) Close() { s.network.CloseIdleConnections() }

// Incoming is a folder of this node alone.
func (s *S3) Incoming() string { return s.incoming }

// Keep sends the file, in parts if it is large: it is there when all have come, or not at all.
func (s *S3) Keep(ctx context.Context, name, from string) error {
	if !valid(name) {
		return fmt.Errorf("%w: %.40q is no name of one", ErrNoObject, name)
	}
	// A sum of each part stands in its head, as all servers read it; a body with sums between its pieces some do not.
	const partBytes = 16 << 20
	_, err := s.client.FPutObject(ctx, s.bucket, s.prefix+name, from, minio.PutObjectOptions{
		ContentType: "application/octet-stream", PartSize: partBytes, NumThreads: 1, SendContentMd5: true, DisableContentSha256: true,
	})
	if err != nil {
		return fmt.Errorf("keep an object in the bucket: %w", err)
	}
	return nil
}

// Open begins to read an object.
func (s *S3) Open(ctx context.Context, name string) (Object, error) {
	if !valid(name) {
		return nil, fmt.Errorf("%w: %.40q is no name of one", ErrNoObject, name)
	}
	object, err := s.client.GetObject(ctx, s.bucket, s.prefix+name, minio.GetObjectOptions{})
	if err == nil {
		_, err = object.Stat()
	}
	if err != nil && minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, fmt.Errorf("%w: %s", ErrNoObject, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read an object of the bucket: %w", err)
	}
	return object, nil
}

// Remove removes an object; S3 does not say whether there was one.
func (s *S3) Remove(ctx context.Context, name string) error {
	if !valid(name) {
		return fmt.Errorf("%w: %.40q is no name of one", ErrNoObject, name)
	}
	if err := s.client.RemoveObject(ctx, s.bucket, s.prefix+name, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("remove an object of the bucket: %w", err)
	}
	return nil
}

// List asks for one page of names.
func (s *S3) List(ctx context.Context, after string, most int) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx) // ends the listing behind the last name that is wanted
	defer cancel()
	options := minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true, MaxKeys: most}
	if after != "" {
		options.StartAfter = s.prefix + after
	}
	var names []string
	for one := range s.client.ListObjects(ctx, s.bucket, options) {
		if one.Err != nil {
			return nil, fmt.Errorf("list objects of the bucket: %w", one.Err)
		}
		if name := strings.TrimPrefix(one.Key, s.prefix); valid(name) && name > after {
			names = append(names, name)
		}
		if len(names) == most {
			break
		}
	}
	return names, nil
}
