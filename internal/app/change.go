package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/usersig"
)

// What an operator changes beside the declared settings.
const (
	settingKey    = "public_key"
	settingAdmins = "admins"
)

// maxAdmins bounds the administrators of an application.
const maxAdmins = 10

// Set changes settings, given as name and value, all or none; a *setting.Error says what is wrong with one. The names are
// those of the declared settings, and "public_key" for the public key in PEM that checks UserSigs of the older kind,
// "admins" for a list of administrators split by commas.
func (a *Apps) Set(ctx context.Context, id im.AppID, changes map[string]string) error {
	return a.change(ctx, id, "", changes)
}

// SetBy is Set by an administrator, of his application. One who is no administrator any more by the time of the change is
// refused with CodeNotAppAdmin.
func (a *Apps) SetBy(ctx context.Context, by *im.Actor, changes map[string]string) error {
	return a.change(ctx, by.App.ID, by.UserID, changes)
}

// row is what a change may change of an application, as it is stored.
type row struct {
	admins, public string
	texts          map[string]string // the settings
}

// change reads and writes the application in one transaction, so that changes made at once by several processes are all
// there afterwards. by is the administrator who asks, empty for the operator.
func (a *Apps) change(ctx context.Context, id im.AppID, by string, changes map[string]string) error {
	return a.write(ctx, func(tx *db.Tx) error {
		// A change that is refused before anything is written costs nothing to the writes that share its commit.
		if _, err := a.changed(ctx, tx, id, by, changes); err != nil {
			return err
		}
		version, err := nextVersion(tx)
		if err != nil {
			return err
		}
		fresh, err := a.changed(ctx, tx, id, by, changes)
		if err != nil {
			return err
		}
		return update(tx, id, fresh, version)
	})
}

// changed reads the application's row and makes the changes to it.
func (a *Apps) changed(ctx context.Context, tx *db.Tx, id im.AppID, by string, changes map[string]string) (row, error) {
	r, err := db.One(ctx, tx, scanRow, `SELECT admins, public_key, settings FROM app WHERE id = $1 AND NOT removing`, int64(id))
	if errors.Is(err, db.ErrNotFound) {
		return row{}, fmt.Errorf("no application %d", id)
	}
	if err != nil {
		return row{}, err
	}
	if by != "" && !slices.Contains(readAdmins(r.admins), by) {
		return row{}, im.Errorf(im.CodeNotAppAdmin, "%.40q is not an administrator of the application", by)
	}
	declared := map[string]string{}
	for name, value := range changes {
		var err error
		switch name {
		case settingKey:
			r.public = value
			_, err = usersig.ParsePublicKey(value)
		case settingAdmins:
			r.admins, err = writeAdmins(value)
		default:
			declared[name] = value
		}
		if err != nil {
			return row{}, &setting.Error{Name: name, Problem: err.Error()}
		}
	}
	r.texts, err = a.table.Change(r.texts, declared)
	return r, err
}

func scanRow(scan db.Scanner) (row, error) {
	var (
		r        row
		settings string
	)
	err := scan(&r.admins, &r.public, &settings)
	if err == nil {
		r.texts, err = readTexts(settings)
	}
	return r, err
}

const updateApp = `UPDATE app SET settings = $1, admins = $2, public_key = $3, updated_at = $4, version = $5 WHERE id = $6`

func update(tx *db.Tx, id im.AppID, r row, version int64) error {
	text, err := json.Marshal(r.texts)
	if err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	_, err = tx.Exec(updateApp, string(text), r.admins, r.public, tx.Now().UnixMilli(), version, int64(id))
	return err
}

// write runs a change of applications and takes it into force here.
func (a *Apps) write(ctx context.Context, change func(*db.Tx) error) error {
	if err := a.db.Write(ctx, change); err != nil {
		return err
	}
	return a.reload(ctx)
}

// nextVersion takes the number of a change. The transaction that holds it is the only one that changes applications until
// it ends: no other writes the rows that it reads from then on.
func nextVersion(tx *db.Tx) (int64, error) {
	var version int64
	err := tx.Returning(func(scan db.Scanner) error { return scan(&version) },
		`UPDATE app_version SET number = number + 1 RETURNING number`)
	if err != nil {
		return 0, fmt.Errorf("count the change: %w", err)
	}
	return version, nil
}

// readTexts reads the settings as they are stored, by name: those only that differ from their defaults.
func readTexts(text string) (map[string]string, error) {
	texts := map[string]string{}
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return texts, nil
}

func readAdmins(text string) []string { return strings.Split(text, "\n") }

func writeAdmins(list string) (string, error) {
	admins := strings.Split(list, ",")
	if len(admins) > maxAdmins {
		return "", fmt.Errorf("want at most %d administrators", maxAdmins)
	}
	for _, admin := range admins {
		if !im.ValidUserID(admin) {
			return "", fmt.Errorf("want user ids split by commas, and %.80q is none", admin)
		}
	}
	if !slices.Contains(admins, im.DefaultAdmin) {
		return "", fmt.Errorf("want %q among them, who is an administrator of every application", im.DefaultAdmin)
	}
	return strings.Join(admins, "\n"), nil
}
