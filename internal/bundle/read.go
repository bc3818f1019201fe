package bundle

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type readRequest struct {
	Key string `json:"JsonMsgKey"`
}

type readReply struct {
	List wire.Raw `json:"MsgList"`
}

func (b *Bundles) readCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_relay_json_msg", By: command.Account, Family: im.FamilyMessage(),
		Doc: "give the messages of a merged message that are stored apart", Section: "wire.md#other-services",
	}, b.read)
}

func (b *Bundles) read(ctx context.Context, call *command.Call, r *readRequest) (*readReply, error) {
	unknown := im.Errorf(im.CodeMessageUnknown, "there are no messages under JsonMsgKey %.60q, or their time is over", r.Key)
	named, is := parseKey(r.Key)
	if !is {
		return nil, unknown
	}
	found, err := b.find(ctx, call.App.ID, named)
	if errors.Is(err, db.ErrNotFound) {
		return nil, unknown
	}
	if err != nil {
		return nil, err
	}
	return &readReply{wire.Raw(found.body)}, b.touch(ctx, named.id, found.usedAt)
}

// row is a bundle as it is stored.
type row struct {
	secret string
	usedAt int64
	body   string
}

// find reads the bundle of a key, or fails with [db.ErrNotFound].
func (b *Bundles) find(ctx context.Context, app im.AppID, named key) (row, error) {
	found, err := db.One(ctx, b.db, func(scan db.Scanner) (r row, err error) { return r, scan(&r.secret, &r.usedAt, &r.body) },
		`SELECT secret, used_at, body FROM bundle WHERE id = $1 AND app_id = $2`, named.id, int64(app))
	switch {
	case errors.Is(err, db.ErrNotFound):
		return found, err
	case err != nil:
		return found, fmt.Errorf("read a bundle: %w", err)
	case subtle.ConstantTimeCompare([]byte(found.secret), []byte(named.secret)) != 1:
		return found, db.ErrNotFound
	}
	return found, nil
}

// touchEvery is how long a bundle is sent and read without noting that it is.
const touchEvery = time.Hour

// touch notes that a bundle is read, so that its time begins again: it may have been forwarded.
func (b *Bundles) touch(ctx context.Context, id, usedAt int64) error {
	if b.db.Now().Sub(time.UnixMilli(usedAt)) < touchEvery {
		return nil
	}
	return b.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE bundle SET used_at = $1 WHERE id = $2`, tx.Now().UnixMilli(), id)
		return err
	})
}
