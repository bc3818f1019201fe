package backend

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
)

// maxReply bounds what is read of an answer, before it is unpacked and afterwards.
const maxReply = 256 << 10

// readBody reads the beginning of an answer. Nothing asks for compression, but some proxies compress everything; what
// they made of the answer is unpacked. What cannot be unpacked stays as it came: an error is one of the connection.
func readBody(response *http.Response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err != nil {
		return nil, err
	}
	plain, err := unpacking(body, response.Header.Get("Content-Encoding"))
	if err != nil || plain == nil {
		return body, nil
	}
	if unpacked, err := io.ReadAll(io.LimitReader(plain, maxReply)); err == nil {
		return unpacked, nil
	}
	return body, nil
}

// unpacking returns a reader of the compressed body; nil for one that is not compressed. JSON never begins as gzip does,
// so gzip is recognised also when the header that should name it was lost on the way.
func unpacking(body []byte, encoding string) (io.Reader, error) {
	switch {
	case bytes.HasPrefix(body, []byte{0x1f, 0x8b}):
		return gzip.NewReader(bytes.NewReader(body))
	case !strings.EqualFold(strings.TrimSpace(encoding), "deflate"):
		return nil, nil
	}
	if plain, err := zlib.NewReader(bytes.NewReader(body)); err == nil {
		return plain, nil
	}
	return flate.NewReader(bytes.NewReader(body)), nil // some leave out the wrapping
}
