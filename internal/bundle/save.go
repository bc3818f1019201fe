package bundle

import (
	"context"
	"math"

	"github.com/magpie-im/magpie/internal/chat/element"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type saveRequest struct {
	List wire.Raw `json:"MsgList"`
}

// saveReply has the bundle's key twice: native clients look for another spelling of the messages under the second, which they do not
// find here.
type saveReply struct {
	Key   string `json:"JsonMsgKey"`
	PBKey string `json:"PbMsgKey"`
}

func (b *Bundles) saveCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "save_relay_json_msg", By: command.Account, Family: im.FamilyMessage(),
		Doc: "store the messages of a merged message that is too large to carry them", Section: "wire.md#other-services",
	}, b.save)
}

func (b *Bundles) save(ctx context.Context, call *command.Call, r *saveRequest) (*saveReply, error) {
	body, err := element.ParseMerged(r.List, maxBytes.Of(call.App))
	if err != nil {
		return nil, err
	}
	if err := call.Store(1, len(body)); err != nil {
		return nil, err
	}
	var (
		made    key
		refused error
	)
	err = b.db.Write(ctx, func(tx *db.Tx) (err error) {
		if refused, err = take(tx, call.App, bytesOf(body)); err != nil || refused != nil {
			return err
		}
		if made, err = insert(tx, &call.Actor, body); err != nil {
			return err
		}
		return b.Sent(ctx, tx, [][]byte{body}) // of merged messages inside
	})
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return nil, refused
	}
	return &saveReply{made.String(), made.String()}, nil
}

func insert(tx *db.Tx, by *im.Actor, body []byte) (key, error) {
	made, err := drawKey(tx.NextID())
	if err != nil {
		return made, err
	}
	_, err = tx.Exec(`INSERT INTO bundle (id, app_id, secret, owner_id, used_at, bytes, body) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		made.id, int64(by.App.ID), made.secret, int64(by.Account), tx.Now().UnixMilli(), bytesOf(body), string(body))
	return made, err
}

// rowBytes is what a bundle takes beside its messages, so that small ones are bounded too.
const rowBytes = 256

func bytesOf(body []byte) int64 { return int64(len(body)) + rowBytes }

// take counts bytes among those of the application's bundles, or refuses.
func take(tx *db.Tx, app *im.App, bytes int64) (refused, err error) {
	within := false
	most := int64(totalMebibytes.Of(app)) << 20
	if most == 0 {
		most = math.MaxInt64
	}
	err = tx.Returning(func(row db.Scanner) error {
		_, err := db.Number(row)
		within = true
		return err
	}, `INSERT INTO bundle_usage (app_id, bytes) VALUES ($1, $2) ON CONFLICT (app_id) DO UPDATE SET bytes = bundle_usage.bytes + excluded.bytes
		WHERE bundle_usage.bytes + excluded.bytes <= $3 RETURNING bytes`, int64(app.ID), bytes, most)
	if err == nil && !within {
		refused = im.Errorf(im.CodeMessageTooLong, "the application's merged messages take %d MiB already, as much as they may (its setting "+
			"message.bundle_total_mib): send fewer messages together", totalMebibytes.Of(app))
	}
	return refused, err
}
