package file

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/im"
)

// Prefix is the beginning of every path of this door: /file/APP/TOKEN/NAME. The name is for people and players, which
// look at its end; the token alone says what the address leads to.
const Prefix = "/file/"

// use is what an address is good for.
type use byte

const (
	useUpload   use = 1
	useOriginal use = 2
	useLarge    use = 3
	useThumb    use = 4
	useInspect  use = 5 // the original also of a banned file, for a short time
)

// address is what a token says. It is signed, so that nobody makes one up.
type address struct {
	use     use
	kind    kind
	id      int64
	account im.AccountID // who uploads; 0 in all others
	expires int64        // unix second; 0 is as long as the file is kept
}

// A token is an address in fixed places, and the beginning of its MAC.
const (
	addressBytes = 1 + 1 + 8 + 8 + 8
	macBytes     = 16
)

// signer makes and checks tokens. The application is no part of a token but is signed with it.
type signer struct{ key func() []byte }

func (s signer) mac(app im.AppID, text []byte) []byte {
	h := hmac.New(sha256.New, s.key())
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(app)))
	h.Write(text)
	return h.Sum(nil)[:macBytes]
}

func (s signer) sign(app im.AppID, a address) string {
	text := make([]byte, 0, addressBytes+macBytes)
	text = append(text, byte(a.use), byte(a.kind))
	text = binary.BigEndian.AppendUint64(text, uint64(a.id))
	text = binary.BigEndian.AppendUint64(text, uint64(a.account))
	text = binary.BigEndian.AppendUint64(text, uint64(a.expires))
	return base64.RawURLEncoding.EncodeToString(append(text, s.mac(app, text)...))
}

var (
	errForged  = errors.New("file: not an address of this service")
	errExpired = errors.New("file: the address has expired")
)

// read reads a token. An address that has expired is returned with errExpired.
func (s signer) read(app im.AppID, token string, now time.Time) (address, error) {
	if len(token) != base64.RawURLEncoding.EncodedLen(addressBytes+macBytes) {
		return address{}, errForged
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || !hmac.Equal(b[addressBytes:], s.mac(app, b[:addressBytes])) {
		return address{}, errForged
	}
	a := address{
		use: use(b[0]), kind: kind(b[1]),
		id:      int64(binary.BigEndian.Uint64(b[2:])),
		account: im.AccountID(binary.BigEndian.Uint64(b[10:])),
		expires: int64(binary.BigEndian.Uint64(b[18:])),
	}
	if a.expires != 0 && now.Unix() >= a.expires {
		return a, errExpired
	}
	return a, nil
}

// location is where an address stands: the parts of its path.
type location struct {
	app   im.AppID
	token string
	name  string
}

// path is the location as the path of a URL.
func (l location) path() string {
	return Prefix + strconv.FormatUint(uint64(l.app), 10) + "/" + l.token + "/" + l.name
}

// locate reads a path of the door.
func locate(path string) (location, error) {
	rest, ours := strings.CutPrefix(path, Prefix)
	parts := strings.Split(rest, "/")
	if !ours || len(parts) != 3 || parts[2] != plainName(parts[2]) {
		return location{}, errForged
	}
	app, err := strconv.ParseUint(parts[0], 10, 32)
	if err != nil || parts[0] != strconv.FormatUint(app, 10) {
		return location{}, errForged
	}
	return location{im.AppID(app), parts[1], parts[2]}, nil
}

// addressMost bounds the text of an address that a caller sends.
const addressMost = 2048

// locateURL reads a whole address, of whichever of the service's names, with whatever a client has put behind it. origin
// is the part before the path.
func locateURL(text string) (origin string, at location, err error) {
	if len(text) > addressMost {
		return "", location{}, errForged
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", location{}, errForged
	}
	at, err = locate(u.Path)
	return u.Scheme + "://" + u.Host, at, err
}

// nameMost bounds the name at the end of an address.
const nameMost = 100

// plainName is what is left of a name when only letters, digits and a few signs stay, which mean nothing in a path or a
// header. It is never empty, "." or "..".
func plainName(name string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '.', r == '-', r == '_':
			return r
		default:
			return -1
		}
	}, name)
	kept = kept[max(0, len(kept)-nameMost):]
	if strings.Trim(kept, ".") == "" {
		return "file"
	}
	return kept
}

// newID makes the number of a file. It is random, so that a file can have its addresses before it is there, and numbers
// tell nothing; two files get the same one as seldom as two keys.
func newID() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return int64(binary.BigEndian.Uint64(b[:]) >> 1)
}
