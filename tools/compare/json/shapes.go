// Package json compares JSON codecs on the frames of Magpie's own wire.
//
// Here are the shapes and the sample frames; the measurements are in bench_test.go and the answers to hostile input
// in hostile_test.go. R is whatever the codec under test calls a raw JSON value: each codec is measured with its own
// type, as its users would write it.
package json

// Frame is the envelope. The body stays raw, because which struct it wants is known only once ServCmd is read.
type Frame[R any] struct {
	Head Head `json:"head"`
	Body R    `json:"body"`
}

// Head holds the fields of the envelope that a server reads; the others must be skipped.
type Head struct {
	ServCmd    string `json:"servcmd"`
	Seq        uint64 `json:"seq"`
	SDKAppID   uint64 `json:"sdkappid"`
	Platform   int    `json:"platform"`
	ReqTime    int64  `json:"reqtime"`
	InstID     uint64 `json:"status_instid"`
	Identifier string `json:"identifier"`
	UserSig    string `json:"usersig"`
	A2         string `json:"a2"`
	TinyID     string `json:"tinyid"`
}

// Send is the body of openim.sendmsg, its elements raw.
type Send[R any] struct {
	From        string   `json:"From_Account"`
	To          string   `json:"To_Account"`
	Seq         uint64   `json:"MsgSeq"`
	Random      uint64   `json:"MsgRandom"`
	Elements    []R      `json:"MsgBody"`
	CustomData  string   `json:"CloudCustomData"`
	FromNick    string   `json:"From_AccountNick"`
	FromFace    string   `json:"From_AccountHeadurl"`
	Offline     *Offline `json:"OfflinePushInfo"`
	Control     []string `json:"SendMsgControl"`
	ClientTime  int64    `json:"MsgClientTime"`
	NeedReceipt int      `json:"IsNeedReadReceipt"`
	Extensible  int      `json:"SupportMessageExtension"`
	Relay       int      `json:"IsRelayMsg"`
}

// Offline is the part of a message that only the offline push reads.
type Offline struct {
	Flag    int    `json:"PushFlag"`
	Title   string `json:"Title"`
	Desc    string `json:"Desc"`
	Ext     string `json:"Ext"`
	Apple   string `json:"ApnsInfo"`
	Android string `json:"AndroidInfo"`
}

// Push is a whole server frame with one or more events.
type Push[R any] struct {
	Head PushHead    `json:"head"`
	Body PushBody[R] `json:"body"`
}

// PushHead is what a client reads of a server frame's head.
type PushHead struct {
	ServCmd string `json:"servcmd"`
	Seq     uint64 `json:"seq"`
}

// PushBody is the body of im_open_push.msg_push.
type PushBody[R any] struct {
	Events  []Event[R] `json:"EventArray"`
	NeedAck int        `json:"NeedAck"`
	Session string     `json:"SessionData"`
}

// Event 9 is "C2C messages".
type Event[R any] struct {
	Event int       `json:"Event"`
	C2C   []Item[R] `json:"C2cMsgArray"`
}

// Item is one stored message as a push carries it.
type Item[R any] struct {
	From        string `json:"From_Account"`
	To          string `json:"To_Account"`
	Seq         uint64 `json:"MsgSeq"`
	Random      uint64 `json:"MsgRandom"`
	Time        int64  `json:"MsgTimeStamp"`
	ClientTime  int64  `json:"MsgClientTime"`
	TinyID      string `json:"TinyId"`
	ClientSeq   uint64 `json:"ClientSeq"`
	FromNick    string `json:"From_AccountNick"`
	FromFace    string `json:"From_AccountHeadurl"`
	Elements    R      `json:"MsgBody"`
	CustomData  string `json:"CloudCustomData"`
	NeedReceipt int    `json:"IsNeedReadReceipt"`
	PeerRead    int    `json:"IsPeerRead"`
	Extensible  int    `json:"SupportMessageExtension"`
	Version     int    `json:"MsgVersion"`
}

// sendFrame is a captured openim.sendmsg request, without the spaces, which the SDK does not send.
const sendFrame = `{"head":{"ver":"v4","platform":7,"websdkappid":537048168,"websdkversion":"1.7.3",` +
	`"a2":"a2_alice_3683014456","tinyid":"144115227431211544","status_instid":1001,"sdkappid":1400000001,` +
	`"contenttype":"json","reqtime":1795238799,"sdkability":75689843,"sdkability_ext":"","cappid":0,` +
	`"cs":3948241856,"servcmd":"openim.sendmsg","seq":27889818},"body":` + sendBody + `}`

const sendBody = `{"From_Account":"alice","To_Account":"bob","MsgSeq":3526390001,"MsgRandom":31622982,` +
	`"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi bob 中文😀"}}],"CloudCustomData":"ccd",` +
	`"From_AccountNick":"nick_alice","From_AccountHeadurl":"http://x/alice.png","OfflinePushInfo":{"PushFlag":0,` +
	`"Title":"","Desc":"","Ext":"","ApnsInfo":"{…}","AndroidInfo":"{…}"},"SendMsgControl":[],` +
	`"MsgClientTime":1795238798,"IsNeedReadReceipt":1,"SupportMessageExtension":1,"IsRelayMsg":0}`

const elements = `[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi bob 中文😀"}}]`

func push[R ~[]byte]() Push[R] {
	return Push[R]{
		Head: PushHead{ServCmd: "im_open_push.msg_push", Seq: 1},
		Body: PushBody[R]{NeedAck: 1, Session: "opaque", Events: []Event[R]{{Event: 9, C2C: []Item[R]{{
			From: "ua_private", To: "ub_private", Seq: 3528330003, Random: 98697000,
			Time: 1795238914, ClientTime: 1795238913, TinyID: "144115288926596869", ClientSeq: 3528330003,
			FromNick: "nick_ua_private", FromFace: "http://x/ua_private.png", Elements: R(elements),
		}}}}},
	}
}
