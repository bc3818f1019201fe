package element

const kindRelay = "TIMRelayElem"

// maxMerged is how many messages one merged message may hold (docs/protocol/limits.md#3-sizes-and-counts).
const maxMerged = 300

// relay is a merged message: other messages forwarded as one. It carries them inline, or keys to fetch them by when they
// are too long for that.
type relay struct {
	Title, CompatibleText str
	AbstractList          strs // a line for each of the first few
	Version               num
	MsgNum                num
	LayersOverLimit       truth // merged too often to be shown
	MsgList               array
	JSONKey, PBKey        str // JsonMsgKey, PbMsgKey
}

func (*relay) kind() string { return kindRelay }

func (r *relay) field(name []byte) field {
	switch string(name) {
	case "Title":
		return &r.Title
	case "CompatibleText":
		return &r.CompatibleText
	case "AbstractList":
		return &r.AbstractList
	case "Version":
		return &r.Version
	case "MsgNum":
		return &r.MsgNum
	case "LayersOverLimit":
		return &r.LayersOverLimit
	case "MsgList":
		return &r.MsgList
	case "JsonMsgKey":
		return &r.JSONKey
	case "PbMsgKey":
		return &r.PBKey
	}
	return nil
}

// validate looks for the messages or a way to them. What is inside MsgList was checked when it was first sent, and is
// only shown.
func (r *relay) validate() error {
	switch {
	case r.MsgList.n > maxMerged:
		return inField("MsgList", faultf("has more than %d messages", maxMerged))
	case r.MsgNum.value > maxMerged:
		return inField("MsgNum", faultf("is more than %d", maxMerged))
	case !r.MsgList.set && r.JSONKey.text == "" && r.PBKey.text == "" && r.LayersOverLimit.value != 1:
		return inField("MsgList", faultf("is missing, and so are JsonMsgKey and PbMsgKey"))
	}
	return nil
}

// digest has no word in the documentation; it follows the form of those that have one.
func (*relay) digest(l Language) string { return l.say("[Chat History]", "[聊天记录]") }
