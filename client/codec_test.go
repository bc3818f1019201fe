package client

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

func deflated(t *testing.T, open func(io.Writer) io.WriteCloser, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	out.WriteString(compressed)
	w := open(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func openGzip(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
func openZlib(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }

func TestInflate(t *testing.T) {
	for range 3 { // again, with a used inflater
		for _, data := range [][]byte{
			[]byte(`{"a":1}`), deflated(t, openGzip, `{"a":1}`), deflated(t, openZlib, `{"a":1}`),
		} {
			var got string
			if err := withPlain(data, 7, func(b []byte) { got = string(b) }); err != nil || got != `{"a":1}` {
				t.Errorf("%q: %q, %v", data, got, err)
			}
		}
	}
}

func TestInflateIsBounded(t *testing.T) {
	bomb := strings.Repeat(" ", 1<<20)
	for _, open := range []func(io.Writer) io.WriteCloser{openGzip, openZlib} {
		err := withPlain(deflated(t, open, bomb), 1000, func([]byte) { t.Error("used") })
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("error %v", err)
		}
	}
}

func TestInflateRefuses(t *testing.T) {
	whole := deflated(t, openGzip, strings.Repeat("abc", 100))
	for _, data := range [][]byte{
		[]byte("COMP"), []byte("COMPx"), []byte("COMPxy"), []byte("COMP\x1f\x8b"), whole[:len(whole)-9],
	} {
		if err := withPlain(data, 1000, func([]byte) { t.Errorf("%q used", data) }); err == nil {
			t.Errorf("%q: no error", data)
		}
	}
}

func TestKey(t *testing.T) {
	key := Key{Seq: 3526390001, Random: 31622982, Time: 1795238799}
	const text = "3526390001_31622982_1795238799"
	if key.String() != text {
		t.Errorf("text %s", key)
	}
	if got, err := ParseKey(text); err != nil || got != key {
		t.Errorf("parsed %+v, %v", got, err)
	}
	for _, bad := range []string{"", "1", "1_2", "1_2_", "_2_3", "1_2_x", "4294967296_1_1", "-1_2_3", "1_2_3_4"} {
		if got, err := ParseKey(bad); err == nil {
			t.Errorf("%q parsed as %+v", bad, got)
		}
	}
}

func TestSeenForgetsTheOldestGeneration(t *testing.T) {
	s := seen{size: 3}
	key := func(i int) seenKey { return seenKey{seq: uint32(i)} }
	for i := range 10 {
		if !s.add(key(i)) || s.add(key(i)) {
			t.Fatalf("key %d", i)
		}
		for last := max(0, i-2); last <= i; last++ {
			if !s.has(key(last)) {
				t.Errorf("after %d, %d is forgotten", i, last)
			}
		}
	}
	if s.has(key(0)) || len(s.young)+len(s.old) > 6 {
		t.Errorf("%d and %d keys kept", len(s.young), len(s.old))
	}
}

func TestDuplicateKeyTellsDirectionsApart(t *testing.T) {
	c := newClient(testOptions())
	m := Message{From: "a", To: "b", Seq: 1, Random: 2, Time: 3}
	back := m
	back.From, back.To = m.To, m.From
	if duplicateKey(c.seed, &m) == duplicateKey(c.seed, &back) {
		t.Error("same key")
	}
	other := m
	other.Elements, other.Version = []Element{Text("x")}, 4
	if duplicateKey(c.seed, &m) != duplicateKey(c.seed, &other) {
		t.Error("the content counts")
	}
}

func TestOutgoing(t *testing.T) {
	out := Outgoing{
		To: "bob", Elements: []Element{Text("hi \"中文😀\"\xff"), Custom("d", "e", "f"), Face(3, "x"), Location("here", 1.5, -2)},
		CloudCustomData: "ccd", OnlineOnly: true, NoUnread: true, NoLastMessage: true, NeedReadReceipt: true,
		Seq: 3526390001, Random: 5, ClientTime: 1795238798, OfflinePush: []byte(`{"PushFlag":1}`),
	}
	body, err := appendOutgoing(nil, "alice", &out)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"From_Account":"alice","To_Account":"bob","MsgSeq":3526390001,"MsgRandom":5,"MsgBody":[` +
		`{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi \"中文😀\"` + "\ufffd" + `"}},` +
		`{"MsgType":"TIMCustomElem","MsgContent":{"Data":"d","Desc":"e","Ext":"f"}},` +
		`{"MsgType":"TIMFaceElem","MsgContent":{"Index":3,"Data":"x"}},` +
		`{"MsgType":"TIMLocationElem","MsgContent":{"Desc":"here","Latitude":1.5,"Longitude":-2}}],` +
		`"CloudCustomData":"ccd","MsgClientTime":1795238798,"IsNeedReadReceipt":1,"SupportMessageExtension":0,` +
		`"IsRelayMsg":0,"MsgLifeTime":0,"SendMsgControl":["NoUnread","NoLastMsg"],"OfflinePushInfo":{"PushFlag":1}}`
	if string(body) != want {
		t.Errorf("body\n%s\nwant\n%s", body, want)
	}
}

func TestOutgoingRefuses(t *testing.T) {
	c := newClient(testOptions())
	for _, out := range []Outgoing{
		{Elements: []Element{Text("x")}}, {To: "bob"},
		{To: "bob", Elements: []Element{{Type: "T", Content: []byte(`{"a":`)}}},
		{To: "bob", Body: []byte(`[`)}, {To: "bob", Body: []byte(`[]`), OfflinePush: []byte(`}`)},
	} {
		if k, err := c.newSend(&out); err == nil {
			t.Errorf("%+v: %s", out, k.req.body)
		}
	}
}

func TestIncomingMessage(t *testing.T) {
	var w wireMessage
	err := json.Unmarshal([]byte(`{"From_Account":"bob","To_Account":"alice","IsSyncMsg":1,"MsgSeq":3508160001,"MsgRandom":7,
		"MsgTime":50,"MsgClientTime":49,"TinyId":"144","MsgLifeTime":0,"MsgFlagBits":8,"IsPeerRead":1,
		"MsgBody":[{"MsgType":"TIMFaceElem","MsgContent":{}},{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}`), &w)
	if err != nil {
		t.Fatal(err)
	}
	m := w.message()
	if m.From != "alice" || m.To != "bob" || m.Time != 50 || !m.OnlineOnly || !m.Recalled || !m.ReadByPeer {
		t.Errorf("message %+v", m)
	}
	if m.Text() != "hi" || m.Key().String() != "3508160001_7_50" || m.Peer("alice") != "bob" || m.Peer("bob") != "alice" {
		t.Errorf("text %q, key %s", m.Text(), m.Key())
	}
}

func TestBackoffIsBounded(t *testing.T) {
	const least, most = 100, 1000
	for round, want := range map[int]int64{0: least, 1: 200, 3: 800, 4: most, 40: most, 100: most} {
		for range 100 {
			if got := int64(backoff(least, most, round)); got < want/2 || got > want {
				t.Fatalf("round %d: %d", round, got)
			}
		}
	}
}
