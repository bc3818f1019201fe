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
	headerSize         = 2 + 4*8
)

// BusMessage is what a node reads from the bus for its sessions. Its subject and Only and Except say for which.
type BusMessage struct {
	Kick    bool
	Replace bool
	// Leave says that Account left Group, and Join that it joined.
	Leave, Join bool
	Account     im.AccountID
	Group       int64
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

// For reports whether the bus message is for a device: it may be for all of an audience but one, or for one only. A
// guest has the device 0.
func (d *BusMessage) For(device im.DeviceID) bool {
	return (d.Except == 0 || d.Except != device) && (d.Only == 0 || d.Only == device)
}

// ReadBusMessage reads the bytes of a bus message. The frame shares their memory.
func ReadBusMessage(message []byte) (BusMessage, error) {
	if len(message) < headerSize || message[0] < actionPush || message[0] > actionJoin {
		return BusMessage{}, errBusMessage
	}
	d := BusMessage{
		Kick:    message[0] == actionKick,
		Replace: message[0] == actionReplace,
		Leave:   message[0] == actionLeave,
		Join:    message[0] == actionJoin,
		Reason:  int(message[1]),
		Except:  im.DeviceID(binary.BigEndian.Uint64(message[2:])),
		Only:    im.DeviceID(binary.BigEndian.Uint64(message[10:])),
		Brings: Sequence{
			Chat:   int64(binary.BigEndian.Uint64(message[18:])),
			Number: int64(binary.BigEndian.Uint64(message[26:])),
		},
		Frame: message[headerSize:],
	}
	if !d.Leave && !d.Join {
		return d, nil
	}
	if len(d.Frame) != membershipSize {
		return BusMessage{}, errBusMessage
	}
	d.Group, d.Account = int64(binary.BigEndian.Uint64(d.Frame)), im.AccountID(binary.BigEndian.Uint64(d.Frame[8:]))
	return d, nil
}

// membershipSize is what membership makes.
const membershipSize = 2 * 8

// membership is how a group and an account are written in a bus message.
func membership(group int64, account im.AccountID) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(group)), uint64(account))
}
