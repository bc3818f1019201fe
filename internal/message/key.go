package message

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/im"
)

// Key is a message's key as the wire spells it: "<MsgSeq>_<MsgRandom>_<MsgTime>"
// (docs/protocol/limits.md#5-storage-and-history-rules).
type Key chat.Key

// String writes the key as the interface does.
func (k Key) String() string {
	b := make([]byte, 0, maxMsgKeyBytes)
	b = append(strconv.AppendInt(b, k.Seq, 10), '_')
	b = append(strconv.AppendInt(b, k.Random, 10), '_')
	return string(strconv.AppendInt(b, k.Time, 10))
}

// MarshalText writes the key as the interface does.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// ParseKey reads a key, or refuses with CodeMessageKey.
func ParseKey(text string) (Key, error) {
	var k Key
	parts := strings.Split(text, "_")
	if len(text) > maxMsgKeyBytes || len(parts) != 3 {
		return k, badKey(text)
	}
	for i, field := range []*int64{&k.Seq, &k.Random, &k.Time} {
		n, err := strconv.ParseUint(parts[i], 10, 40)
		if err != nil {
			return k, badKey(text)
		}
		*field = int64(n)
	}
	return k, nil
}

// parseCursor reads a key that may have a message's sequence behind it; 0 is none.
func parseCursor(text string) (Key, int64, error) {
	parts := strings.SplitN(text, "_", cursorParts)
	if len(parts) < cursorParts {
		key, err := ParseKey(text)
		return key, 0, err
	}
	sequence, err := strconv.ParseInt(parts[cursorParts-1], 10, 64)
	if err != nil || sequence <= 0 {
		return Key{}, 0, badKey(text)
	}
	key, err := ParseKey(strings.Join(parts[:cursorParts-1], "_"))
	return key, sequence, err
}

// cursorParts is of how many numbers a key with a sequence behind it is made.
const cursorParts = 4

func badKey(text string) error {
	return im.Errorf(im.CodeMessageKey, "MsgKey %s: want <MsgSeq>_<MsgRandom>_<MsgTime>", strconv.Quote(fmt.Sprintf("%.60s", text)))
}
