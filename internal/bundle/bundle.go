// Package bundle keeps what merged messages hold that are too large to carry it: the messages that were put together, stored
// apart under a key. The merged message carries the key alone, and whoever opens it asks for the bundle then.
//
// The interface knows no readers of a bundle: a merged message may be forwarded to anybody. So the key is the right to read, within the
// application, and nobody guesses it. A bundle that nobody has stored, sent or read for as long as messages are kept goes (Expire), an
// hour later at most.
package bundle

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/setting"
)

// service is the service of the commands. Only clients have them.
const service = "im_long_msg"

var (
	maxBytes = setting.Int(setting.Spec[int]{
		Name: "message.bundle_max_bytes", Default: 256 << 10, Low: 16 << 10, High: 4 << 20, Unit: "bytes",
		Doc: "largest bundle, the messages of a merged message that is too large to carry them; the node's --max-frame-bytes bounds it too",
	})

	totalMebibytes = setting.Int(setting.Spec[int]{
		Name: "message.bundle_total_mib", Default: 4096, Low: 0, High: 1 << 20, Unit: "MiB",
		Doc: "what all bundles of the application may take; 0 is no bound",
	})
)

// Bundles is the room's state.
type Bundles struct{ db *db.DB }

// New makes the room.
func New(d *db.DB) *Bundles { return &Bundles{d} }

// Commands is the room's table of contents.
func (b *Bundles) Commands() []command.Command {
	return []command.Command{b.saveCommand(), b.readCommand()}
}

// Settings lists what an operator may choose in this room.
func (b *Bundles) Settings() []setting.Declaration {
	return []setting.Declaration{maxBytes, totalMebibytes}
}

// key names a bundle. Its secret keeps others from trying ids.
type key struct {
	id     int64
	secret string
}

const secretBytes = 16

// drawKey makes the key of a new bundle.
func drawKey(id int64) (key, error) {
	var secret [secretBytes]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return key{}, fmt.Errorf("draw a key: %w", err)
	}
	return key{id, hex.EncodeToString(secret[:])}, nil
}

func (k key) String() string { return strconv.FormatInt(k.id, 10) + "_" + k.secret }

// parseKey reads a key; one that cannot be a key is one that names nothing.
func parseKey(text string) (key, bool) {
	number, secret, _ := strings.Cut(text, "_")
	id, err := strconv.ParseInt(number, 10, 64)
	return key{id, secret}, err == nil && len(secret) == hex.EncodedLen(secretBytes)
}
