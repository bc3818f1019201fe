package chat

import (
	"slices"
	"strconv"
	"strings"

	"github.com/magpie-im/magpie/internal/im"
)

// Readers are the accounts of a group that may read a message beside its sender. Empty is every member.
type Readers []im.AccountID

// text is how they are stored: ",7,12,", or nothing.
func (r Readers) text() string {
	if len(r) == 0 {
		return ""
	}
	text := []byte{','}
	for _, one := range r {
		text = append(strconv.AppendInt(text, int64(one), 10), ',')
	}
	return string(text)
}

// readReaders reads what text wrote.
func readReaders(text string) Readers {
	if text == "" {
		return nil
	}
	var all Readers
	for _, part := range strings.Split(strings.Trim(text, ","), ",") {
		n, _ := strconv.ParseInt(part, 10, 64)
		all = append(all, im.AccountID(n))
	}
	return all
}

// ReadBy reports whether a member of the message's group may read it.
func (m *Message) ReadBy(who im.AccountID) bool {
	return len(m.Readers) == 0 || m.From == who || slices.Contains(m.Readers, who)
}
