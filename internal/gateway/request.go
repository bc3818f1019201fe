package gateway

import (
	"errors"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/wire"
)

// head is what the gateway reads of a request's head (docs/protocol/wire.md#envelope). Seq is echoed as it came.
type head struct {
	Servcmd    string   `json:"servcmd"`
	Seq        wire.Raw `json:"seq"`
	Identifier string   `json:"identifier"`
	UserSig    string   `json:"usersig"`
	Token      string   `json:"a2"`
}

// request is a request as it came, and what a session notes of it while it is served.
type request struct {
	Head head     `json:"head"`
	Body wire.Raw `json:"body"`

	frame    *incoming // whose memory head and body share
	ctx      callContext
	call     command.Call
	turn     turn
	asker    asker
	deferred bool          // its command is
	pause    time.Duration // before the next one is served; zero for all but who asks for more than his share

	// The session's mutex guards these.
	serving  bool // a goroutine serves it, and writes its reply if there is one by the end
	answered bool
	underWay bool   // it was served and is counted in the mailbox
	reply    []byte // nil is no reply
}

// maxSeqBytes bounds the sequence that is echoed; clients send at most ten digits.
const maxSeqBytes = 24

var errNoRequest = errors.New("gateway: no request: want head.servcmd and head.seq")

var errLongName = errors.New("gateway: the name of the command is too long")

// decode reads a frame, whose command's name is not too long to be repeated in a reply.
func (s *Session) decode(frame []byte) (*request, error) {
	r, err := decode(frame)
	if err == nil && len(r.Head.Servcmd) > s.gateway.config.CommandNameBytes {
		s.refused(refusedName)
		return nil, errLongName
	}
	return r, err
}

// decode reads a frame.
func decode(frame []byte) (*request, error) {
	r := &request{}
	if err := wire.Unmarshal(frame, r); err != nil {
		return nil, err
	}
	kind := r.Head.Seq.Kind()
	if r.Head.Servcmd == "" || (kind != '0' && kind != '"') || len(r.Head.Seq) > maxSeqBytes {
		return nil, errNoRequest
	}
	return r, nil
}
