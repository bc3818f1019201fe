package client

import (
	"context"
	"testing"
)

func BenchmarkEncodeSend(b *testing.B) {
	c := newClient(testOptions())
	head := appendHead(nil, c.opt, &session{a2: "a2_alice_3683014456", tinyID: "144115227431211544", instID: 1001})
	var frame []byte
	elements := []Element{Text("hi bob 中文😀")}
	b.ReportAllocs()
	for b.Loop() {
		k, err := c.newSend(&Outgoing{To: "bob", Elements: elements, CloudCustomData: "ccd"})
		if err != nil {
			b.Fatal(err)
		}
		k.req.sum = checksum(k.req.body)
		frame = appendFrame(frame[:0], head, &k.req)
		c.recycle(k)
	}
	b.SetBytes(int64(len(frame)))
}

func BenchmarkDecodePush(b *testing.B) {
	o := testOptions()
	o.NoSync = true
	o.OnMessage = func(Message) {}
	c := newClient(o)
	frame := []byte(`{"head":{"servcmd":"im_open_push.msg_push","seq":1},"body":` + onePush + `}`)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		c.receive(nil, frame)
	}
}

func BenchmarkSendRoundTrip(b *testing.B) {
	t := new(testing.T)
	p := newPeer(t)
	defer p.server.Close()
	p.script = func(l *line, f frame) { l.answer(f, `{"ErrorCode":0,"MsgTime":1}`) }
	c, err := Dial(context.Background(), p.options())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	elements := []Element{Text("hi")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Send(context.Background(), Outgoing{To: "bob", Elements: elements}); err != nil {
			b.Fatal(err)
		}
	}
}
