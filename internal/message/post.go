package message

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"

	"github.com/magpie-im/magpie/internal/wire"
)

// Post sends a message in the name of an account, as sendmsg does at the REST door. Called again it sends another one.
func (m *Messages) Post(ctx context.Context, call *command.Call, from, to string, body wire.Raw) (Key, error) {
	random, err := drawSeq()
	if err != nil {
		return Key{}, err
	}
	reply, err := m.send(ctx, call, &sendRequest{From: from, To: to, content: content{Random: &random, Body: body}})
	if err != nil {
		return Key{}, err
	}
	return ParseKey(reply.MsgKey)
}
