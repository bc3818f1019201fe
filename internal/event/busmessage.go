package event

import (
	"encoding/binary"
	"errors"

	"github.com/magpie-im/magpie/internal/im"
)

// What a bus message asks a node to do.
const (
	actionPush    byte = 1
	actionKick    byte = 2
	actionReplace byte = 3
	actionLeave   byte = 4
	actionJoin    byte = 5
	actionEmpty   byte = 6
	actionTell    byte = 7
	headerSize         = 2 + 4*8
)

// BusMessage is what a node reads from the bus for its sessions. Its subject and Only and Except say for which.
type BusMessage struct {
	Kick    bool
	Replace bool
	// Leave says that Accounts left Group, Join that they joined, and Empty that everybody left the group of the subject.
	Leave, Join, Empty bool
	Accounts           []im.AccountID
	Group              int64
	// Presence is what may be different of the presence of the subject's account; zero in any other bus message.
	Presence Presence
	// Reason is the KickType of a Kick.
	Reason int
	Except im.DeviceID
	Only   im.DeviceID
	// Brings is the message that the push brings; the zero Sequence is none.
	Brings Sequence
	// Frame is the push to write as it is; of a Replace, the number of the session that stays.
	Frame []byte
}

var errBusMessage = errors.New("event: not a bus message of this version")

// Carries is how many messages a push of a live room brings; it means nothing in any other bus message.
func (d *BusMessage) Carries() Carried { return unpack(d.Brings.Number) }

// For reports whether the bus message is for a device: it may be for all of an audience but one, or for one only. A
// guest has the device 0.
func (d *BusMessage) For(device im.DeviceID) bool {
	return (d.Except == 0 || d.Except != device) && (d.Only == 0 || d.Only == device)
}

// ReadBusMessage reads the bytes of a bus message. The frame shares their memory.
func ReadBusMessage(message []byte) (BusMessage, error) {
	if len(message) < headerSize || message[0] < actionPush || message[0] > actionTell {
		return BusMessage{}, errBusMessage
	}
	d := BusMessage{
		Kick:    message[0] == actionKick,
		Replace: message[0] == actionReplace,
		Leave:   message[0] == actionLeave,
		Join:    message[0] == actionJoin,
		Empty:   message[0] == actionEmpty,
		Reason:  int(message[1]),
		Except:  im.DeviceID(binary.BigEndian.Uint64(message[2:])),
		Only:    im.DeviceID(binary.BigEndian.Uint64(message[10:])),
		Brings: Sequence{
			Chat:   int64(binary.BigEndian.Uint64(message[18:])),
			Number: int64(binary.BigEndian.Uint64(message[26:])),
		},
		Frame: message[headerSize:],
	}
	if message[0] == actionTell {
		d.Presence, d.Reason = Presence(message[1]), 0
	}
	if !d.Leave && !d.Join {
		return d, nil
	}
	if len(d.Frame) < 2*idSize || len(d.Frame)%idSize != 0 {
		return BusMessage{}, errBusMessage
	}
	d.Group = int64(binary.BigEndian.Uint64(d.Frame))
	for rest := d.Frame[idSize:]; len(rest) > 0; rest = rest[idSize:] {
		d.Accounts = append(d.Accounts, im.AccountID(binary.BigEndian.Uint64(rest)))
	}
	return d, nil
}

// idSize is the length of a number of a group or an account.
const idSize = 8

// membership is how a group and accounts are written in a bus message.
func membership(group int64, accounts ...im.AccountID) []byte {
	written := binary.BigEndian.AppendUint64(make([]byte, 0, idSize*(1+len(accounts))), uint64(group))
	for _, one := range accounts {
		written = binary.BigEndian.AppendUint64(written, uint64(one))
	}
	return written
}
