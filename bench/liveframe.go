package bench

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"io"

	"github.com/klauspost/compress/gzip"
)

// cutFramed is a frame of a server's: neither masked nor in pieces.
type cutFramed struct {
	opcode  byte
	payload []byte
}

// cutFrame takes the first frame off what has come; whole says that it has come to its end.
func cutFrame(text []byte) (f cutFramed, rest []byte, whole bool) {
	const opcodes, lengths, long, longest = 0x0f, 0x7f, 126, 127
	if len(text) < 2 {
		return f, text, false
	}
	head, n := 2, uint64(text[1]&lengths)
	switch n {
	case long:
		if head = 4; len(text) >= head {
			n = uint64(binary.BigEndian.Uint16(text[2:]))
		}
	case longest:
		if head = 10; len(text) >= head {
			n = binary.BigEndian.Uint64(text[2:])
		}
	}
	if len(text) < head || uint64(len(text)-head) < n {
		return f, text, false
	}
	end := head + int(n)
	return cutFramed{text[0] & opcodes, text[head:end]}, text[end:], true
}

// liveMessage is a bench message in a push: when it was due, in unix nanoseconds, and its priority.
type liveMessage struct {
	due      int64
	priority int
}

// frameBook knows the messages of each frame that has come, by its hash: ten thousand members get the same frames, and to decode each of
// them for each member would be the load's own work.
type frameBook struct {
	seed  maphash.Seed
	known map[uint64][]liveMessage
}

// frameBookMost bounds the frames that are known; of a run there are some hundred.
const frameBookMost = 1 << 16

func (b *frameBook) clear() {
	b.seed, b.known = maphash.MakeSeed(), map[uint64][]liveMessage{}
}

// find gives the messages of a frame, none of one that brings none; fresh says that the frame was not known.
func (b *frameBook) find(payload []byte) (all []liveMessage, fresh bool) {
	key := maphash.Bytes(b.seed, payload)
	all, found := b.known[key]
	if found {
		return all, false
	}
	if len(b.known) >= frameBookMost {
		b.clear()
		key = maphash.Bytes(b.seed, payload)
	}
	all = messagesOf(payload)
	b.known[key] = all
	return all, true
}

// messagesOf reads the bench messages of a push.
func messagesOf(payload []byte) (all []liveMessage) {
	var push struct {
		Body struct {
			Events []struct {
				Messages []struct {
					Body []struct{ MsgContent struct{ Text string } } `json:"MsgBody"`
				} `json:"GroupMsgArray"`
			} `json:"EventArray"`
		} `json:"body"`
	}
	text, err := inflated(payload)
	if err != nil || json.Unmarshal(text, &push) != nil {
		return nil
	}
	for _, event := range push.Body.Events {
		for _, message := range event.Messages {
			if len(message.Body) == 0 {
				continue
			}
			if one, ok := liveMessageOf(message.Body[0].MsgContent.Text); ok {
				all = append(all, one)
			}
		}
	}
	return all
}

// inflated is a frame's JSON.
func inflated(payload []byte) ([]byte, error) {
	const mark, most = "COMP", 16 << 20
	rest, packed := bytes.CutPrefix(payload, []byte(mark))
	if !packed {
		return payload, nil
	}
	stream, err := gzip.NewReader(bytes.NewReader(rest))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(stream, most))
}

// liveMessageOf reads what a text begins with: the moment, and a digit for the priority.
func liveMessageOf(text string) (m liveMessage, ok bool) {
	if len(text) <= stampDigits {
		return m, false
	}
	due, ok := parseStamp([]byte(text))
	priority := int(text[stampDigits]) - '0'
	return liveMessage{due, priority}, ok && priority >= 0 && priority < livePriorities
}
