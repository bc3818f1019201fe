package magpietest

import (
	"encoding/json"
	"testing"
)

// Call makes a request and waits for the answer, as the user who is logged in.
func (c *Conn) Call(t testing.TB, servcmd string, body, reply any) Envelope {
	t.Helper()
	return c.CallWith(t, c.credentials(), servcmd, body, reply)
}

// credentials are those of the user who is logged in, if anybody is.
func (c *Conn) credentials() M {
	if c.Session.A2Key == "" {
		return M{"status_instid": 0}
	}
	return M{"a2": c.Session.A2Key, "tinyid": c.Session.TinyID, "status_instid": c.Session.InstID}
}

// MustCall is Call for a request that has to succeed.
func (c *Conn) MustCall(t testing.TB, servcmd string, body, reply any) {
	t.Helper()
	if e := c.Call(t, servcmd, body, reply); e.ErrorCode != 0 {
		t.Fatalf("%s: %d %s", servcmd, e.ErrorCode, e.ErrorInfo)
	}
}

// CallWith is Call with other credentials in the head.
func (c *Conn) CallWith(t testing.TB, credentials M, servcmd string, body, reply any) Envelope {
	t.Helper()
	c.seq++
	c.Write(t, c.Request(t, credentials, servcmd, body))
	raw := c.Answer(t, servcmd, c.seq)
	return decodeReply(t, servcmd, raw, reply)
}

// Ask sends a request and does not wait; Answer with the sequence that it returns does.
func (c *Conn) Ask(t testing.TB, servcmd string, body any) (seq int64) {
	t.Helper()
	c.seq++
	c.Write(t, c.Request(t, c.credentials(), servcmd, body))
	return c.seq
}

// Request is the frame of a request with the connection's latest sequence.
func (c *Conn) Request(t testing.TB, credentials M, servcmd string, body any) []byte {
	t.Helper()
	head := With(M{
		"ver": "v4", "platform": 7, "websdkappid": 537048168, "websdkversion": "1.7.3", "sdkappid": c.server.AppID,
		"contenttype": "json", "reqtime": c.server.Now().Unix(), "sdkability": 75689843, "sdkability_ext": "", "cappid": 0,
		"cs": 0, "servcmd": servcmd, "seq": c.seq,
	}, credentials)
	return encode(t, M{"head": head, "body": json.RawMessage(encode(t, body))})
}
