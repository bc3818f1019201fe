package event

import (
	"encoding/binary"
	"errors"

	"github.com/magpie-im/magpie/internal/im"
)

// What a node is asked to do with a message from the bus.
const (
	actionPush    byte = 1
	actionLogOut  byte = 2
	actionReplace byte = 3
	headerSize         = 2 + 4*8
)

// Delivery is a message from the bus, read by the gateway. Whom it is for, its subject says.
type Delivery struct {
	LogOut  bool
	Replace bool
	// Reason is the KickType of a LogOut.
	Reason int
	Except im.InstanceID
	Only   im.InstanceID
	// Brings is the message that the push brings; the zero Sequence is none.
	Brings Sequence
	// Frame is the push to write as it is; of a Replace, the connection that stays.
	Frame []byte
}

var errDelivery = errors.New("event: not a delivery of this version")

// For reports whether the delivery leaves a device in: it may be for all of an audience but one, or for one only. A guest
// has the device 0.
func (d *Delivery) For(device im.InstanceID) bool {
	return (d.Except == 0 || d.Except != device) && (d.Only == 0 || d.Only == device)
}

// ReadDelivery reads a message from the bus. The frame shares its memory.
func ReadDelivery(message []byte) (Delivery, error) {
	if len(message) < headerSize || message[0] < actionPush || message[0] > actionReplace {
		return Delivery{}, errDelivery
	}
	return Delivery{
		LogOut:  message[0] == actionLogOut,
		Replace: message[0] == actionReplace,
		Reason:  int(message[1]),
		Except:  im.InstanceID(binary.BigEndian.Uint64(message[2:])),
		Only:    im.InstanceID(binary.BigEndian.Uint64(message[10:])),
		Brings: Sequence{
			Chat:   int64(binary.BigEndian.Uint64(message[18:])),
			Number: int64(binary.BigEndian.Uint64(message[26:])),
		},
		Frame: message[headerSize:],
	}, nil
}
