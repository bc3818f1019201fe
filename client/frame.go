package client

import (
	"bytes"
	"errors"
	"hash/crc32"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The commands whose answers and pushes this package handles by itself.
const (
	cmdLogin     = "im_open_status.wslogin"
	cmdLogout    = "im_open_status.wslogout"
	cmdHello     = "im_open_status.wshello"
	cmdAlive     = "heartbeat.alive"
	cmdGetMsg    = "openim.getmsg"
	cmdPushAck   = "openim.ws_msg_push_ack"
	cmdKickOther = "StatSvc.KickOther"
	cmdOverload  = "OverLoadPush.notify2"
)

// request is one frame to be sent, without what belongs to the session.
type request struct {
	cmd     string
	seq     uint32
	reqTime int64 // Unix seconds
	sum     uint32
	body    []byte
}

// checksum is what head.cs carries for a body. The commands of the connection itself carry 0.
func checksum(body []byte) uint32 { return crc32.ChecksumIEEE(body) }

// appendHead appends the part of a frame that stays the same for a session, up to where a request continues it.
func appendHead(dst []byte, o *Options, s *session) []byte {
	dst = append(dst, `{"head":{"ver":"v4","platform":`...)
	dst = strconv.AppendInt(dst, int64(o.Platform), 10)
	dst = append(dst, `,"websdkappid":537048168,"websdkversion":"1.7.3","sdkappid":`...)
	dst = strconv.AppendUint(dst, uint64(o.AppID), 10)
	if s.a2 != "" {
		dst = appendString(append(dst, `,"a2":`...), s.a2)
		dst = appendString(append(dst, `,"tinyid":`...), s.tinyID)
	} else {
		dst = appendString(append(dst, `,"identifier":`...), o.UserID)
		dst = appendString(append(dst, `,"usersig":`...), s.sig)
	}
	dst = append(dst, `,"status_instid":`...)
	dst = strconv.AppendInt(dst, s.instID, 10)
	return append(dst, `,"contenttype":"json","sdkability":75689843,"sdkability_ext":"","cappid":0,"reqtime":`...)
}

// appendFrame appends a whole frame: the session's head, the request's part of it, the body.
func appendFrame(dst, head []byte, r *request) []byte {
	dst = append(dst, head...)
	dst = strconv.AppendInt(dst, r.reqTime, 10)
	dst = append(dst, `,"cs":`...)
	dst = strconv.AppendUint(dst, uint64(r.sum), 10)
	dst = appendString(append(dst, `,"servcmd":`...), r.cmd)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendUint(dst, uint64(r.seq), 10)
	dst = append(dst, `},"body":`...)
	dst = append(dst, r.body...)
	return append(dst, '}')
}

// appendString appends a JSON string; what is not UTF-8 in s becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// envelope is a received frame taken apart. Its slices point into the frame.
type envelope struct {
	cmd  []byte
	seq  uint32
	body []byte
}

var errEnvelope = errors.New("frame is not an envelope")

// scanner reads frames without copying them. One serves a connection; it is not for concurrent use.
type scanner struct {
	dec jsontext.Decoder
	src bytes.Buffer
	at  []byte
}

// start puts the scanner at the beginning of an object.
func (s *scanner) start(data []byte) error {
	s.at = data
	s.src = *bytes.NewBuffer(data)
	s.dec.Reset(&s.src, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return s.open()
}

func (s *scanner) open() error {
	if s.dec.PeekKind() != '{' {
		return errEnvelope
	}
	_, err := s.dec.ReadToken()
	return err
}

// next reads the name of the object's next member; nil at the end of the object, which is then left.
func (s *scanner) next() ([]byte, error) {
	if s.dec.PeekKind() == '}' {
		_, err := s.dec.ReadToken()
		return nil, err
	}
	return s.text()
}

// value reads the next value whole, as it stands in the frame.
func (s *scanner) value() ([]byte, error) {
	value, err := s.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	end := int(s.dec.InputOffset())
	return s.at[end-len(value) : end], nil
}

// text reads a string that needs no unescaping, as names and commands do.
func (s *scanner) text() ([]byte, error) {
	value, err := s.value()
	if err != nil {
		return nil, err
	}
	if len(value) < 2 || value[0] != '"' {
		return nil, errEnvelope
	}
	return value[1 : len(value)-1], nil
}

// number reads an unsigned number; anything else is 0, which is no request's sequence.
func (s *scanner) number() (uint32, error) {
	value, err := s.value()
	if err != nil {
		return 0, err
	}
	var n uint64
	for _, digit := range value {
		if digit < '0' || digit > '9' || n > 1<<32 {
			return 0, nil
		}
		n = n*10 + uint64(digit-'0')
	}
	return uint32(n), nil
}

// envelope takes a frame apart.
func (s *scanner) envelope(frame []byte) (e envelope, err error) {
	if err = s.start(frame); err != nil {
		return e, err
	}
	for {
		name, err := s.next()
		if name == nil || err != nil {
			return e, err
		}
		switch string(name) {
		case "head":
			err = s.head(&e)
		case "body":
			e.body, err = s.value()
		default:
			err = s.dec.SkipValue()
		}
		if err != nil {
			return e, err
		}
	}
}

func (s *scanner) head(e *envelope) error {
	if err := s.open(); err != nil {
		return err
	}
	for {
		name, err := s.next()
		if name == nil || err != nil {
			return err
		}
		switch string(name) {
		case "servcmd":
			e.cmd, err = s.text()
		case "seq":
			e.seq, err = s.number()
		default:
			err = s.dec.SkipValue()
		}
		if err != nil {
			return err
		}
	}
}

// decode reads what the server says as it stands: of a member that stands twice the last counts, and what is not UTF-8
// becomes U+FFFD. Refusing either would cost a fifth of the time.
func decode(data []byte, into any) error {
	return json.Unmarshal(data, into, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}
