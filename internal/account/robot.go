package account

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// robotPrefix marks the accounts of robots, which have their own commands (docs/protocol/rest.md#robots).
const robotPrefix = "@RBT#"

// IsRobot tells a robot's account by its name.
func IsRobot(userID string) bool { return strings.HasPrefix(userID, robotPrefix) }

// Robot is a robot as it is made. A nil Nick or FaceURL leaves the account's own.
type Robot struct {
	UserID        string
	Nick, FaceURL *string
}

// ErrTooManyRobots is returned when the application has as many robots as it may.
var ErrTooManyRobots = errors.New("account: too many robots")

// The condition is spelt as the index account_robot spells it.
const ofRobots = ` FROM account WHERE app_id = $1 AND substr(user_id, 1, 5) = '@RBT#' AND deleted_at = 0`

// MakeRobot makes a robot's account, or changes the one of that name. The caller has checked the fields. Two nodes that
// make the last ones at the same moment may pass the application's bound.
func (a *Accounts) MakeRobot(ctx context.Context, app *im.App, r Robot) (Account, error) {
	full := false
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		others, err := db.One(ctx, tx, db.Number, `SELECT COUNT(*)`+ofRobots+` AND user_id <> $2`, int64(app.ID), r.UserID)
		if full = others >= int64(maxRobots.Of(app)); err != nil || full {
			return err
		}
		return insert(tx, app.ID, imported(r))
	})
	if err != nil {
		return Account{}, fmt.Errorf("make robot: %w", err)
	}
	if full {
		return Account{}, ErrTooManyRobots
	}
	a.Changed(app.ID, r.UserID)
	return a.Find(ctx, app.ID, r.UserID)
}

// Robots lists the names of an application's robots.
func (a *Accounts) Robots(ctx context.Context, app im.AppID) ([]string, error) {
	names, err := db.All(ctx, a.db, func(row db.Scanner) (string, error) {
		var name string
		err := row(&name)
		return name, err
	}, `SELECT user_id`+ofRobots+` ORDER BY user_id LIMIT $2`, int64(app), mostRobots)
	if err != nil {
		return nil, fmt.Errorf("list robots: %w", err)
	}
	return names, nil
}

// DeleteRobot deletes a robot's account as account_delete deletes one; ErrUnknown if there is no such robot.
func (a *Accounts) DeleteRobot(ctx context.Context, app *im.App, userID string) error {
	if !IsRobot(userID) {
		return ErrUnknown
	}
	return a.deleteOne(ctx, app, userID)
}
