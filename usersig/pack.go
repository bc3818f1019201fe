package usersig

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"io"
	"strings"
	"sync"
)

// maxDocument bounds the JSON inside a signature: what fits in MaxLen can otherwise inflate to six megabytes.
const maxDocument = 16 << 10

// packed is strict so that a signature has one spelling: the unused bits before the padding must be zero.
var packed = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-").
	WithPadding('_').Strict()

// A compressor is over a megabyte and a decompressor forty kilobytes, for a text of two hundred bytes.
var (
	deflaters = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}
	inflaters sync.Pool
)

func pack(document []byte) (string, error) {
	if len(document) > maxDocument {
		return "", malformed("claims take more than %d bytes", maxDocument)
	}
	var out bytes.Buffer
	w := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	if _, err := w.Write(document); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	if packed.EncodedLen(out.Len()) > MaxLen {
		return "", malformed("longer than %d bytes", MaxLen)
	}
	return packed.EncodeToString(out.Bytes()), nil
}

func unpack(sig string) ([]byte, error) {
	switch {
	case sig == "":
		return nil, ErrEmpty
	case len(sig) > MaxLen:
		return nil, malformed("longer than %d bytes", MaxLen)
	case strings.ContainsAny(sig, "\r\n"): // which the decoder would skip
		return nil, malformed("has line breaks")
	}
	compressed, err := packed.DecodeString(sig)
	if err != nil {
		return nil, malformed("not in UserSig base64")
	}
	return inflate(compressed)
}

func inflate(compressed []byte) ([]byte, error) {
	source := bytes.NewReader(compressed)
	z, err := inflater(source)
	if err != nil {
		return nil, malformed("not zlib data")
	}
	defer inflaters.Put(z)
	document, err := io.ReadAll(io.LimitReader(z, maxDocument+1))
	switch {
	case err != nil:
		return nil, malformed("damaged zlib data")
	case len(document) > maxDocument:
		return nil, malformed("inflates to more than %d bytes", maxDocument)
	case source.Len() > 0:
		return nil, malformed("more data after the end")
	}
	return document, nil
}

func inflater(source io.Reader) (io.Reader, error) {
	z, ok := inflaters.Get().(io.Reader)
	if !ok {
		return zlib.NewReader(source)
	}
	if err := z.(zlib.Resetter).Reset(source, nil); err != nil {
		inflaters.Put(z)
		return nil, err
	}
	return z, nil
}
