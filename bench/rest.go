package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/internal/im"
)

// backEnd calls a server's REST door as the application's administrator.
type backEnd struct {
	address string
	query   string // with a UserSig that lasts for the run
}

func (s *stage) backEnd(n *node) (*backEnd, error) {
	there := s.target()
	sig, err := there.sign(im.DefaultAdmin)
	if err != nil {
		return nil, err
	}
	query := url.Values{
		"sdkappid": {fmt.Sprint(s.app)}, "identifier": {im.DefaultAdmin}, "usersig": {sig},
		"random": {fmt.Sprint(rand.Uint32())}, "contenttype": {"json"},
	}
	return &backEnd{n.address, query.Encode()}, nil
}

// call makes a call such as "openim/admin_getroammsg" and decodes the reply. A refusal is a *client.Error.
func (b *backEnd) call(ctx context.Context, command string, body, reply any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	address := "http://" + b.address + "/v4/" + command + "?" + b.query
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(text))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	defer func() { _ = response.Body.Close() }()
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(response.Body); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	var envelope struct {
		ErrorCode int
		ErrorInfo string
	}
	if err := json.Unmarshal(raw.Bytes(), &envelope); err != nil {
		return fmt.Errorf("%s: %w in %.200s", command, err, raw.Bytes())
	}
	if envelope.ErrorCode != 0 {
		return fmt.Errorf("%s: %w", command, &client.Error{Code: envelope.ErrorCode, Info: envelope.ErrorInfo})
	}
	return json.Unmarshal(raw.Bytes(), reply)
}

// roamRequest and roamReply are admin_getroammsg's.
type roamRequest struct {
	Operator   string `json:"Operator_Account"`
	Peer       string `json:"Peer_Account"`
	MaxCnt     int
	MinTime    int64
	MaxTime    int64
	LastMsgKey string `json:",omitempty"`
}

type roamReply struct {
	Complete    int
	LastMsgTime int64
	LastMsgKey  string
	MsgList     []struct {
		From     string `json:"From_Account"`
		MsgSeq   int64
		FlagBits int `json:"MsgFlagBits"`
		MsgBody  []struct{ MsgContent struct{ Text string } }
	}
}

// recalledBit is the one of MsgFlagBits that says a message was recalled.
const recalledBit = 8
